//! The page of `udmap serve` in headless Chromium: `tests/serve-page/` clicks, types, drops, and looks.

use crate::support::project;
use crate::tools::{Tool, need};
use std::fs;
use std::process::Command;

/// Every interaction, each against a server of its own. Screenshots go to `target/tmp/pages/serve-page`.
#[test]
fn the_page_does_what_it_says() {
    let Some(folder) = need(Tool::Pages) else { return };
    // Node.js looks for packages next to the scripts.
    let folder = folder.join("serve-page");
    fs::create_dir_all(&folder).unwrap();
    let mut tests = Vec::new();
    for entry in fs::read_dir(project("tests/serve-page")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        fs::copy(project("tests/serve-page").join(&name), folder.join(&name)).unwrap();
        tests.extend(name.ends_with(".test.mjs").then_some(name));
    }
    tests.sort();
    assert!(tests.len() >= 5, "{tests:?}");
    // What is promised holds for a release: without optimization, only that there is an answer.
    let limit = if cfg!(debug_assertions) { "2000" } else { "50" };
    let mut node = Command::new("node");
    node.args(["--test", "--test-concurrency=1", "--test-reporter=spec"]).args(&tests).current_dir(&folder);
    node.env("UDMAP", env!("CARGO_BIN_EXE_udmap")).env("PROJECT", project("")).env("OUT", &folder);
    let output = node.env("LIMIT_MS", limit).env("NO_COLOR", "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("\u{2139} fail 0") && !said.contains("\u{2139} pass 0"), "{said}");
}
