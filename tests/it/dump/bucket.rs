//! Buckets of a real S3 server: keys, large objects, mixed places, two runs at once.

use super::{events, files, finish, gunzip, gzip, log, manifest, outputs, sha256};
use crate::s3::S3;
use std::collections::BTreeSet;

#[test]
fn keys_of_every_kind() {
    let Some(s3) = S3::start() else { return };
    let long = format!("in/{}", "é/".repeat(340));
    let long = format!("{long}{}", "x".repeat(1024 - long.len()));
    let keys = [
        "in/plain.ndjson",
        "in/with space /and  two",
        "in/ü/日本/🦀.gz",
        "in/a#b?c&d=e+f",
        "in/50%/%2F%2e",
        "in/..a../b..",
        "in/x<y>&\"z'",
        "in/~!$()*,;:@=[]{}|^`\\",
        // What HTTP clients like to tidy away.
        "in/a/../b",
        "in/./a//b/..",
        "in/end/",
        " in/ /in",
        &long,
    ];
    for (n, key) in keys.iter().enumerate() {
        s3.put("logs", key, &log(n as u64, 5));
    }
    // What stands for folders is no input.
    s3.put("logs", "in/", b"");
    s3.put("logs", "in/ü/", b"");
    s3.put("logs", "inner", b"another prefix");
    let convert = || finish(s3.udmap().args(["convert", "s3://logs/in/", "-o", "s3://udm/out/"]));
    let done = convert();
    assert_eq!(done.status, 0, "{}", done.stderr);
    assert!(done.stderr.contains("12 listed, 12 converted\n"), "{}", done.stderr);
    let all = s3.all("udm");
    let lines = manifest(&all);
    assert_eq!((lines.len(), outputs(&all).len()), (12, 12));
    for (n, key) in keys.iter().enumerate().filter(|(_, key)| key.starts_with("in/")) {
        let line = lines.iter().find(|line| line["input"] == format!("s3://logs/{key}")).expect(key);
        assert_eq!(line["sha256"], sha256(&log(n as u64, 5)));
        let output = &line["outputs"][0];
        let output_key = output["key"].as_str().expect("a key");
        assert!(output_key.len() <= 1024 && output["url"] == format!("s3://udm/{output_key}"));
        assert!(gunzip(&all[output_key]) == events(&log(n as u64, 5)), "{key}");
    }
    let again = convert();
    assert!(again.stderr.contains("0 converted, 12 done before"), "{}", again.stderr);
    assert!(s3.all("udm") == all, "nothing was written");
    // To files and back: the same events.
    let folder = tempfile::tempdir().expect("a folder");
    let local = format!("{}/", folder.path().display());
    let down = finish(s3.udmap().args(["convert", "s3://logs/in/", "-o", &local, "-q"]));
    assert_eq!(down.status, 0, "{}", down.stderr);
    let texts = |all: &crate::s3::Objects| outputs(all).values().cloned().collect::<BTreeSet<_>>();
    assert_eq!(texts(&files(folder.path())), texts(&all));
    let up = format!("file://{}/", folder.path().display());
    let up = finish(s3.udmap().args(["convert", &up, "-o", "s3://udm/up", "--exclude", "manifest/*", "-q"]));
    assert_eq!(up.status, 1, "events are no records: {}", up.stderr);
    let one =
        finish(s3.udmap().args(["convert", "s3://logs/in/plain.ndjson", "-o", "s3://udm/one/", "--dry-run"]));
    assert!(one.stderr.contains("would convert 1 object"), "{}", one.stderr);
}

