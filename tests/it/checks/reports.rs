//! Reports for other tools: each against its schema, and what CI reads of them.

use crate::support::{project, run_with, udmap};
use crate::tools::{Tool, need};
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An error with awkward characters, a warning, and a valid event.
const EVENTS: &str = concat!(
    r#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"GENERIC_EVENT"},"principal":{"ip":["<a&b>|\"\u0001"]}}"#,
    "\n",
    r#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"GENERIC_EVENT"},"principal":{"hostnam,:%":"x","hostname":"h"}}"#,
    "\n",
    r#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"GENERIC_EVENT"},"principal":{"hostname":"h"}}"#,
    "\n",
);

/// Pythons that check reports against their schemas: of XML, and of JSON.
struct Checkers {
    xml: PathBuf,
    json: PathBuf,
}

/// Runs a line of Python that must succeed; what it prints.
fn python(python: &Path, code: &str, args: &[&Path]) -> String {
    let output = Command::new(python).arg("-c").arg(code).args(args).output().expect("Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn is_junit(checkers: &Checkers, report: &Path) {
    // Jenkins' schema knows `file` only of suites, and its reader leaves it out; GitLab reads it of test cases.
    let code = "import re, sys, xmlschema\nreport = open(sys.argv[2], encoding='utf-8').read()\nreport = re.sub('(<testcase [^>]*) file=\"[^\"]*\"', r'\\1', report)\nxmlschema.XMLSchema(sys.argv[1]).validate(report)";
    python(&checkers.xml, code, &[&project("tests/checks/junit-10.xsd"), report]);
}

fn is_sarif(checkers: &Checkers, report: &Path) {
    let code = "import json, sys, jsonschema\nschema, report = (json.load(open(name, encoding='utf-8')) for name in sys.argv[1:])\njsonschema.Draft4Validator(schema).validate(report)\nassert not list(jsonschema.Draft4Validator(schema).iter_errors(report))\nbroken = dict(report, version='3')\nassert list(jsonschema.Draft4Validator(schema).iter_errors(broken))";
    python(&checkers.json, code, &[&project("tests/checks/sarif-2.1.0.json"), report]);
}

/// All reports of one run, checked against their schemas; the JSON one.
fn all_reports(checkers: &Checkers, folder: &Path, args: &[&str], stdin: &str, status: i32) -> Value {
    let file = |name: &str| folder.join(name);
    let reports: Vec<String> =
        ["junit=junit.xml", "sarif=out.sarif", "json=out.json", "markdown=out.md", "gitlab=gitlab.json"]
            .iter()
            .filter_map(|report| report.split_once('='))
            .map(|(kind, name)| format!("{kind}={}", file(name).display()))
            .collect();
    let reports = reports.join(",");
    let all = [args, &["--report", &reports]].concat();
    let run = run_with(stdin.as_bytes(), &all);
    assert_eq!(run.status, status, "{args:?}: {}{}", run.stdout, run.stderr);
    is_junit(checkers, &file("junit.xml"));
    is_sarif(checkers, &file("out.sarif"));
    let json: Value = serde_json::from_slice(&fs::read(file("out.json")).unwrap()).unwrap();
    assert_eq!(json["exit_status"], status);
    let sarif: Value = serde_json::from_slice(&fs::read(file("out.sarif")).unwrap()).unwrap();
    let groups = json["groups"].as_array().unwrap();
    let samples: usize = groups.iter().map(|group| group["samples"].as_array().unwrap().len()).sum();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), samples);
    let fingerprints: HashSet<&str> =
        results.iter().map(|result| result["partialFingerprints"]["udmap/v1"].as_str().unwrap()).collect();
    assert_eq!(fingerprints.len(), results.len(), "each has its own");
    for rule in sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap() {
        assert!(rule["helpUri"].as_str().unwrap().starts_with("https://"), "{rule}");
    }
    let gitlab: Value = serde_json::from_slice(&fs::read(file("gitlab.json")).unwrap()).unwrap();
    let failures = json["failures"].as_array().unwrap().len();
    assert_eq!(gitlab.as_array().unwrap().len(), samples + failures);
    for finding in gitlab.as_array().unwrap() {
        for key in ["description", "check_name", "fingerprint", "severity"] {
            assert!(finding[key].is_string(), "{key}: {finding}");
        }
        assert!(finding["location"]["path"].is_string() && finding["location"]["lines"]["begin"].is_u64());
        assert!(
            ["info", "minor", "major", "critical", "blocker"]
                .contains(&finding["severity"].as_str().unwrap())
        );
    }
    for finding in json["findings"].as_array().unwrap() {
        for key in ["severity", "code", "path", "source", "line", "message"] {
            assert!(finding.get(key).is_some(), "{key}: {finding}");
        }
    }
    json
}

