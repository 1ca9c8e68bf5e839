//! Several logs by one command: each has a place and a state of its own, and one that fails stops no other.

use super::duo::{Duo, ENDPOINTS, HOST, Switches, record_of};
use super::http::{Server, bare, files, finish, lines};
use std::path::Path;
use std::process::Command;

/// A service with fifty records of each log.
fn service(forbidden: Option<&'static str>) -> Server {
    let now = chrono::Utc::now().timestamp_millis();
    let mut duo = Duo::new(Switches::default());
    duo.forbidden = forbidden;
    for endpoint in &ENDPOINTS {
        duo.add((0..50).map(|i| record_of(endpoint.log, (now - 180_000 - i * 600_000) * 1000, i as u64)));
    }
    Server::start(duo)
}

fn collect(server: &Server, folder: &Path, logs: &[&str], to: &str, state: &str) -> Command {
    let mut command = bare();
    command.args(logs).args(["--allow-any-host", "--api-url", &server.url, "--request-interval", "0"]);
    command.arg("--to").arg(folder.join(to)).arg("--state").arg(folder.join(state));
    command
}

const ALL: [&str; 6] =
    ["telephony", "authentication", "activity", "administrator", "offline-enrollment", "trust-monitor"];

#[test]
fn all_logs_in_one_process() {
    let (server, folder) = (service(None), tempfile::tempdir().expect("a folder"));
    let mut command = collect(&server, folder.path(), &ALL, "duo-{log}", "state/{log}.json");
    for records in [50, 0] {
        let run = finish(&mut command);
        assert_eq!(run.status, 0, "{}", run.stderr);
        for log in ALL {
            let line = format!("{log}: delivered {records} records in ");
            assert!(run.stderr.contains(&line), "{}", run.stderr);
        }
        assert_eq!(run.stderr.lines().count(), 6, "{}", run.stderr);
    }
    let mut all: Vec<String> =
        ALL.iter().flat_map(|log| lines(&folder.path().join(format!("duo-{log}")))).collect();
    all.sort();
    assert_eq!(all, server.duo.lines(i64::MAX));
    for log in ALL {
        let names = files(&folder.path().join(format!("duo-{log}")));
        assert!(names.iter().all(|(name, _)| name.contains(&format!("/{log}-{HOST}-"))), "{names:?}");
        assert!(folder.path().join(format!("state/{log}.json")).exists());
    }
    // The check looks at each, and a list may come from the environment.
    let mut check = collect(&server, folder.path(), &[], "duo-{log}", "state/{log}.json");
    let check = finish(check.env("UDMAP_LOGS", "authentication,trust-monitor").arg("--check"));
    assert_eq!(check.status, 0, "{}", check.stdout);
    assert!(
        check.stdout.contains("authentication: the key works")
            && check.stdout.contains("trust-monitor: the state")
    );
    assert!(!check.stdout.contains("telephony:"), "{}", check.stdout);
}

/// A place that one log had by itself is the one that it has among others.
#[test]
fn a_log_keeps_its_place_when_others_join() {
    let (server, folder) = (service(None), tempfile::tempdir().expect("a folder"));
    let alone = finish(&mut collect(&server, folder.path(), &[], "duo-telephony", "duo-telephony.json"));
    assert!(alone.status == 0 && alone.stderr.starts_with("delivered 50 records"), "{}", alone.stderr);
    let logs = ["duo-telephony", "duo-activity"];
    let both = finish(&mut collect(&server, folder.path(), &logs, "duo-{log}", "duo-{log}.json"));
    assert!(both.stderr.contains("telephony: delivered 0 records"), "{}", both.stderr);
    assert!(both.stderr.contains("activity: delivered 50 records"), "{}", both.stderr);
}

#[test]
fn a_log_that_fails_stops_no_other_and_is_named() {
    let (server, folder) = (service(Some("activity")), tempfile::tempdir().expect("a folder"));
    let run = finish(&mut collect(&server, folder.path(), &ALL, "{log}", "state/{log}.json"));
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert_eq!(run.stderr.matches("delivered 50 records").count(), 5, "{}", run.stderr);
    assert!(run.stderr.contains("activity: error: Duo refuses the request: HTTP 403"), "{}", run.stderr);
    assert!(run.stderr.ends_with("1 of 6 logs failed: activity\n"), "{}", run.stderr);
}

#[test]
fn a_place_for_each() {
    let (server, folder) = (service(None), tempfile::tempdir().expect("a folder"));
    let two = ["activity", "authentication"];
    for (logs, to, state, words) in [
        (&two[..], "logs", "state/{log}.json", "`--to` (UDMAP_TO) is one place for several logs"),
        (&two, "{log}", "state.json", "`--state` (UDMAP_STATE) is one place for several logs"),
        (&two, "{log}", "activity/{log}.json", "of the authentication log is inside"),
        (&["duo-telefony"], "x", "y", "[possible values: telephony, authentication,"),
    ] {
        let run = finish(&mut collect(&server, folder.path(), logs, to, state));
        assert!(run.status == 2 && run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    assert!(server.duo.log().is_empty(), "nothing is asked");
    // A state of one log is not taken for another's.
    let one = finish(&mut collect(&server, folder.path(), &["activity"], "logs", "state.json"));
    assert_eq!(one.status, 0, "{}", one.stderr);
    let other = finish(&mut collect(&server, folder.path(), &["authentication"], "other", "state.json"));
    assert!(
        other.status == 2 && other.stderr.contains("is that of another log, `duo-activity`"),
        "{}",
        other.stderr
    );
}

#[test]
fn host_is_not_built_in() {
    let (server, folder) = (service(None), tempfile::tempdir().expect("a folder"));
    let mut command = collect(&server, folder.path(), &["authentication"], "logs", "state.json");
    let run = finish(command.env_remove("DUO_API_HOST").env("DUO_API_HOST", ""));
    // Without a host of its own it is the service's that is asked, whose signature is another.
    assert!(run.status == 2 && run.stderr.contains("40103"), "{}", run.stderr);
    let mut command = bare();
    command.env_remove("DUO_API_HOST").args(["authentication", "--to", "x", "--state", "y"]);
    let run = finish(&mut command);
    assert!(run.status == 2 && run.stderr.contains("DUO_API_HOST is missing"), "{}", run.stderr);
}

/// Each log is converted by its own table, into a place of its own.
#[test]
fn several_logs_are_converted_by_their_tables() {
    let (server, folder) = (service(None), tempfile::tempdir().expect("a folder"));
    let mut command = collect(&server, folder.path(), &ALL, "duo-{log}", "state/{log}.json");
    let run = finish(command.arg("--convert"));
    assert_eq!(run.status, 0, "{}", run.stderr);
    let types = [
        "DUO_TELEPHONY",
        "DUO_AUTH",
        "DUO_ACTIVITY",
        "DUO_ADMIN",
        "DUO_OFFLINE_ENROLLMENT",
        "DUO_TRUST_MONITOR",
    ];
    for (log, log_type) in ALL.into_iter().zip(types) {
        let events = lines(&folder.path().join(format!("udm-duo-{log}")));
        let own = format!(r#""log_type":"{log_type}""#);
        assert!(events.len() == 50 && events.iter().all(|event| event.contains(&own)), "{log} {events:?}");
        assert!(!folder.path().join(format!("rejects-duo-{log}")).exists(), "{log}");
        assert!(run.stderr.contains(&format!("{log}: delivered 50 records in ")), "{}", run.stderr);
    }
    assert_eq!(run.stderr.matches(", 50 events, 0 rejects").count(), 6, "{}", run.stderr);
}
