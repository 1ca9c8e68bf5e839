//! `udmap collect` from outside: what it says, its exit statuses, and that no secret is ever shown.

use super::duo::{Duo, Fault, HOST, Switches, record};
use super::http::{Server, bare, files, finish, lines, no_secret};
use crate::support::{json_lines, run};
use crate::terminals::on_terminal;
use crate::tools::{Tool, need};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A service with a record every ten minutes of the last day, up to three minutes ago.
fn service() -> Server {
    let now = chrono::Utc::now().timestamp_millis();
    let duo = Duo::new(Switches::default());
    duo.add((0..140).map(|i| record((now - 180_000 - i * 600_000) * 1000, i as u64)));
    Server::start(duo)
}

fn state(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(folder.join("state.json")).expect("a state")).expect("JSON")
}

#[test]
fn a_first_run_and_the_next() {
    let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
    let first = finish(&mut server.collect(folder.path()));
    assert_eq!(first.status, 0, "{}", first.stderr);
    assert!(
        first.stderr.starts_with("delivered 140 records in 1 object from 1 page; collected up to 20"),
        "{}",
        first.stderr
    );
    assert_eq!(first.stdout, "");
    let second = finish(server.collect(folder.path()).arg("-q"));
    assert_eq!((second.status, second.stderr.as_str()), (0, ""));
    assert_eq!(lines(&folder.path().join("logs")), server.duo.lines(i64::MAX));
    let names: Vec<String> = files(&folder.path().join("logs")).into_iter().map(|(name, _)| name).collect();
    assert!(
        names.len() == 1 && names[0].ends_with(&format!("/telephony-{HOST}-0000000000.ndjson.gz")),
        "{names:?}"
    );
    assert_eq!(state(folder.path())["sequence"], 1);
}

/// The command with some time between small pages.
fn slowly(server: &Server, folder: &Path) -> Command {
    let mut command = bare();
    command.args(["duo-telephony", "--allow-any-host", "--api-url", &server.url, "--page-size", "50"]);
    command.args(["--request-interval", "300ms", "--retry-wait", "1ms"]);
    command.arg("--to").arg(folder.join("logs")).arg("--state").arg(folder.join("state.json"));
    command
}

/// A repeated request is told with its reason, on a terminal above the line that shows how far it is.
#[test]
fn retries_and_progress_are_shown() {
    let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
    let answer = || Fault::Answer(503, r#"{"message":"closed \u001b[31m for now"}"#.into(), None);
    server.duo.faults(move |n| (n <= 2).then(answer));
    let mut command = slowly(&server, folder.path());
    let piped = finish(&mut command);
    let lines: Vec<&str> = piped.stderr.lines().collect();
    assert_eq!((piped.status, lines.len()), (0, 3), "{}", piped.stderr);
    assert!(lines[0].contains("503") && lines[0].contains(": asking again at once"), "{lines:?}");
    assert!(
        lines[1].ends_with("2 have failed") && lines[2].starts_with("delivered 140 records"),
        "{lines:?}"
    );
    assert!(!piped.stderr.contains('\u{1b}'), "{lines:?}");

    let Some(python) = need(Tool::Python) else { return };
    let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
    server.duo.faults(move |n| (n <= 2).then(answer));
    let command = slowly(&server, folder.path());
    let seen = on_terminal(&python, 80, None, &command);
    assert_eq!(seen.status, 0, "{}", seen.text);
    assert!(seen.text.contains("50 records, 1 page, up to 20"), "{}", seen.text);
    let left: Vec<&String> = seen.screen.iter().filter(|line| !line.is_empty()).collect();
    let said: String = left.iter().map(|line| format!("{} ", line.trim())).collect();
    assert!(said.contains("503") && said.contains("2 have failed delivered 140 records"), "{left:#?}");
    assert!(!said.contains("asking for the first page"), "{left:#?}");
    no_secret("the terminal", seen.text.as_bytes());

    let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
    server.duo.faults(move |n| (n <= 2).then(answer));
    let quiet = finish(server.collect(folder.path()).arg("-q"));
    assert_eq!((quiet.status, quiet.stderr.as_str()), (0, ""));
}

#[test]
fn the_old_environment_s_names_and_files_for_keys() {
    let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
    fs::write(folder.path().join("skey"), format!("{}\n", super::duo::SKEY)).expect("written");
    let mut command = server.collect(folder.path());
    command.env_remove("DUO_SKEY").env("DUO_SKEY_FILE", folder.path().join("skey"));
    command.env("MAX_ITERATIONS", "1").args(["--page-size", "100"]);
    let run = finish(&mut command);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("as many pages as allowed") && run.stderr.contains("the next run goes on"),
        "{}",
        run.stderr
    );
    assert_eq!(finish(&mut command).status, 0);
    assert_eq!(lines(&folder.path().join("logs")).len(), 140);
    fs::remove_file(folder.path().join("skey")).expect("removed");
    files(folder.path());
}

