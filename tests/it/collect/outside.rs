//! `udmap collect` from outside, where the state, the clock or Duo's answers are not as they should be.

use super::duo::{Duo, Fault, Switches, record};
use super::http::{Server, bare, files, finish, lines};
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A service with a record every minute of the last hour, up to three minutes ago.
fn service() -> Server {
    let now = chrono::Utc::now().timestamp_millis();
    let duo = Duo::new(Switches::default());
    duo.add((0..60).map(|i| record((now - 180_000 - i * 60_000) * 1000, i as u64)));
    Server::start(duo)
}

#[test]
#[cfg(unix)]
fn a_link_to_the_state_stays_a_link() {
    use std::os::unix::fs::symlink;
    let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("real")).expect("made");
    symlink("real/s.json", at("state.json")).expect("linked");
    for _ in 0..2 {
        let run = finish(&mut server.collect(folder.path()));
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert!(fs::symlink_metadata(at("state.json")).expect("there").is_symlink());
        assert!(fs::symlink_metadata(at("real/s.json")).expect("there").is_file());
    }
    assert_eq!(finish(server.collect(folder.path()).arg("--check")).status, 0);
    assert!(fs::symlink_metadata(at("state.json")).expect("there").is_symlink());
    assert_eq!(lines(&at("logs")), server.duo.lines(i64::MAX));
    // A link into the logs leads the feed to the state.
    fs::rename(at("real/s.json"), at("logs/s.json")).expect("moved");
    fs::remove_file(at("state.json")).expect("removed");
    symlink("logs/s.json", at("state.json")).expect("linked");
    let told = finish(&mut server.collect(folder.path()));
    assert!(told.stderr.contains("lies under"), "{}", told.stderr);
    fs::remove_file(at("state.json")).expect("removed");
    symlink("state.json", at("state.json")).expect("linked");
    let looped = finish(&mut server.collect(folder.path()));
    assert!(looped.status == 2 && looped.stderr.contains("leads back to itself"), "{}", looped.stderr);
}

/// `state -> exit status, words`: none of them is written over.
#[test]
fn a_state_that_can_t_be_is_refused() {
    let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
    assert_eq!(finish(&mut server.collect(folder.path())).status, 0);
    let state = folder.path().join("state.json");
    let good = fs::read_to_string(&state).expect("a state");
    let value: serde_json::Value = serde_json::from_str(&good).expect("JSON");
    let watermark = format!("\"watermark\":{}", value["watermark"]);
    let forged = |ms: &str| good.replace(&watermark, &format!("\"watermark\":{ms}"));
    for (text, words) in [
        (forged("9999999999999"), "collected up to 2286-11-20T17:46:39.999Z"),
        (forged("9223372036854775807"), "collected up to 9223372036854775807 ms"),
        (forged("-5"), "`watermark` is -5"),
        (forged("1e400"), "is damaged"),
        (forged("\"\\u001b[31m::error\""), "is damaged"),
        (good.replace("api-test", "\\u001b]0;x\\u0007"), "is that of another API host"),
        (good.replace("\"gaps\":[]", &format!("\"gaps\":{}", "[".repeat(1 << 20))), "is not JSON"),
        (format!("{}{good}", " ".repeat(65 << 20)), "larger than expected"),
    ] {
        fs::write(&state, &text).expect("written");
        for args in [&[][..], &["--check"]] {
            let run = finish(server.collect(folder.path()).args(args));
            let said = format!("{}{}", run.stderr, run.stdout);
            assert_eq!(run.status, 2, "{words}: {said}");
            assert!(said.contains(words) && !said.contains(['\u{1b}', '\u{7}']), "{words}: {said}");
            assert!(said.contains("hint: ") || words.starts_with("larger"), "{said}");
        }
        assert!(fs::read_to_string(&state).expect("there") == text, "{words}: it is as it was");
    }
    #[cfg(target_os = "linux")]
    for (device, status) in [("/dev/zero", 2), ("/dev/null", 2)] {
        let mut command = bare();
        command.args(["--allow-any-host", "--api-url", &server.url, "--state", device, "--to"]);
        let run = finish(command.arg(folder.path().join("elsewhere")));
        assert_eq!(run.status, status, "{}", run.stderr);
        assert!(run.stderr.contains("is not a regular file"), "{}", run.stderr);
    }
    #[cfg(target_os = "linux")]
    for name in ["DUO_SKEY_FILE", "DUO_IKEY_FILE", "DUO_CA_FILE"] {
        let mut command = server.collect(folder.path());
        command.env_remove("DUO_SKEY").env_remove("DUO_IKEY").env(name, "/dev/zero");
        let run = finish(&mut command);
        assert!(run.status == 2 && run.stderr.contains("is larger than"), "{}", run.stderr);
    }
}

