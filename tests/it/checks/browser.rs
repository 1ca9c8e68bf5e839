//! The pages in a browser: headless Chromium, pinned in `tests/checks/package-lock.json`.

use crate::support::{project, run, run_with};
use crate::tools::{Tool, need};
use std::fs;
use std::process::Command;
use udmap::lab::{Generator, Mix};

/// Loads both pages in light, in dark and as printed: no message on the console, no request, nothing
/// wider than the window. Screenshots go to `target/tmp/pages`.
#[test]
fn pages_load_without_complaints() {
    let Some(folder) = need(Tool::Pages) else { return };
    fs::copy(project("tests/checks/page.mjs"), folder.join("page.mjs")).unwrap();

    let (profile, explain) = (folder.join("profile.html"), folder.join("explain.html"));
    let mix: Mix = "v2=5,v1=4,awkward,broken".parse().unwrap();
    let log = Generator::records(7, &mix, 20_000);
    assert_eq!(run_with(&log, &["profile", "-", "-q", "--html", profile.to_str().unwrap()]).status, 0);
    let input = project("fixtures/quickstart/input.ndjson");
    run(&["explain", input.to_str().unwrap(), "--html", explain.to_str().unwrap()]);
    let mut node = Command::new("node");
    let output =
        node.arg("page.mjs").arg(&folder).args([&profile, &explain]).current_dir(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    // A page with a fault is complained about.
    let broken = folder.join("broken.html");
    fs::write(
        &broken,
        fs::read_to_string(&profile).unwrap().replace("</main>", "<script>nothing()</script></main>"),
    )
    .unwrap();
    let mut node = Command::new("node");
    let output = node.arg("page.mjs").arg(&folder).arg(&broken).current_dir(&folder).output().unwrap();
    assert!(!output.status.success());
}
