//! Second runs over inputs that changed, or with another table: outputs are told apart, and superseded ones removed.

use super::{events, files, gunzip, gzip, log, outputs};
use crate::support::{run, udmap};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
    std::fs::write(path, bytes).expect("written");
}

/// What `udmap prune` lists.
fn listed(folder: &Path, more: &[&str], status: i32) -> BTreeSet<String> {
    let out = folder.join("out");
    let done = run(&[&["prune", out.to_str().expect("UTF-8")], more].concat());
    assert_eq!(done.status, status, "{more:?}: {}", done.stderr);
    let lines = crate::support::json_lines(&done.stdout).into_iter();
    lines.map(|line: Value| line["url"].as_str().expect("a name").to_owned()).collect()
}

/// The events of the current outputs, and those of all that stands.
fn texts(folder: &Path) -> (BTreeSet<Vec<u8>>, Vec<Vec<u8>>) {
    let current = listed(folder, &["--list", "current"], 0);
    let current = current.iter().map(|url| gunzip(&std::fs::read(url).expect("it stands"))).collect();
    (current, outputs(&files(&folder.join("out"))).values().map(|bytes| gunzip(bytes)).collect())
}

fn convert(folder: &Path, more: &[&str], status: i32) -> String {
    let at = |name: &str| folder.join(name).to_str().expect("UTF-8").to_owned();
    let done = run(&[&["convert", &at("in"), "-o", &at("out/")], more].concat());
    assert_eq!(done.status, status, "{more:?}: {}", done.stderr);
    done.stderr
}

fn verify(folder: &Path, status: i32) -> String {
    let done = run(&["verify", folder.join("out/manifest").to_str().expect("UTF-8")]);
    assert_eq!(done.status, status, "{}", done.stderr);
    done.stderr
}

#[test]
fn generations_are_counted_listed_and_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = std::fs::canonicalize(folder.path()).expect("real");
    for n in 0..5 {
        write(&root, &format!("in/{n}.gz"), &gzip(&log(n, 10)));
    }
    convert(&root, &[], 0);
    assert!(verify(&root, 0).contains("5 current\n"));
    assert!(listed(&root, &[], 0).is_empty());
    // One changes, then the table of all; the first one's outputs are superseded in both.
    write(&root, "in/2.gz", &gzip(&log(22, 11)));
    assert!(convert(&root, &[], 0).contains("1 output of these inputs superseded"));
    assert!(convert(&root, &[], 0).contains("1 output of these inputs superseded"), "told every time");
    assert!(verify(&root, 0).contains("5 current, 1 superseded"));
    assert!(convert(&root, &["--namespace", "corp"], 0).contains("6 outputs of these inputs superseded"));
    assert!(verify(&root, 0).contains("5 current, 6 superseded"));
    assert!(convert(&root, &["--namespace", "corp", "--dry-run"], 0).contains("6 outputs"));
    // Back again: nothing is to be written, but what is current is another thing.
    convert(&root, &[], 0);
    assert!(verify(&root, 0).contains("5 current, 6 superseded"));
    let want: BTreeSet<Vec<u8>> =
        [0, 1, 3, 4].map(|n| log(n, 10)).iter().chain([&log(22, 11)]).map(|it| events(it)).collect();
    let (current, all) = texts(&root);
    assert!(current == want && all.len() == 11);
    // And the input as it once was: size and time are its ETag.
    let superseded = listed(&root, &[], 0);
    assert_eq!(superseded.len(), 6);
    assert_eq!(listed(&root, &["--delete"], 0), superseded);
    let (current, all) = texts(&root);
    assert!(current == want && all.len() == 5 && superseded.iter().all(|url| !Path::new(url).exists()));
    let said = verify(&root, 0);
    assert!(said.contains("5 current, 6 superseded and removed"), "{said}");
    assert!(listed(&root, &["--delete"], 0).is_empty());
    assert!(!convert(&root, &[], 0).contains("superseded"));
    // What was removed comes back if it is wanted.
    assert!(convert(&root, &["--namespace", "corp"], 0).contains("5 converted"));
    let said = verify(&root, 0);
    assert!(said.contains("5 current, 5 superseded") && said.contains("1 superseded and removed"), "{said}");
    assert_eq!(listed(&root, &["--delete"], 0).len(), 5);
    verify(&root, 0);
}

