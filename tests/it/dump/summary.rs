//! What the summary says on the second day: where rejects came from, and what a feed would read with the events.

use super::{files, finish, gunzip, log};
use crate::s3::S3;
use crate::support::{json_lines, run};
use std::path::Path;

fn summary(path: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).expect("a summary")).expect("JSON")
}

/// Many objects with few rejects: each is found at once, with its line, and with where it is kept.
#[test]
fn rejects_are_found_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::create_dir(at("in")).expect("made");
    for n in 0..300 {
        let mut text = log(n, 3);
        // In every fortieth object a few.
        let rejects = if n % 40 == 7 { n / 40 + 1 } else { 0 };
        (0..rejects).for_each(|_| text.extend_from_slice(b"{\"phone\":\"+1\"}\n"));
        std::fs::write(at(&format!("in/{n:03}.ndjson")), text).expect("written");
    }
    let dump = |more: &[&str]| {
        let args =
            ["convert", &at("in"), "-o", &at("out/"), "--rejects", &at("rejects/"), "--summary", &at("s")];
        run(&[&args, more].concat())
    };
    let root = std::fs::canonicalize(folder.path()).expect("real");
    let root = root.to_str().expect("UTF-8");
    for earlier in [false, true] {
        let run = dump(&[]);
        assert_eq!(run.status, 1, "{}", run.stderr);
        let sources = summary(&at("s"))["reject_sources"].clone();
        let listed = sources["listed"].as_array().expect("a list");
        assert_eq!((listed.len(), &sources["more_sources"]), (8, &0.into()));
        for (n, source) in listed.iter().enumerate() {
            // Most first.
            let (object, rejects) = (287 - 40 * n as u64, 8 - n as u64);
            assert_eq!(source["source"], format!("{root}/in/{object:03}.ndjson"));
            assert_eq!((&source["rejects"], &source["earlier"]), (&rejects.into(), &earlier.into()));
            if !earlier {
                assert_eq!(source["by_reason"], serde_json::json!({ "no-timestamp": rejects }));
                assert_eq!(source["first"][0]["line"], 4);
                assert_eq!(source["first"].as_array().expect("a list").len() as u64, rejects.min(3));
            }
            let kept = std::fs::read(source["kept_in"].as_str().expect("a name")).expect("the rejects");
            let lines = json_lines(std::str::from_utf8(&gunzip(&kept)).expect("UTF-8"));
            assert!(
                lines.len() as u64 == rejects && lines.iter().all(|line| line["source"] == source["source"])
            );
        }
        let place = if earlier {
            "287.ndjson  8 rejects  converted before"
        } else {
            "287.ndjson:4  8 rejects  no-timestamp 8"
        };
        for words in [
            place,
            &format!("in {root}/rejects/287."),
            "... and 3 more inputs with 6 rejects; `--summary FILE`",
        ] {
            assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
        }
    }
    // Into one file: the same, but for the one file of rejects.
    let file = run(&["convert", &at("in"), "-o", &at("one"), "--rejects", &at("r"), "--summary", &at("s")]);
    let sources = summary(&at("s"))["reject_sources"].clone();
    assert_eq!(sources["listed"].as_array().expect("a list").len(), 8);
    assert_eq!(
        (&sources["listed"][0]["rejects"], &sources["listed"][0]["kept_in"]),
        (&8.into(), &at("r").into())
    );
    assert!(file.stderr.contains("287.ndjson:4  8 rejects"), "{}", file.stderr);
    // Of a member of an archive, and names that would change a terminal's colours.
    let mut tar = tar::Builder::new(Vec::new());
    for name in ["good", "bad\u{1b}[31m"] {
        let text: &[u8] = if name == "good" { &log(1, 2) } else { b"\n\n{}\n" };
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        tar.append_data(&mut header, name, text).expect("added");
    }
    std::fs::create_dir(at("tar")).expect("made");
    std::fs::write(at("tar/a.tar"), tar.into_inner().expect("made")).expect("written");
    let tar = run(&["convert", &at("tar"), "-o", &at("of-tar/"), "--rejects", &at("of-tar-rejects/")]);
    assert!(tar.stderr.contains(r"a.tar!bad\u{1b}[31m:3  1 reject"), "{}", tar.stderr);
}

