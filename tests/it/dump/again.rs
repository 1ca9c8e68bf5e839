//! The rejects of a dump, mended and converted again.

use super::{events, files, gunzip, gzip, log, manifest, outputs};
use crate::s3::S3;
use crate::support::{json_lines, run};
use std::collections::BTreeMap;
use std::path::Path;

const GOOD: &str =
    "{\"ts\":\"2024-01-01T00:00:00Z\",\"context\":\"x\",\"credits\":1,\"phone\":\"+1\",\"type\":\"sms\"}";

/// The lines of all objects together, decompressed.
fn lines(all: &BTreeMap<String, Vec<u8>>) -> Vec<serde_json::Value> {
    all.values().flat_map(|bytes| json_lines(std::str::from_utf8(&gunzip(bytes)).expect("UTF-8"))).collect()
}

/// Objects of `n` records, of which some have no time and one is not JSON.
fn inputs() -> Vec<(String, Vec<u8>)> {
    let object = |n: u64| {
        let mut text = log(n, 10);
        for m in 0..n {
            text.extend_from_slice(
                format!("{{\"context\":\"lost\",\"phone\":\"+{n}{m}\",\"type\":\"sms\"}}\n").as_bytes(),
            );
        }
        if n == 2 {
            text.extend_from_slice(b"{\"phone\":\n");
        }
        text
    };
    (0..4).map(|n| (format!("day/{n}.ndjson"), object(n))).collect()
}

