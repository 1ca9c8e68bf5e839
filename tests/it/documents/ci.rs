//! What docs/checks.md and README promise for CI is run: the documents' own snippets, on a fresh checkout of a repository
//! in content-hub's layout. The action's script runs through bash as GitHub runs it, GitLab's lines through bash.
//! packaging/hooks.sh does the same for the hooks.

use super::blocks::{Block, blocks};
use super::text;
use crate::checks::kinds::copy;
use crate::support::{Run, project};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a check may take, with a program that is there.
const LONGEST: Duration = Duration::from_secs(10);

/// An event that is wrong in a way that no other is.
const WRONG: &str = r#"{"events":[{"event":{"idm":{"readOnlyUdm":{"metadata":{"eventTimestamp":"2024-01-01T00:00:00Z","eventType":"NO_SUCH_TYPE"},"principal":{"hostname":"h"}}}}}]}"#;
const WRONG_FILE: &str =
    "content/parsers/third_party/community/NEW/cbn/testdata/expected_events/new_events.json";

/// The snippets of a document that have this in them.
fn snippets(file: &str, words: &str) -> Vec<(Block, Value)> {
    let blocks = blocks(file, &text(file)).into_iter();
    let yaml = blocks.filter(|block| block.language == "yaml" && block.text.contains(words));
    yaml.map(|block| {
        let value = serde_saphyr::from_str(&block.text).unwrap_or_else(|error| panic!("{block}: {error}"));
        (block, value)
    })
    .collect()
}

fn git(folder: &Path, args: &[&str]) {
    let mut git = Command::new("git");
    git.current_dir(folder).args(args).env("GIT_CONFIG_GLOBAL", "/dev/null");
    for name in ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"] {
        git.env(name, "test");
    }
    for name in ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"] {
        git.env(name, "test@example.com");
    }
    let output = git.output().expect("git");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A fresh clone of a repository that holds content-hub's parsers; what else is in it comes from `prepare`.
fn checkout(folder: &Path, prepare: impl FnOnce(&Path)) -> PathBuf {
    let origin = folder.join("origin");
    copy("fixtures/content-hub", &origin);
    prepare(&origin);
    git(&origin, &["init", "--quiet"]);
    git(&origin, &["add", "--all"]);
    git(&origin, &["commit", "--quiet", "-m", "x"]);
    git(folder, &["clone", "--quiet", "origin", "checkout"]);
    folder.join("checkout")
}

/// Writes the baseline that a workflow names by the command that docs/checks.md has for it, if it names one; the
/// findings are then not allowed in another way.
fn write_baseline(origin: &Path, with: &Value) {
    let arguments = with["arguments"].as_str().unwrap_or_default();
    let Some((_, file)) = arguments.split_once("--baseline ") else { return };
    let document = text("docs/checks.md");
    let command = document.split('`').find(|code| code.ends_with(&format!("--write-baseline {file}")));
    let command = command.unwrap_or_else(|| panic!("docs/checks.md does not say how `{file}` is written"));
    fs::remove_file(origin.join("udmap.toml")).expect("udmap.toml");
    let run = bash(origin, command, &BTreeMap::new());
    assert_eq!(run.status, 0, "{command}: {}", run.stderr);
    assert!(origin.join(file).is_file());
}

fn add_wrong_event(checkout: &Path) {
    let file = checkout.join(WRONG_FILE);
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(file, WRONG).expect("an event");
}

/// What a script of bash gives in a folder, with the command on PATH.
fn bash(folder: &Path, script: &str, variables: &BTreeMap<String, String>) -> Run {
    let programs = Path::new(env!("CARGO_BIN_EXE_udmap")).parent().expect("a folder").to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(programs).chain(std::env::split_paths(&path));
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).current_dir(folder);
    bash.env("PATH", std::env::join_paths(path).expect("PATH")).env("NO_COLOR", "1").envs(variables);
    Run::of(&bash.output().expect("bash"))
}

