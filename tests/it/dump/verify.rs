//! `udmap verify` is content only with what it has checked: whatever is forged, missing, changed or too much is named.

use super::{files, gzip, log, manifest};
use crate::support::run;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A folder with four converted logs, one of them with a reject.
struct Converted {
    folder: tempfile::TempDir,
}

impl Converted {
    fn new(more: &[&str]) -> Converted {
        let folder = tempfile::tempdir().expect("a folder");
        let done = Converted { folder };
        for n in 0..3 {
            done.write(&format!("in/{n}.gz"), &gzip(&log(n, 5 + n)));
        }
        done.write("in/bad", b"{\"x\":1}\n");
        done.convert(more);
        done
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }

    fn convert(&self, more: &[&str]) {
        let (input, output, rejects) = (self.at("in"), self.at("out/"), self.at("rejects/"));
        let args =
            [&["convert", &input, "-o", &output, "--rejects", &rejects, "--max-rejects", "1", "-q"], more];
        let done = run(&args.concat());
        assert_eq!(done.status, 0, "{}", done.stderr);
    }

    /// Verifies; the status, and what was said.
    fn verify(&self, more: &[&str]) -> (i32, String) {
        let done = run(&[&["verify", &self.at("out/manifest")], more].concat());
        (done.status, done.stderr)
    }

    /// The parts of the manifest.
    fn parts(&self) -> Vec<PathBuf> {
        let all = files(Path::new(&self.at("out/manifest")));
        all.into_keys().map(|key| self.folder.path().join("out/manifest").join(key)).collect()
    }

    fn output(&self, n: usize) -> String {
        let lines = manifest(&files(Path::new(&self.at("out"))));
        lines[n]["outputs"][0]["url"].as_str().expect("a name").to_owned()
    }

    /// Changes the lines of the only part, and writes it as versions did that knew no ends: nothing but the
    /// lines themselves can show it then.
    fn forge(&self, change: impl Fn(&mut Vec<Value>)) {
        let part = &self.parts()[0];
        let text = std::fs::read_to_string(part).expect("read");
        let mut lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for line in &mut lines {
            let line = line.as_object_mut().expect("an object");
            line.remove("end");
            line.remove("part");
        }
        change(&mut lines);
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(part, text).expect("written");
    }
}

/// A folder for rejects that none were written to is not missing.
#[test]
fn no_rejects_need_no_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::create_dir(at("in")).expect("made");
    std::fs::write(at("in/a"), log(1, 3)).expect("written");
    let done = run(&["convert", &at("in"), "-o", &at("out/"), "--rejects", &at("rejects/"), "-q"]);
    assert!(done.status == 0 && !Path::new(&at("rejects")).exists(), "{}", done.stderr);
    let verify = run(&["verify", &at("out")]);
    assert!(verify.status == 0 && verify.stderr.contains("0 not checked"), "{}", verify.stderr);
    // All outputs gone is another thing.
    std::fs::rename(at("out/manifest"), at("manifest")).expect("moved");
    std::fs::remove_dir_all(at("out")).expect("removed");
    let verify = run(&["verify", &at("manifest")]);
    assert!(verify.status == 1 && verify.stderr.contains("it is gone"), "{}", verify.stderr);
}

