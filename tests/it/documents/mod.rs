//! Every block of README and docs/ is what it says: commands and Python are run, JSON, TOML and YAML are read, Rust is
//! compiled elsewhere. What needs a cloud account or a machine of its own is named with the reason and not run.

mod blocks;
mod ci;
mod flags;
mod links;
mod scratch;

use crate::support::{Run, project};
use crate::tools::{Tool, need};
use blocks::{Block, blocks};
use scratch::Scratch;
use std::fs;
use std::process::Stdio;

/// Programs that are not run here, and why. Commands with them are printed.
const NOT_RUN: &[(&str, &str)] = &[
    ("aws", "needs an AWS account"),
    ("gcloud", "needs a Google Cloud account"),
    ("sam", "needs an AWS account; the templates are checked by tests/it/deploy.rs"),
    ("docker", "needs a container engine"),
    ("kubectl", "needs a cluster; the manifests are checked by tests/it/deploy.rs"),
    ("install", "needs a machine to install on; the units are checked by tests/it/deploy.rs"),
    ("systemctl", "needs systemd; the units are checked by tests/it/deploy.rs"),
    ("gh", "needs a release on GitHub"),
    ("sha256sum", "needs a release"),
    ("cargo", "builds for minutes, or is this test; CI runs it"),
    ("pip", "builds for minutes; python/test.sh does it"),
];

/// Python that is not run here: a text in the block, and why.
const PYTHON_NOT_RUN: &[(&str, &str)] =
    &[("ray.data", "Ray takes half a gigabyte; `python/test.sh ray` runs the same calls")];

/// The documents, in the order of their names.
pub(super) fn documents() -> Vec<String> {
    let mut found: Vec<String> = crate::support::names(&project("docs"));
    found.retain(|name| name.ends_with(".md"));
    found.iter_mut().for_each(|name| name.insert_str(0, "docs/"));
    found.insert(0, "README.md".into());
    found
}

fn text(file: &str) -> String {
    fs::read_to_string(project(file)).expect(file)
}

/// Checks all blocks of a document.
fn check(file: &str) {
    let blocks = blocks(file, &text(file));
    let runs = |word: &str| {
        blocks.iter().any(|it| matches!(it.language.as_str(), "sh" | "console") && it.text.contains(word))
    };
    let sends = runs("udmap send")
        || runs("--send-state")
        || blocks.iter().any(|it| it.language == "python" && it.text.contains("udmap.send("));
    let scratch = Scratch::new(runs("s3://"), runs("udmap collect"), sends);
    for block in &blocks {
        match block.language.as_str() {
            "sh" => shell(&scratch, block),
            "console" => console(&scratch, block),
            "python" => python(&scratch, block, ""),
            "sql" => sql(&scratch, block),
            "json" => json(block),
            "toml" => toml(&scratch, block),
            "yaml" => yaml(block),
            "rust" => rust(block),
            // Drawings, names of objects, lines of a log.
            "text" => {}
            "" => panic!("{block}: a block needs a language; `text` for what is none"),
            _ => panic!("{block}: no test knows what to do with it"),
        }
    }
}

/// Runs a script of bash; what it printed, both streams in one.
fn bash(scratch: &Scratch, script: &str) -> Run {
    // What one block exports, the next one has.
    let script = format!("[ -f .exported ] && . ./.exported\nexec 2>&1\n{script}\nexport -p > .exported\n");
    let output = scratch.program("bash").arg("-c").arg(script).stdin(Stdio::null()).output().expect("bash");
    Run::of(&output)
}