/// The steps of the action with these inputs, as GitHub's runner does them: the last one's outcome, and the summary.
fn action(folder: &Path, checkout: &Path, with: &Value) -> (Run, String) {
    let action: Value = serde_saphyr::from_str(&text("action.yml")).expect("action.yml");
    let summary = folder.join("summary.md");
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let mut inputs = with.as_object().cloned().unwrap_or_default();
    for (name, input) in action["inputs"].as_object().expect("inputs") {
        let given = inputs.remove(name).or_else(|| input.get("default").cloned());
        let given = given.unwrap_or_else(|| panic!("{name} has no default"));
        known.insert(format!("inputs.{name}"), given.as_str().expect("a text").to_owned());
    }
    assert!(inputs.is_empty(), "the action has no inputs {inputs:?}");
    known.insert("github.action_path".into(), project("").display().to_string());
    known.insert("runner.temp".into(), folder.display().to_string());
    let mut last = None;
    for step in action["runs"]["steps"].as_array().expect("steps") {
        // What keeps programs between runs is a service.
        let Some(script) = step["run"].as_str() else { continue };
        let output = folder.join("output");
        fs::write(&output, "").expect("a file");
        let mut variables = BTreeMap::from([
            ("GITHUB_OUTPUT".to_owned(), output.display().to_string()),
            ("GITHUB_STEP_SUMMARY".to_owned(), summary.display().to_string()),
            ("GITHUB_ACTIONS".to_owned(), "true".to_owned()),
            ("CI".to_owned(), "true".to_owned()),
            ("RUNNER_OS".to_owned(), "Linux".to_owned()),
            ("RUNNER_ARCH".to_owned(), "X64".to_owned()),
        ]);
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            let mut value = value.as_str().expect("a text").to_owned();
            for (expression, is) in &known {
                value = value.replace(&format!("${{{{ {expression} }}}}"), is);
            }
            assert!(!value.contains("${{"), "no test knows {value}");
            variables.insert(name.clone(), value);
        }
        let run = bash(checkout, script, &variables);
        for line in fs::read_to_string(&output).expect("outputs").lines() {
            let (name, value) = line.split_once('=').expect("name=value");
            known.insert(
                format!("steps.{}.outputs.{name}", step["id"].as_str().expect("an id")),
                value.to_owned(),
            );
        }
        let failed = run.status != 0;
        last = Some(run);
        if failed {
            break;
        }
    }
    (last.expect("a step"), fs::read_to_string(&summary).unwrap_or_default())
}