#[test]
fn packs_deletions_and_folders_left_empty() {
    let Some(s3) = S3::start() else { return };
    for n in 0..40 {
        s3.put("logs", &format!("in/{}/{n:02}.gz", n % 3), &gzip(&log(n, 8)));
    }
    s3.put("logs", "in/0/bad", b"{}\n");
    for marker in ["in/", "in/0/", "in/1/", "in/2/", "in/2/none/"] {
        s3.put("logs", marker, b"");
    }
    let convert =
        |more: &[&str]| finish(s3.udmap().args(["convert", "s3://logs/in/", "-o", "s3://udm/"]).args(more));
    let done = convert(&["--pack", "4kB", "--after-success", "delete-empty", "--max-rejects", "1"]);
    assert_eq!(done.status, 0, "{}", done.stderr);
    assert!(done.stderr.contains("40 deleted, 1 kept after all"), "{}", done.stderr);
    let left: Vec<String> = s3.all("logs").into_keys().collect();
    assert_eq!(left, ["in/", "in/0/", "in/0/bad"], "what has a reject that is not kept stays");
    let all = s3.all("udm");
    let lines = manifest(&all);
    assert_eq!(lines.len(), 41);
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for line in &lines {
        let output = &line["outputs"][0];
        let pack = gunzip(&all[output["key"].as_str().expect("a key")]);
        let number = |key: &str| usize::try_from(output[key].as_u64().expect("a number")).expect("fits");
        parts.push(pack[number("offset")..number("offset") + number("length")].to_vec());
    }
    let want: BTreeSet<Vec<u8>> = (0..40).map(|n| events(&log(n, 8))).chain([Vec::new()]).collect();
    assert_eq!(parts.into_iter().collect::<BTreeSet<_>>(), want);
    let verified = finish(s3.udmap().args(["verify", "s3://udm/manifest/"]));
    assert_eq!(verified.status, 0, "{}", verified.stderr);
}

/// An output in several parts, compressed in several blocks, on several threads.
#[test]
fn large_objects_go_in_parts() {
    let Some(s3) = S3::start() else { return };
    let text = log(3, 12_000).repeat(13);
    assert!(text.len() > 32 << 20);
    s3.put("logs", "in/large", &text);
    s3.put("logs", "in/large.gz", &gzip(&text));
    let mut all = Vec::new();
    for (out, threads) in [("one/", "1"), ("three/", "3")] {
        let done = finish(s3.udmap().args([
            "convert",
            "s3://logs/in/",
            "-o",
            &format!("s3://udm/{out}"),
            "--compress",
            "none",
            "--threads",
            threads,
        ]));
        assert_eq!(done.status, 0, "{}", done.stderr);
        let objects = outputs(&s3.all("udm"));
        all.push(
            objects
                .into_iter()
                .filter_map(|(k, v)| Some((k.strip_prefix(out)?.to_owned(), v)))
                .collect::<Vec<_>>(),
        );
    }
    assert!(all[0] == all[1]);
    let want = events(&text);
    assert!(all[0].len() == 2 && all[0].iter().all(|(_, bytes)| *bytes == want));
    let verified =
        finish(s3.udmap().args(["verify", "s3://udm/one/manifest/", "--deep", "--compress", "none"]));
    assert_eq!(verified.status, 0, "{}", verified.stderr);
}

#[test]
fn two_runs_at_once_make_the_same() {
    let Some(s3) = S3::start() else { return };
    for n in 0..150 {
        s3.put("logs", &format!("in/{n:03}.gz"), &gzip(&log(n, 10)));
    }
    s3.put("logs", "in/large.gz", &gzip(&log(3, 40_000)));
    let start = |more: &[&str]| {
        let mut command = s3.udmap();
        command.args(["convert", "s3://logs/in/", "-o", "s3://udm/", "--compress", "none"]).args(more);
        command.stderr(std::process::Stdio::piped()).spawn().expect("the command starts")
    };
    for after in ["keep", "delete"] {
        let both = [start(&["--after-success", after]), start(&["--after-success", after])];
        for child in both {
            let output = child.wait_with_output().expect("ended");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let all = s3.all("udm");
        let made = outputs(&all);
        assert_eq!(made.len(), 151);
        let want: BTreeSet<Vec<u8>> =
            (0..150).map(|n| events(&log(n, 10))).chain([events(&log(3, 40_000))]).collect();
        assert!(made.into_values().collect::<BTreeSet<_>>() == want);
        let named: BTreeSet<String> = manifest(&all).iter().map(|line| line["input"].to_string()).collect();
        assert_eq!(named.len(), 151);
    }
    assert!(s3.all("logs").is_empty());
}
