//! No output is written over another one or over an input, whatever the names are that lead there.

use crate::support::{Run, names, run, udmap};
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

const EVENT: &str = r#"{"ts":"2024-01-01T00:00:00Z","phone":"+15550100"}"#;

/// A folder with a log `in`, the same log by two links, a table and a folder.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::write(at("in"), format!("{EVENT}\n")).expect("written");
    fs::hard_link(at("in"), at("hard")).expect("a hard link");
    std::os::unix::fs::symlink("in", at("link")).expect("a link");
    fs::create_dir(at("sub")).expect("a folder");
    fs::write(at("sub/log"), format!("{EVENT}\n")).expect("written");
    let table = run(&["mappings", "show", "duo_telephony", "--source"]).stdout;
    fs::write(at("my.toml"), table).expect("written");
    folder
}

fn run_in(folder: &Path, args: &str) -> Run {
    let command = udmap().current_dir(folder).args(args.split(' ')).stdin(Stdio::null()).output();
    Run::of(&command.expect("the command starts"))
}

/// What is in a folder and below.
fn content(folder: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            all.extend(content(&path).into_iter().map(|(below, text)| (format!("{name}/{below}"), text)));
        } else {
            all.push((name, fs::read_to_string(&path).expect("a file")));
        }
    }
    all
}

/// Every command, every output: refused before anything is written, with both sides named.
#[test]
fn what_would_be_written_over_is_refused() {
    let folder = folder();
    let before = content(folder.path());
    let absolute = folder.path().join("x");
    let cases: &[(&str, &[&str])] = &[
        ("convert in -o x --rejects x", &["--output", "--rejects"]),
        ("convert in -o x --rejects ./x", &["--output", "--rejects"]),
        ("convert in -o sub/../x --summary x", &["--output", "--summary"]),
        (&format!("convert in -o x --rejects {}", absolute.display()), &["--output", "--rejects"]),
        ("convert in --rejects x --summary ./x", &["--rejects", "--summary"]),
        ("convert in -o hard --rejects link", &["--output", "--rejects"]),
        ("convert in -o - --rejects /dev/stdout", &["--output", "--rejects"]),
        ("convert in --summary /dev/fd/1", &["--output", "--summary"]),
        ("convert in -o in", &["INPUT", "--output"]),
        ("convert in -o ./in", &["INPUT", "--output"]),
        ("convert in -o hard", &["INPUT", "--output"]),
        ("convert in -o link", &["INPUT", "--output"]),
        ("convert link -o in", &["INPUT", "--output"]),
        ("convert in -o x --rejects hard", &["INPUT", "--rejects"]),
        ("convert in -o x --summary link", &["INPUT", "--summary"]),
        ("convert in --mapping my.toml -o ./my.toml", &["--mapping", "--output"]),
        ("convert in -o x --from-rejects --rejects in", &["INPUT", "--rejects"]),
        ("profile in --html ./in", &["INPUT", "--html"]),
        ("profile hard --html in", &["INPUT", "--html"]),
        ("profile in --mapping my.toml --html my.toml", &["--mapping", "--html"]),
        ("profile in --json --html -", &["--json", "--html"]),
        ("explain in:1 --html link", &["INPUT", "--html"]),
        ("explain in --mapping my.toml --html my.toml", &["--mapping", "--html"]),
        ("validate in --report json=./in", &["INPUT", "--report json"]),
        ("validate in --report junit=x,sarif=./x", &["--report junit", "--report sarif"]),
        ("validate in --config my.toml --report json=my.toml", &["--config", "--report json"]),
        ("diff in sub/log --report json=hard", &["`A`", "--report json"]),
        ("diff sub/log in --report markdown=link", &["`B`", "--report markdown"]),
        ("diff --raw in sub/log --mapping my.toml --report json=my.toml", &["--mapping", "--report json"]),
    ];
    for (args, words) in cases {
        let run = run_in(folder.path(), args);
        assert_eq!(run.status, 2, "{args}: {}", run.stderr);
        assert!(
            run.stderr.starts_with("error: ") && run.stderr.lines().count() == 1,
            "{args}: {}",
            run.stderr
        );
        for word in *words {
            assert!(run.stderr.contains(word), "{args} names {word}: {}", run.stderr);
        }
        assert!(run.stdout.is_empty(), "{args}: {}", run.stdout);
        assert_eq!(content(folder.path()), before, "{args}");
    }
}

