//! tar archives in commands that read a place twice, or a line.

use super::{LOG, log_events, tar};
use crate::dump::gzip;
use crate::support::{json_lines, run, run_with};
use std::fs;

#[test]
fn diff_reads_archives_and_names_members() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let line = |n: usize| log_events().lines().nth(n).unwrap().to_owned() + "\n";
    let filler = line(0).replace("+15555550100", "+19999999999").repeat(300);
    let other = line(1).replace("+15555550101", "+17777770101");
    let a = [("x.ndjson", line(0)), ("deep/y.ndjson", filler.clone() + &line(1)), ("z", line(0))];
    let b = [("deep/y.ndjson", filler + &other), ("q", line(0)), ("r", line(0))];
    let archive =
        |files: &[(&str, String); 3]| tar(&files.each_ref().map(|(name, text)| (*name, text.as_bytes())));
    fs::write(at("a.tar"), archive(&a)).unwrap();
    fs::write(at("b.tar.gz"), gzip(&archive(&b))).unwrap();
    fs::write(at("plain"), line(0) + &line(0)).unwrap();
    let report = |a: &str, b: &str, stdin: &[u8]| {
        let run = run_with(stdin, &["diff", a, b, "--report", "json=-"]);
        assert!(run.status < 2, "{}", run.stderr);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        (run.status, report)
    };
    let (status, found) = report(&at("a.tar"), &at("b.tar.gz"), b"");
    assert_eq!((status, found["findings"].as_array().unwrap().is_empty()), (1, false));
    let text = found.to_string();
    assert!(
        text.contains("a.tar!deep/y.ndjson:301") && text.contains("b.tar.gz!deep/y.ndjson:301"),
        "{text}"
    );
    for finding in found["findings"].as_array().unwrap() {
        assert_eq!(finding["code"], "changed", "{finding}");
    }
    // The same, through stdin.
    let (_, piped) = report("-", &at("b.tar.gz"), &fs::read(at("a.tar")).unwrap());
    assert_eq!(piped["counts"], found["counts"]);
    assert!(piped.to_string().contains("-!deep/y.ndjson:301"), "{piped}");
    assert_eq!(report(&at("a.tar"), &at("a.tar"), b"").0, 0);
    assert_eq!(report(&at("plain"), "-", &tar(&[("1", line(0).as_bytes()), ("2", line(0).as_bytes())])).0, 0);
    // Next to other inputs, whose texts have other numbers.
    fs::create_dir(at("both")).unwrap();
    for (name, from) in [("both/1", "plain"), ("both/2.tar", "a.tar"), ("both/3", "plain")] {
        fs::copy(at(from), at(name)).unwrap();
    }
    let (_, more) = report(&at("both"), &at("b.tar.gz"), b"");
    assert!(more.to_string().contains("both/2.tar!deep/y.ndjson:301"), "{more}");
}

#[cfg(unix)]
#[test]
fn diff_reads_pipes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    fs::write(&file, log_events()).unwrap();
    let script =
        r#"diff="$1"; "$0" diff <(cat "$diff") <(sed s/+1555555/+1666666/ "$diff"); echo "status $?""#;
    let output = std::process::Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_udmap"), file.to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("status 1") && said.contains("userid"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn explain_names_members_and_takes_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let swapped: String = LOG.lines().rev().map(|line| format!("{line}\n")).collect();
    let two = tar(&[("a.ndjson", LOG.as_bytes()), ("d/b!.ndjson", swapped.as_bytes())]);
    fs::write(at("two.tar.gz"), gzip(&two)).unwrap();
    fs::write(at("one.tar"), tar(&[("a.ndjson", LOG.as_bytes())])).unwrap();
    fs::write(at("odd!name:2"), LOG).unwrap();
    let explain = |input: &str| {
        let run = run_with(&two, &["explain", "--json", "--", &input.replace('@', &at(""))]);
        let records = json_lines(&run.stdout);
        let shown = |record: &serde_json::Value| {
            let id = record["event"]["principal"]["user"]["userid"].as_str().unwrap_or("?");
            let id = if id.ends_with("100") { "a" } else { "b" };
            format!("{}:{} {id}", record["source"].as_str().unwrap().replace(&at(""), "@"), record["line"])
        };
        (run.status, records.iter().map(shown).collect::<Vec<_>>().join(", "), run.stderr)
    };
    let ids = |text: &str| text.to_owned();
    let table = [
        (
            "@two.tar.gz",
            "@two.tar.gz!a.ndjson:1 a, @two.tar.gz!a.ndjson:2 b, @two.tar.gz!d/b!.ndjson:1 b, @two.tar.gz!d/b!.ndjson:2 a",
        ),
        ("@two.tar.gz!d/b!.ndjson", "@two.tar.gz!d/b!.ndjson:1 b, @two.tar.gz!d/b!.ndjson:2 a"),
        ("@two.tar.gz!d/b!.ndjson:2", "@two.tar.gz!d/b!.ndjson:2 a"),
        ("@two.tar.gz!a.ndjson:2", "@two.tar.gz!a.ndjson:2 b"),
        ("@one.tar:2", "@one.tar!a.ndjson:2 b"),
        ("-!a.ndjson:1", "-!a.ndjson:1 a"),
        ("@odd!name:2", "@odd!name:2:1 a, @odd!name:2:2 b"),
        ("@odd!name:2:2", "@odd!name:2:2 b"),
    ];
    for (input, records) in table {
        let (status, got, said) = explain(input);
        assert_eq!((status, got), (0, ids(records)), "{input}: {said}");
    }
    for (input, says) in [
        ("@two.tar.gz:1", "holds several files; name one: `"),
        ("@two.tar.gz!none", "there is no `"),
        ("@one.tar!a.ndjson:9", "no record begins at line 9"),
        ("@one.tar!a.ndjson:0", "lines count from 1"),
        ("@odd!name:2!x:1", "there is no `"),
        ("@none.tar!a:3", "no such file"),
    ] {
        let (status, _, said) = explain(input);
        assert_eq!(status, 2, "{input}: {said}");
        assert!(said.contains(says), "{input}: {said}");
    }
    // Several inputs, and a folder.
    let both = run(&["explain", &at("one.tar"), &at("odd!name:2:1"), "--json"]);
    assert_eq!((both.status, both.stdout.lines().count()), (0, 3), "{}", both.stderr);
    let all = run(&["explain", &at(""), "--json", "--max-records", "5"]);
    assert_eq!((all.status, all.stdout.lines().count()), (0, 5), "{}", all.stderr);
    assert!(all.stderr.contains("only the first 5 records"), "{}", all.stderr);
}

#[test]
fn bench_reads_members() {
    let archive = tar(&[("a", LOG.as_bytes()), ("b.gz", &gzip(LOG.as_bytes()))]);
    let run = run_with(&archive, &["bench", "-", "--runs", "1", "--threads", "1", "--json"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["input"]["events"], 4, "{report}");
    assert_eq!(report["input"]["names"], serde_json::json!(["-!a", "-!b.gz"]), "{report}");
}
