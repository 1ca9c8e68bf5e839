//! A baseline: what is known is no reason to fail, wherever it has moved; what is new is.

use super::on_disk::{folder, write};
use crate::support::udmap;
use serde_json::Value;
use std::path::Path;

const fn event(members: &'static str) -> (&'static str, &'static str) {
    (
        r#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"GENERIC_EVENT"},"principal":{"#,
        members,
    )
}

/// An event a line; each has these members in `principal`.
fn events(members: &[&'static str]) -> String {
    members
        .iter()
        .map(|members| event(members))
        .map(|(head, members)| format!("{head}{members}}}}}\n"))
        .collect()
}

const BAD: &str = r#""ip":["x"]"#;
const WORSE: &str = r#""ip":["y"]"#;
const GOOD: &str = r#""hostname":"h""#;

/// Runs a command in a folder; the exit status, stdout and stderr.
fn run_in(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = udmap().current_dir(folder).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn moved_findings_are_known_and_new_ones_are_seen() {
    let folder = folder(&[("a.ndjson", &events(&[BAD, GOOD])), ("b.ndjson", &events(&[BAD]))]);
    let known = ["validate", "a.ndjson", "b.ndjson", "--baseline", "known.json"];
    let run = |args: &[&str]| run_in(folder.path(), args);
    assert_eq!(run(&known).0, 2, "there is none yet");
    let (status, _, said) = run(&["validate", "a.ndjson", "b.ndjson", "--write-baseline", "known.json"]);
    assert!(status == 0 && said.contains("wrote 2 findings to `known.json`"), "{said}");
    let (status, shown, said) = run(&known);
    assert_eq!((status, shown.as_str()), (0, ""), "{said}");
    assert!(said.contains("2 findings left out, which the baseline has"), "{said}");

    // Other lines, another order, other spelling, another file.
    write(
        folder.path(),
        "a.ndjson",
        &("\n\n".to_owned() + &events(&[GOOD, GOOD, r#""hostname":"h","ip":[ "x" ]"#])),
    );
    assert_eq!(run(&known).0, 0);
    write(folder.path(), "a.ndjson", &events(&[GOOD]));
    write(folder.path(), "b.ndjson", &events(&[GOOD, BAD, BAD]));
    assert_eq!(run(&known).0, 0);

    // Another value, one more of the same, another path: each is new, and only that is shown.
    for (text, path, line) in [
        (events(&[BAD, GOOD, WORSE]), "principal.ip[0]", 3),
        (events(&[BAD, GOOD, BAD]), "principal.ip[0]", 3),
        (events(&[BAD, GOOD, r#""asset":{"ip":["x"]}"#]), "principal.asset.ip[0]", 3),
    ] {
        write(folder.path(), "a.ndjson", &text);
        write(folder.path(), "b.ndjson", &events(&[BAD]));
        let (status, report, said) = run(&[&known[..], &["--report", "json=-"]].concat());
        assert_eq!(status, 1, "{text}{said}");
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(
            (report["findings"].as_array().unwrap().len(), &report["known"]),
            (1, &2.into()),
            "{report}"
        );
        let finding = &report["findings"][0];
        assert_eq!((&finding["path"], &finding["line"]), (&path.into(), &line.into()), "{report}");
        assert_eq!(finding["source"], "a.ndjson");
    }
}

#[test]
fn a_new_finding_is_shown_in_its_file_and_not_in_another_that_has_its_like() {
    let folder = folder(&[("b.ndjson", &events(&[BAD, BAD]))]);
    let run = |args: &[&str]| run_in(folder.path(), args);
    assert_eq!(run(&["validate", ".", "--write-baseline", "known.json"]).0, 0);
    // It comes first, but those in b were there before.
    write(folder.path(), "a.ndjson", &events(&[BAD]));
    let (status, report, _) =
        run(&["validate", "a.ndjson", "b.ndjson", "--baseline", "known.json", "--report", "json=-"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!((status, &report["known"], report["findings"].as_array().unwrap().len()), (1, &2.into(), 1));
    assert_eq!(report["findings"][0]["source"], "a.ndjson");
    assert_eq!(report["cases"][0]["errors"], 1);
}

#[test]
fn what_is_mended_is_said_and_taken_out() {
    let folder = folder(&[("a.ndjson", &events(&[BAD, WORSE])), ("b.ndjson", &events(&[BAD]))]);
    let run = |args: &[&str]| run_in(folder.path(), args);
    let both =
        ["validate", "a.ndjson", "b.ndjson", "--baseline", "known.json", "--write-baseline", "known.json"];
    assert_eq!(run(&both).0, 0);
    write(folder.path(), "a.ndjson", &events(&[BAD]));
    let (status, _, said) = run(&both[..5]);
    assert!(
        status == 0 && said.contains("hint: the baseline has 1 known finding that this run did not find"),
        "{said}"
    );
    // A file that was not looked at keeps what is known of it.
    assert_eq!(
        run(&["validate", "a.ndjson", "--baseline", "known.json", "--write-baseline", "known.json"]).0,
        0
    );
    let (status, _, said) = run(&both[..5]);
    assert!(status == 0 && !said.contains("did not find") && said.contains("2 findings left out"), "{said}");
}

#[test]
fn the_configuration_is_found_upwards_and_names_the_baseline() {
    let folder = folder(&[
        ("udmap.toml", "baseline = \"known.json\"\nstrict = true\n[severity]\nunknown-field = \"off\"\n"),
        (
            "parsers/A/events.ndjson",
            &events(&[BAD, r#""hostname":"h","what":1"#, r#""hostname":"h","mac":["z"]"#]),
        ),
        (".git/HEAD", ""),
    ]);
    let within = folder.path().join("parsers/A");
    let events = ["validate", "events.ndjson"];
    let (status, _, said) =
        run_in(&within, &[&events[..], &["--write-baseline", "../../known.json"]].concat());
    assert!(status == 0 && said.contains("wrote 2 findings"), "{said}");
    let (status, shown, said) = run_in(&within, &events);
    assert_eq!((status, shown.as_str()), (0, ""), "{said}");
    assert!(said.contains("configuration: ") && said.contains("udmap.toml"), "{said}");
    let (status, ..) = run_in(&within, &[&events[..], &["--no-config"]].concat());
    assert_eq!(status, 1);
    // Above the repository nobody looks.
    write(folder.path(), "parsers/A/.git", "gitdir: elsewhere");
    let (status, shown, _) = run_in(&within, &events);
    assert!(
        status == 1 && shown.contains("invalid-ip") && shown.contains("warning[unknown-field]"),
        "{shown}"
    );
    for wrong in [
        "nonsense = 1",
        "[severity]\nno-such-code = \"off\"",
        "[[allow]]\ncode = \"invalid-ip\"\npath = \"a\"\nfiles = \"[\"",
    ] {
        write(&within, "udmap.toml", wrong);
        let (status, _, said) = run_in(&within, &events);
        assert!(status == 2 && said.contains("udmap.toml"), "{said}");
    }
}

#[test]
fn test_and_diff_have_baselines_too() {
    let case = r#"{"ts":"2024-01-01T00:00:00Z","type":"sms"}"#;
    let folder = folder(&[
        ("cases/one/input.ndjson", case),
        ("cases/one/events.ndjson", &events(&[GOOD])),
        ("cases/two/input.ndjson", case),
        ("cases/two/events.ndjson", &events(&[GOOD])),
        ("a.ndjson", &events(&[GOOD, BAD])),
        ("b.ndjson", &events(&[GOOD, WORSE, GOOD])),
    ]);
    let run = |args: &[&str]| run_in(folder.path(), args);
    for command in [&["test", "cases"][..], &["diff", "a.ndjson", "b.ndjson"]] {
        assert_eq!(run(command).0, 1);
        let update = ["--baseline", "known.json", "--write-baseline", "known.json"];
        assert_eq!(run(&[command, &update].concat()).0, 0, "{command:?}");
        let (status, shown, said) = run(&[command, &update[..2]].concat());
        assert!(status == 0 && !shown.contains("FAIL") && said.contains("left out"), "{shown}{said}");
    }
    // One file holds what both know.
    let diff = ["diff", "a.ndjson", "b.ndjson", "--baseline", "known.json"];
    assert_eq!(run(&["test", "cases", "--baseline", "known.json"]).0, 0);
    assert_eq!(run(&diff).0, 0);
    write(folder.path(), "cases/two/events.ndjson", &events(&[GOOD, GOOD]));
    let (status, shown, _) = run(&["test", "cases", "--baseline", "known.json"]);
    assert!(status == 1 && shown.contains("FAIL two") && shown.contains("ok   one"), "{shown}");
    write(folder.path(), "b.ndjson", &events(&[GOOD, WORSE, GOOD, GOOD]));
    let (status, shown, _) = run(&diff);
    assert!(status == 1 && shown.contains("doubled  1 time"), "{shown}");
}

#[test]
fn a_baseline_that_would_not_hold_everything_is_not_written() {
    let folder =
        folder(&[("a.ndjson", &events(&[BAD])), ("known.json", "{\"baseline\": 1, \"findings\": []}")]);
    let before = std::fs::read(folder.path().join("known.json")).unwrap();
    let run = |args: &[&str]| run_in(folder.path(), args);
    std::fs::write(folder.path().join("cut.gz"), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]).unwrap();
    let (status, _, said) = run(&["validate", "a.ndjson", "cut.gz", "--write-baseline", "known.json"]);
    assert!(status == 2 && said.contains("no baseline is written"), "{said}");
    assert_eq!(std::fs::read(folder.path().join("known.json")).unwrap(), before);
    // Neither an input nor a configuration is written over, and what is no baseline is refused.
    for to in ["a.ndjson", "udmap.toml"] {
        write(folder.path(), "udmap.toml", "");
        assert_eq!(run(&["validate", "a.ndjson", "--write-baseline", to]).0, 2, "{to}");
    }
    let (status, _, said) = run(&["validate", "a.ndjson", "--baseline", "a.ndjson"]);
    assert!(status == 2 && said.contains("not a baseline"), "{said}");
}

/// pre-commit checks only the files that changed: a finding there is new, whatever the others have.
#[test]
fn a_part_of_the_files_does_not_take_what_others_have() {
    let folder = folder(&[("a.ndjson", &events(&[GOOD])), ("b.ndjson", &events(&[BAD]))]);
    let run = |args: &[&str]| run_in(folder.path(), args).0;
    assert_eq!(run(&["validate", "a.ndjson", "b.ndjson", "--write-baseline", "known.json"]), 0);
    write(folder.path(), "a.ndjson", &events(&[BAD]));
    assert_eq!(run(&["validate", "a.ndjson", "--baseline", "known.json"]), 1);
    assert_eq!(run(&["validate", "a.ndjson", "b.ndjson", "--baseline", "known.json"]), 1);
    // Moved: the other file is gone.
    std::fs::remove_file(folder.path().join("b.ndjson")).unwrap();
    assert_eq!(run(&["validate", "a.ndjson", "--baseline", "known.json"]), 0);
}

/// What is shown of a long value is its beginning; what is known is all of it.
#[test]
fn values_that_differ_behind_their_beginning_are_other_findings() {
    let long = |end: &str| format!("{}{end}", "x".repeat(100));
    let event = |end: &str| {
        events(&[GOOD]).replace(r#""hostname":"h""#, &format!(r#""hostname":"h","ip":["{}"]"#, long(end)))
    };
    let case = |end: &str| format!("{{\"ts\":\"2024-01-01T00:00:00Z\",\"type\":\"{}\"}}\n", long(end));
    let folder = folder(&[
        ("a.ndjson", &event("a")),
        ("b.ndjson", &event("b")),
        ("cases/one/input.ndjson", &case("a")),
        ("cases/one/events.ndjson", ""),
    ]);
    let run = |args: &[&str]| run_in(folder.path(), args).0;
    let commands: [&[&str]; 3] =
        [&["validate", "b.ndjson"], &["diff", "a.ndjson", "b.ndjson"], &["test", "cases"]];
    let baseline = ["--baseline", "known.json", "--write-baseline", "known.json"];
    for command in commands {
        assert_eq!(run(&[command, &baseline].concat()), 0, "{command:?}");
        assert_eq!(run(&[command, &baseline[..2]].concat()), 0, "{command:?}");
    }
    write(folder.path(), "b.ndjson", &event("c"));
    write(folder.path(), "cases/one/input.ndjson", &case("c"));
    for command in commands {
        assert_eq!(run(&[command, &baseline[..2]].concat()), 1, "{command:?}");
    }
}

/// In `test`, another record with a known reason is a new finding.
#[test]
fn another_record_that_is_rejected_is_new() {
    let good = "{\"ts\":\"2024-01-01T00:00:00Z\",\"type\":\"sms\"}";
    let case = |records: &[&str]| records.join("\n") + "\n";
    let folder = folder(&[
        ("cases/one/input.ndjson", &case(&[good, r#"{"type":"a"}"#, good])),
        ("cases/one/events.ndjson", ""),
    ]);
    let run = |args: &[&str]| run_in(folder.path(), &[&["test", "cases"], args].concat()).0;
    assert_eq!(run(&["--write-baseline", "known.json"]), 0);
    assert_eq!(run(&["--baseline", "known.json"]), 0);
    write(folder.path(), "cases/one/input.ndjson", &case(&[good, good, r#"{"type":"b"}"#]));
    assert_eq!(run(&["--baseline", "known.json"]), 1);
}

#[test]
fn names_in_a_configuration_or_baseline_stay_on_their_line() {
    let folder = folder(&[
        ("a.ndjson", &events(&[GOOD])),
        ("hostile.toml", "[severity]\n\"x`\\n2 events: 0 errors\\n\"=\"off\""),
        (
            "pattern.toml",
            "[[allow]]\ncode = \"invalid-ip\"\npath = \"a\"\nfiles = \"[\\n2 events: 0 errors\"",
        ),
        ("hostile.json", "{\"baseline\":1,\"findings\":[{\"a\\n2 events: 0 errors\":1}]}"),
    ]);
    for args in [["--config", "hostile.toml"], ["--config", "pattern.toml"], ["--baseline", "hostile.json"]] {
        let (status, _, said) = run_in(folder.path(), &[&["validate", "a.ndjson"][..], &args].concat());
        assert!(status == 2 && said.contains("2 events: 0 errors"), "{said}");
        assert!(!said.lines().any(|line| line.starts_with("2 events")), "{said}");
    }
}

/// What the file holds of other commands and files stays, also if it is only written.
#[test]
fn writing_a_part_keeps_the_rest() {
    let folder = folder(&[
        ("a.ndjson", &events(&[BAD])),
        ("b.ndjson", &events(&[BAD])),
        ("cases/one/input.ndjson", r#"{"ts":"2024-01-01T00:00:00Z","type":"sms"}"#),
        ("cases/one/events.ndjson", &events(&[GOOD])),
        ("other.json", "{}"),
    ]);
    let run = |args: &[&str]| run_in(folder.path(), args).0;
    assert_eq!(run(&["validate", "a.ndjson", "b.ndjson", "--write-baseline", "known.json"]), 0);
    assert_eq!(run(&["validate", "a.ndjson", "--write-baseline", "known.json"]), 0);
    assert_eq!(run(&["test", "cases", "--write-baseline", "known.json"]), 0);
    assert_eq!(run(&["validate", "a.ndjson", "b.ndjson", "--baseline", "known.json"]), 0);
    assert_eq!(run(&["test", "cases", "--baseline", "known.json"]), 0);
    // What is not a baseline is not written over.
    assert_eq!(run(&["validate", "a.ndjson", "--write-baseline", "other.json"]), 2);
    assert_eq!(std::fs::read(folder.path().join("other.json")).unwrap(), b"{}");
}

#[test]
fn cases_may_be_renamed_and_only_new_differences_are_shown() {
    let case = |types: &[&str]| -> String {
        let record = |kind: &&str| format!("{{\"ts\":\"2024-01-01T00:00:00Z\",\"type\":\"{kind}\"}}\n");
        types.iter().map(record).collect()
    };
    let folder = folder(&[("cases/one/input.ndjson", &case(&["a", "b"])), ("cases/one/events.ndjson", "")]);
    let run = |args: &[&str]| run_in(folder.path(), args);
    assert_eq!(run(&["test", "cases", "--write-baseline", "known.json"]).0, 0);
    std::fs::rename(folder.path().join("cases/one"), folder.path().join("cases/two")).unwrap();
    assert_eq!(run(&["test", "cases", "--baseline", "known.json"]).0, 0);
    write(folder.path(), "cases/two/input.ndjson", &case(&["a", "b", "new"]));
    let (status, shown, _) = run(&["test", "cases", "--baseline", "known.json"]);
    assert_eq!((status, shown.matches("no such event is expected").count()), (1, 1), "{shown}");
    assert!(shown.contains("record of line 3"), "{shown}");
}