/// The three lines of a workflow, and the longer ones: green on Google's parsers, red for what is wrong.
#[test]
#[cfg(unix)]
fn the_action_of_each_workflow_passes_and_finds_what_is_wrong() {
    let mut workflows = 0;
    for (block, value) in
        ["README.md", "docs/checks.md"].iter().flat_map(|file| snippets(file, "OWNER/udmap@"))
    {
        let steps = value["steps"].as_array().unwrap_or_else(|| panic!("{block}: no steps"));
        assert!(steps[0]["uses"].as_str().expect("uses").starts_with("actions/checkout@"), "{block}");
        let step =
            steps.iter().find(|step| step["uses"].as_str().is_some_and(|it| it.contains("OWNER/udmap")));
        let with = &step.expect("udmap's step")["with"];
        if with.is_null() {
            assert_eq!(block.text.lines().count(), 3, "{block}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let checkout = checkout(folder.path(), |origin| write_baseline(origin, with));
        let start = Instant::now();
        let (green, summary) = action(folder.path(), &checkout, with);
        let took = start.elapsed();
        assert_eq!(green.status, 0, "{block}: {}{}", green.stdout, green.stderr);
        assert!(green.stderr.contains("25 events: 0 errors"), "{block}: {}", green.stderr);
        assert!(!green.stdout.contains("::error"), "{block}: {}", green.stdout);
        assert!(summary.contains("udmap validate: passed"), "{block}: {summary}");
        assert!(took < LONGEST, "{block}: {took:?}");
        let sarif = with["sarif"].as_str().map(|file| checkout.join(file));
        assert!(sarif.as_ref().is_none_or(|file| file.is_file()), "{block}: {sarif:?}");

        add_wrong_event(&checkout);
        let (red, summary) = action(folder.path(), &checkout, with);
        assert_eq!(red.status, 1, "{block}: {}{}", red.stdout, red.stderr);
        let annotation = red.stdout.lines().find(|line| line.starts_with("::error file="));
        let annotation = annotation.unwrap_or_else(|| panic!("{block}: {}", red.stdout));
        assert!(
            annotation.contains(WRONG_FILE) && annotation.contains("NO_SUCH_TYPE"),
            "{block}: {annotation}"
        );
        assert!(
            summary.contains("udmap validate: failed") && summary.contains(WRONG_FILE),
            "{block}: {summary}"
        );
        workflows += 1;
    }
    assert!(workflows >= 3, "only {workflows} workflows");
}

/// The workflow that checks parsers: green on Google's, red for one that does not load.
#[test]
#[cfg(unix)]
fn the_action_checks_parsers() {
    let workflows = snippets("docs/parser.md", "OWNER/udmap@");
    assert!(!workflows.is_empty());
    for (block, value) in workflows {
        let folder = tempfile::tempdir().expect("a folder");
        let checkout = checkout(folder.path(), |_| ());
        let with = &value["steps"][1]["with"];
        let (green, _) = action(folder.path(), &checkout, with);
        assert_eq!(green.status, 0, "{block}: {}{}", green.stdout, green.stderr);
        let conf = "content/parsers/third_party/community/AWS_EKS/cbn/default_aws_eks.conf";
        fs::write(checkout.join(conf), "filter { mutat {} }").expect("a parser");
        let (red, _) = action(folder.path(), &checkout, with);
        assert_eq!(red.status, 1, "{block}: {}{}", red.stdout, red.stderr);
        let annotation = red.stdout.lines().find(|line| line.starts_with("::error file="));
        assert!(annotation.is_some_and(|line| line.contains(conf)), "{block}: {}", red.stdout);
    }
}

/// GitLab's job: its lines, and the reports that it names.
#[test]
#[cfg(unix)]
fn gitlab_s_job_passes_and_finds_what_is_wrong() {
    let jobs = snippets("docs/checks.md", "script:");
    assert!(!jobs.is_empty());
    for (block, value) in jobs {
        let folder = tempfile::tempdir().expect("a folder");
        let checkout = checkout(folder.path(), |_| ());
        let job = value.as_object().and_then(|jobs| jobs.values().next()).expect("a job");
        let lines: Vec<&str> =
            job["script"].as_array().expect("a script").iter().filter_map(Value::as_str).collect();
        assert_eq!(lines[0], "pip install udmap", "{block}");
        let script = lines[1..].join("\n");
        let green = bash(&checkout, &script, &BTreeMap::new());
        assert_eq!(green.status, 0, "{block}: {}{}", green.stdout, green.stderr);
        for (kind, files) in job["artifacts"]["reports"].as_object().expect("reports") {
            let files = files.as_array().cloned().unwrap_or_else(|| vec![files.clone()]);
            for file in files {
                assert!(checkout.join(file.as_str().expect("a name")).is_file(), "{block}: {kind} {file}");
            }
        }
        add_wrong_event(&checkout);
        let red = bash(&checkout, &script, &BTreeMap::new());
        assert_eq!(red.status, 1, "{block}: {}{}", red.stdout, red.stderr);
        assert!(red.stdout.contains("NO_SUCH_TYPE"), "{block}: {}", red.stdout);
    }
}

/// The hook takes the files that hold expected events in each layout, and no other.
#[test]
fn the_hook_s_files_are_those_of_the_layouts() {
    let hooks: Value = serde_saphyr::from_str(&text(".pre-commit-hooks.yaml")).expect("hooks");
    let pattern = hooks[0]["files"].as_str().expect("files").to_owned();
    let files = [
        "content/parsers/third_party/community/X/cbn/testdata/expected_events/default_events.json",
        "expected_events/x.json",
        "parsers/X/events/logs.yaml",
        "events/a.yml",
        "cases/one/events.ndjson",
        "events.ndjson",
    ];
    let others = [
        "content/parsers/third_party/community/X/cbn/testdata/raw_logs/default_log.json",
        "content/parsers/third_party/community/X/cbn/metadata.json",
        "parsers/X/parser.yaml",
        "parsers/X/logs/logs.txt",
        "events/readme.md",
        "cases/one/input.ndjson",
    ];
    let Some(python) = crate::tools::need(crate::tools::Tool::Python) else { return };
    let code = "import re, sys; print([bool(re.search(sys.argv[1], name)) for name in sys.argv[2:]])";
    let mut command = Command::new(python);
    let run =
        Run::of(&command.args(["-c", code, &pattern]).args(files).args(others).output().expect("python"));
    let expected = [["True"; 6].join(", "), ["False"; 6].join(", ")].join(", ");
    assert_eq!(run.stdout.trim(), format!("[{expected}]"), "{pattern}");
}