/// With an output for each input: kinds of outputs have places of their own, and a summary is not the next run's input.
#[test]
fn places_of_dumps_are_kept_apart() {
    let folder = folder();
    let before = content(folder.path());
    for (args, words) in [
        ("convert sub -o out/ --rejects ./out/", "would be mixed there"),
        ("convert sub -o out/ --rejects sub/../out", "would be mixed there"),
        ("convert sub -o out/ --manifest out", "would be mixed there"),
        ("convert sub -o out/ --rejects r/ --manifest r/", "would be mixed there"),
        ("convert sub -o sub/", "both input and output"),
        ("convert in -o out/ --summary link", "both input and output"),
        ("convert . -o out/ --summary ./summary", "the next run would read it"),
        ("convert sub -o out/ --mapping my.toml --summary my.toml", "both input and output"),
    ] {
        let run = run_in(folder.path(), args);
        assert_eq!(run.status, 2, "{args}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{args}: {}", run.stderr);
        assert_eq!(content(folder.path()), before, "{args}");
    }
    fs::create_dir(folder.path().join("sub/out")).expect("a folder");
    for args in [
        "convert sub -o out/ --rejects out/rejects/ --summary summary",
        "convert sub -o sub/out/ --rejects sub/rejects/ --manifest sub/manifest/ --summary sub/out/summary",
        "convert . -o out/ --include *log --summary summary",
    ] {
        for _ in 0..2 {
            let run = run_in(folder.path(), args);
            assert_eq!(run.status, 0, "{args}: {}", run.stderr);
        }
    }
}

/// Where the shell sends stdout and stdin is known, too.
#[test]
fn redirections_are_seen_through() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let append = |name: &str| File::options().append(true).create(true).open(at(name)).expect("a file");
    let command = |args: &[&str]| {
        let mut command = udmap();
        command.current_dir(folder.path()).args(args);
        command
    };
    for (args, stdin, stdout) in [
        (&["convert", "in"][..], None, "in"),
        (&["convert", "in", "--rejects", "r"], None, "r"),
        (&["convert", "-", "-o", "in"], Some("in"), "x"),
    ] {
        let mut command = command(args);
        if let Some(name) = stdin {
            command.stdin(File::open(at(name)).expect("a file"));
        }
        let run = Run::of(&command.stdout(append(stdout)).output().expect("the command starts"));
        assert_eq!(run.status, 2, "{args:?}: {}", run.stderr);
        assert_eq!(fs::read_to_string(at("in")).expect("the log"), format!("{EVENT}\n"), "{args:?}");
    }
}

/// What lies in a folder that is read: not an input, whether it is there already or not.
#[test]
fn outputs_in_a_folder_that_is_read_are_no_inputs() {
    let folder = folder();
    fs::remove_file(folder.path().join("hard")).expect("removed");
    fs::remove_file(folder.path().join("link")).expect("removed");
    fs::remove_file(folder.path().join("my.toml")).expect("removed");
    for round in 0..3 {
        let run = run_in(folder.path(), "convert . -o sub/events --rejects rejects --summary ./summary");
        assert_eq!(run.status, 0, "{round}: {}", run.stderr);
        assert!(run.stderr.contains("2 records -> 2 events"), "{round}: {}", run.stderr);
        // By a hard link, too.
        let linked = folder.path().join("another");
        fs::remove_file(&linked).ok();
        fs::hard_link(folder.path().join("sub/events"), &linked).expect("a link");
        let events = fs::read_to_string(linked).expect("events");
        assert_eq!(events.lines().count(), 2, "{round}");
    }
    for args in ["validate sub --report json=sub/report", "profile sub --html sub/page.html -q"] {
        let first = run_in(folder.path(), args);
        let second = run_in(folder.path(), args);
        assert_eq!((first.status, first.stdout), (second.status, second.stdout), "{args}: {}", second.stderr);
    }
}

#[test]
fn devices_and_different_files_are_fine() {
    let folder = folder();
    for (args, status) in [
        ("convert in -o /dev/null --rejects /dev/null --summary /dev/null", 0),
        ("convert in -o x --rejects y --summary sub/x", 0),
        ("convert in -o /dev/stdout --rejects x", 0),
        ("convert /dev/null in -o /dev/null", 0),
        ("validate in --report json=/dev/null,junit=/dev/null", 1),
    ] {
        let run = run_in(folder.path(), args);
        assert_eq!(run.status, status, "{args}: {}", run.stderr);
    }
}

/// `test --bless` writes expected files and nothing else: not a log that one of them leads to.
#[test]
fn blessing_spares_logs() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("case")).expect("a folder");
    fs::write(at("case/input.ndjson"), format!("{EVENT}\n")).expect("written");
    fs::hard_link(at("case/input.ndjson"), at("case/events.ndjson")).expect("a link");
    let run = run_in(folder.path(), "test . --bless");
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(run.stderr.contains("--bless"), "{}", run.stderr);
    fs::remove_file(at("case/events.ndjson")).expect("removed");
    fs::write(at("case/events.ndjson"), "").expect("written");
    for (report, status) in [("case/input.ndjson", 2), ("case/events.ndjson", 2), ("report", 1)] {
        let run = run_in(folder.path(), &format!("test . --report json={report}"));
        assert_eq!(run.status, status, "{report}: {}", run.stderr);
        assert_eq!(fs::read_to_string(at("case/input.ndjson")).expect("the log"), format!("{EVENT}\n"));
    }
}
