//! What a run must not pass over in silence: nothing found, rejects of earlier runs, objects listed twice, files that
//! change while they are read.

use super::{events, files, finish, gunzip, gzip, log, manifest, outputs};
use crate::support::{run, udmap};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

#[test]
fn nothing_found_is_a_status_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    for name in ["empty", "blank", "in"] {
        std::fs::create_dir(at(name)).expect("made");
    }
    std::fs::write(at("blank/x.ndjson"), "\n\n").expect("written");
    std::fs::write(at("in/x.ndjson"), log(1, 3)).expect("written");
    let table: [(&str, &[&str], i32, &str); 6] = [
        ("empty", &[], 3, "warning: there is no object below"),
        ("empty", &["--dry-run"], 3, "warning: there is no object below"),
        ("in", &["--include", "*.gz"], 3, "none of the 1 object below"),
        ("in", &["--until", "1h", "--dry-run"], 3, "is wanted by `--include`"),
        ("blank", &[], 3, "warning: not one record in 1 object"),
        ("in", &[], 0, "1 converted"),
    ];
    for (input, more, status, words) in table {
        let (from, to) = (at(input), at(&format!("out-{input}/")));
        let args = [&["convert", &from, "-o", &to], more].concat();
        let done = run(&args);
        assert!(done.status == status && done.stderr.contains(words), "{input} {more:?}: {}", done.stderr);
        let allowed = run(&[&args[..], &["--allow-empty"]].concat());
        assert_eq!(allowed.status, 0, "{input} {more:?}: {}", allowed.stderr);
    }
    let again = run(&["convert", &at("in"), "-o", &at("out-in/")]);
    assert!(again.status == 0 && again.stderr.contains("0 converted, 1 done before"), "{}", again.stderr);
}

#[test]
fn rejects_of_what_was_done_before_decide_the_status() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::create_dir(at("in")).expect("made");
    std::fs::write(at("in/a"), [&log(1, 3)[..], b"{\"x\":1}\n{}\n"].concat()).expect("written");
    let convert = |more: &[&str]| {
        run(&[&["convert", &at("in"), "-o", &at("out/"), "--summary", &at("summary")], more].concat())
    };
    assert_eq!(convert(&[]).status, 1);
    for _ in 0..2 {
        let again = convert(&[]);
        assert_eq!(again.status, 1, "{}", again.stderr);
        assert!(again.stderr.contains("2 rejects in what was done before"), "{}", again.stderr);
        let summary: serde_json::Value =
            serde_json::from_slice(&std::fs::read(at("summary")).expect("read")).expect("JSON");
        assert_eq!((&summary["objects"]["known_rejects"], &summary["exit_status"]), (&2.into(), &1.into()));
    }
    assert_eq!(convert(&["--max-rejects", "1"]).status, 1);
    assert_eq!(convert(&["--max-rejects", "2"]).status, 0);
}

#[test]
fn inputs_that_overlap_give_each_object_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::create_dir_all(at("in/sub/deep")).expect("made");
    for (n, name) in ["in/a", "in/sub/b", "in/sub/deep/c"].iter().enumerate() {
        std::fs::write(at(name), log(n as u64, 4)).expect("written");
    }
    let orders: [&[&str]; 5] = [
        &["in"],
        &["in", "in/sub", "in/sub/deep/c"],
        &["in/sub/deep/c", "in/sub", "in"],
        &["in/sub/*", "in", "in"],
        &["in/sub", "in/*", "in/"],
    ];
    let mut all = Vec::new();
    for (n, inputs) in orders.iter().enumerate() {
        for pack in [false, true] {
            let out = at(&format!("out-{n}-{pack}/"));
            let mut command = udmap();
            command.arg("convert").args(inputs.iter().map(|input| at(input))).arg("-o").arg(&out);
            let done = finish(command.args(if pack { &["--pack", "1MB"][..] } else { &[] }));
            assert_eq!(done.status, 0, "{}", done.stderr);
            assert!(done.stderr.contains("3 listed, 3 converted"), "{inputs:?}: {}", done.stderr);
            let made = files(Path::new(&out));
            assert_eq!(manifest(&made).len(), 3);
            if !pack {
                all.push(outputs(&made));
            }
        }
    }
    assert!(all[0].keys().any(|key| key.starts_with("sub/deep/c.")), "{:?}", all[0].keys());
    assert!(all.iter().all(|made| *made == all[0]), "the same keys, whatever the order");
}

/// A file that grows, or is cut, while it is read is converted as it is in the end, or named.
#[test]
fn files_that_change_while_they_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::create_dir(at("in")).expect("made");
    let line = log(1, 1);
    std::fs::write(at("in/x"), line.repeat(20_000)).expect("written");
    let path = at("in/x");
    let more = line.clone();
    let writer = std::thread::spawn(move || {
        for n in 0..300 {
            let Ok(mut file) = std::fs::File::options().append(true).open(&path) else { return };
            file.write_all(&more).expect("written");
            if n % 100 == 50 {
                file.set_len(more.len() as u64 * 10_000).expect("cut");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let done = run(&["convert", &at("in"), "-o", &at("out/"), "--after-success", "delete"]);
    writer.join().expect("written");
    let left = std::fs::read(at("in/x")).unwrap_or_default();
    let made = outputs(&files(Path::new(&at("out"))));
    match done.status {
        // Whole, as it was when it was read last; gone only if nothing came after that.
        0 => {
            let output = gunzip(made.values().next().expect("an output"));
            let count = output.iter().filter(|byte| **byte == b'\n').count();
            assert!(output == events(&line.repeat(count)) && count >= 10_000);
            assert!(left.is_empty() || done.stderr.contains("kept after all"), "{}", done.stderr);
        }
        status => {
            assert!(
                status == 2 && done.stderr.contains("no longer the one that was listed"),
                "{}",
                done.stderr
            );
            assert!(made.is_empty() && !left.is_empty());
        }
    }
}

/// Names that could act on a terminal.
#[test]
fn hostile_names_are_shown_escaped() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::create_dir(at("in")).expect("made");
    let hostile = "in/\u{1b}[31m\n::error::x\u{9b}\u{202e}.gz";
    std::fs::write(at(hostile), &gzip(&log(1, 50))[..200]).expect("written");
    std::fs::write(at("in/\u{1b}]0;x\u{7}"), "{}\n").expect("written");
    let done = run(&["convert", &at("in"), "-o", &at("out/"), "--rejects", &at("rejects/")]);
    assert_eq!(done.status, 2, "{}", done.stderr);
    assert!(done.stderr.contains("corrupt or cut short"), "{}", done.stderr);
    std::fs::write(at("out/\u{1b}[2J\n::error::foreign"), "x").expect("written");
    std::fs::remove_file(at("in/\u{1b}]0;x\u{7}")).expect("removed");
    let verified = run(&["verify", &at("out/manifest")]);
    assert!(verified.status == 1 && verified.stderr.contains("foreign"), "{}", verified.stderr);
    let nothing = run(&["convert", &at("in"), "-o", &at("out/"), "--include", "\u{1b}x"]);
    assert_eq!(nothing.status, 3);
    for said in [done.stderr, verified.stderr, nothing.stderr] {
        assert!(!said.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{7}']), "{said:?}");
        assert!(said.lines().all(|line| !line.starts_with("::")), "{said:?}");
    }
}