#[test]
fn every_report_fits_its_schema() {
    let (Some(xml), Some(json)) = (need(Tool::Checks), need(Tool::Deploy)) else { return };
    let checkers = Checkers { xml, json };
    let folder = tempfile::tempdir().unwrap();
    let validated = all_reports(&checkers, folder.path(), &["validate", "-"], EVENTS, 1);
    assert_eq!(validated["findings"][0]["code"], "invalid-ip");
    assert_eq!(validated["findings"][0]["path"], "principal.ip[0]");
    assert_eq!(validated["findings"][1]["line"], 2);
    let junit = fs::read_to_string(folder.path().join("junit.xml")).unwrap();
    assert!(junit.contains("<testcase classname=\"udmap.validate\" name=\"-\" file=\"-\""), "{junit}");
    assert!(junit.contains("; to do: leave it out"), "{junit}");
    let sarif = fs::read_to_string(folder.path().join("out.sarif")).unwrap();
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    let region = &result["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startLine"], &region["startColumn"]), (&1.into(), &104.into()));
    assert!(result["message"]["text"].as_str().unwrap().contains("\nTo do: leave it out"), "{result}");
    assert!(junit.contains("tests=\"1\" failures=\"1\"") && junit.contains("&lt;a&amp;b&gt;"), "{junit}");
    let markdown = fs::read_to_string(folder.path().join("out.md")).unwrap();
    assert!(
        markdown.contains("failed") && markdown.contains("| `invalid-ip` |") && markdown.contains("&lt;a"),
        "{markdown}"
    );

    // Nothing found, and an input that can't be read.
    let clean = EVENTS.lines().nth(2).unwrap();
    assert_eq!(
        all_reports(&checkers, folder.path(), &["validate", "-"], clean, 0)["findings"],
        serde_json::json!([])
    );
    let cut = folder.path().join("cut.zst");
    let mut bytes = zstd::encode_all(EVENTS.as_bytes(), 1).unwrap();
    bytes.truncate(bytes.len() - 3);
    fs::write(&cut, bytes).unwrap();
    let failed = all_reports(&checkers, folder.path(), &["validate", cut.to_str().unwrap()], "", 2);
    assert_eq!(failed["failures"].as_array().unwrap().len(), 1);

    // The other commands that report.
    let events = folder.path().join("events.ndjson");
    fs::write(&events, EVENTS).unwrap();
    let diff = all_reports(&checkers, folder.path(), &["diff", events.to_str().unwrap(), "-"], clean, 1);
    assert_eq!((&diff["events_a"], &diff["equal"]), (&3.into(), &1.into()));
    let case = folder.path().join("cases/one");
    fs::create_dir_all(&case).unwrap();
    fs::write(case.join("input.ndjson"), "{\"ts\":\"2024-01-01T00:00:00Z\"}\n{}\n").unwrap();
    fs::write(case.join("events.ndjson"), EVENTS).unwrap();
    let cases = folder.path().join("cases");
    let tested = all_reports(&checkers, folder.path(), &["test", cases.to_str().unwrap()], "", 1);
    assert!(tested["findings"].as_array().unwrap().len() > 3, "{tested}");
    assert_eq!(tested["cases"][0]["name"], "one");
}

