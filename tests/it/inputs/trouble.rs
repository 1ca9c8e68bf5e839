//! Connections break, objects change and vanish: an error, and never something in between.

use super::bucket::{Bucket, Fate};
use super::{LOG, log_events};
use crate::dump::{events, gzip, log};

#[test]
fn an_answer_that_breaks_off_is_continued() {
    let big = log(1, 20_000);
    let objects: [(&str, &[u8]); 2] = [("p/a.ndjson", &big), ("p/b.gz", &gzip(LOG.as_bytes()))];
    let bucket =
        Bucket::failing(&objects, |_, readings| if readings < 3 { Fate::Cut } else { Fate::Through });
    let run = bucket.run(&["convert", "s3://b/p/", "-q", "--rejects", "/dev/null"]);
    let expected = [events(&big), events(LOG.as_bytes())].concat();
    assert!(run.stdout.as_bytes() == expected, "{}", run.stderr);
    assert!(bucket.service.count(|asked| asked.head.contains("range: bytes=")) >= 4);
    assert!(
        bucket
            .service
            .count(|asked| asked.method == "GET" && !asked.is_listing() && !asked.head.contains("if-match:"))
            == 0
    );
}

#[test]
fn an_object_that_changes_is_an_error_and_never_a_mixture() {
    let events = log_events();
    let big = events.repeat(2_000);
    // Before it is read, and between two parts of it.
    for at in [0, 1] {
        for command in [
            &["validate", "s3://b/p/"] as &[&str],
            &["profile", "s3://b/p/"],
            &["convert", "s3://b/p/a"],
            &["explain", "s3://b/p/a", "--max-records", "100000"],
            &["diff", "s3://b/p/", "s3://b/p/a"],
            &["test", "s3://b/case/"],
        ] {
            let objects: [(&str, &[u8]); 3] = [
                ("p/a", big.as_bytes()),
                ("case/input.ndjson", LOG.as_bytes()),
                ("case/events.ndjson", events.as_bytes()),
            ];
            let bucket = Bucket::failing(&objects, move |_, readings| match readings {
                n if n == at => Fate::Replaced,
                _ => Fate::Cut,
            });
            let run = bucket.run(command);
            assert_eq!(run.status, 2, "{command:?} {}{}", run.stdout, run.stderr);
            assert!(
                run.stderr.contains("it is no longer the one that was listed"),
                "{command:?} {}",
                run.stderr
            );
            assert!(run.stderr.contains("`s3://b/"), "{command:?} {}", run.stderr);
        }
    }
}

/// The same ETag and a right length of the body are not enough: the listing had another length. Read one by one, and read
/// ahead.
#[test]
fn an_object_shorter_than_it_was_listed_is_an_error() {
    let events = log_events();
    let third = events.repeat(3);
    let all: Vec<(String, &[u8])> = (10..20)
        .map(|n| (format!("p/{n}"), third.as_bytes()))
        .chain([
            ("case/input.ndjson".into(), LOG.as_bytes()),
            ("case/events.ndjson".into(), events.as_bytes()),
        ])
        .collect();
    let objects: Vec<(&str, &[u8])> = all.iter().map(|(key, bytes)| (key.as_str(), *bytes)).collect();
    for (short, command) in [
        ("p/10", &["validate", "s3://b/p/10"] as &[&str]),
        ("p/10", &["validate", "s3://b/p/"]),
        ("p/17", &["validate", "s3://b/p/"]),
        ("p/17", &["validate", "s3://b/p/", "--threads", "1"]),
        ("p/17", &["profile", "s3://b/p/"]),
        ("p/17", &["convert", "s3://b/p/"]),
        ("p/11", &["explain", "s3://b/p/11"]),
        ("p/11", &["diff", "s3://b/p/10", "s3://b/p/11"]),
        ("case/events.ndjson", &["test", "s3://b/case/"]),
    ] {
        let bucket =
            Bucket::failing(&objects, move |key, _| if key == short { Fate::Short } else { Fate::Through });
        let run = bucket.run(command);
        assert_eq!(run.status, 2, "{command:?} {}{}", run.stdout, run.stderr);
        let words = format!("`s3://b/{short}`: it is no longer the one that was listed");
        assert!(run.stderr.contains(&words), "{command:?} {}", run.stderr);
    }
}

