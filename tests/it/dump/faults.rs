//! A service that fails: throttled, broken off, denied, changed meanwhile.

use super::{events, finish, gunzip, gzip, log, manifest, outputs};
use crate::s3::{Road, S3, Way, at};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

const REFUSED: Way = Way::Refused(503, "SlowDown");

/// One request in four goes wrong: each object still comes out once, and right.
#[test]
fn throttled_cut_and_lost_answers() {
    let Some(s3) = S3::start() else { return };
    for n in 0..60 {
        s3.put("logs", &format!("in/{n:03}"), &log(n, 10));
    }
    // Some larger ones, so that answers break off in their middle, and one in parts.
    for n in 60..66 {
        s3.put("logs", &format!("in/{n:03}"), &log(n, 1_000));
    }
    s3.put("logs", "in/large.gz", &gzip(&log(66, 40_000)));
    let road = Road::to(&s3, |passing| match passing.number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 60 {
        0 | 1 => REFUSED,
        2 if passing.method == "GET" => Way::Cut,
        3 if passing.method != "POST" => Way::Lost,
        _ => Way::Through,
    });
    let done = finish(at(&road.endpoint).args([
        "convert",
        "s3://logs/in/",
        "-o",
        "s3://udm/",
        "--compress",
        "none",
        "--jobs",
        "16",
    ]));
    assert_eq!(done.status, 0, "{}", done.stderr);
    let all = s3.all("udm");
    let want: BTreeSet<Vec<u8>> = (0..60)
        .map(|n| events(&log(n, 10)))
        .chain((60..66).map(|n| events(&log(n, 1_000))))
        .chain([events(&log(66, 40_000))])
        .collect();
    let made = outputs(&all);
    assert_eq!(made.len(), 67);
    assert!(made.into_values().collect::<BTreeSet<_>>() == want);
    assert_eq!(manifest(&all).len(), 67);
    let verified = finish(s3.udmap().args(["verify", "s3://udm/manifest/", "--deep", "--compress", "none"]));
    assert_eq!(verified.status, 0, "{}", verified.stderr);
}

#[test]
fn single_objects_fail_by_cause_and_the_rest_goes_on() {
    let Some(s3) = S3::start() else { return };
    for n in 0..20 {
        s3.put("logs", &format!("in/{n:02}"), &log(n, 5));
    }
    for n in 0..12 {
        s3.put("logs", &format!("in/secret/{n:02}"), &log(n, 5));
    }
    s3.put("logs", "in/cut.gz", &gzip(&log(1, 500))[..5_000]);
    s3.put("logs", "in/vanishes", &log(1, 5));
    let store = s3.store("logs");
    let road = Road::to(&s3, move |passing| {
        if passing.target.contains("/in/secret/") {
            return Way::Refused(403, "AccessDenied");
        }
        if passing.method == "GET" && passing.target.contains("/in/vanishes") {
            return Way::Refused(404, "NoSuchKey");
        }
        let _ = &store;
        Way::Through
    });
    let convert = |endpoint: &str, more: &[&str]| {
        finish(at(endpoint).args(["convert", "s3://logs/in/", "-o", "s3://udm/"]).args(more))
    };
    let done = convert(&road.endpoint, &["--after-success", "delete"]);
    assert_eq!(done.status, 2, "{}", done.stderr);
    for words in [
        "34 listed, 20 converted, 14 failed, 20 deleted",
        "cannot read `s3://logs/in/secret/00`",
        "... and 2 more (denied)",
        "hint: the role needs s3:GetObject",
        "cannot read `s3://logs/in/vanishes`: it is not there",
        "the gzip stream is corrupt or cut short",
        "failures   denied                   12",
        "damaged                   1",
        "gone                      1",
    ] {
        assert!(done.stderr.contains(words), "{words}: {}", done.stderr);
    }
    assert_eq!(outputs(&s3.all("udm")).len(), 20);
    assert_eq!(s3.all("logs").len(), 14, "what failed stays");
    // With the permission it goes on from there.
    let again = convert(&s3.endpoint, &[]);
    assert_eq!(again.status, 2, "{}", again.stderr);
    assert!(again.stderr.contains("14 listed, 13 converted, 1 failed"), "{}", again.stderr);

    // A prefix that may not be listed, beside one that may; and alone.
    let road = Road::to(&s3, |passing| {
        if passing.target.contains("prefix=denied") {
            Way::Refused(403, "AccessDenied")
        } else {
            Way::Through
        }
    });
    let both =
        finish(at(&road.endpoint).args(["convert", "s3://logs/denied/", "s3://logs/in/", "-o", "s3://udm/"]));
    assert_eq!(both.status, 2, "{}", both.stderr);
    assert!(
        both.stderr.contains("cannot list `s3://logs/denied/`") && both.stderr.contains("s3:ListBucket"),
        "{}",
        both.stderr
    );
    let alone = finish(at(&road.endpoint).args(["convert", "s3://logs/denied/", "-o", "s3://udm/"]));
    assert_eq!(alone.status, 2, "{}", alone.stderr);
    let no_bucket = finish(s3.udmap().args(["convert", "s3://nothing/in/", "-o", "s3://udm/"]));
    assert_eq!(no_bucket.status, 2, "{}", no_bucket.stderr);
    assert!(no_bucket.stderr.contains("hint: create the bucket"), "{}", no_bucket.stderr);
    let no_output = finish(s3.udmap().args(["convert", "s3://logs/in/", "-o", "s3://nothing/"]));
    assert_eq!(no_output.status, 2, "{}", no_output.stderr);
}

