//! How the command ends: after a panic, a signal, a full disk, with closed streams, and with nothing to do.

use crate::support::{Run, json_lines, names, project, run, run_with, udmap};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const EVENT: &str = r#"{"ts":"2024-01-01T00:00:00Z","phone":"+15550100"}"#;
const NO_TIME: &str = r#"{"phone":"+15550100"}"#;

/// Runs a script of the shell in which `$udmap` is the command; `$0` is the folder it runs in.
fn shell(folder: &Path, script: &str) -> Run {
    let output = Command::new("bash")
        .args(["-c", script])
        .current_dir(folder)
        .env("udmap", env!("CARGO_BIN_EXE_udmap"))
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output();
    Run::of(&output.expect("bash starts"))
}

/// Temporary files, of any kind.
fn hidden(folder: &Path) -> Vec<String> {
    names(folder).into_iter().filter(|name| name.starts_with('.')).collect()
}

/// Wherever a thread panics, the run has failed, says so in one line, and puts nothing in its place.
#[cfg(debug_assertions)]
#[test]
fn a_panic_on_any_thread_ends_the_run_as_failed() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    fs::create_dir(at("logs")).expect("a folder");
    let log = run(&["generate", "--records", "3000", "--mix", "v1,v2", "-o", &at("logs/a.log")]);
    assert_eq!(log.status, 0, "{}", log.stderr);
    let events = run(&["convert", &at("logs"), "-o", &at("events")]);
    assert_eq!(events.status, 0, "{}", events.stderr);
    let before = names(folder.path());
    let (logs, out, dump, events) = (&at("logs"), &at("out"), &at("dump/"), &at("events"));
    let cases: &[(&str, &[&str])] = &[
        ("main", &["convert", logs, "-o", out]),
        ("signals", &["generate", "--records", "4000000000", "-o", out]),
        ("work", &["convert", logs, "-o", out, "--threads", "2"]),
        ("work", &["convert", logs, "-o", out, "--threads", "7"]),
        ("read", &["validate", events]),
        ("work", &["validate", events, "--report", &format!("json={out}")]),
        ("work", &["diff", events, events]),
        ("read", &["profile", logs, "--html", out]),
        ("progress", &["convert", logs, "-o", dump]),
        ("worker", &["convert", logs, "-o", dump]),
        ("manifest", &["convert", logs, "-o", dump]),
    ];
    for (place, args) in cases {
        let output = udmap().args(*args).env("UDMAP_PANIC", place).env_remove("RUST_BACKTRACE").output();
        let run = Run::of(&output.expect("the command starts"));
        assert_eq!(run.status, 2, "{place} {args:?}: {}", run.stderr);
        let line =
            run.stderr.lines().find(|line| line.contains("a fault of udmap itself at src/")).unwrap_or("");
        for word in ["error: ", ".rs:", "thread `", "please report"] {
            assert!(line.contains(word), "{place} {args:?}: {}", run.stderr);
        }
        // A file that is created at the moment when the process ends stays, under its hidden name, until the next run.
        let in_making =
            |name: &str| *place == "signals" && name.starts_with(".out.") && name.ends_with(".tmp");
        let left = names(folder.path()).into_iter().filter(|name| name != "dump" && !in_making(name));
        let left: Vec<String> = left.collect();
        assert_eq!(left, before, "{place} {args:?}");
        // Objects of a dump are whole; what was in the making is swept by the next run.
        let _ = fs::remove_dir_all(at("dump"));
    }
    let again = run(&["convert", &at("logs"), "-o", &at("out")]);
    assert_eq!(again.status, 0, "{}", again.stderr);
    assert!(names(folder.path()).iter().all(|name| !name.starts_with('.')), "the next run sweeps");
}

#[test]
fn closed_streams_are_no_success() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("log"), format!("{EVENT}\n")).expect("written");
    fs::write(folder.path().join("bad"), format!("{NO_TIME}\n")).expect("written");
    for command in [
        "$udmap convert log",
        "$udmap convert bad -o x --rejects -",
        "$udmap generate --records 3",
        "$udmap mappings",
        "$udmap mappings show duo_telephony",
        "$udmap validate log",
        "$udmap explain log",
        "$udmap profile log",
        "$udmap completions bash",
        "$udmap --help",
        "$udmap convert --help",
        "$udmap --version",
    ] {
        let run = shell(folder.path(), &format!("{command} >&-"));
        assert_eq!(run.status, 2, "{command}: {}", run.stderr);
        assert!(run.stderr.contains("stdout: it is closed"), "{command}: {}", run.stderr);
        let run = shell(folder.path(), &format!("{command} >/dev/full"));
        assert_eq!(run.status, 2, "{command}: {}", run.stderr);
        assert!(run.stderr.contains("No space left"), "{command}: {}", run.stderr);
        // Whoever reads has had enough.
        if !command.contains("--rejects -") {
            let run = shell(folder.path(), &format!("{command} | true; exit ${{PIPESTATUS[0]}}"));
            assert!(
                run.status < 2 && run.stderr.lines().all(|l| !l.starts_with("error")),
                "{command}: {run:?}"
            );
        }
    }
    // Nothing goes to stdout.
    assert_eq!(shell(folder.path(), "$udmap convert log -o events >&-").status, 0);
    assert!(folder.path().join("events").exists());
    // Nobody can be told, but nobody panics, either.
    for (command, status) in [("log -o x", 0), ("bad -o x", 1), ("nowhere -o x", 2)] {
        for stderr in ["2>&-", "2>/dev/full", "2> >(true)"] {
            let run = shell(folder.path(), &format!("$udmap convert {command} {stderr}; exit $?"));
            assert_eq!(run.status, status, "{command} {stderr}");
        }
    }
}

