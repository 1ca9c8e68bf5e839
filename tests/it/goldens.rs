//! The fixtures: every case gives exactly its expected events and rejects.

use crate::support::{json_lines, project, run};
use std::fs;
use std::path::{Path, PathBuf};

/// Every case of the telephony tables, by its folder.
pub(crate) fn cases() -> Vec<PathBuf> {
    cases_in("fixtures")
}

/// The cases right below a folder of the project.
pub(crate) fn cases_in(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(project(folder)).expect(folder);
    let mut cases: Vec<PathBuf> =
        entries.map(|e| e.expect("an entry").path()).filter(|p| p.join("events.ndjson").is_file()).collect();
    cases.sort();
    cases
}

/// A case's only input.
pub(crate) fn input(case: &Path) -> PathBuf {
    let entries = fs::read_dir(case).expect("a case");
    let mut inputs = entries
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.file_name().is_some_and(|name| name.to_string_lossy().starts_with("input.")));
    let input = inputs.next().expect("an input");
    assert!(inputs.next().is_none(), "one input in {}", case.display());
    input
}

#[test]
fn every_case_gives_its_events_and_rejects() {
    let cases = cases();
    assert!(cases.len() > 20, "only {} cases", cases.len());
    let folder = tempfile::tempdir().expect("a folder");
    let rejects = folder.path().join("rejects.ndjson");
    for case in cases {
        let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let input = input(&case);
        let args = ["convert".as_ref(), input.as_os_str(), "--rejects".as_ref(), rejects.as_os_str()];
        let run = run(&args);
        let events = fs::read_to_string(case.join("events.ndjson")).expect("events.ndjson");
        assert_eq!(run.stdout, events, "{name}");

        let expected = fs::read_to_string(case.join("rejects.ndjson")).unwrap_or_default();
        let expected = json_lines(&expected);
        let got = json_lines(&fs::read_to_string(&rejects).expect("rejects"));
        assert_eq!(got.len(), expected.len(), "{name}");
        for (got, expected) in got.iter().zip(&expected) {
            for key in ["line", "offset", "length", "reason"] {
                assert_eq!(got[key], expected[key], "{key} in {name}: {got}");
            }
        }
        assert_eq!(run.status, i32::from(!expected.is_empty()), "{name}: {}", run.stderr);
    }
}

#[test]
fn rejects_carry_the_exact_bytes() {
    use base64::Engine as _;
    let folder = tempfile::tempdir().expect("a folder");
    let rejects = folder.path().join("rejects.ndjson");
    for case in cases() {
        let input = input(&case);
        let bytes = fs::read(&input).expect("the input");
        if input.extension().is_some_and(|e| e == "gz" || e == "zst") {
            continue;
        }
        run(&["convert".as_ref(), input.as_os_str(), "--rejects".as_ref(), rejects.as_os_str()]);
        for reject in json_lines(&fs::read_to_string(&rejects).expect("rejects")) {
            let at = |key: &str| usize::try_from(reject[key].as_u64().expect(key)).expect(key);
            let original = &bytes[at("offset")..at("offset") + at("length")];
            let raw = match (reject["raw"].as_str(), reject["raw_base64"].as_str()) {
                (Some(text), None) => text.as_bytes().to_vec(),
                (None, Some(code)) => base64::prelude::BASE64_STANDARD.decode(code).expect("base64"),
                _ => panic!("one of raw and raw_base64: {reject}"),
            };
            assert_eq!(raw, original, "{reject}");
            let line = bytes[..at("offset")].iter().filter(|b| **b == b'\n').count() + 1;
            assert_eq!(at("line"), line, "{reject}");
            assert_eq!(reject["source"].as_str(), input.to_str());
        }
    }
}