#[test]
fn what_is_missing_in_a_manifest_is_named() {
    type Cut = fn(&[u8]) -> Vec<u8>;
    let table: [(&str, Cut, &str); 7] = [
        ("emptied", |_| Vec::new(), "it is empty"),
        ("cut within a line", |text| text[..text.len() / 2].to_vec(), "it is cut short"),
        ("its last newline", |text| text[..text.len() - 1].to_vec(), "it is cut short"),
        (
            "its first line",
            |text| text[text.iter().position(|b| *b == b'\n').unwrap() + 1..].to_vec(),
            "it has 3 lines",
        ),
        (
            "its last line",
            |text| text[..text[..text.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1].to_vec(),
            "lines at its end are missing",
        ),
        (
            "a digit",
            |text| String::from_utf8_lossy(text).replacen("\"size\":", "\"size\":1", 1).into(),
            "digest",
        ),
        ("rubbish in it", |text| [b"{}\n", text].concat(), "not a line of a manifest"),
    ];
    let done = Converted::new(&[]);
    let part = done.parts().remove(0);
    let whole = std::fs::read(&part).expect("read");
    assert_eq!(done.verify(&[]).0, 0, "{}", done.verify(&[]).1);
    for (what, cut, words) in table {
        std::fs::write(&part, cut(&whole)).expect("written");
        let (status, said) = done.verify(&[]);
        assert!(
            status == 1 && said.contains(words) && said.contains("part-00001.ndjson"),
            "{what}: {status} {said}"
        );
        // A run does not go by it, and nothing is deleted.
        let (input, output) = (done.at("in"), done.at("out/"));
        let again = run(&["convert", &input, "-o", &output, "--after-success", "delete"]);
        assert_eq!(again.status, 2, "{what}: {}", again.stderr);
        assert_eq!(files(Path::new(&input)).len(), 4, "{what}");
        let pruned = run(&["prune", &output, "--delete"]);
        assert_eq!(pruned.status, 2, "{what}: {}", pruned.stderr);
    }
    // All of it: its outputs are too many then; and with nothing left at all, nothing is found.
    std::fs::write(&part, &whole).expect("written");
    done.convert(&["--namespace", "x"]);
    std::fs::remove_file(&part).expect("removed");
    let (status, said) = done.verify(&[]);
    assert!(status == 1 && said.contains("no line of the manifest names it"), "{said}");
    std::fs::remove_dir_all(done.at("out/manifest")).expect("removed");
    std::fs::create_dir(done.at("out/manifest")).expect("made");
    let (status, said) = done.verify(&[]);
    assert!(status == 3 && said.contains("there is no manifest"), "{said}");
    assert_eq!(done.verify(&["--allow-empty"]).0, 0);
}

#[test]
fn a_part_that_is_missing_is_named() {
    let done = Converted::new(&[]);
    let part = done.parts().remove(0);
    // As if it had been the second of three.
    let text = std::fs::read_to_string(&part).expect("read");
    let text = text.replace("\"part\":1", "\"part\":2").replace("\"last\":true", "\"last\":false");
    std::fs::write(part.with_file_name("part-00002.ndjson"), text).expect("written");
    std::fs::remove_file(&part).expect("removed");
    let (status, said) = done.verify(&[]);
    assert!(status == 1 && said.contains("part 1 of its 2 is missing"), "{said}");
    assert!(said.contains("it did not come to its end"), "{said}");
}

#[test]
fn an_interrupted_run_is_ended_by_the_next() {
    let done = Converted::new(&[]);
    let part = done.parts().remove(0);
    // The manifest of a run that was killed: sealed anew, because the digest is of what comes before the end.
    let text = std::fs::read_to_string(&part).expect("read").replace("\"last\":true", "\"last\":false");
    std::fs::write(&part, text).expect("written");
    let (status, said) = done.verify(&[]);
    assert!(status == 1 && said.contains("it did not come to its end"), "{said}");
    let refused = run(&["prune", &done.at("out"), "--delete"]);
    assert_eq!(refused.status, 2, "{}", refused.stderr);
    done.convert(&[]);
    assert_eq!(done.parts().len(), 2, "a part that says so");
    assert_eq!(done.verify(&[]).0, 0, "{}", done.verify(&[]).1);
    done.convert(&[]);
    assert_eq!(done.parts().len(), 2, "once");
    // What it said is held against what is there.
    std::fs::remove_file(&part).expect("removed");
    let (status, said) = done.verify(&[]);
    assert!(status == 1 && said.contains("its 1 parts are missing"), "{said}");
}

#[test]
fn what_lines_say_is_held_against_what_is_there() {
    type Change = fn(&mut Vec<Value>);
    let table: [(&str, Change, &str); 10] = [
        ("an ETag", |lines| lines[0]["etag"] = "\"x\"".into(), "its key does not follow"),
        ("a fingerprint", |lines| lines[1]["fingerprint"] = "0".repeat(32).into(), "its key does not follow"),
        ("an input", |lines| lines[1]["input"] = "/nowhere".into(), "its key does not follow"),
        (
            "another's output",
            |lines| lines[0]["outputs"] = lines[1]["outputs"].clone(),
            "the manifest names it for several inputs",
        ),
        (
            "a kind",
            |lines| lines[1]["outputs"][0]["kind"] = "rejects".into(),
            "does not name one output of events",
        ),
        (
            "a kind that is none",
            |lines| lines[1]["outputs"][0]["kind"] = "x".into(),
            "not a line of a manifest",
        ),
        (
            "counts",
            |lines| {
                lines[1]["events"] = 1.into();
                lines[1]["records"] = 1.into();
            },
            "lines, not 1",
        ),
        ("books", |lines| lines[1]["events"] = 1.into(), "don't balance"),
        (
            "a length",
            |lines| {
                lines[1]["outputs"][0]["offset"] = 0.into();
                lines[1]["outputs"][0]["length"] = 5.into();
            },
            "its key does not follow",
        ),
        ("a line less", |lines| drop(lines.remove(1)), "no line of the manifest names it"),
    ];
    let done = Converted::new(&[]);
    let part = done.parts().remove(0);
    let whole = std::fs::read(&part).expect("read");
    done.forge(|_| {});
    let (status, said) = done.verify(&[]);
    assert!(status == 0 && said.contains("don't say how many lines"), "older manifests: {said}");
    for (what, change, words) in table {
        std::fs::write(&part, &whole).expect("written");
        done.forge(change);
        let (status, said) = done.verify(&[]);
        assert!(status == 1 && said.contains(words), "{what}: {status} {said}");
    }
}

#[test]
fn forged_packs() {
    type Change = fn(&mut Vec<Value>);
    let number = |value: &Value| value.as_u64().expect("a number");
    let table: [(&str, Change); 6] = [
        ("an offset", |lines| lines[2]["outputs"][0]["offset"] = 7.into()),
        ("a length", |lines| lines[2]["outputs"][0]["length"] = 7.into()),
        ("a length beyond all", |lines| lines[2]["outputs"][0]["length"] = u64::MAX.into()),
        ("an event moved", |lines| {
            for (n, by) in [(1, 1i64), (2, -1)] {
                for count in ["events", "records"] {
                    lines[n][count] = (lines[n][count].as_i64().unwrap() + by).into();
                }
            }
        }),
        ("a member less", |lines| drop(lines.remove(2))),
        ("a member twice", |lines| {
            let mut again = lines[2].clone();
            again["outputs"][0]["offset"] = 0.into();
            lines.push(again);
        }),
    ];
    let done = Converted::new(&["--pack", "1MB"]);
    let part = done.parts().remove(0);
    let whole = std::fs::read(&part).expect("read");
    assert_eq!(done.verify(&[]).0, 0, "{}", done.verify(&[]).1);
    let lines = manifest(&files(Path::new(&done.at("out"))));
    assert!(lines.iter().map(|line| number(&line["outputs"][0]["length"])).sum::<u64>() > 100);
    for (what, change) in table {
        std::fs::write(&part, &whole).expect("written");
        done.forge(change);
        let (status, said) = done.verify(&[]);
        assert!(status == 1 && said.contains("pack."), "{what}: {status} {said}");
    }
}

#[test]
fn what_is_gone_changed_or_too_much_is_named() {
    let done = Converted::new(&[]);
    let foreign = "out/sub/extra.ndjson.gz";
    done.write(foreign, &gzip(b"{}\n"));
    let (status, said) = done.verify(&[]);
    assert!(status == 1 && said.contains("extra.ndjson.gz`: it is among the outputs"), "{said}");
    std::fs::remove_file(done.at(foreign)).expect("removed");
    done.write("rejects/more", b"x");
    assert_eq!(done.verify(&[]).0, 1);
    std::fs::remove_file(done.at("rejects/more")).expect("removed");
    // A part of a manifest, or one run: what else stands there is not its matter.
    let part = done.parts().remove(0);
    for manifest in [part.clone(), part.parent().expect("a folder").to_owned()] {
        let one = run(&["verify", manifest.to_str().expect("UTF-8")]);
        assert!(one.status == 0 && one.stderr.contains("not all of a manifest"), "{}", one.stderr);
    }
    assert_eq!(run(&["verify", &done.at("out")]).status, 0, "the place of the outputs will do");

    std::fs::remove_file(done.at("in/0.gz")).expect("removed");
    done.write("in/1.gz", &gzip(&log(7, 7)));
    let (status, said) = done.verify(&[]);
    assert_eq!(status, 1);
    for words in ["0.gz`: it is gone, and no run", "1.gz`: it has changed since", "0 failed, 2 not checked"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let (status, said) = done.verify(&["--outputs-only"]);
    assert!(status == 0 && said.contains("0 failed, 0 not checked"), "{said}");
    // Of another kind: a folder, and a text that no gzip is.
    let output = done.output(2);
    std::fs::remove_file(&output).expect("removed");
    std::fs::create_dir(&output).expect("made");
    let (_, said) = done.verify(&["--outputs-only"]);
    assert!(said.contains("it is gone"), "{said}");
}

#[test]
fn inputs_that_udmap_deleted_are_expected_to_be_gone() {
    // In the run that converts, and in a later one.
    for first in ["delete", "keep"] {
        let done = Converted::new(&["--after-success", first]);
        done.convert(&["--after-success", "delete", "--allow-empty"]);
        assert!(files(Path::new(&done.at("in"))).is_empty());
        let (status, said) = done.verify(&[]);
        assert!(status == 0 && said.contains("4 deleted by udmap"), "{first}: {said}");
        let (status, said) = done.verify(&["--deep"]);
        assert!(status == 1 && said.contains("4 not checked"), "{first}: {said}");
        assert!(run(&["convert", &done.at("in"), "-o", &done.at("out/"), "-q"]).status == 3);
    }
}
