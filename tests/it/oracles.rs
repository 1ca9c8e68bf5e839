//! The outside oracles: Google's own strict reading of UDM, and a reading of the rules in Python
//! that was written apart from this code.

use crate::support::{json_lines, project, udmap};
use crate::tools::{Tool, need};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use udmap::lab::{Generator, Mix};

/// Runs a command that must succeed; its output.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}{errors}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Holds events against protobuf's strict reading of Google's UDM message.
pub(crate) fn strict(python: &Path, events: &Path, at_least: usize) {
    let judged = succeed(Command::new(python).arg(project("tests/oracles/strict_parse.py")).arg(events));
    let passed: usize = judged.split_whitespace().next().and_then(|n| n.parse().ok()).expect(&judged);
    assert!(judged.contains(" 0 failed") && passed >= at_least, "{judged}");
}

fn generated(folder: &Path, mix: &str, records: u64) -> PathBuf {
    let path = folder.join("generated.ndjson");
    let mix: Mix = mix.parse().expect("a mix");
    fs::write(&path, Generator::records(7, &mix, records)).expect("written");
    path
}

#[test]
fn google_accepts_every_event() {
    let Some(python) = need(Tool::Oracle) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let events = folder.path().join("events.ndjson");
    let log = generated(folder.path(), "v2=55,v1=20,awkward=15,shuffled=5,wrapped=5", 10_000);
    let spellings: [&[&str]; 3] = [
        &[],
        &["--field-names", "camel", "--envelope", "event", "--namespace", "corp", "--label", "env=prod"],
        &["--mapping", "duo_telephony_extended", "--envelope", "event"],
    ];
    for options in spellings {
        for inputs in
            [vec![log.clone()], crate::goldens::cases().iter().map(|c| crate::goldens::input(c)).collect()]
        {
            let at_least = if inputs.len() == 1 { 9_900 } else { 60 };
            let mut command = udmap();
            command.arg("convert").args(&inputs).args(["-q", "--max-rejects", "100000", "-o"]).arg(&events);
            succeed(command.args(options));
            strict(&python, &events, at_least);
        }
    }
}

#[test]
fn the_strict_judge_refuses_what_is_wrong() {
    let Some(python) = need(Tool::Oracle) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let events = folder.path().join("events.ndjson");
    for wrong in [
        r#"{"metadata":{"event_typ":"GENERIC_EVENT"}}"#,
        r#"{"metadata":{"event_type":"NO_SUCH_TYPE"}}"#,
        r#"{"principal":{"ip":"10.0.0.1"}}"#,
        r#"{"metadata":{"event_timestamp":"yesterday"}}"#,
    ] {
        fs::write(&events, format!("{wrong}\n")).expect("written");
        let oracle =
            Command::new(&python).arg(project("tests/oracles/strict_parse.py")).arg(&events).output();
        assert!(!oracle.expect("the oracle runs").status.success(), "{wrong}");
    }
}

/// 200,000 records of every kind: the same events and the same rejects, one by one.
#[test]
fn an_independent_reading_agrees_record_for_record() {
    let Some(python) = need(Tool::Python) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let log = generated(folder.path(), "v1,v2,awkward,shuffled,broken,wrapped", 200_000);
    for extended in [false, true] {
        let (events, rejects) = (folder.path().join("events"), folder.path().join("rejects"));
        let mapping = if extended { "duo_telephony_extended" } else { "duo_telephony" };
        let mut command = udmap();
        command.args(["convert", "-q", "--max-rejects", "1000000", "--mapping", mapping]).arg(&log);
        succeed(command.arg("-o").arg(&events).arg("--rejects").arg(&rejects));
        let events = json_lines(&fs::read_to_string(&events).expect("events"));
        let rejects = json_lines(&fs::read_to_string(&rejects).expect("rejects"));
        let (mut events, mut rejects) = (events.into_iter(), rejects.into_iter());

        let mut oracle = Command::new(&python);
        oracle.arg(project("tests/oracles/spec_reading.py")).args(extended.then_some("--extended")).arg(&log);
        let mut read = 0;
        for judged in json_lines(&succeed(&mut oracle)) {
            read += 1;
            if let Some(event) = judged.get("event") {
                assert_eq!(events.next().as_ref(), Some(event), "record {read}");
                continue;
            }
            let got = rejects.next().expect("a reject");
            for key in ["source", "line", "offset", "length", "reason"] {
                assert_eq!(got[key], judged["reject"][key], "{key} of record {read}: {got}");
            }
            if let Some(field) = judged["reject"].get("field").and_then(|f| f.as_str()) {
                let message = got["message"].as_str().expect("a message");
                assert!(message.contains(&format!("`{field}`")), "{message}");
            }
        }
        assert!(events.next().is_none() && rejects.next().is_none());
        assert!(read > 190_000, "{read}");
    }
}

#[test]
fn the_independent_reading_is_itself_tested() {
    let Some(python) = need(Tool::Python) else { return };
    succeed(Command::new(python).arg(project("tests/oracles/spec_reading.py")).arg("--self-test"));
}

/// The embedded schema is what Google's package says.
#[test]
fn the_schema_is_googles() {
    let Some(python) = need(Tool::Oracle) else { return };
    let make = project("schema/make.py");
    succeed(Command::new(&python).arg(make).arg("--check").arg("--python").arg(&python));
}

#[test]
fn events_through_a_pipe_are_the_same() {
    let log = Generator::records(3, &Mix::default(), 5_000);
    let mut child = udmap()
        .args(["convert", "-", "-q"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("stdin");
    let fed = log.clone();
    let feeder = std::thread::spawn(move || stdin.write_all(&fed).expect("fed"));
    let output = child.wait_with_output().expect("the command ends");
    feeder.join().expect("the feeder ends");
    let mapping = udmap::mapping::Mapping::builtin("duo_telephony").expect("built in");
    let converter = udmap::convert::Converter::new(&mapping, &udmap::convert::Options::default());
    assert!(output.stdout == converter.convert(&log).events);
}