/// Of a kind that is found often, three are shown with their number; all of them with `--all`.
#[test]
fn findings_are_shown_by_kind() {
    let folder = tempfile::tempdir().unwrap();
    let event = EVENTS.lines().next().unwrap();
    let many: String = (0..10).map(|n| event.replace("<a&b>", &format!("x{n}")) + "\n").collect();
    let other = many.replace("GENERIC_EVENT", "STATUS_UPDATE");
    let case = folder.path().join("cases/one");
    fs::create_dir_all(&case).unwrap();
    let telephony = |n: u32| format!("{{\"ts\":\"2024-01-01T00:00:0{n}Z\",\"type\":\"sms\"}}\n");
    fs::write(case.join("input.ndjson"), (0..10).map(telephony).collect::<String>()).unwrap();
    fs::write(case.join("events.ndjson"), &many).unwrap();
    let files = [("a", &many), ("b", &other)].map(|(name, text)| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    });
    let cases = folder.path().join("cases").to_str().unwrap().to_owned();
    let lines = |text: &str, with: &str| text.lines().filter(|line| line.contains(with)).count();
    let commands: [(&[&str], &str, usize); 3] = [
        (&["validate", &files[0]], "-->", 10),
        (&["diff", &files[0], &files[1]], "  + ", 10),
        (&["test", &cases], "expected line ", 9),
    ];
    for (command, sample, all) in commands {
        let report = |kind: &str| folder.path().join(kind).to_str().unwrap().to_owned();
        let reports = format!("sarif={},junit={},markdown={}", report("s"), report("j"), report("m"));
        for (options, most) in [(vec!["--report", &reports], 3), (vec!["--report", &reports, "--all"], all)] {
            let run = run_with(b"", &[command, &options].concat());
            assert_eq!(run.status, 1, "{command:?} {}", run.stderr);
            if sample != "expected line " {
                assert_eq!(lines(&run.stdout, sample), most, "{command:?} {options:?}: {}", run.stdout);
            }
            let sarif: Value = serde_json::from_slice(&fs::read(report("s")).unwrap()).unwrap();
            let results = sarif["runs"][0]["results"].as_array().unwrap();
            let path = |result: &Value| {
                let name = &result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"];
                name.as_str().unwrap_or_default().to_owned()
            };
            let kind = |first: &&Value| {
                results.iter().filter(|r| r["ruleId"] == first["ruleId"] && path(r) == path(first)).count()
            };
            assert_eq!(
                results.iter().map(|result| kind(&result)).max(),
                Some(most),
                "{command:?} {options:?}: {sarif:#}"
            );
            let junit = fs::read_to_string(report("j")).unwrap();
            assert_eq!(junit.contains("... and "), most == 3, "{junit}");
            assert!(fs::read_to_string(report("m")).unwrap().contains(&format!(" | {all} | ")));
        }
    }
}

#[test]
fn checks_of_tables_are_reported_too() {
    let folder = tempfile::tempdir().unwrap();
    let (table, report) = (folder.path().join("my.toml"), folder.path().join("out.json"));
    let text =
        "[mapping]\nname = \"x\"\nlog_type = \"X\"\n[[rule]]\nudm = \"metadata.event_typ\"\nvalue = \"A\"\n";
    fs::write(&table, text).unwrap();
    let to = format!("json={}", report.display());
    let run = run_with(
        b"",
        &["mappings", "check", "duo_telephony", table.to_str().unwrap(), "--report", &to, "--github"],
    );
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(
        run.stdout.contains("`duo_telephony` is right") && run.stdout.contains("::error file="),
        "{}",
        run.stdout
    );
    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    assert_eq!((&report["cases"][0]["errors"], &report["failures"]), (&0.into(), &serde_json::json!([])));
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["code"], &finding["source"]),
        (&"invalid-mapping".into(), &table.to_str().unwrap().into())
    );
    assert!(finding["line"].as_u64() > Some(0) && finding["column"].as_u64() > Some(0), "{finding}");
    // Nothing but the report is on stdout, if it is asked for there.
    let run = run_with(b"", &["mappings", "check", "duo_telephony", "--report", "sarif=-"]);
    assert!(run.status == 0 && serde_json::from_str::<Value>(&run.stdout).is_ok(), "{}", run.stdout);
}

#[test]
fn a_report_on_stdout_is_alone_there() {
    let run = run_with(EVENTS.as_bytes(), &["validate", "-", "--report", "json=-"]);
    assert!(serde_json::from_str::<Value>(&run.stdout).is_ok(), "{}", run.stdout);
}

