//! What the commands show on a terminal of 80 columns: a real one, by Python's pty (`tests/checks/terminal.py`).

use crate::support::{Run, project, run, udmap};
use crate::tools::{Tool, need};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use udmap::lab::{Generator, Mix};

/// What a command left on a terminal.
pub(crate) struct Terminal {
    pub(crate) status: i64,
    /// All that was written.
    pub(crate) text: String,
    /// What is left on the screen, and what was there when it was interrupted.
    pub(crate) screen: Vec<String>,
    pub(crate) shown: Vec<String>,
}

/// Runs a command on a terminal that is this wide, and interrupts it after some seconds.
pub(crate) fn on_terminal(
    python: &Path,
    columns: usize,
    interrupt: Option<f64>,
    command: &Command,
) -> Terminal {
    let seconds = interrupt.map_or("never".to_owned(), |seconds| seconds.to_string());
    let mut script = Command::new(python);
    script.arg(project("tests/checks/terminal.py")).arg(columns.to_string()).arg(seconds);
    script.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    // What a shell says of another terminal.
    script.env("COLUMNS", "200").env("TERM", "xterm");
    let output = Run::of(&script.output().expect("it starts"));
    let seen: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let lines = |key: &str| -> Vec<String> {
        let lines = seen[key].as_array().into_iter().flatten();
        lines.map(|line| line.as_str().expect("a line").to_owned()).collect()
    };
    Terminal {
        status: seen["status"].as_i64().expect("a status"),
        text: seen["text"].as_str().expect("text").to_owned(),
        screen: lines("screen"),
        shown: lines("shown"),
    }
}

fn with(args: &[&str]) -> Command {
    let mut command = udmap();
    command.args(args);
    command
}

/// A log with long values and rejects.
fn log(folder: &Path) -> PathBuf {
    let file = folder.join("log.ndjson");
    let mix: Mix = "v2=5,v1=4,awkward,broken".parse().expect("a mix");
    fs::write(&file, Generator::records(7, &mix, 300)).expect("written");
    file
}

/// No line is too long, and no word is in two lines: the words are those that a pipe gets.
#[test]
fn lines_are_broken_between_words() {
    let Some(python) = need(Tool::Python) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (log, events) = (log.to_str().expect("a name"), &at("events.ndjson"));
    let (again, new, rejects) = (&at("again.ndjson"), &at("new/"), &at("rejects/"));
    assert!(run(&["convert", log, "-o", events]).status < 2);
    let cases = [
        vec!["profile", log, "-q"],
        vec!["explain", log, "--max-records", "10"],
        vec!["validate", events, "-q"],
        vec!["convert", log, "-o", again, "--mapping", "no such table at all"],
        vec!["mappings", "show", "duo_telephony"],
        vec!["profile", "no/such/file", "-q"],
        vec!["convert", log, "-o", new, "--rejects", rejects, "--dry-run"],
    ];
    for args in cases {
        let piped = run(&args);
        let seen = on_terminal(&python, 80, None, &with(&args));
        assert_eq!(seen.status, i64::from(piped.status), "{args:?}: {}", seen.text);
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let (mut piped, mut on_screen) = (words(&(piped.stderr + &piped.stdout)), words(&seen.text));
        // The two streams come in any order.
        piped.sort();
        on_screen.sort();
        assert_eq!(on_screen, piped, "{args:?}");
        let long = |line: &&str| line.chars().count() > 80 && line.trim().contains(' ');
        let long: Vec<&str> = seen.text.lines().filter(long).collect();
        // What is left are words of a value that are longer than a line.
        let has_long_word = |line: &&str| line.split(' ').any(|word| word.chars().count() > 40);
        assert!(long.iter().all(has_long_word), "{args:?}: {long:#?}");
    }
}

/// Differences are as wide as the terminal, whatever COLUMNS says.
#[test]
fn differences_are_as_wide_as_the_terminal() {
    let Some(python) = need(Tool::Python) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("case");
    fs::create_dir(&case).expect("a folder");
    let input = format!(r#"{{"ts":"2024-01-01T00:00:00Z","context":"{}"}}"#, "many words ".repeat(20));
    fs::write(case.join("input.ndjson"), input).expect("written");
    fs::write(case.join("events.ndjson"), "{\"metadata\":{\"product_event_type\":\"other words\"}}\n")
        .expect("written");
    let name = folder.path().to_str().expect("a name");
    for columns in [60, 80, 130] {
        let seen = on_terminal(&python, columns, None, &with(&["test", name]));
        assert_eq!(seen.status, 1, "{}", seen.text);
        let widest = seen.text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(widest <= columns && widest > columns - 25, "{columns}: {widest}\n{}", seen.text);
        for line in seen.text.lines().filter(|line| line.contains("many")) {
            let words = line.split_whitespace();
            assert!(words.clone().all(|word| word.trim_matches('"') != "m"), "{line}");
        }
    }
}

/// A bar has one line, however narrow the terminal is, and nothing of it is left after an interrupt.
#[test]
fn a_bar_fits_and_goes_away() {
    let Some(python) = need(Tool::Python) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let mix: Mix = "awkward,broken".parse().expect("a mix");
    let records = Generator::records(7, &mix, 20_000);
    fs::create_dir(at("logs")).expect("a folder");
    for n in 0..12 {
        fs::write(at(&format!("logs/{n}.ndjson")), records.repeat(4)).expect("written");
    }
    // No machine has read these when it is interrupted.
    fs::write(at("one.ndjson"), records.repeat(40)).expect("written");
    let cases = [
        vec!["convert", "one.ndjson", "-o", "out.ndjson", "--threads", "1", "--engine", "exact"],
        vec!["convert", "logs/", "-o", "out/", "--jobs", "1", "--engine", "exact"],
        vec!["convert", "-", "-o", "out.ndjson", "--progress", "always"],
    ];
    for args in cases {
        for columns in [40, 80] {
            // Another run would go on where the first one was.
            let _ = fs::remove_dir_all(at("out"));
            let mut command = with(&args);
            // Python's `pty` goes where the command is to be.
            let shell = format!(
                "cd \"$0\" && exec \"$@\" {}",
                if args.contains(&"-") {
                    "< <(exec 2>/dev/null </dev/null; head -c 200000 one.ndjson; sleep 30)"
                } else {
                    ""
                }
            );
            let program = command.get_program().to_owned();
            let mut bash = Command::new("/bin/bash");
            bash.arg("-c").arg(shell).arg(folder.path()).arg(program).args(command.get_args());
            command = bash;
            command.env("NO_COLOR", "1");
            let seen = on_terminal(&python, columns, Some(0.7), &command);
            assert_eq!(seen.status, 2, "{args:?} {columns}: {}", seen.text);
            let shown: Vec<&String> = seen.shown.iter().filter(|line| !line.is_empty()).collect();
            assert_eq!(shown.len(), 1, "{args:?} {columns}: {:#?}", seen.shown);
            assert!(shown[0].chars().count() < columns, "{args:?} {columns}: {shown:?}");
            let known = ["kB", "MB", "bytes", "objects"];
            assert!(known.iter().any(|word| shown[0].contains(word)), "{args:?} {columns}: {shown:?}");
            let left: Vec<&String> = seen.screen.iter().filter(|line| !line.is_empty()).collect();
            assert!(left.iter().any(|line| line.contains("interrupted")), "{args:?} {columns}: {left:#?}");
            let of_bar = |line: &&&String| line.contains(['█', '░', '⠁']);
            assert!(!left.iter().any(|line| of_bar(&line)), "{args:?} {columns}: {left:#?}");
        }
    }
}