/// A reader of something else than the events that has had enough is no success: nothing was put in its place.
#[test]
fn a_pipe_that_takes_no_rejects_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let script =
        "yes '{}' | head -200000 > bad; $udmap convert bad -o x --rejects - | true; exit ${PIPESTATUS[0]}";
    let run = shell(folder.path(), script);
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(run.stderr.contains("Broken pipe"), "{}", run.stderr);
    assert_eq!(names(folder.path()), ["bad"]);
}

/// Neither a signal nor a mystery: the error names what could not be written.
#[test]
fn limits_and_full_folders_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("out"), "before").expect("written");
    for command in
        ["$udmap generate --records 5000 -o out", "$udmap generate --records 5000 | $udmap convert - -o out"]
    {
        let run = shell(folder.path(), &format!("ulimit -f 100; {command}"));
        assert_eq!(run.status, 2, "{command}: {}", run.stderr);
        assert!(
            run.stderr.contains("`out`") && run.stderr.contains("File too large"),
            "{command}: {}",
            run.stderr
        );
        assert_eq!(fs::read_to_string(folder.path().join("out")).expect("out"), "before");
        assert!(hidden(folder.path()).is_empty(), "{:?}", names(folder.path()));
    }
    let script = "$udmap generate --records 30000 | $udmap convert - -q -o events; ulimit -f 100; \
                  TMPDIR=$PWD $udmap diff - events < events";
    let run = shell(folder.path(), script);
    assert_eq!(run.status, 2, "{}", run.stderr);
    let named = format!("`{}`", folder.path().display());
    assert!(run.stderr.contains(&named) && run.stderr.contains("TMPDIR"), "{}", run.stderr);
    let run = shell(folder.path(), "TMPDIR=$PWD/nowhere $udmap diff - events < events");
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(run.stderr.contains("nowhere") && run.stderr.contains("TMPDIR"), "{}", run.stderr);
    assert!(hidden(folder.path()).is_empty(), "{:?}", names(folder.path()));
}