#[test]
fn converted_in_the_same_step() {
    let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
    let mut timeless = record((chrono::Utc::now().timestamp_millis() - 600_000) * 1000, 9_000);
    timeless.json = r#"{"telephony_id": "x", "ts": null}"#.into();
    server.duo.add([timeless]);
    let at = |name: &str| folder.path().join(name);
    let run_ = finish(server.collect(folder.path()).args(["--convert", "--decorate", "--page-size", "50"]));
    assert_eq!(run_.status, 1, "{}", run_.stderr);
    assert!(run_.stderr.contains(", 140 events, 1 rejects from 3 pages"), "{}", run_.stderr);
    assert_eq!(lines(&at("logs")).len(), 141);
    let events = json_lines(&lines(&at("udm-logs")).join("\n"));
    assert_eq!(events.len(), 140);
    assert!(events.iter().all(|event| event["metadata"]["event_type"] == "USER_UNCATEGORIZED"));
    assert!(events.iter().all(|event| event["principal"]["hostname"] == HOST));
    let rejects = json_lines(&lines(&at("rejects-logs")).join("\n"));
    assert_eq!((rejects.len(), rejects[0]["reason"].as_str()), (1, Some("no-timestamp")));
    assert!(rejects[0]["source"].as_str().expect("source").ends_with(".ndjson.gz"));
    // The same as converting the raw objects later.
    let logs = at("logs").to_string_lossy().into_owned();
    let later = run(&["convert", &logs, "-q", "--max-rejects", "1"]);
    let mut later: Vec<&str> = later.stdout.lines().collect();
    later.sort_unstable();
    assert_eq!(later, lines(&at("udm-logs")));
}

