//! Records by their own time: what is in the range becomes what it always does, and the rest is counted.

use super::{events, files, gzip, manifest, outputs};
use crate::support::{json_lines, run};
use chrono::{DateTime, Utc};
use std::path::Path;
use udmap::convert::{Converter, Options};
use udmap::lab::{Generator, Mix};
use udmap::mapping::Mapping;
use udmap::time::{Reading, read};

/// Some four hours from 2019-06-01 on, in every form, with records that must be rejected.
fn log(seed: u64) -> Vec<u8> {
    let mix: Mix = "v2=5,v1=3,awkward=2,wrapped=3,broken=1".parse().expect("a mix");
    Generator::records(seed, &mix, 1_500)
}

const SINCE: &str = "2019-06-01T01:00:00Z";
const UNTIL: &str = "2019-06-01T02:00:00.5Z";

fn time(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).expect("a time").to_utc()
}

/// The lines of events that are in the range.
fn within(events: &[u8], since: &str, until: &str) -> Vec<u8> {
    let (since, until) = (time(since), time(until));
    let is_in = |line: &&[u8]| {
        let event: serde_json::Value = serde_json::from_slice(line).expect("JSON");
        (since..until).contains(&time(event["metadata"]["event_timestamp"].as_str().expect("a time")))
    };
    events.split_inclusive(|byte| *byte == b'\n').filter(is_in).flatten().copied().collect()
}

#[test]
fn a_file_gives_the_events_of_the_range_and_the_same_rejects() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let log = log(3);
    std::fs::write(at("in"), gzip(&log)).expect("written");
    let convert = |to: &str, more: &[&str]| {
        let (rejects, summary) = (at(&format!("{to}.rejects")), at(&format!("{to}.json")));
        let args = ["convert", &at("in"), "-o", &at(to), "--rejects", &rejects, "--summary", &summary];
        let done = run(&[&args, more].concat());
        assert_eq!(done.status, 1, "{}", done.stderr);
        let read = |name: &str| std::fs::read(at(name)).expect("read");
        let summary: serde_json::Value = serde_json::from_slice(&read(&format!("{to}.json"))).expect("JSON");
        (read(to), read(&format!("{to}.rejects")), summary, done.stderr)
    };
    let all = convert("all", &[]);
    assert!(all.0 == events(&log) && all.2["outside"] == 0 && !all.3.contains("outside"));
    let expected = within(&all.0, SINCE, UNTIL);
    assert!(expected.len() > 100_000 && expected.len() < all.0.len() / 2, "{}", expected.len());
    for more in [&["--threads", "3"][..], &["--engine", "avx2"], &["--engine", "exact", "--threads", "1"]] {
        let got = convert("some", &[&["--records-since", SINCE, "--records-until", UNTIL], more].concat());
        assert!(got.0 == expected && got.1 == all.1, "{more:?}");
        let n = |key: &str| got.2[key].as_u64().expect(key);
        assert_eq!(n("records"), n("events") + n("rejects") + n("outside"));
        assert_eq!(
            (got.2["balances"].clone(), n("records")),
            (true.into(), all.2["records"].as_u64().expect("n"))
        );
        assert!(n("outside") > 500 && got.3.contains(" outside of the range"), "{}", got.3);
    }
    // What is cut in two at any instant is whole together.
    for border in [SINCE, "2019-06-01T00:00:00.000001Z", "2024-02-29"] {
        let (before, after) =
            (convert("before", &["--records-until", border]), convert("after", &["--records-since", border]));
        let mut lines = json_lines(std::str::from_utf8(&before.0).expect("UTF-8")).len();
        lines += json_lines(std::str::from_utf8(&after.0).expect("UTF-8")).len();
        assert_eq!(lines as u64, all.2["events"].as_u64().expect("n"), "{border}");
        assert!(before.1 == all.1 && after.1 == all.1);
    }
}