/// Why a command is not run, if it is not. Files of the project that it names are there all the same.
fn not_run(scratch: &Scratch, block: &Block, command: &blocks::Command) -> bool {
    if command.text.contains("s3://") && !scratch.has_s3() {
        return true;
    }
    let programs = command.programs();
    let Some((program, reason)) = NOT_RUN.iter().find(|(program, _)| programs.contains(program)) else {
        return false;
    };
    let shown = command.text.lines().next().unwrap_or_default();
    println!("{block}: not run, {program} {reason}: {shown}");
    for word in command.text.split_whitespace() {
        let ours = ["deploy/", "docs/", "fixtures/", "python/", "tests/", "benches/"];
        if ours.iter().any(|folder| word.starts_with(folder)) {
            assert!(project(word).exists(), "{block}: there is no {word}");
        }
    }
    true
}

fn shell(scratch: &Scratch, block: &Block) {
    let commands = blocks::commands(&scratch.here(&block.text));
    assert!(!commands.is_empty(), "{block}: no command");
    let mut script = String::new();
    let mut expected = Vec::new();
    for command in &commands {
        if !not_run(scratch, block, command) {
            script.push_str(&format!("{}\necho \"status $?\"\n", command.text));
            expected.push(command);
        }
    }
    let run = bash(scratch, &script);
    let statuses: Vec<&str> = run.stdout.lines().filter_map(|line| line.strip_prefix("status ")).collect();
    assert_eq!(statuses.len(), expected.len(), "{block}: bash stopped: {}", run.stdout);
    for (command, status) in expected.iter().zip(statuses) {
        assert_eq!(status, command.status.to_string(), "{block}: {}\n{}", command.text, run.stdout);
    }
}

/// Commands with their output, which must be what is shown but for times and rates.
fn console(scratch: &Scratch, block: &Block) {
    for command in blocks::console(&scratch.here(&block.text)) {
        if not_run(scratch, block, &command) {
            continue;
        }
        let run = bash(scratch, &format!("{}\necho \"status $?\"", command.text));
        let (output, status) = run.stdout.trim_end().rsplit_once("status ").expect("a status");
        assert_eq!(status, command.status.to_string(), "{block}: {}\n{output}", command.text);
        let (given, shown) = (steady(output), steady(&command.shown));
        assert_eq!(given, shown, "{block}: {}\n{output}", command.text);
    }
}

/// Lines without what differs from run to run.
fn steady(text: &str) -> Vec<String> {
    let line = |line: &str| match line.find("  in ") {
        Some(at) if line.ends_with("B/s") => line[..at].to_owned(),
        _ => line.trim_end().to_owned(),
    };
    text.lines().map(line).collect()
}

fn python(scratch: &Scratch, block: &Block, before: &str) {
    for (part, reason) in PYTHON_NOT_RUN {
        if block.text.contains(part) {
            println!("{block}: not run, {reason}");
            return;
        }
    }
    let Some(python) = need(Tool::Package) else { return };
    let mut script = before.to_owned();
    // What such a program has already.
    if block.text.contains("spark.") && !block.text.contains("SparkSession") {
        script.push_str("from pyspark.sql import SparkSession\n");
        script.push_str("spark = SparkSession.builder.master('local[1]').getOrCreate()\n");
    }
    if block.text.contains("frame") {
        script.push_str("import pyarrow\n");
        script.push_str("frame = pyarrow.table({'value': open('telephony.ndjson').read().splitlines()})\n");
    }
    if block.text.contains("udmap.send(") {
        script.push_str("import functools, os, udmap\n");
        script.push_str("url = os.environ['UDMAP_SEND_API_URL']\n");
        script.push_str("udmap.send = functools.partial(udmap.send, api_url=url)\n");
    }
    script.push_str(&scratch.here(&block.text));
    fs::write(scratch.path().join("block.py"), script).expect("written");
    let run = Run::of(&scratch.program(python).arg("block.py").output().expect("Python starts"));
    assert_eq!(run.status, 0, "{block}: {}{}", run.stdout, run.stderr);
}

fn sql(scratch: &Scratch, block: &Block) {
    let text =
        format!("import duckdb\nresult = duckdb.sql('''{}''')\nassert len(result.fetchall())\n", block.text);
    let text = Block { file: block.file.clone(), line: block.line, language: "sql".into(), text };
    python(scratch, &text, "");
}