#[test]
fn an_object_that_changes_between_the_two_readings_of_diff_is_an_error() {
    let one = log_events();
    let two = one.replace("+1555555", "+1666666");
    for (key, fate) in [("a", Fate::Replaced), ("b", Fate::Replaced), ("a", Fate::Deleted)] {
        let objects: [(&str, &[u8]); 2] = [("a", one.as_bytes()), ("b", two.as_bytes())];
        let bucket =
            Bucket::failing(
                &objects,
                move |other, readings| {
                    if other == key && readings == 1 { fate } else { Fate::Through }
                },
            );
        let run = bucket.run(&["diff", "s3://b/a", "s3://b/b"]);
        assert_eq!(run.status, 2, "{}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(&format!("`s3://b/{key}`")), "{}", run.stderr);
    }
}

#[test]
fn what_is_not_there_is_named() {
    let bucket = Bucket::failing(&[("p/a", LOG.as_bytes()), ("p/b", LOG.as_bytes())], |key, _| {
        if key == "p/b" { Fate::Deleted } else { Fate::Through }
    });
    for command in ["convert", "validate", "profile", "explain", "test"] {
        let run = bucket.run(&[command, "s3://b/p/none.gz"]);
        assert_eq!(run.status, 2, "{command}: {}", run.stderr);
        assert!(
            run.stderr.contains(
                "cannot open `s3://b/p/none.gz`: there is no object of this name, and none below it"
            ),
            "{command}: {}",
            run.stderr
        );
        let run = bucket.run(&[command, "s3://b/p/*.gz"]);
        assert_eq!(run.status, 2, "{command}: {}", run.stderr);
        assert!(run.stderr.contains("s3://b/p/ --include '*.gz'"), "{command}: {}", run.stderr);
        let run = bucket.run(&[command, "s3://b/none/"]);
        assert_eq!(run.status, 3, "{command}: {}", run.stderr);
        assert!(run.stderr.contains("warning: "), "{command}: {}", run.stderr);
        let run = bucket.run(&[command, "ftp://b/none/"]);
        assert_eq!(run.status, 2, "{command}: {}", run.stderr);
        assert!(run.stderr.contains("expected one of: s3, gs, az"), "{command}: {}", run.stderr);
    }
    assert_eq!(bucket.run(&["diff", "s3://b/p/a", "s3://b/none"]).status, 2);
    // One that is gone does not stop the others.
    let run = bucket.run(&["convert", "s3://b/p/"]);
    assert_eq!((run.status, run.stdout.lines().count()), (2, 2), "{}", run.stderr);
    assert!(run.stderr.contains("`s3://b/p/b`"), "{}", run.stderr);
}

#[test]
fn public_buckets_are_read_without_a_signature() {
    let bucket = Bucket::with(&[("a", log_events().as_bytes())]);
    for (args, signed) in [
        (&["validate", "s3://b/a"] as &[&str], true),
        (&["validate", "s3://b/a", "--no-sign-request"], false),
        (&["convert", "s3://b/a", "--no-sign-request"], false),
    ] {
        let before = bucket.service.count(|asked| asked.head.contains("authorization:"));
        let run = bucket.run(args);
        assert!(run.status < 2, "{}", run.stderr);
        let after = bucket.service.count(|asked| asked.head.contains("authorization:"));
        assert_eq!(after > before, signed, "{args:?}");
    }
}

/// Thirty small objects, and their events in order.
fn many() -> (Vec<(String, Vec<u8>)>, Vec<u8>) {
    let all: Vec<_> = (10..40).map(|n| (format!("p/{n}"), log(n, 20))).collect();
    let expected = all.iter().flat_map(|(_, log)| events(log)).collect();
    (all, expected)
}

#[test]
fn small_objects_are_read_ahead_in_order_and_within_bounds() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    let (all, expected) = many();
    let objects: Vec<(&str, &[u8])> = all.iter().map(|(key, log)| (key.as_str(), log.as_slice())).collect();
    let (now, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let bucket = Bucket::failing(&objects, move |_, _| {
        seen.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(40));
        now.fetch_sub(1, SeqCst);
        Fate::Through
    });
    let run = bucket.run(&["convert", "s3://b/p/", "-q", "--rejects", "/dev/null"]);
    assert!(run.stdout.as_bytes() == expected, "{}", run.stderr);
    let most = most.load(SeqCst);
    assert!((4..=17).contains(&most), "{most} at once");
    assert_eq!(bucket.service.count(|asked| asked.method == "GET" && !asked.is_listing()), 30);
}

#[test]
fn what_was_read_ahead_is_the_version_that_was_listed() {
    let (all, expected) = many();
    let objects: Vec<(&str, &[u8])> = all.iter().map(|(key, log)| (key.as_str(), log.as_slice())).collect();
    for (fate, words) in [
        (Fate::Replaced, "`s3://b/p/25`: it is no longer the one that was listed"),
        (Fate::Deleted, "`s3://b/p/25`"),
        (Fate::Cut, ""),
    ] {
        let bucket =
            Bucket::failing(
                &objects,
                move |key, readings| {
                    if key == "p/25" && readings == 0 { fate } else { Fate::Through }
                },
            );
        let run = bucket.run(&["convert", "s3://b/p/", "-q", "--rejects", "/dev/null"]);
        let missing = if fate == Fate::Cut { Vec::new() } else { events(&all[15].1) };
        assert_eq!(run.stdout.len() + missing.len(), expected.len(), "{fate:?} {}", run.stderr);
        assert!(run.stderr.contains(words), "{fate:?} {}", run.stderr);
        assert_eq!(run.status == 2, fate != Fate::Cut, "{}", run.stderr);
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_wait_for_an_object() {
    use std::time::{Duration, Instant};
    let log = log(1, 100);
    let objects: [(&str, &[u8]); 2] = [("p/a", &log), ("p/b", &log)];
    let bucket = Bucket::failing(&objects, |key, _| {
        if key == "p/b" {
            std::thread::sleep(Duration::from_secs(20));
        }
        Fate::Through
    });
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("events.ndjson");
    let mut command = bucket.command(&["convert", "s3://b/p/", "--rejects", "/dev/null", "-o"]);
    command.arg(&output).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    while bucket.service.count(|asked| asked.method == "GET" && !asked.is_listing()) == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(500));
    let start = Instant::now();
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert!(said.contains("interrupted: ") && !output.exists(), "{said}");
}