/// The limits to the nanosecond; a record without a time, or with one outside of the calendar, is a reject.
#[test]
fn the_first_instant_is_in_the_range_and_the_last_is_not() {
    let mapping = Mapping::builtin("duo_telephony").expect("it comes with udmap");
    let at = |text: &str| read(text, Reading::Iso8601).expect("a time");
    let options = Options::default()
        .records_since(at("2024-01-01T00:00:00.000000001Z"))
        .records_until(at("2024-01-01T00:00:00.000000003Z"));
    let converter = Converter::new(&mapping, &options);
    assert_eq!(converter.engine(), Converter::new(&mapping, &Options::default()).engine());
    let record = |time: &str| format!("{{\"ts\":\"{time}\",\"phone\":\"+1\",\"credits\":\"x\"}}\n");
    let table = [
        ("2024-01-01T00:00:00Z", "outside"),
        ("2024-01-01T01:00:00.000000001+01:00", "event"),
        ("2024-01-01T00:00:00.0000000029Z", "event"),
        ("2024-01-01T00:00:00.000000003Z", "outside"),
        ("9999-12-31T23:59:59Z", "outside"),
        ("0001-01-01T00:00:00Z", "outside"),
        ("0000-12-31T00:00:00Z", "reject"),
        ("soon", "reject"),
    ];
    for (time, want) in table {
        let counts = converter.convert(record(time).as_bytes()).counts;
        let got = match (counts.events, counts.rejects, counts.outside) {
            (1, 0, 0) => "event",
            (0, 1, 0) => "reject",
            (0, 0, 1) => "outside",
            _ => "something else",
        };
        assert!(got == want && counts.records == 1 && counts.balances(), "{time}: {counts:?}");
    }
    // Rows keep their numbers where records before them are left out, and a reader gives what is left.
    let rows: Vec<String> = table.iter().map(|(time, _)| record(time)).collect();
    let mut got = Vec::new();
    let numbered = rows.iter().enumerate().map(|(n, row)| (n as u64, row.as_bytes()));
    let counts = converter.convert_rows(numbered, |row, became| got.push((row, became.is_ok())));
    assert_eq!(got, [(1, true), (2, true), (6, false), (7, false)]);
    assert!(counts.balances() && counts.outside == 4 && counts.records == 8);
    let log = rows.concat();
    let mut records = converter.records(log.as_bytes());
    let became: Vec<bool> = records.by_ref().map(|record| record.expect("read").is_ok()).collect();
    assert_eq!((became, records.counts().outside), (vec![true, true, false, false], 4));
}

#[test]
fn dumps_say_in_the_manifest_what_was_outside() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::create_dir(at("in")).expect("made");
    let logs: Vec<(String, Vec<u8>)> = (0..4).map(|n| (format!("{n}.gz"), log(n))).collect();
    for (name, log) in &logs {
        std::fs::write(folder.path().join("in").join(name), gzip(log)).expect("written");
    }
    let range = ["--records-since", SINCE, "--records-until", UNTIL];
    let convert = |to: &str, more: &[&str]| {
        let rejects = at(&format!("{to}-rejects/"));
        run(&[&["convert", &at("in"), "-o", &at(&format!("{to}/")), "--rejects", &rejects], more].concat())
    };
    for (to, more) in [("each", &[][..]), ("packed", &["--pack", "1MB"])] {
        let options = [&range[..], more].concat();
        let done = convert(to, &options);
        assert_eq!(done.status, 1, "{}", done.stderr);
        let all = files(Path::new(&at(to)));
        let lines = manifest(&all);
        assert_eq!(lines.len(), 4);
        let mut made = Vec::new();
        for line in &lines {
            let n = |key: &str| line[key].as_u64().expect(key);
            assert!(
                n("records") == n("events") + n("rejects") + n("outside") && n("outside") > 100,
                "{line}"
            );
        }
        outputs(&all).values().for_each(|packed| made.extend(super::gunzip(packed)));
        let expected: Vec<u8> = logs.iter().flat_map(|(_, log)| within(&events(log), SINCE, UNTIL)).collect();
        assert!(made == expected, "{to}");
        let again = convert(to, &options);
        assert!(again.stderr.contains(" 0 converted, 4 done before"), "{}", again.stderr);

        let verify = |more: &[&str]| run(&[&["verify", &at(to)], more].concat());
        assert_eq!(verify(&[]).status, 0, "{}", verify(&[]).stderr);
        let deep = verify(&["--deep", range[0], range[1], range[2], range[3]]);
        assert!(deep.status == 0 && deep.stderr.contains("4 inputs converted again"), "{}", deep.stderr);
        let other = verify(&["--deep", "--records-since", SINCE]);
        assert!(other.status == 1 && other.stderr.contains("another mapping"), "{}", other.stderr);
    }
    // Without a range nothing has changed: names are those of versions that knew none.
    assert_eq!(convert("each", &[]).status, 1);
    let names = outputs(&files(Path::new(&at("each"))));
    assert_eq!(names.len(), 8, "other outputs, for there is another range");
    assert!(manifest(&files(Path::new(&at("each")))).iter().any(|line| line.get("outside").is_none()));
    // What is outside is nowhere else, so its input stays.
    let delete = convert("gone", &[&range[..], &["--after-success", "delete"]].concat());
    assert!(delete.stderr.contains("4 kept after all"), "{}", delete.stderr);
    assert_eq!(files(Path::new(&at("in"))).len(), 4);
}