#[test]
fn what_is_left_out_is_counted() {
    let run = run_with(EVENTS.as_bytes(), &["validate", "-", "--report", "json=-", "--max-findings", "1"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((report["findings"].as_array().unwrap().len(), &report["omitted"]), (1, &1.into()));
    assert!(
        run.stderr.contains("1 finding are counted") || run.stderr.contains("counted but not shown"),
        "{}",
        run.stderr
    );
}

/// Annotations and the job's summary.
#[test]
fn github_gets_annotations() {
    let folder = tempfile::tempdir().unwrap();
    let (events, summary) = (folder.path().join("e,v.ndjson"), folder.path().join("summary.md"));
    fs::write(&events, EVENTS).unwrap();
    let mut command = udmap();
    command.args(["validate", "-q", "--github"]).arg(&events).env("GITHUB_STEP_SUMMARY", &summary);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let place = format!("file={},line=2,col=98,", events.display().to_string().replace(',', "%2C"));
    assert!(said.contains(&format!("::warning {place}title=udmap validate unknown-field::")), "{said}");
    assert!(said.contains("::error ") && said.contains("%25"), "{said}");
    assert!(fs::read_to_string(summary).unwrap().starts_with("## udmap validate: failed"));
}

/// The action and the hooks: YAML that names options which exist.
#[test]
fn the_action_and_the_hooks_call_what_is_there() {
    let Some(yaml) = need(Tool::Deploy) else { return };
    let code =
        "import json, sys, yaml; print(json.dumps([yaml.safe_load(open(name)) for name in sys.argv[1:]]))";
    let files = [project("action.yml"), project(".pre-commit-hooks.yaml")];
    let read = python(&yaml, code, &[&files[0], &files[1]]);
    let read: Value = serde_json::from_str(&read).unwrap();
    let action = &read[0];
    assert_eq!(action["runs"]["using"], "composite");
    for step in action["runs"]["steps"].as_array().unwrap() {
        assert!(step.get("uses").is_some() || step["shell"] == "bash", "{step}");
        // What a caller gives comes in by the environment, never into the script's text.
        assert!(!step["run"].as_str().unwrap_or_default().contains("${{"), "{step}");
    }
    let hooks = read[1].as_array().unwrap();
    assert_eq!(hooks.len(), 3);
    for hook in hooks {
        let words: Vec<&str> = hook["entry"].as_str().unwrap().split(' ').collect();
        assert!(project(words[0]).is_file(), "{hook}");
        // The command, which may have one below it.
        let mut command: Vec<&str> =
            words[1..].iter().take_while(|word| !word.starts_with("--")).copied().collect();
        command.push("--help");
        let help = crate::support::run(&command);
        assert_eq!(help.status, 0);
        for option in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.stdout.contains(option), "{option}");
        }
        assert!(hook["files"].as_str().is_none_or(|pattern| !pattern.is_empty()));
    }
}

/// On CI services, files are named from the root of the checkout, whatever the working folder is.
#[test]
fn files_are_named_from_the_checkout() {
    let folder = tempfile::tempdir().unwrap();
    let within = folder.path().join("parsers");
    fs::create_dir(&within).unwrap();
    fs::write(within.join("events.ndjson"), EVENTS).unwrap();
    for root in ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"] {
        let mut command = udmap();
        command.args([
            "validate",
            "-q",
            "--github",
            "./events.ndjson",
            "--report",
            "gitlab=g.json,sarif=s.json",
        ]);
        let output = command.current_dir(&within).env(root, folder.path()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("::error file=parsers/events.ndjson,"), "{said}");
        for report in ["g.json", "s.json"] {
            let text = fs::read_to_string(within.join(report)).unwrap();
            assert!(text.contains("\"parsers/events.ndjson\""), "{text}");
        }
    }
}

/// A report is written over an earlier one, also below an input, but never over events.
#[test]
fn events_that_are_found_are_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("a.ndjson"), EVENTS).unwrap();
    fs::write(at("b.ndjson"), EVENTS).unwrap();
    let input = folder.path().to_str().unwrap();
    for kind in ["junit", "sarif", "json", "markdown", "gitlab"] {
        let report = format!("{kind}={}", at("b.ndjson"));
        let run = run_with(b"", &["validate", input, "--report", &report]);
        assert!(run.status == 2 && run.stderr.contains("both input and output"), "{kind}: {}", run.stderr);
        assert_eq!(fs::read_to_string(at("b.ndjson")).unwrap(), EVENTS);
        let report = format!("{kind}={}", at("report"));
        for _ in 0..2 {
            assert_eq!(run_with(b"", &["validate", input, "--report", &report]).status, 1, "{kind}");
        }
        fs::remove_file(at("report")).unwrap();
    }
    for args in [["validate", "--write-baseline"], ["profile", "--html"]] {
        let run = run_with(b"", &[args[0], input, args[1], &at("b.ndjson")]);
        assert_eq!(run.status, 2, "{args:?}: {}", run.stderr);
        assert_eq!(fs::read_to_string(at("b.ndjson")).unwrap(), EVENTS);
        for _ in 0..2 {
            let run = run_with(b"", &[args[0], input, args[1], &at("page")]);
            assert!(run.status < 2, "{args:?}: {}", run.stderr);
        }
        fs::remove_file(at("page")).unwrap();
    }
}
