//! `--check` against stores that don't keep what a run rests on: it says so, and leaves everything as it was.

use super::duo::{Duo, HOST, IKEY, SKEY, Switches, record};
use super::http::{Server, finish};
use crate::lambda::aws::{Bucket, Conditions};
use crate::support::udmap;
use std::process::Command;

fn collect(server: &Server, bucket: &Bucket, to: &str, state: &str) -> Command {
    let mut command = udmap();
    command.env("DUO_API_HOST", HOST).env("DUO_IKEY", IKEY).env("DUO_SKEY", SKEY);
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", super::http::BUCKET_SECRET);
    command
        .env("AWS_ENDPOINT_URL", bucket.url())
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_REGION", "eu-west-1");
    command.args(["collect", "--allow-any-host", "--api-url", &server.url, "--request-interval", "0"]);
    command.args(["--retry-wait", "1ms", "--to", to, "--state", state]);
    command
}

fn service() -> Server {
    let now = chrono::Utc::now().timestamp_millis();
    let duo = Duo::new(Switches::default());
    duo.add((0..10).map(|i| record((now - 600_000 - i * 60_000) * 1000, i as u64)));
    Server::start(duo)
}

#[test]
fn conditions_that_are_not_kept_are_found_out_and_nothing_is_changed() {
    let table: [(Conditions, i32, &[&str]); 5] = [
        (Conditions::Kept, 0, &["is replaced only if unchanged"]),
        (Conditions::KeptWithoutDelete, 0, &["is replaced only if unchanged"]),
        (
            Conditions::NoMatch,
            2,
            &["takes `If-Match` for an object that is not there", "that does not fit", "hint: two runs"],
        ),
        (Conditions::NoNoneMatch, 2, &["is written over in spite of `If-None-Match: *`", "hint: two runs"]),
        (
            Conditions::Unquoted,
            2,
            &["can't be replaced by `If-Match` with the ETag that it was read with", "hint: "],
        ),
    ];
    let server = service();
    for (conditions, status, words) in table {
        for begun in [false, true] {
            let bucket = Bucket::with(conditions);
            let state = "s3://bucket/state/s.json";
            let check = |to: &str| finish(collect(&server, &bucket, to, state).arg("--check"));
            if begun {
                // A state that a check began, and a run went on from, where a run can.
                check("s3://bucket/logs/");
                finish(&mut collect(&server, &bucket, "s3://bucket/logs/", state));
            }
            let before = bucket.all();
            let run = check("s3://bucket/logs/");
            assert_eq!(run.status, status, "{conditions:?}: {}", run.stdout);
            for word in words {
                assert!(run.stdout.contains(word), "{conditions:?} says {word}: {}", run.stdout);
            }
            let mut after = bucket.all();
            if !begun {
                let state = after.remove("bucket/state/s.json").expect("a state is begun");
                assert!(
                    state.starts_with(b"{\"udmap_state\":1,") && state.ends_with(b"}\n"),
                    "{conditions:?}"
                );
            }
            assert_eq!(after, before, "{conditions:?}, begun: {begun}");
        }
    }
}

/// The state on disk tells nothing of the bucket: there a probe is written and removed.
#[test]
fn a_bucket_of_its_own_is_tried_with_a_probe() {
    let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
    let state = folder.path().join("state.json").to_string_lossy().into_owned();
    for (conditions, status, word) in [
        (Conditions::Kept, 0, "ok       `--to` can be read and written"),
        (
            Conditions::KeptWithoutDelete,
            0,
            "warning  `--to` can be read and written: `s3://bucket/logs/`; not tried",
        ),
        (Conditions::NoMatch, 2, "bad      `--to` does not keep conditions"),
        (Conditions::NoNoneMatch, 2, "in spite of `If-None-Match`"),
    ] {
        let bucket = Bucket::with(conditions);
        let run = finish(collect(&server, &bucket, "s3://bucket/logs/", &state).arg("--check"));
        assert_eq!(run.status, status, "{conditions:?}: {}", run.stdout);
        assert!(run.stdout.contains(word), "{conditions:?}: {}", run.stdout);
        assert!(bucket.all().is_empty(), "{conditions:?}: {:?}", bucket.all());
    }
}

/// A run that is at work meanwhile does not take the check for another run.
#[test]
fn a_check_does_not_disturb_a_run() {
    let (server, bucket) = (service(), Bucket::with(Conditions::Kept));
    let (to, state) = ("s3://bucket/logs/", "s3://bucket/s.json");
    let mut run = collect(&server, &bucket, to, state);
    let mut child =
        run.args(["--page-size", "1"]).stderr(std::process::Stdio::piped()).spawn().expect("starts");
    let mut checks = 0;
    while child.try_wait().expect("waited for").is_none() {
        assert_eq!(finish(collect(&server, &bucket, to, state).arg("--check")).status, 0);
        checks += 1;
    }
    let output = child.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{checks} checks: {said}");
    for _ in 0..2 {
        assert_eq!(finish(&mut collect(&server, &bucket, to, state)).status, 0);
    }
    let mut lines: Vec<String> = bucket
        .all()
        .into_iter()
        .filter(|(name, _)| name.starts_with("bucket/logs/"))
        .flat_map(|(_, bytes)| {
            String::from_utf8(super::http::unpacked(&bytes))
                .expect("UTF-8")
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    lines.sort();
    assert_eq!(lines, server.duo.lines(i64::MAX));
}