/// A manifest whose books leave out what was outside is wrong.
#[test]
fn books_that_hide_what_was_outside_are_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::write(at("in"), log(1)).expect("written");
    let done = run(&["convert", &at("in"), "-o", &at("out/"), "--records-since", SINCE, "-q"]);
    assert_eq!(done.status, 1, "{}", done.stderr);
    let part = files(Path::new(&at("out"))).into_keys().find(|key| key.contains("part-")).expect("a part");
    let path = folder.path().join("out").join(part);
    let text = std::fs::read_to_string(&path).expect("read");
    let (line, _) = text.split_once(",\"end\":").expect("an end");
    let mut line: serde_json::Value = serde_json::from_str(&format!("{line}}}")).expect("JSON");
    line.as_object_mut().expect("an object").remove("outside");
    line.as_object_mut().expect("an object").remove("part");
    std::fs::write(&path, format!("{line}\n")).expect("written");
    let verify = run(&["verify", &at("out")]);
    assert!(verify.status == 1 && verify.stderr.contains("don't balance"), "{}", verify.stderr);
}

#[test]
fn ranges_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::create_dir(at("in")).expect("made");
    std::fs::write(at("in/x"), super::log(1, 5)).expect("written");
    let (file, dump) = (at("x.ndjson"), at("out/"));
    let table: [(&str, &[&str], i32, &str); 9] = [
        (&file, &["--since", "2026-01-01"], 2, "hint: for the records' own time give `--records-since`"),
        (&file, &["--until", "30d"], 2, "hint: for the records' own time give `--records-until`"),
        (
            &file,
            &["--records-since", "30d", "--records-until", "2020-01-01"],
            2,
            "expected `--records-since` before",
        ),
        (&file, &["--records-since", "yesterday"], 2, "--records-since"),
        (&dump, &["--records-since", "30d"], 2, "expected a date or a time such as"),
        (&dump, &["--records-since", "2020-01-01", "--records-until", "2020-01-01"], 2, "before"),
        (&file, &["--records-since", "30d"], 3, "all 5 records in 1 input are outside of `--records-since`"),
        (&dump, &["--records-since", "2026-01-01"], 3, "all 5 records in 1 object are outside"),
        (&dump, &["--records-since", "2026-01-01", "--allow-empty"], 0, "1 done before"),
    ];
    for (to, more, status, words) in table {
        let done = run(&[&["convert", &at("in"), "-o", to], more].concat());
        assert!(done.status == status && done.stderr.contains(words), "{more:?}: {}", done.stderr);
    }
}
