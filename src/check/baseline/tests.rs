use super::*;

fn print(content: &str) -> Fingerprint {
    Fingerprint::of("invalid-ip", "principal.ip[]", &[content])
}

fn finding(content: &str) -> KnownBy<'static> {
    KnownBy { code: "invalid-ip", path: "principal.ip[]", fingerprint: print(content) }
}

fn read(text: &str, command: &str) -> Result<Baseline, String> {
    Baseline::read(text, command, Path::new("."), &checked())
}

fn written(findings: &[(&str, &str)], known: Option<&Baseline>) -> String {
    let mut writer = BaselineWriter::new();
    for (content, source) in findings {
        writer.add("invalid-ip", "principal.ip[]", print(content), source, content, 1);
    }
    writer.text("validate", known, &checked()).unwrap().0
}

fn checked() -> Checked {
    let mut checked = Checked::below(Path::new(""));
    ["a", "b"].iter().for_each(|name| checked.add(name));
    checked
}

#[test]
fn what_is_known_is_taken_once_from_its_file_first() {
    let text = written(&[("x", "a"), ("x", "a"), ("x", "b"), ("y", "b")], None);
    let mut baseline = read(&text, "validate").unwrap();
    assert_eq!(baseline.left(&checked()), 4);
    assert_eq!(baseline.take(finding("x"), "a", &checked()), Match::Here);
    assert_eq!(baseline.take(finding("x"), "a", &checked()), Match::Here);
    assert_eq!(baseline.take(finding("x"), "a", &checked()), Match::Elsewhere);
    assert!(baseline.take_elsewhere(finding("x"), &checked()));
    assert!(!baseline.take_elsewhere(finding("x"), &checked()));
    assert_eq!(baseline.take(finding("x"), "b", &checked()), Match::New);
    assert_eq!(baseline.take(finding("z"), "b", &checked()), Match::New);
    assert_eq!(baseline.left(&checked()), 1);
    // Another code or path, though the fingerprint is the same.
    let other = KnownBy { code: "invalid-url", ..finding("y") };
    assert_eq!(baseline.take(other, "b", &checked()), Match::New);
    assert_eq!(baseline.take(KnownBy { path: "src.ip[]", ..finding("y") }, "b", &checked()), Match::New);
    assert_eq!(baseline.take(finding("y"), "b", &checked()), Match::Here);
}

/// Of a file that is there and was not looked at nobody knows whether it still has what it had.
#[test]
fn only_files_that_were_looked_at_or_are_gone_give_findings_away() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there").to_str().unwrap().to_owned();
    std::fs::write(&there, "").unwrap();
    for (source, moved) in [("b", true), ("gone", true), (there.as_str(), false), ("s3://b/x", false)] {
        let mut baseline = read(&written(&[("x", source)], None), "validate").unwrap();
        let expected = if moved { Match::Elsewhere } else { Match::New };
        assert_eq!(baseline.take(finding("x"), "a", &checked()), expected, "{source}");
        assert_eq!(baseline.take_elsewhere(finding("x"), &checked()), moved, "{source}");
    }
    let huge =
        written(&[("x", "a"), ("x", "b")], None).replace("\"count\":1", &format!("\"count\":{}", u64::MAX));
    assert_eq!(read(&huge, "validate").unwrap().left(&checked()), u64::MAX);
}

#[test]
fn what_other_commands_know_stays() {
    let text = written(&[("x", "a")], None).replace("\"validate\"", "\"test\"");
    let known = read(&text, "validate").unwrap();
    assert_eq!(known.left(&checked()), 0);
    let both = written(&[("y", "a")], Some(&known));
    assert_eq!(read(&both, "test").unwrap().left(&checked()), 1);
    assert_eq!(read(&both, "validate").unwrap().left(&checked()), 1);
    assert_eq!(both.lines().count(), 4);
}

#[test]
fn what_was_not_looked_at_stays_if_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let [here, gone] = ["here", "gone"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    std::fs::write(&here, "").unwrap();
    let text = written(
        &[
            ("x", &here),
            ("x", &gone),
            ("x", "a"),
            ("x", "a/in-a-folder"),
            ("x", "a!member"),
            ("x", &format!("{here}!member")),
        ],
        None,
    );
    let known = read(&text, "validate").unwrap();
    assert_eq!(known.left(&checked()), 3);
    let text = written(&[("y", "b")], Some(&known));
    let sources: Vec<String> =
        read(&text, "validate").unwrap().entries.into_iter().map(|entry| entry.source).collect();
    let member = format!("{here}!member");
    assert_eq!(sources, [here.as_str(), member.as_str(), "b"]);
}

#[test]
fn files_have_one_name_from_every_folder() {
    let here = std::env::current_dir().unwrap();
    let checked = Checked::below(&here.join("a/../b"));
    for (source, name) in [
        ("b/c", "c".to_owned()),
        ("./b/./x/../c", "c".to_owned()),
        (here.join("b/c").to_str().unwrap(), "c".to_owned()),
        ("b", String::new()),
        ("bc", here.join("bc").to_str().unwrap().to_owned()),
        ("s3://bucket/./c", "s3://bucket/./c".to_owned()),
        ("-", "-".to_owned()),
    ] {
        assert_eq!(checked.name(source), name, "{source}");
    }
}

#[test]
fn what_is_no_baseline_is_refused() {
    let good = written(&[("x", "a")], None);
    for wrong in [
        String::new(),
        "{}".into(),
        "[]".into(),
        good.replace("\"baseline\": 1", "\"baseline\": 2"),
        good.replace("\"count\":1", "\"count\":-1"),
        good.replace("\"source\"", "\"file\""),
        good.replace(&print("x").to_string(), "12"),
    ] {
        assert!(read(&wrong, "validate").is_err(), "{wrong}");
    }
    let mut writer = BaselineWriter::new();
    writer.missed(1);
    assert!(writer.text("validate", None, &checked()).is_err());
}