/// An object is replaced after its listing, and another one while it is read.
#[test]
fn changed_objects_are_read_anew() {
    let Some(s3) = S3::start().map(Arc::new) else { return };
    s3.put("logs", "in/a", &log(1, 5));
    s3.put("logs", "in/b", &log(2, 2_000));
    s3.put("logs", "in/c", &log(3, 5));
    let (reads, server) = (AtomicU64::new(0), Arc::clone(&s3));
    let road = Road::to(&s3, move |passing| {
        let get = passing.method == "GET";
        if get && passing.target.ends_with("/in/a") && reads.fetch_or(1, SeqCst) & 1 == 0 {
            server.put("logs", "in/a", &log(11, 6));
        }
        if get && passing.target.ends_with("/in/b") {
            match reads.fetch_add(2, SeqCst) / 2 {
                // It breaks off, and is another one when it is gone on with.
                0 => return Way::Cut,
                1 => server.put("logs", "in/b", &log(12, 1_500)),
                _ => {}
            }
        }
        Way::Through
    });
    let done = finish(at(&road.endpoint).args([
        "convert",
        "s3://logs/in/",
        "-o",
        "s3://udm/",
        "--jobs",
        "1",
        "--after-success",
        "delete",
    ]));
    assert_eq!(done.status, 0, "{}", done.stderr);
    let made: BTreeSet<Vec<u8>> = outputs(&s3.all("udm")).values().map(|bytes| gunzip(bytes)).collect();
    let want: BTreeSet<Vec<u8>> =
        [log(11, 6), log(12, 1_500), log(3, 5)].iter().map(|log| events(log)).collect();
    assert!(made == want);
    assert!(s3.all("logs").is_empty());

    // One that changes between its reading and its deletion stays.
    s3.put("logs", "in/a", &log(1, 5));
    let server = Arc::clone(&s3);
    let road = Road::to(&s3, move |passing| {
        if passing.method == "DELETE" || passing.target.contains("?delete") {
            server.put("logs", "in/a", &log(21, 7));
        }
        Way::Through
    });
    let kept = finish(at(&road.endpoint).args([
        "convert",
        "s3://logs/in/",
        "-o",
        "s3://udm/",
        "--after-success",
        "delete",
    ]));
    assert_eq!(kept.status, 0, "{}", kept.stderr);
    assert!(kept.stderr.contains("1 kept after all"), "{}", kept.stderr);
    assert_eq!(s3.all("logs")["in/a"], log(21, 7));
}

/// A manifest that can't be read back, or reads as something else, deletes nothing.
#[test]
fn a_manifest_that_can_not_be_read_back_deletes_nothing() {
    let Some(s3) = S3::start() else { return };
    for n in 0..3 {
        s3.put("logs", &format!("in/{n}"), &log(n, 5));
    }
    let convert = |endpoint: &str| {
        let args = ["convert", "s3://logs/in/", "-o", "s3://udm/", "--after-success", "delete"];
        finish(at(endpoint).args(args))
    };
    let is_part = |target: &str| target.contains("/manifest/") && target.contains("/part-");
    for method in ["GET", "HEAD"] {
        let road = Road::to(&s3, move |passing| {
            if passing.method == method && is_part(&passing.target) {
                return Way::Refused(403, "AccessDenied");
            }
            Way::Through
        });
        let done = convert(&road.endpoint);
        assert!(done.status != 0 && done.status != 3, "{method}: {}", done.stderr);
        assert!(done.stderr.contains("/part-00001.ndjson"), "{method}: {}", done.stderr);
        assert_eq!(s3.all("logs").len(), 3, "{method}");
    }
    // Emptied behind its back: the next run says so, and deletes nothing either.
    let all = s3.all("udm");
    let part = all.keys().find(|key| key.contains("/part-")).expect("a part");
    s3.put("udm", part, b"");
    let done = convert(&s3.endpoint);
    assert!(done.status == 2 && done.stderr.contains("it is empty"), "{}", done.stderr);
    assert_eq!(s3.all("logs").len(), 3);
    s3.put("udm", part, &all[part]);
    let done = convert(&s3.endpoint);
    assert_eq!(done.status, 0, "{}", done.stderr);
    assert!(s3.all("logs").is_empty());
    let verified = finish(s3.udmap().args(["verify", "s3://udm/manifest/"]));
    assert_eq!(verified.status, 0, "{}", verified.stderr);
}