#[test]
fn answers_that_are_no_pages_and_items_that_are_no_records() {
    let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
    let offset = "1".repeat(1 << 20);
    let body =
        format!(r#"{{"stat":"OK","response":{{"items":[{{}}],"metadata":{{"next_offset":"{offset}"}}}}}}"#);
    server.duo.faults(move |n| (n == 1).then(|| Fault::Answer(200, body.clone(), None)));
    let run = finish(&mut server.collect(folder.path()));
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(run.stderr.contains("`next_offset` has 1048578 bytes, expected at most 1024"), "{}", run.stderr);
    assert!(files(folder.path()).is_empty(), "nothing was moved");

    let mut odd = record((chrono::Utc::now().timestamp_millis() - 600_000) * 1000, 9_000);
    odd.json = r#""\u001b[31m \u202e""#.into();
    server.duo.add([odd]);
    let run = finish(&mut server.collect(folder.path()));
    assert_eq!(run.status, 1, "{}", run.stderr);
    let word = "warning: Duo's answers have 1 item that are not objects";
    assert!(run.stderr.contains(word) && run.stderr.contains("delivered 60 records"), "{}", run.stderr);
    assert_eq!(lines(&folder.path().join("logs")).len(), 60);
    assert_eq!(finish(&mut server.collect(folder.path())).status, 0);

    let folder = tempfile::tempdir().expect("a folder");
    let run = finish(server.collect(folder.path()).args(["--deadline", "1s"]));
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(run.stderr.contains("no time for a page") && run.stderr.contains("hint: raise `--deadline`"));
}

fn wait_until(what: &str, is: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(child: &std::process::Child, times: usize) {
    for _ in 0..times {
        let done = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill");
        assert!(done.success());
    }
}

/// The service's answers -> the status of a daemon that is stopped then.
#[test]
#[cfg(unix)]
fn a_daemon_ends_with_the_status_of_its_last_run() {
    for (good_from, status) in [(u64::MAX, 2), (3, 0)] {
        let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
        server.duo.faults(move |n| (n < good_from).then(|| Fault::Answer(403, "no".into(), None)));
        let mut command = server.collect(folder.path());
        let child = command.args(["--every", "100ms"]).stderr(Stdio::piped()).spawn().expect("starts");
        wait_until("it runs again", || server.duo.log().len() >= 5);
        // Wherever it is: waiting, mostly.
        std::thread::sleep(Duration::from_millis(50));
        signal(&child, 1);
        let output = child.wait_with_output().expect("ended");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{said}");
        assert!(said.matches("error: Duo refuses the request").count() >= 2, "{said}");
    }
}

/// `timeout` tells the process and its group, so that there are two signals for one.
#[test]
#[cfg(unix)]
fn two_signals_at_once_are_one() {
    let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
    server.duo.faults(|_| Some(Fault::Answer(503, String::new(), None)));
    // It waits for long.
    let command = server.collect(folder.path());
    let kept: Vec<_> = command.get_args().map(|arg| arg.to_owned()).collect();
    let mut command = bare();
    let retry = kept.iter().position(|arg| arg == "--retry-wait").expect("the option");
    command.args(kept[1..retry].iter().chain(&kept[retry + 2..])).args(["--retry-wait", "30s"]);
    let child = command.stderr(Stdio::piped()).spawn().expect("starts");
    wait_until("it asks", || !server.duo.log().is_empty());
    signal(&child, 2);
    let output = child.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("stopped: the next run goes on"), "{said}");
}