/// `arguments -> exit status, words`, with what the service does.
#[test]
fn errors_say_what_and_what_to_do() {
    let deny = r#"{"stat":"FAIL","code":40301,"message":"Access forbidden"}"#;
    let echo = "<html>you sent Authorization: {authorization}</html>";
    let answer = |status, body: &str| Some(Fault::Answer(status, body.into(), None));
    type Case<'a> = (&'a [&'a str], Option<Fault>, &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        (
            &[],
            answer(403, deny),
            &[
                "error: Duo refuses the request: HTTP 403: 40301: Access forbidden",
                "hint: the Admin API application lacks the permission `Grant read log`",
            ],
        ),
        (
            &[],
            answer(500, echo),
            &["no page from", "HTTP 500", "Basic [signature]", "hint: the next run goes on"],
        ),
        (&[], answer(400, echo), &["Basic [signature]"]),
        (&[], answer(302, ""), &["a redirect, which is not followed"]),
        (&[], answer(200, r#"{"stat":"OK","response":[]}"#), &["as version 1 of the API gives"]),
        (&[], Some(Fault::Reset), &["no page from", "after 10 tries"]),
        (&[], Some(Fault::CutBody), &["no page from", "after 10 tries"]),
        (&["--since", "soon"], None, &["invalid value 'soon' for '--since <WHEN>'"]),
        (&["--to", "s3://key:hunter2@bucket/x"], None, &["cannot open `s3://bucket`", "AWS_*"]),
        (&["--to", "ftp://x/y"], None, &["expected one of: s3, gs, az, or a path; found `ftp://`"]),
        (&["--state", "s3://bucket/"], None, &["it names no object"]),
        (
            &["--convert", "--udm-to", "/nowhere/a", "--rejects-to", "/nowhere/a/b"],
            None,
            &["`--rejects-to` is inside `--udm-to`"],
        ),
        (&["--convert", "--mapping", "duo_telefony"], None, &["did you mean `duo_telephony`?"]),
        (&["--ca-file", "Cargo.toml"], None, &["certificate"]),
        (&["--every", "0"], None, &["--every"]),
        (&["--api-url", "http://127.0.0.1:1"], None, &["no page from", "cannot connect"]),
    ];
    for (args, fault, words) in cases {
        let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
        let fault = fault.clone();
        server.duo.faults(move |_| fault.clone());
        let mut command = server.collect(folder.path());
        // Given twice, an option is an error: take away what is given again.
        let kept: Vec<_> = command.get_args().map(|arg| arg.to_owned()).collect();
        let mut again = bare();
        let mut skip = false;
        for arg in kept.into_iter().skip(1) {
            if skip {
                skip = false;
            } else if args.iter().any(|given| *given == arg && given.starts_with("--")) {
                skip = true;
            } else {
                again.arg(arg);
            }
        }
        command = again;
        let run = finish(command.args(*args));
        assert_eq!(run.status, 2, "{args:?}: {}", run.stderr);
        for word in *words {
            assert!(run.stderr.contains(word), "{args:?} says {word}: {}", run.stderr);
        }
        assert!(!run.stderr.contains("hunter2") && !run.stderr.contains('\u{1b}'), "{}", run.stderr);
        files(folder.path());
    }
}

/// The environment gives options, a blank variable counts as not set, and the command line is stronger. The help names
/// variables, never what they hold.
#[test]
fn options_from_the_environment() {
    let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
    let given = |name: &str, value: &str| {
        let mut command = server.collect(folder.path());
        command.env("UDMAP_MAX_PAGES", "1").env("UDMAP_PAGE_SIZE", "100").env("UDMAP_UNTIL", " ");
        command.env("UDMAP_DECORATE", "no").env("UDMAP_MAPPING", "").env(name, value);
        command
    };
    for (name, value, words) in [
        ("UDMAP_OVERLAP", "yesterday", "'--overlap <TIME>': expected a duration"),
        ("UDMAP_DECORATE", "maybe", "'--decorate': expected true or false"),
        ("UDMAP_SIGNATURE", "v3", "'--signature <HOW>': expected one of: v5, v2-sha512, v2-sha1"),
        ("MAX_ITERATIONS", "-1", "`-1` (MAX_ITERATIONS): expected a whole number, at least 1"),
    ] {
        let wrong = finish(&mut given(name, value));
        assert!(wrong.status == 2 && wrong.stderr.contains(words), "{name}: {}", wrong.stderr);
    }
    let one = finish(&mut given("UDMAP_SINCE", ""));
    assert!(one.status == 0 && one.stderr.starts_with("delivered 100 records"), "{}", one.stderr);
    let rest = finish(given("UDMAP_CONVERT", "\tTrue").args(["--max-pages", "2"]));
    assert!(rest.status == 0 && rest.stderr.contains("delivered 40 records"), "{}", rest.stderr);
    assert!(rest.stderr.contains("40 events"), "{}", rest.stderr);
    let help = finish(given("UDMAP_API_URL", "https://hunter2").arg("--help")).stdout;
    assert!(help.contains("[env: UDMAP_API_URL]") && help.contains("[env: UDMAP_TO]"), "{help}");
    no_secret("help", help.as_bytes());
    assert!(!help.contains("hunter2"), "{help}");
}

#[test]
fn a_host_that_is_not_duos_gets_no_signature() {
    let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
    let at = |name: &str| folder.path().join(name);
    for (host, args) in [("evil.example", vec![]), (HOST, vec!["--api-url", &server.url])] {
        let mut command = bare();
        command.env("DUO_API_HOST", host).args(args).arg("--to").arg(at("logs")).arg("--state").arg(at("s"));
        let run = finish(&mut command);
        assert_eq!(run.status, 2);
        assert!(run.stderr.contains("--allow-any-host"), "{}", run.stderr);
    }
    assert!(server.duo.log().is_empty());
    for missing in ["DUO_IKEY", "DUO_SKEY", "DUO_API_HOST"] {
        let mut command = bare();
        command.env_remove(missing).arg("--to").arg(at("logs")).arg("--state").arg(at("s"));
        let run = finish(&mut command);
        assert!(run.status == 2 && run.stderr.contains(&format!("{missing} is missing")), "{}", run.stderr);
    }
}

#[test]
fn check_says_what_to_do() {
    let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
    let before = || files(&folder.path().join("logs")).len();
    let good = finish(server.collect(folder.path()).args(["--check", "--convert"]));
    assert_eq!(good.status, 0, "{}", good.stdout);
    assert_eq!(good.stdout.lines().filter(|line| line.starts_with("ok ")).count(), 7, "{}", good.stdout);
    assert_eq!(before(), 0, "nothing is delivered");
    // A run still counts as the first.
    assert!(finish(&mut server.collect(folder.path())).stderr.starts_with("delivered 140 "));
    let again = finish(server.collect(folder.path()).arg("--check"));
    assert!(again.stdout.contains("collected up to 20"), "{}", again.stdout);

    server.duo.faults(|_| Some(Fault::Answer(403, "{}".into(), None)));
    let denied = finish(server.collect(folder.path()).arg("--check"));
    assert_eq!(denied.status, 2);
    assert!(denied.stdout.contains("hint: the Admin API application lacks"), "{}", denied.stdout);
    server.duo.faults(|_| None);

    fs::write(folder.path().join("state.json"), "{").expect("written");
    let broken = finish(server.collect(folder.path()).arg("--check"));
    assert!(broken.status == 2 && broken.stdout.contains("is cut short"), "{}", broken.stdout);

    let mut inside = bare();
    inside.args(["--allow-any-host", "--api-url", &server.url, "--check"]);
    inside
        .arg("--to")
        .arg(folder.path().join("logs"))
        .arg("--state")
        .arg(folder.path().join("logs/state.json"));
    let inside = finish(&mut inside);
    assert!(
        inside.status == 0 && inside.stdout.contains("warning  the state lies under"),
        "{}",
        inside.stdout
    );

    fs::write(folder.path().join("file"), "").expect("written");
    let mut nowhere = bare();
    nowhere.args(["--allow-any-host", "--api-url", "http://127.0.0.1:1", "--check"]);
    nowhere.arg("--to").arg(folder.path().join("file/x")).arg("--state").arg(folder.path().join("s"));
    let nowhere = finish(&mut nowhere);
    assert!(nowhere.status == 2 && nowhere.stdout.contains("does not answer"), "{}", nowhere.stdout);
}

#[test]
fn a_daemon_runs_again_and_stops_cleanly() {
    let (server, folder) = (service(), tempfile::tempdir().expect("a folder"));
    server.duo.faults(|n| (n == 2).then(|| Fault::Answer(403, "no".into(), None)));
    let mut command = server.collect(folder.path());
    command.args(["--every", "300ms"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the command starts");
    let begun = Instant::now();
    while server.duo.log().len() < 7 {
        assert!(begun.elapsed() < Duration::from_secs(60), "it runs again");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill").success());
    let output = child.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&output.stderr);
    no_secret("stderr", &output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    // One line for each run, and the one that failed did not end it.
    assert!(
        said.lines().filter(|line| line.starts_with("20") && line.contains("Z delivered ")).count() >= 3,
        "{said}"
    );
    assert!(said.contains("Z error: Duo refuses the request"), "{said}");
    assert_eq!(lines(&folder.path().join("logs")), server.duo.lines(i64::MAX));
}

/// A page of 1,000 records of 100 KiB.
#[test]
#[cfg(target_os = "linux")]
fn a_page_of_large_records_in_bounded_memory() {
    let now = chrono::Utc::now().timestamp_millis();
    let duo = Duo::new(Switches::default());
    duo.add((0..1000).map(|i| {
        let mut large = record((now - 3_600_000 + i) * 1000, i as u64);
        large.json = large.json.replace("authentication", &"x".repeat(100 << 10));
        large
    }));
    let (server, folder) = (Server::start(duo), tempfile::tempdir().expect("a folder"));
    let mut command = server.collect(folder.path());
    let mut child =
        command.args(["--compress", "none"]).stderr(Stdio::null()).spawn().expect("the command starts");
    let mut peak = 0;
    while child.try_wait().expect("waited for").is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let now = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        peak = peak.max(now.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(child.wait().expect("ended").code(), Some(0));
    let sizes: u64 = fs::read_dir(folder.path().join("logs"))
        .expect("logs")
        .map(|day| {
            let day = day.expect("a day").path();
            fs::read_dir(day)
                .expect("objects")
                .map(|object| object.expect("an object").metadata().expect("metadata").len())
                .sum::<u64>()
        })
        .sum();
    assert!(sizes > 100_000_000, "{sizes}");
    // The page and its object, and a little more.
    assert!(peak < 260 * 1024, "{peak} KiB");
}

/// docs/collect.md says something of every switch, and nothing of others.
#[test]
fn the_guide_knows_every_switch() {
    let guide = fs::read_to_string(crate::support::project("docs/collect.md")).expect("docs/collect.md");
    let help = run(&["collect", "--help"]).stdout;
    let flags = |text: &str| -> std::collections::BTreeSet<String> {
        let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '-'));
        words.filter(|word| word.len() > 3 && word.starts_with("--")).map(str::to_owned).collect()
    };
    let (mut known, told) = (flags(&help), flags(&guide));
    for flag in ["--help", "--version"] {
        known.remove(flag);
    }
    assert_eq!(known, told);
}
