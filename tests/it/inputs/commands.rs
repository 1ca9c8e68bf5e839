//! Each command gives for objects of a bucket what it gives for the same files.

use super::bucket::Bucket;
use super::{LOG, log_events, tar, utf16, zstd};
use crate::dump::gzip;
use std::fs;
use std::path::Path;

/// A log in every form in which one may be stored, and events.
fn objects() -> Vec<(&'static str, Vec<u8>)> {
    let more = |n: u8| LOG.replace("\"a\"", &format!("\"a{n}\"")).replace("\"b\"", &format!("\"b{n}\""));
    vec![
        ("events/a.ndjson", log_events().into_bytes()),
        ("events/deep/b.ndjson.gz", gzip(log_events().replace("+1555555", "+1666666").as_bytes())),
        ("logs/1.ndjson", more(1).into_bytes()),
        ("logs/2.ndjson.gz", gzip(more(2).as_bytes())),
        ("logs/3/x y&z+%.zst", zstd(more(3).as_bytes())),
        ("logs/4.utf16", utf16(&more(4))),
        (
            "logs/5.tar.gz",
            gzip(&tar(&[("one.ndjson", more(5).as_bytes()), ("two.gz", &gzip(more(6).as_bytes()))])),
        ),
        ("logs-of-others/7.ndjson", more(7).into_bytes()),
    ]
}

fn on_disk(folder: &Path, objects: &[(&str, Vec<u8>)]) {
    for (key, bytes) in objects {
        let file = folder.join(key);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
}

/// Without what differs from run to run.
fn steady(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.contains("\"seconds\"") && !line.contains("time=\""));
    let cut = |line: &str| {
        line.split("  in ").next().unwrap_or_default().split(" in 0.").next().unwrap_or_default().to_owned()
    };
    lines.map(|line| cut(line) + "\n").collect()
}