/// Gives records without a time one.
fn mend(rejects: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(gunzip(rejects)).expect("UTF-8");
    gzip(
        text.replace(r#"{\"context\":\"lost\""#, r#"{\"ts\":\"2024-01-01T00:00:00Z\",\"context\":\"lost\""#)
            .as_bytes(),
    )
}

/// Each mended event has its source, line and byte, and the record there is the one that it was.
fn check(folder: &BTreeMap<String, Vec<u8>>, source: &dyn Fn(&str) -> Vec<u8>) {
    for line in manifest(folder) {
        let bytes = |kind: &str| {
            let output = line["outputs"].as_array()?.iter().find(|it| it["kind"] == kind)?;
            let all = folder.get(output["key"].as_str()?)?;
            let all = if kind == "sources" { all.clone() } else { gunzip(all) };
            let number = |key: &str| output[key].as_u64().and_then(|n| usize::try_from(n).ok());
            let part = number("offset").map(|at| at..at + number("length").expect("a length"));
            Some(json_lines(std::str::from_utf8(&all[part.unwrap_or(0..all.len())]).expect("UTF-8")))
        };
        let (events, sources) = (bytes("events").expect("events"), bytes("sources").unwrap_or_default());
        assert_eq!((events.len(), line["events"].as_u64()), (sources.len(), Some(events.len() as u64)));
        for (event, from) in events.iter().zip(&sources) {
            let text = source(from["source"].as_str().expect("a name"));
            let offset = usize::try_from(from["offset"].as_u64().expect("a number")).expect("fits");
            let before = text[..offset].iter().filter(|byte| **byte == b'\n').count() as u64;
            assert_eq!(from["line"].as_u64(), Some(before + 1));
            let record = text[offset..].split(|byte| *byte == b'\n').next().expect("a line");
            let record: serde_json::Value = serde_json::from_slice(record).expect("JSON");
            assert_eq!(event["principal"]["user"]["phone_numbers"][0], record["phone"], "{event}");
        }
    }
}

#[test]
fn rejects_of_a_dump_become_a_dump() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    for (name, text) in inputs() {
        let path = folder.path().join("in").join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    let first = run(&["convert", &at("in"), "-o", &at("out/"), "--rejects", &at("rejects/"), "-q"]);
    assert_eq!(first.status, 1, "{}", first.stderr);
    let rejects = files(Path::new(&at("rejects")));
    assert_eq!((rejects.len(), lines(&rejects).len()), (3, 7));

    for (to, more) in [("each", &[][..]), ("packed", &["--pack", "1MB"]), ("plain", &["--compress", "none"])]
    {
        let again = |from: &str| {
            let (out, left) = (at(&format!("{to}/")), at(&format!("{to}-left/")));
            let args = ["convert", from, "--from-rejects", "-o", &out, "--rejects", &left];
            run(&[&args, more].concat())
        };
        // Nothing is mended: the same rejects.
        let same = again(&at("rejects"));
        assert_eq!(same.status, 1, "{}", same.stderr);
        assert!(same.stderr.contains("7 records -> 0 events, 7 rejects"), "{}", same.stderr);
        if to != "plain" {
            assert_eq!(lines(&files(Path::new(&at(&format!("{to}-left"))))), lines(&rejects));
        }
        for (key, bytes) in &rejects {
            std::fs::create_dir_all(folder.path().join("mended/day")).expect("made");
            std::fs::write(folder.path().join("mended").join(key), mend(bytes)).expect("written");
        }
        let mended = again(&at("mended"));
        assert_eq!(mended.status, 1, "one is not JSON: {}", mended.stderr);
        assert!(mended.stderr.contains("7 records -> 6 events, 1 reject "), "{}", mended.stderr);
        let all = files(Path::new(&at(to)));
        if to != "plain" {
            check(&all, &|name| std::fs::read(name).expect("the source"));
            let left = lines(&files(Path::new(&at(&format!("{to}-left")))));
            let left: Vec<_> = left.iter().filter(|line| line["reason"] == "invalid-json").collect();
            let old = lines(&rejects).into_iter().find(|line| line["reason"] == "invalid-json").expect("one");
            assert!(left.iter().all(|line| **line == old) && !left.is_empty());
        }
        assert!(again(&at("mended")).stderr.contains(" 0 converted, 3 done before"));
        let verify = |more: &[&str]| run(&[&["verify", &at(to)], more].concat());
        assert_eq!(verify(&[]).status, 0, "{}", verify(&[]).stderr);
        let deep =
            verify(&[&["--deep", "--from-rejects"][..], if to == "plain" { more } else { &[] }].concat());
        assert_eq!(deep.status, 0, "{}", deep.stderr);
        // Where events came from is checked like them, and comes back if it is lost.
        let sources = all.keys().find(|key| key.contains("manifest/sources/")).expect("sources");
        std::fs::remove_file(folder.path().join(to).join(sources)).expect("removed");
        assert!(verify(&[]).stderr.contains("it is gone"), "{}", verify(&[]).stderr);
        assert!(!again(&at("mended")).stderr.contains(" 0 converted"));
        assert_eq!(verify(&[]).status, 0, "{}", verify(&[]).stderr);
    }

    // As one file, with where each event came from.
    let one =
        ["convert", &at("mended"), "--from-rejects", "-o", &at("one"), "--sources", &at("one.sources"), "-q"];
    assert_eq!(run(&one).status, 1);
    let text = |name: &str| json_lines(&std::fs::read_to_string(at(name)).expect("read"));
    let (events, sources) = (text("one"), text("one.sources"));
    assert_eq!((events.len(), sources.len()), (6, 6));
    for (n, from) in sources.iter().enumerate() {
        let old = lines(&rejects)
            .into_iter()
            .find(|old| old["source"] == from["source"] && old["line"] == from["line"]);
        assert_eq!(
            (from["event"].as_u64(), &old.expect("a reject")["offset"]),
            (Some(n as u64 + 1), &from["offset"])
        );
    }
    assert_eq!(run(&["convert", &at("in"), "--sources", &at("x")]).status, 2, "only with rejects");
}

#[test]
fn what_holds_no_rejects_is_named_and_the_rest_converted() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::create_dir(at("in")).expect("made");
    let reject = serde_json::json!({"source": "a", "line": 1, "offset": 0, "length": 9, "reason": "no-timestamp", "raw": GOOD});
    std::fs::write(at("in/good"), format!("{reject}\n")).expect("written");
    std::fs::write(at("in/log"), format!("{GOOD}\n")).expect("written");
    std::fs::write(at("in/cut.gz"), &gzip(&log(1, 100))[..500]).expect("written");
    let done = run(&["convert", &at("in"), "--from-rejects", "-o", &at("out/"), "--compress", "none"]);
    assert_eq!(done.status, 2, "{}", done.stderr);
    for words in ["3 listed, 1 converted, 2 failed", "line 1 is not a reject", "hint: `--from-rejects` takes"]
    {
        assert!(done.stderr.contains(words), "{words}: {}", done.stderr);
    }
    let made = outputs(&files(Path::new(&at("out"))));
    assert!(made.len() == 1 && made.values().all(|bytes| *bytes == events(GOOD.as_bytes())));
}