#[test]
fn what_may_still_be_needed_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = std::fs::canonicalize(folder.path()).expect("real");
    for n in 0..3 {
        write(&root, &format!("in/{n}"), &log(n, 10));
    }
    convert(&root, &[], 0);
    let first = outputs(&files(&root.join("out")));
    convert(&root, &["--namespace", "corp"], 0);
    // One successor is damaged, and the input of another has changed since.
    let current = listed(&root, &["--list", "current"], 0);
    let broken = current.iter().find(|url| url.contains("/0.")).expect("it");
    let mut bytes = std::fs::read(broken).expect("read");
    *bytes.last_mut().expect("not empty") ^= 1;
    std::fs::write(broken, bytes).expect("written");
    write(&root, "in/1", &log(11, 4));
    let removed = listed(&root, &["--delete"], 1);
    assert!(removed.len() == 1 && removed.iter().all(|url| url.contains("/2.")), "{removed:?}");
    let left = files(&root.join("out"));
    assert_eq!(first.keys().filter(|key| left.contains_key(*key)).count(), 2);
    let nothing = run(&["prune", root.join("in").to_str().expect("UTF-8")]);
    assert_eq!(nothing.status, 3, "{}", nothing.stderr);
}

#[test]
fn a_pack_stays_until_all_its_members_are_superseded() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = std::fs::canonicalize(folder.path()).expect("real");
    for n in 0..3 {
        write(&root, &format!("in/{n}"), &log(n, 10));
    }
    convert(&root, &["--pack", "1MB"], 0);
    write(&root, "in/1", &log(11, 4));
    convert(&root, &["--pack", "1MB"], 0);
    let done = run(&["prune", root.join("out").to_str().expect("UTF-8"), "--delete"]);
    assert!(done.status == 1 && done.stderr.contains("this pack holds events of inputs"), "{}", done.stderr);
    assert_eq!(outputs(&files(&root.join("out"))).len(), 2);
    assert!(verify(&root, 0).contains("1 packs that hold both"));
    convert(&root, &["--pack", "1MB", "--namespace", "corp"], 0);
    assert_eq!(listed(&root, &["--delete"], 0).len(), 2);
    assert_eq!(outputs(&files(&root.join("out"))).len(), 1);
    verify(&root, 0);
}

/// Killed at any moment: no current output is ever gone, and the next call goes on.
#[test]
fn killed_while_it_removes() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = std::fs::canonicalize(folder.path()).expect("real");
    for n in 0..1_500 {
        write(&root, &format!("in/{:02}/{n:04}", n % 20), &log(n, 1));
    }
    convert(&root, &["-q"], 0);
    convert(&root, &["--namespace", "corp", "-q"], 0);
    let current = listed(&root, &["--list", "current"], 0);
    assert_eq!(current.len(), 1_500);
    for n in 0..8u64 {
        let mut command = udmap();
        command
            .arg("prune")
            .arg(root.join("out"))
            .arg("--delete")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("the command starts");
        std::thread::sleep(Duration::from_millis(40 * n));
        child.kill().expect("killed");
        child.wait().expect("ended");
        assert!(current.iter().all(|url| Path::new(url).exists()), "{n}");
    }
    verify(&root, 0);
    listed(&root, &["--delete"], 0);
    assert!(listed(&root, &[], 0).is_empty());
    assert_eq!(outputs(&files(&root.join("out"))).len(), 1_500);
    assert!(verify(&root, 0).contains("1,500 current, 1,500 superseded and removed"));
}