#[test]
fn a_manifest_below_the_outputs_is_said_and_can_be_moved() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::create_dir(at("in")).expect("made");
    std::fs::write(at("in/a"), log(1, 3)).expect("written");
    std::fs::write(at("in/b"), "{\"phone\":\"+1\"}\n").expect("written");
    let convert = |more: &[&str]| {
        let args = ["convert", &at("in"), "-o", &at("o ut/"), "--max-rejects", "1", "--summary", &at("s")];
        let done = run(&[&args, more].concat());
        assert_eq!(done.status, 0, "{}", done.stderr);
        done.stderr
    };
    let root = std::fs::canonicalize(folder.path()).expect("real").to_str().expect("UTF-8").to_owned();
    let option = format!("--manifest '{root}/manifest-o ut/'");
    let planned = convert(&["--dry-run"]);
    assert!(planned.contains(&format!("to keep the manifest apart, add `{option}`")), "{planned}");
    assert_eq!(summary(&at("s"))["below_outputs"][0]["move_with"], serde_json::Value::Null);
    // Kept apart from the beginning, there is nothing to say.
    assert!(!convert(&["--dry-run", "--manifest", &at("m/")]).contains("hint: the manifest"));
    let first = convert(&[]);
    assert!(first.contains("hint: the manifest is in") && first.contains(&option), "{first}");
    assert!(!convert(&["-q"]).contains("hint"));
    let exposed = summary(&at("s"))["below_outputs"][0].clone();
    assert_eq!(
        (&exposed["what"], &exposed["exists"], &exposed["option"]),
        (&"manifest".into(), &true.into(), &option.into())
    );
    let command = exposed["move_with"].as_str().expect("a command");
    assert!(first.contains(&format!("`{command}`")), "{first}");
    // Just as it says, through a shell; then everything is known, and right.
    let moved = std::process::Command::new("sh").args(["-c", command]).status().expect("sh");
    assert!(moved.success() && !Path::new(&at("o ut/manifest")).exists());
    let manifest = at("manifest-o ut/");
    let again = convert(&["--manifest", &manifest]);
    assert!(
        again.contains(" 0 converted, 2 done before") && !again.contains("hint: the manifest"),
        "{again}"
    );
    assert_eq!(run(&["verify", &manifest]).status, 0);

    // Rejects below the outputs: somewhere else they come from another conversion, to the same events.
    let rejects = convert(&["--manifest", &manifest, "--rejects", &at("o ut/rejects/")]);
    assert!(rejects.contains("hint: the rejects are in"), "{rejects}");
    let option = summary(&at("s"))["below_outputs"][0]["option"].as_str().expect("an option").to_owned();
    assert_eq!(option, format!("--rejects '{root}/rejects-o ut/'"));
    let elsewhere = convert(&["--manifest", &manifest, "--rejects", &at("rejects-o ut/")]);
    assert!(
        elsewhere.contains(" 1 converted, 1 done before") && !elsewhere.contains("hint: the"),
        "{elsewhere}"
    );
    let pruned = run(&["prune", &manifest, "--delete"]);
    assert_eq!(pruned.status, 0, "{}", pruned.stderr);
    assert!(!files(Path::new(&at("o ut"))).keys().any(|key| key.contains("rejects")), "{}", pruned.stderr);
    assert_eq!(run(&["verify", &manifest]).status, 0);
}

#[test]
fn buckets_have_commands_of_their_own() {
    let Some(s3) = S3::start() else { return };
    s3.put("logs", "in/a", &log(1, 3));
    let said = |output: &str, more: &[&str]| {
        let done = finish(s3.udmap().args(["convert", "s3://logs/in/", "-o", output]).args(more));
        assert_eq!(done.status, 0, "{}", done.stderr);
        done.stderr
    };
    let first = said("s3://udm/a/duo/", &[]);
    assert!(
        first.contains("`aws s3 mv --recursive s3://udm/a/duo/manifest/ s3://udm/a/manifest-duo/`"),
        "{first}"
    );
    assert!(first.contains("add `--manifest s3://udm/a/manifest-duo/` from then on"), "{first}");
    // Next to a bucket there is nothing, and no place that the rejects are in.
    assert!(said("s3://udm/", &["--dry-run"]).contains("add `--manifest` in another bucket"));
    let inside = said("s3://udm/a/new/", &["--dry-run", "--rejects", "s3://udm/a/"]);
    assert!(inside.contains("a feed, or whatever else reads all of `s3://udm/a/new/`"), "{inside}");
    assert!(inside.contains("add `--manifest` in another bucket"), "{inside}");
}