/// A line whose `raw` was emptied, or whose numbers are beyond all measure, costs no record: not its own, and no other.
#[test]
fn no_record_vanishes() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let reject = |line: u64, offset: u64, raw: &str| serde_json::json!({"source": "a", "line": line, "offset": offset, "length": 9, "reason": "no-timestamp", "raw": raw});
    let all = [
        reject(1, 10, ""),
        reject(2, 20, "   "),
        reject(3, 30, "[]"),
        reject(4, 40, "\n\n"),
        reject(u64::MAX, u64::MAX, "{}\n{}"),
        reject(6, 60, GOOD),
    ];
    std::fs::create_dir(at("in")).expect("made");
    let text: String = all.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(at("in/rejects"), text).expect("written");
    for (output, rejects) in [("one", "left"), ("out/", "left-of-dump/")] {
        let (output, rejects) = (at(output), at(rejects));
        let args = [
            "convert",
            &at("in"),
            "--from-rejects",
            "-o",
            &output,
            "--rejects",
            &rejects,
            "--summary",
            &at("summary"),
        ];
        let done = run(&args);
        assert_eq!(done.status, 1, "{}", done.stderr);
        assert!(done.stderr.contains("7 records -> 1 event, 6 rejects"), "{}", done.stderr);
        let left = if output.ends_with('/') {
            lines(&files(Path::new(&rejects)))
        } else {
            json_lines(&std::fs::read_to_string(&rejects).expect("rejects"))
        };
        assert_eq!(left.len(), 6, "{left:?}");
        for (left, old) in left.iter().zip(&all[..4]) {
            for field in ["source", "line", "offset", "raw"] {
                assert_eq!(left[field], old[field], "{left}");
            }
            assert!(left["message"].as_str().expect("a text").contains("`raw` holds no record"), "{left}");
        }
    }
    // The good line has its place, and only that.
    let sources = at("sources");
    let done = run(&["convert", &at("in"), "--from-rejects", "-o", &at("one"), "--sources", &sources, "-q"]);
    assert_eq!(done.status, 1, "{}", done.stderr);
    let sources = json_lines(&std::fs::read_to_string(&sources).expect("sources"));
    assert_eq!(sources, [serde_json::json!({"event": 1, "source": "a", "line": 6, "offset": 60})]);
}

/// Rejects of an input that was converted twice are there twice: that is said.
#[test]
fn superseded_rejects_are_pointed_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::create_dir(at("in")).expect("made");
    for name in ["a.ndjson", "a.b.ndjson", "b"] {
        std::fs::write(at(&format!("in/{name}")), "{\"phone\":\"+1\"}\n").expect("written");
    }
    let convert = |more: &[&str]| {
        let args = ["convert", &at("in"), "-o", &at("out/"), "--rejects", &at("rejects/"), "-q"];
        run(&[&args, more].concat()).status
    };
    let again = |more: &[&str]| {
        let done = run(&[&["convert", &at("rejects"), "--from-rejects", "-o", &at("again/")], more].concat());
        done.stderr.lines().filter(|line| line.starts_with("warning")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!((convert(&[]), again(&[])), (1, String::new()));
    assert_eq!(convert(&["--namespace", "corp"]), 1);
    for more in [&["--dry-run"][..], &[], &["--pack", "1MB"]] {
        assert!(
            again(more).starts_with("warning: 3 reject files may be of the same input as another"),
            "{more:?}"
        );
    }
    assert_eq!(run(&["prune", &at("out"), "--delete"]).status, 0);
    assert_eq!(again(&[]), "");
}

/// From bucket to bucket, as the documents say.
#[test]
fn rejects_in_a_bucket() {
    let Some(s3) = S3::start() else { return };
    for (name, text) in inputs() {
        s3.put("logs", &format!("duo/{name}"), &text);
    }
    let convert = |args: &[&str]| super::finish(s3.udmap().arg("convert").args(args));
    let first = convert(&["s3://logs/duo/", "-o", "s3://udm/duo/", "--rejects", "s3://udm/rejects/", "-q"]);
    assert_eq!(first.status, 1, "{}", first.stderr);
    let of = |prefix: &str| -> BTreeMap<String, Vec<u8>> {
        let all = s3.all("udm").into_iter();
        all.filter_map(|(key, bytes)| Some((key.strip_prefix(prefix)?.to_owned(), bytes))).collect()
    };
    for (key, bytes) in of("rejects/") {
        s3.put("udm", &format!("by-hand/{key}"), &mend(&bytes));
    }
    let args =
        ["s3://udm/by-hand/", "--from-rejects", "-o", "s3://udm/mended/", "--rejects", "s3://udm/left/"];
    let mended = convert(&args);
    assert_eq!(mended.status, 1, "{}", mended.stderr);
    assert!(mended.stderr.contains("7 records -> 6 events, 1 reject "), "{}", mended.stderr);
    assert!(
        mended.stderr.contains("`aws s3 mv --recursive s3://udm/mended/manifest/ s3://udm/manifest-mended/`")
    );
    let all = s3.all("udm");
    let source = |name: &str| {
        let key = name.strip_prefix("s3://logs/").expect("in the bucket");
        s3.all("logs")[key].clone()
    };
    check(
        &all.iter()
            .filter(|(key, _)| key.starts_with("mended/"))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect(),
        &source,
    );
    assert_eq!(lines(&of("left/")).len(), 1);
    assert!(convert(&args).stderr.contains(" 0 converted, 3 done before"));
    assert!(s3.all("udm") == all, "nothing was written");
    let verify = super::finish(s3.udmap().args(["verify", "s3://udm/mended/", "--deep", "--from-rejects"]));
    assert_eq!(verify.status, 0, "{}", verify.stderr);
}