/// What a killed run has left is removed by the next one that writes the same file; of one at work nothing is.
#[test]
fn the_next_run_sweeps() {
    let folder = tempfile::tempdir().expect("a folder");
    let begin = || {
        let mut child = udmap()
            .args(["convert", "-", "-o", "out"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        let before = hidden(folder.path()).len();
        let end = Instant::now() + Duration::from_secs(30);
        while hidden(folder.path()).len() == before && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        let stdin = child.stdin.take().expect("stdin");
        (child, stdin)
    };
    let (mut killed, _stdin) = begin();
    killed.kill().expect("killed");
    killed.wait().expect("ended");
    assert_eq!(hidden(folder.path()).len(), 1);
    fs::write(folder.path().join(".out.notours"), "x").expect("written");
    let (mut at_work, mut stdin) = begin();
    let run =
        run_with(EVENT.as_bytes(), &["convert", "-", "-o", &folder.path().join("out").to_string_lossy()]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(hidden(folder.path()).len(), 2, "{:?}", names(folder.path()));
    writeln!(stdin, "{EVENT}\n{EVENT}").expect("fed");
    drop(stdin);
    assert!(at_work.wait().expect("ended").success());
    assert_eq!(names(folder.path()), [".out.notours", "out"]);
    assert_eq!(fs::read_to_string(folder.path().join("out")).expect("out").lines().count(), 2);
}

/// As `timeout` does it: two signals at once, whatever the command waits for.
#[test]
fn a_doubled_signal_is_one_and_a_later_one_ends_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    assert!(Command::new("mkfifo").arg(at("pipe")).status().expect("mkfifo").success());
    fs::write(at("log"), format!("{EVENT}\n")).expect("written");
    let before = names(folder.path());
    for args in [
        "convert - -o out --rejects rejects",
        "convert pipe -o out",
        "convert log -o pipe",
        "validate - --report json=report",
        "validate pipe",
        "profile - --html page",
        "explain -",
        "diff - log",
        "generate --records 4000000000 -o out",
        "bench log --seconds 60",
    ] {
        let mut child = udmap()
            .args(args.split(' '))
            .current_dir(folder.path())
            .env("TMPDIR", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let stdin = child.stdin.take();
        std::thread::sleep(Duration::from_millis(300));
        let kill = |pid: u32| Command::new("kill").args(["-TERM", &pid.to_string()]).status().expect("kill");
        let asked = Instant::now();
        kill(child.id());
        kill(child.id());
        let output = child.wait_with_output().expect("ended");
        assert!(asked.elapsed() < Duration::from_secs(10), "{args}");
        drop(stdin);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args}: {said}");
        assert!(said.contains("interrupted"), "{args}: {said}");
        assert_eq!(names(folder.path()), before, "{args}");
    }
}

/// What replaces a file is as accessible as it was; a link stays one.
#[test]
fn a_replaced_file_keeps_its_mode_and_owner() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::write(at("out"), "old").expect("written");
    fs::set_permissions(at("out"), fs::Permissions::from_mode(0o640)).expect("a mode");
    // Only root may.
    let given = std::os::unix::fs::chown(at("out"), Some(12_345), Some(23_456)).is_ok();
    std::os::unix::fs::symlink("out", at("link")).expect("a link");
    let run = run_with(
        EVENT.as_bytes(),
        &["convert".as_ref(), "-".as_ref(), "-o".as_ref(), at("link").as_os_str()],
    );
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(fs::symlink_metadata(at("link")).expect("the link").is_symlink());
    let metadata = fs::metadata(at("out")).expect("out");
    assert!(metadata.len() > 100 && metadata.mode() & 0o777 == 0o640);
    if given {
        assert_eq!((metadata.uid(), metadata.gid()), (12_345, 23_456));
    }
}

#[test]
fn nothing_found_is_a_status_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    fs::create_dir(at("none")).expect("a folder");
    fs::create_dir(at("some")).expect("a folder");
    fs::write(at("some/empty"), "").expect("written");
    fs::write(at("some/blank"), "\n\n").expect("written");
    fs::write(at("some/page.json"), r#"{"stat":"OK","response":[]}"#).expect("written");
    for inputs in [vec!["none"], vec!["some"], vec!["some/empty"], vec!["some/page.json", "none"]] {
        for command in ["convert", "bench"] {
            let mut args = vec![command.to_owned()];
            args.extend(inputs.iter().map(|input| at(input)));
            let found = run(&args);
            assert_eq!(found.status, 3, "{args:?}: {}", found.stderr);
            assert!(
                found.stderr.contains("warning: ") && found.stderr.contains("--allow-empty"),
                "{args:?}: {}",
                found.stderr
            );
            args.extend(["--allow-empty".to_owned()]);
            let allowed = run(&args);
            assert_eq!(allowed.status, 0, "{args:?}: {}", allowed.stderr);
            assert!(!allowed.stderr.contains("warning"), "{args:?}: {}", allowed.stderr);
        }
    }
    // With `-q`, too; and with a summary that says so.
    let quiet = run_with(b"", &["convert", "-", "-q", "--summary", &at("summary")]);
    assert_eq!((quiet.status, quiet.stderr.contains("warning")), (3, true), "{}", quiet.stderr);
    assert!(fs::read_to_string(at("summary")).expect("a summary").contains("\"exit_status\": 3"));
    // An empty file among others, or nothing but rejects, is something.
    fs::write(at("log"), format!("{EVENT}\n")).expect("written");
    assert_eq!(run(&["convert", &at("some"), &at("log")]).status, 0);
    assert_eq!(run_with(NO_TIME.as_bytes(), &["convert", "-"]).status, 1);
    assert_eq!(run(&["convert", "--help"]).stdout.matches("  3  nothing").count(), 1);
}

/// A round of rejects after another: what is mended becomes events, the rest keeps its source and place.
#[test]
fn rejects_are_taken_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let long = "1".repeat(9_000);
    let log = format!(
        "{EVENT}\n{NO_TIME}\n[{NO_TIME},\n{EVENT}]\n{{\"ts\":1\n\u{e9}\n{{\"ts\":\"2024-01-01T00:00:00Z\",\"phone\":\"{long}\"}}\n"
    );
    let mut log = log.into_bytes();
    log.extend_from_slice(b"{\"phone\":\"\xff\"}\n");
    fs::write(at("log"), &log).expect("written");
    let first = run(&[
        "convert",
        &at("log"),
        "-o",
        &at("1"),
        "--rejects",
        &at("r1.gz"),
        "--max-record-bytes",
        "8000",
    ]);
    assert_eq!(first.status, 1, "{}", first.stderr);
    // Nothing is mended: the same rejects, byte for byte, but for what is said of the one that is there in part.
    let args = |from: &str, events: &str, to: &str| {
        ["convert", &at(from), "--from-rejects", "-o", &at(events), "--rejects", &at(to)].map(str::to_owned)
    };
    let second = run(&args("r1.gz", "2", "r2"));
    assert_eq!(second.status, 1, "{}", second.stderr);
    assert!(second.stderr.contains("1 record is there only in part"), "{}", second.stderr);
    assert_eq!(fs::read_to_string(at("2")).expect("events"), "");
    let mut plain = Vec::new();
    let packed = fs::read(at("r1.gz")).expect("rejects");
    std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(&packed[..]), &mut plain)
        .expect("gzip");
    let lines = |text: &[u8]| json_lines(std::str::from_utf8(text).expect("UTF-8"));
    let (mut before, mut after) = (lines(&plain), lines(&fs::read(at("r2")).expect("rejects")));
    assert_eq!(before.len(), after.len());
    let cut = |all: &mut Vec<serde_json::Value>| {
        let one = all.iter_mut().find(|line| line["reason"] == "too-long").expect("a long one");
        one["message"] = "".into();
    };
    cut(&mut before);
    cut(&mut after);
    assert_eq!(before, after);
    // All are mended but one.
    let mended: Vec<String> = after
        .iter()
        .map(|line| {
            let mut line = line.clone();
            let text = line["raw"].as_str().unwrap_or_default().to_owned();
            if line["reason"] == "no-timestamp" {
                line["raw"] = text.replace('{', "{\"ts\":\"2024-01-01T00:00:00Z\",").into();
            } else if line["raw_base64"].is_string() {
                line["raw"] = EVENT.into();
                line.as_object_mut().expect("an object").remove("raw_base64");
            }
            line.to_string()
        })
        .collect();
    fs::write(at("r3"), mended.join("\n")).expect("written");
    let third = run(&args("r3", "3", "r4"));
    assert_eq!(third.status, 1, "{}", third.stderr);
    let made = json_lines(&fs::read_to_string(at("3")).expect("events")).len();
    let left = json_lines(&fs::read_to_string(at("r4")).expect("rejects"));
    assert_eq!((made + left.len(), made), (after.len(), 2), "{left:?}");
    for line in &left {
        let old = before.iter().find(|old| old["offset"] == line["offset"]).expect("an old place");
        assert_eq!(
            (&old["source"], &old["line"], &old["raw"]),
            (&line["source"], &line["line"], &line["raw"])
        );
        assert_eq!(line["source"], at("log"));
    }
}

