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
    // Names and values of 200 characters, with and without a place to break.
    let (long_profile, long_explain) = (folder.join("long-profile.html"), folder.join("long-explain.html"));
    let input = folder.join(format!("{}.ndjson", "name".repeat(40)));
    fs::write(&input, long_records()).unwrap();
    let input = input.to_str().unwrap();
    assert_eq!(run(&["profile", input, "-q", "--html", long_profile.to_str().unwrap()]).status, 0);
    run(&["explain", input, "--html", long_explain.to_str().unwrap()]);
    let mixed = folder.join("mixed.html");
    let logs = project("fixtures");
    run(&["profile", logs.to_str().unwrap(), "--mapping", "duo", "-q", "--html", mixed.to_str().unwrap()]);
    let pages = [&profile, &explain, &long_profile, &long_explain, &mixed];
    let mut node = Command::new("node");
    let output = node.arg("page.mjs").arg(&folder).args(pages).current_dir(&folder).output().unwrap();
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

    // So is one that is too wide, and one that can't be read by all.
    for (old, new, what) in [
        ("overflow-wrap:anywhere", "overflow-wrap:normal", "cut off"),
        ("--soft:#57606a", "--soft:#ccc", "color-contrast"),
    ] {
        fs::write(&broken, fs::read_to_string(&long_profile).unwrap().replace(old, new)).unwrap();
        let mut node = Command::new("node");
        let output = node.arg("page.mjs").arg(&folder).arg(&broken).current_dir(&folder).output().unwrap();
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && complaints.contains(what), "{what}: {complaints}");
    }
}

/// Records with names and values of 200 characters.
fn long_records() -> String {
    let (name, text) = ("n".repeat(200), "v".repeat(190));
    let words = "a name of words ".repeat(12);
    let record = |day: u64| {
        format!(
            r#"{{"ts":"2024-01-{day:02}T0{}:00:00Z","context":"{text}{day}","phone":"{}","credits":{day},"type":"{text}","{name}":"{text}","{words}":1,"telephony_id":"{text}"}}"#,
            day % 10,
            "5".repeat(199),
        ) + "\n"
    };
    (1..28).map(record).collect::<String>() + &format!("{{\"{name}\":1}}\n{text}\n")
}