/// A value, or one a line.
fn json(block: &Block) {
    let lines = || block.text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
    if let Err(error) = serde_json::from_str::<serde_json::Value>(&block.text) {
        assert!(lines(), "{block}: {error}");
    }
}

/// A mapping table or a part of one, settings of `validate`, or what cargo reads.
fn toml(scratch: &Scratch, block: &Block) {
    if let Err(error) = toml::from_str::<toml::Table>(&block.text) {
        panic!("{block}: {error}");
    }
    let begins = |name: &str| block.text.lines().any(|line| line.starts_with(name));
    let (text, args): (String, &[&str]) = if begins("[dependencies]") || begins("[profile") {
        return;
    } else if begins("[severity]") {
        (block.text.clone(), &["validate", "events/", "--config", "block.toml"])
    } else if begins("[mapping]") {
        (block.text.clone(), &["mappings", "check", "block.toml"])
    } else {
        let base = "[mapping]\nname = \"block\"\nextends = \"duo_telephony\"\n\n";
        (format!("{base}{}", block.text), &["mappings", "check", "block.toml"])
    };
    fs::write(scratch.path().join("block.toml"), text).expect("written");
    let run = Run::of(&scratch.program("udmap").args(args).output().expect("udmap starts"));
    assert_eq!(run.status, 0, "{block}: {}", run.stderr);
}

fn yaml(block: &Block) {
    if let Err(error) = serde_saphyr::from_str::<serde_json::Value>(&block.text) {
        panic!("{block}: {error}");
    }
}

/// The same lines are in the library's documentation, or in an example, which are compiled and run.
fn rust(block: &Block) {
    let mut compiled = vec![text("src/lib.rs")];
    let examples = crate::support::names(&project("examples"));
    compiled.extend(
        examples.iter().filter(|name| name.ends_with(".rs")).map(|name| text(&format!("examples/{name}"))),
    );
    let plain = |text: &str| -> String {
        let lines = text.lines().map(|line| line.trim_start_matches("//!").trim());
        lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    };
    let known = compiled.iter().any(|text| plain(text).contains(&plain(&block.text)))
        || compiled[0].contains(&format!("include_str!(\"../{}\")", block.file));
    assert!(known, "{block}: neither src/lib.rs nor a program in examples/ holds these lines");
}

#[test]
fn every_document_is_checked() {
    assert_eq!(documents(), CHECKED, "a document needs a test in tests/it/documents/mod.rs");
}

/// A test for each document, so that they run at once.
macro_rules! checked {
    ($($name:ident: $file:literal,)*) => {
        const CHECKED: &[&str] = &[$($file),*];
        $(
            #[test]
            fn $name() {
                check($file);
            }
        )*
    };
}

checked! {
    readme: "README.md",
    bench: "docs/bench.md",
    checks: "docs/checks.md",
    collect: "docs/collect.md",
    convert: "docs/convert.md",
    deploy: "docs/deploy.md",
    dumps: "docs/dumps.md",
    duo_logs: "docs/duo-logs.md",
    glossary: "docs/glossary.md",
    install: "docs/install.md",
    library: "docs/library.md",
    mapping: "docs/mapping.md",
    parser: "docs/parser.md",
    python_package: "docs/python.md",
    scale: "docs/scale.md",
    send: "docs/send.md",
    serve: "docs/serve.md",
}

#[test]
fn readme_s_record_gives_readme_s_event() {
    let blocks = blocks("README.md", &text("README.md"));
    let json: Vec<&Block> = blocks.iter().filter(|block| block.language == "json").collect();
    let run = crate::support::run_with(json[0].text.as_bytes(), &["convert", "-", "-q"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let value = |text: &str| -> serde_json::Value { serde_json::from_str(text).expect("JSON") };
    assert_eq!(value(&run.stdout), value(&json[1].text));
}