#[test]
fn what_is_no_reject_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    fs::write(at("log"), format!("{EVENT}\n{EVENT}\n")).expect("written");
    let wrong = run(&["convert", &at("log"), "--from-rejects"]);
    assert_eq!(wrong.status, 2, "{}", wrong.stderr);
    assert!(wrong.stderr.contains("line 1 is not a reject") && wrong.stdout.is_empty(), "{}", wrong.stderr);
    fs::write(at("rejects"), "").expect("written");
    assert_eq!(run(&["convert", &at("rejects"), "--from-rejects"]).status, 3);
    assert_eq!(run(&["convert", &at("rejects"), "--from-rejects", "-o", &at("out/")]).status, 3);
}

/// Names from outside move no cursor and begin no line.
#[test]
fn foreign_names_are_escaped() {
    let folder = tempfile::tempdir().expect("a folder");
    let hostile = folder.path().join("a\u{1b}[31m\n::error::x\u{202e}");
    fs::write(&hostile, b"\x1f\x8b\x08not gzip").expect("written");
    fs::copy(project("fixtures/quickstart/input.ndjson"), folder.path().join("good")).expect("copied");
    let hostile = hostile.to_string_lossy().into_owned();
    for args in [
        vec!["convert", &hostile],
        vec!["convert", &hostile, "-o", &hostile],
        vec!["convert", &hostile, "--from-rejects"],
        vec!["convert", "-", "-o", &hostile, "--rejects", &hostile],
        vec!["bench", &hostile, "--runs", "1"],
        vec!["convert", "no\u{1b}[31m\n::error::x"],
    ] {
        let run = run(&args);
        assert!(
            !run.stderr.contains('\u{1b}') && !run.stderr.contains('\u{202e}'),
            "{args:?}: {}",
            run.stderr
        );
        assert!(run.stderr.lines().all(|line| !line.starts_with("::")), "{args:?}: {}", run.stderr);
    }
}