#[test]
fn objects_are_read_like_files() {
    let objects = objects();
    let bucket =
        Bucket::with(&objects.iter().map(|(key, bytes)| (*key, bytes.as_slice())).collect::<Vec<_>>());
    let folder = tempfile::tempdir().unwrap();
    on_disk(folder.path(), &objects);
    let root = folder.path().to_str().unwrap();
    let commands: &[&[&str]] = &[
        &["convert", "@/logs/", "--threads", "2"],
        &["convert", "@/logs"],
        &["convert", "@/logs/2.ndjson.gz", "@/logs-of-others/", "-q"],
        &["convert", "@/logs/", "@/logs/1.ndjson"],
        &["validate", "@/events/"],
        &["validate", "@/events", "--report", "json=-"],
        &["validate", "@/logs/4.utf16"],
        &["profile", "@/logs/", "--json"],
        &["explain", "@/logs/1.ndjson:2", "--json"],
        &["explain", "@/logs/3/x y&z+%.zst", "--json"],
        &["explain", "@/logs/", "--json", "--max-records", "9"],
        &["explain", "@/logs/5.tar.gz!two.gz:1", "--json"],
        &["diff", "@/events/a.ndjson", "@/events/deep/"],
        &["diff", "@/events/", "@/events", "--set", "all"],
        &["diff", "--raw", "@/logs/", "@/events/"],
    ];
    for command in commands {
        let at = |root: &str| command.iter().map(|arg| arg.replace('@', root)).collect::<Vec<_>>();
        let run = |root: &str| {
            let args = at(root);
            let run = bucket.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
            let named = |text: &str| steady(&text.replace(root, "@"));
            (run.status, named(&run.stdout), named(&run.stderr))
        };
        let (local, remote) = (run(root), run("s3://b"));
        assert!(local.0 < 2 && local.1.len() + local.2.len() > 30, "{command:?} {local:?}");
        assert_eq!(remote, local, "{command:?}");
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let objects = objects();
    let bucket =
        Bucket::with(&objects.iter().map(|(key, bytes)| (*key, bytes.as_slice())).collect::<Vec<_>>());
    let of = |threads: &str| bucket.run(&["convert", "s3://b/logs/", "--threads", threads, "-q"]).stdout;
    assert_eq!(of("1").lines().count(), 12);
    assert_eq!(of("1"), of("7"));
}

#[test]
fn files_and_objects_mix_and_a_file_url_is_a_path() {
    let bucket = Bucket::with(&[("logs/1", LOG.as_bytes())]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a b.ndjson");
    fs::write(&file, LOG).unwrap();
    let url = format!("file://{}/a%20b.ndjson", folder.path().display());
    let run = bucket.run(&["convert", "s3://b/logs/", "s3://b/logs/1", &url, file.to_str().unwrap()]);
    assert_eq!((run.status, run.stdout.lines().count()), (0, 4), "{}", run.stderr);
    assert!(run.stderr.contains("skipped 2 files listed before"), "{}", run.stderr);
    // What would be written over is refused by its URL, too.
    let run = bucket.run(&["convert", &url, "-o", file.to_str().unwrap()]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("is both input and output"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), LOG);
}

#[test]
fn cases_are_read_where_they_are() {
    let log = format!(r#"{{"raw_logs":{{"entries":[{{"data":{}}}]}}}}"#, serde_json::json!(LOG));
    let expected = format!(
        r#"{{"events":[{}]}}"#,
        log_events()
            .lines()
            .map(|event| format!(r#"{{"event":{{"idm":{{"readOnlyUdm":{event}}}}}}}"#))
            .collect::<Vec<_>>()
            .join(",")
    );
    let broken = log_events().replace("+1555555", "+1777777");
    let objects: [(&str, &[u8]); 7] = [
        ("cases/one/input.ndjson.gz", &gzip(LOG.as_bytes())),
        ("cases/one/events.ndjson", &utf16(&log_events())),
        ("cases/two/input.ndjson", LOG.as_bytes()),
        ("cases/two/events.ndjson", broken.as_bytes()),
        ("cases/hub/raw_logs/sms_log.json", log.as_bytes()),
        ("cases/hub/expected_events/sms_events.json", expected.as_bytes()),
        ("cases/image.png", b"\x89PNG\r\n\x1a\n"),
    ];
    let bucket = Bucket::with(&objects);
    let run = bucket.run(&["test", "s3://b/cases/", "--report", "json=-"]);
    assert_eq!(run.status, 1, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("3 cases, 1 failed"), "{}", run.stderr);
    assert!(run.stdout.contains("s3://b/cases/two/events.ndjson"), "{}", run.stdout);
    let run = bucket.run(&["test", "s3://b/cases", "--exclude", "two/*"]);
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("ok   hub/sms\n") && run.stderr.contains("left out 1 case"), "{run:?}");
    let run = bucket.run(&["test", "s3://b/cases/", "--bless"]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("`--bless` rewrites files of a folder on disk"), "{}", run.stderr);
    // The same from an archive, from stdin or a file.
    let members: Vec<(&str, &[u8])> = objects.iter().map(|(key, bytes)| (*key, *bytes)).collect();
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("cases.tar.gz");
    fs::write(&archive, gzip(&tar(&members))).unwrap();
    let archive = archive.to_str().unwrap();
    let run = bucket.run(&["test", archive]);
    assert_eq!(run.status, 1, "{}", run.stderr);
    assert!(run.stderr.contains("3 cases, 1 failed"), "{}", run.stderr);
    assert_eq!(bucket.run(&["test", archive, "--exclude", "*/two/*"]).status, 0);
    // Several folders, and patterns over them.
    for (key, bytes) in objects {
        let file = folder.path().join(key);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    let at = |name: &str| format!("{}/cases/{name}", folder.path().display());
    for inputs in [
        &[at("one"), at("hub")] as &[String],
        &[at("[oh]*")],
        &[at("one"), at("*"), "--exclude".into(), "*two*".into(), "--exclude".into(), "input.ndjson".into()],
    ] {
        let args: Vec<&str> = ["test"].into_iter().chain(inputs.iter().map(String::as_str)).collect();
        let run = bucket.run(&args);
        assert_eq!(run.status, 0, "{inputs:?} {}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains("2 cases, 0 failed"), "{inputs:?} {}", run.stderr);
        assert!(run.stdout.contains(&format!("ok   {}", at("hub"))), "{}", run.stdout);
    }
}

#[test]
fn metadata_and_yaml_are_read_where_they_are() {
    let log = format!(r#"{{"raw_logs":{{"entries":[{{"data":{}}}]}}}}"#, serde_json::json!(LOG));
    let event = log_events().lines().next().unwrap().to_owned();
    let yaml = format!("- events:\n    - event: {event}\n");
    let objects: [(&str, &[u8]); 5] = [
        ("hub/other/metadata.json", br#"{"log_type":"SOMETHING_ELSE"}"#),
        ("hub/other/testdata/raw_logs/a_log.json", log.as_bytes()),
        ("hub/other/testdata/expected_events/a_events.json", br#"{"events":[]}"#),
        ("kit/logs/one.txt", LOG.lines().next().unwrap().as_bytes()),
        ("kit/events/one.yaml", yaml.as_bytes()),
    ];
    let bucket = Bucket::with(&objects);
    let run = bucket.run(&["test", "s3://b/"]);
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("ok   kit/one\n") && !run.stdout.contains("hub/"), "{}", run.stdout);
    assert_eq!(bucket.run(&["test", "s3://b/hub/"]).status, 3);
    let run = bucket.run(&["validate", "s3://b/kit/events/"]);
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("1 event: 0 errors"), "{}", run.stderr);
    let run = bucket.run(&["diff", "s3://b/kit/events/one.yaml", "s3://b/kit/events/"]);
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
}
