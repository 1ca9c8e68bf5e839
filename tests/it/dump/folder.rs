//! Folders: the same way as buckets, without a server.

use super::{events, files, finish, gunzip, gzip, log, manifest, outputs, sha256};
use crate::support::{run, udmap};
use std::path::Path;

/// Ten logs, one of them with a reject, one empty, and one in a format of its own.
fn logs(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut logs: Vec<(String, Vec<u8>)> =
        (0..7).map(|n| (format!("2026/{n:02}/log {n}.ndjson.gz"), log(n, 20 + n * 7))).collect();
    logs.push(("bad#%.json".into(), b"{\"x\":1}\n".to_vec()));
    logs.push(("2026/empty".into(), Vec::new()));
    logs.push(("ü/z.zst".into(), log(99, 50)));
    for (name, text) in &logs {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        let bytes = match name.rsplit('.').next() {
            Some("gz") => gzip(text),
            Some("zst") => zstd::encode_all(&text[..], 1).expect("compressed"),
            _ => text.clone(),
        };
        std::fs::write(path, bytes).expect("written");
    }
    logs
}

#[test]
fn an_output_for_each_input_with_a_manifest() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let logs = logs(&at("in"));
    let convert = |more: &[&str]| {
        let mut command = udmap();
        command.arg("convert").arg(at("in")).arg("-o").arg(at("out")).arg("--rejects").arg(at("rejects/"));
        // The first run makes the folder: its name says that it is one.
        command.args(["-o", &format!("{}/", at("out").display())].iter().skip(2)).args(more);
        command
    };
    std::fs::create_dir(at("out")).expect("made");
    let first = finish(&mut convert(&["--jobs", "3"]));
    assert_eq!(first.status, 1, "{}", first.stderr);
    assert!(first.stderr.contains("10 listed, 10 converted"), "{}", first.stderr);
    let (out, rejects) = (files(&at("out")), files(&at("rejects")));
    assert_eq!(rejects.len(), 1);
    let (key, reject) = rejects.first_key_value().expect("one");
    assert!(key.starts_with("bad#%.") && key.ends_with(".rejects.ndjson.gz"), "{key}");
    let reject: serde_json::Value = serde_json::from_slice(&gunzip(reject)).expect("a line");
    assert_eq!(reject["reason"], "other-log");
    let lines = manifest(&out);
    assert_eq!((lines.len(), outputs(&out).len()), (10, 10));
    let root = std::fs::canonicalize(folder.path()).expect("real");
    for (name, text) in &logs {
        let path = root.join("in").join(name);
        let line = lines.iter().find(|line| line["input"] == path.to_str().expect("UTF-8")).expect(name);
        let stored = std::fs::read(&path).expect("read");
        assert_eq!((&line["size"], &line["sha256"]), (&stored.len().into(), &sha256(&stored).into()));
        let output = &line["outputs"][0];
        let bytes = &out[output["key"].as_str().expect("a key")];
        assert_eq!((&output["size"], &output["sha256"]), (&bytes.len().into(), &sha256(bytes).into()));
        assert!(gunzip(bytes) == events(text), "{name}");
        let whole = line["records"].as_u64()
            == Some(line["events"].as_u64().unwrap() + line["rejects"].as_u64().unwrap());
        assert!(whole && line["fingerprint"].as_str().is_some_and(|it| it.len() == 32), "{line}");
    }

    // Nothing is done twice, and nothing at all is written.
    let again = finish(&mut convert(&[]));
    assert_eq!(again.status, 1, "there was a reject: {}", again.stderr);
    assert!(again.stderr.contains("0 converted, 10 done before"), "{}", again.stderr);
    assert!(files(&at("out")) == out && files(&at("rejects")) == rejects);

    // What is missing comes back, what changed is made beside it, and only that is done.
    let gone = lines[0]["outputs"][0]["url"].as_str().expect("a name");
    std::fs::remove_file(gone).expect("removed");
    std::fs::write(at("in/2026/empty"), log(1000, 3)).expect("written");
    let third = finish(&mut convert(&["--summary", at("s.json").to_str().expect("UTF-8")]));
    assert!(third.stderr.contains("2 converted, 8 done before"), "{}", third.stderr);
    let now = outputs(&files(&at("out")));
    assert_eq!(now.len(), 11);
    assert!(outputs(&out).iter().all(|(key, bytes)| now[key] == *bytes));
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(at("s.json")).expect("a summary")).expect("JSON");
    assert_eq!((&summary["objects"]["converted"], &summary["objects"]["known"]), (&2.into(), &8.into()));

    // Another mapping's outputs stand beside these.
    let other = finish(&mut convert(&["--namespace", "corp"]));
    assert!(other.stderr.contains("10 converted"), "{}", other.stderr);
    assert_eq!(outputs(&files(&at("out"))).len(), 21);
}

#[test]
fn threads_and_jobs_change_no_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    logs(&at("in"));
    // More than is converted on one thread.
    std::fs::write(at("in/large"), log(5, 12_000).repeat(13)).expect("written");
    assert!(std::fs::metadata(at("in/large")).expect("there").len() > 32 << 20);
    let mut all = Vec::new();
    for (jobs, threads, compress) in
        [("1", "1", "none"), ("4", "3", "none"), ("1", "1", "zstd"), ("3", "4", "zstd")]
    {
        let out = at(&format!("out-{}", all.len()));
        let mut command = udmap();
        command.arg("convert").arg(at("in")).arg("-o").arg(format!("{}/", out.display()));
        let done = finish(command.args(["--jobs", jobs, "--threads", threads, "--compress", compress, "-q"]));
        assert_eq!(done.status, 1, "{}", done.stderr);
        all.push(outputs(&files(&out)));
    }
    assert!(all[0] == all[1] && all[2] == all[3] && all[0].len() == 11);
}

/// An input that can't be read to its end is status 2, for files and for prefixes; rejects alone are 1.
#[test]
fn one_rule_for_what_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::create_dir(at("in")).expect("created");
    std::fs::write(at("in/good"), log(1, 5)).expect("written");
    std::fs::write(at("in/reject"), "{}\n").expect("written");
    for (cut, status) in [(false, 1), (true, 2)] {
        if cut {
            std::fs::write(at("in/cut.gz"), &gzip(&log(7, 100))[..900]).expect("written");
        }
        for out in [at("one.ndjson"), at("each/"), at("packed/")] {
            let pack: &[&str] = if out.ends_with("packed/") { &["--pack", "1MB"] } else { &[] };
            let done = run(&[&["convert", &at("in"), "-o", &out], pack].concat());
            assert_eq!(done.status, status, "{out}: {}", done.stderr);
            assert_eq!(done.stderr.contains("error: "), cut, "{out}: {}", done.stderr);
        }
    }
    let planned = run(&["convert", &at("in"), "-o", &at("each/"), "--dry-run"]);
    assert_eq!(planned.status, 0, "nothing is read: {}", planned.stderr);
}

#[test]
fn packs_say_which_part_came_from_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let logs = logs(&at("in"));
    std::fs::write(at("in/cut.gz"), &gzip(&log(7, 100))[..900]).expect("written");
    let convert = |out: &str| {
        let mut command = udmap();
        command.arg("convert").arg(at("in")).arg("-o").arg(format!("{}/", at(out).display()));
        command.arg("--rejects").arg(format!("{}/", at(&format!("{out}-rejects")).display()));
        finish(command.args(["--pack", "8kB"]))
    };
    let done = convert("out");
    assert_eq!(done.status, 2, "{}", done.stderr);
    assert!(done.stderr.contains("11 listed, 10 converted, 1 failed"), "{}", done.stderr);
    let out = files(&at("out"));
    let packs = outputs(&out);
    assert!((2..8).contains(&packs.len()), "{:?}", packs.keys());
    let root = std::fs::canonicalize(folder.path()).expect("real");
    let lines = manifest(&out);
    assert_eq!(lines.len(), 10);
    let mut rejected = 0;
    for line in &lines {
        let name = line["input"].as_str().expect("a name");
        let (_, text) =
            logs.iter().find(|(log, _)| root.join("in").join(log).to_str() == Some(name)).expect(name);
        for output in line["outputs"].as_array().expect("a list") {
            let of_rejects = output["kind"] == "rejects";
            let folder = if of_rejects { files(&at("out-rejects")) } else { packs.clone() };
            let part = |key: &str| usize::try_from(output[key].as_u64().expect("a number")).expect("fits");
            let pack = gunzip(&folder[output["key"].as_str().expect("a key")]);
            let part = &pack[part("offset")..part("offset") + part("length")];
            if of_rejects {
                rejected += 1;
                assert!(part.starts_with(b"{\"source\":") && part.ends_with(b"}\n"));
            } else {
                assert!(part == events(text), "{name}");
            }
        }
    }
    assert_eq!(rejected, 1);
    // Again: the same packs, but for what failed. One is lost: it comes back with all its parts.
    let first = packs.keys().next().expect("one").clone();
    std::fs::remove_file(at("out").join(&first)).expect("removed");
    let again = convert("out");
    assert!(again.stderr.contains("1 failed") && outputs(&files(&at("out"))) == packs, "{}", again.stderr);
    assert!(convert("out").stderr.contains(" 0 converted, 10 done before"));
    let verified = run(&["verify", at("out/manifest").to_str().expect("UTF-8"), "--deep"]);
    assert_eq!(verified.status, 0, "{}", verified.stderr);
}

#[test]
fn verify_finds_what_differs() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    logs(&folder.path().join("in"));
    let convert = run(&["convert", &at("in"), "-o", &at("out/"), "-q"]);
    assert_eq!(convert.status, 1, "{}", convert.stderr);
    let verify = |more: &[&str]| run(&[&["verify", &at("out/manifest")], more].concat());
    let right = verify(&["--deep"]);
    assert_eq!(right.status, 0, "{}", right.stderr);
    assert!(
        right.stderr.contains("10 outputs are right, 0 wrong; 10 inputs converted again"),
        "{}",
        right.stderr
    );
    let other = verify(&["--deep", "--namespace", "x"]);
    assert_eq!(other.status, 1);
    assert!(other.stderr.contains("10 were converted by another mapping"), "{}", other.stderr);

    // A bit, a byte, and a whole object.
    let lines = manifest(&files(Path::new(&at("out"))));
    let name = |n: usize| lines[n]["outputs"][0]["url"].as_str().expect("a name").to_owned();
    let mut bytes = std::fs::read(name(0)).expect("read");
    *bytes.last_mut().expect("not empty") ^= 1;
    std::fs::write(name(0), bytes).expect("written");
    std::fs::write(name(1), "x").expect("written");
    std::fs::remove_file(name(2)).expect("removed");
    let wrong = verify(&[]);
    assert_eq!(wrong.status, 1);
    for words in
        ["its digest is another one", "it has 1 bytes, not", "it is gone", "7 outputs are right, 3 wrong"]
    {
        assert!(wrong.stderr.contains(words), "{words}: {}", wrong.stderr);
    }
    // What is in the way is never written over, and said.
    let again = run(&["convert", &at("in"), "-o", &at("out/")]);
    assert_eq!(again.status, 2);
    assert!(again.stderr.contains("another object is there"), "{}", again.stderr);
    assert_eq!(std::fs::read(name(1)).expect("read"), b"x");
    let none = run(&["verify", &at("in")]);
    assert_eq!(none.status, 3);
    assert_eq!(run(&["verify", &at("nothing")]).status, 2);
}

#[test]
fn inputs_go_when_everything_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    logs(&folder.path().join("in"));
    // Without `--rejects` the one with a reject stays: it would be lost.
    let run_with = |after: &str, more: &[&str]| {
        run(&[&["convert", &at("in"), "-o", &at("out/"), "--after-success", after], more].concat())
    };
    assert_eq!(run_with("keep", &["-q", "--max-rejects", "1"]).status, 0);
    assert_eq!(files(Path::new(&at("in"))).len(), 10);
    // An output that is not what was written keeps its input.
    let lines = manifest(&files(Path::new(&at("out"))));
    let of_zst =
        lines.iter().find(|line| line["input"].as_str().is_some_and(|it| it.ends_with("z.zst"))).expect("it");
    let output = of_zst["outputs"][0]["url"].as_str().expect("a name");
    let mut bytes = std::fs::read(output).expect("read");
    bytes[20] ^= 1;
    std::fs::write(output, bytes).expect("written");
    let deleted = run_with("delete", &[]);
    assert_eq!(deleted.status, 2, "{}", deleted.stderr);
    assert!(deleted.stderr.contains("8 deleted, 2 kept after all"), "{}", deleted.stderr);
    let left: Vec<String> = files(Path::new(&at("in"))).into_keys().collect();
    assert_eq!(left, ["bad#%.json", "ü/z.zst"]);
    assert!(Path::new(&at("in/2026/03")).is_dir(), "folders stay");
    std::fs::remove_file(output).expect("removed");
    let done = run_with("delete-empty", &["--rejects", &at("rejects/"), "--max-rejects", "1"]);
    assert_eq!(done.status, 0, "{}", done.stderr);
    assert!(std::fs::read_dir(at("in")).expect("it stays").next().is_none());
    assert_eq!(run(&["verify", &at("out/manifest")]).status, 0);
}

#[test]
fn plans_filters_and_wrong_usage() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    logs(&folder.path().join("in"));
    let table: [(&[&str], &str); 6] = [
        (&[], "would convert 10 objects"),
        (&["--include", "*.gz"], "7 listed"),
        (&["--include", "*.gz", "--exclude", "2026/00/*"], "6 listed"),
        (&["--max-age", "1h"], "10 listed"),
        (&["--until", "1h"], "would convert 0 objects"),
        (&["--pack", "1MB"], "outputs    1, about"),
    ];
    for (options, words) in table {
        let planned = run(&[&["convert", &at("in"), "-o", &at("out/"), "--dry-run"], options].concat());
        let nothing = options.contains(&"--until");
        assert_eq!(planned.status, if nothing { 3 } else { 0 }, "{}", planned.stderr);
        assert!(planned.stderr.contains(words), "{options:?}: {}", planned.stderr);
    }
    assert!(!Path::new(&at("out")).exists(), "nothing is written");

    let table: [(&[&str], &str); 8] = [
        (&["-o", &at("x.ndjson"), "--jobs", "2"], "`--jobs` goes with an output for each input"),
        (&["-o", &at("in/")], "both input and output"),
        (&["-o", "s3://b/x.ndjson"], "looks like an object"),
        (&["-o", "ftp://b/x/"], "expected one of: s3, gs, az, or a path; found `ftp://`"),
        (&["-o", "s3://key:secret@b/"], "only a bucket and a key"),
        (&["-o", &at("out/"), "--rejects", &at("rejects.ndjson")], "folder"),
        (&["-o", &at("out/"), "--include", "["], "--include"),
        (&["-o", &at("out/"), "--pack", "0"], "--pack"),
    ];
    for (options, words) in table {
        let wrong = run(&[&["convert", &at("in")], options].concat());
        assert_eq!(wrong.status, 2, "{options:?}");
        assert!(
            wrong.stderr.contains(words) && !wrong.stderr.contains("secret"),
            "{options:?}: {}",
            wrong.stderr
        );
    }
    let nothing = run(&["convert", &at("none"), "-o", &at("out/")]);
    assert_eq!(nothing.status, 2);
    assert!(nothing.stderr.contains("there is nothing named `none`"), "{}", nothing.stderr);

    // Outputs below the input are not inputs.
    let inside =
        || run(&["convert", &at("in"), "-o", &at("in/udm/"), "--max-rejects", "1", "--progress", "json"]);
    let first = inside();
    assert_eq!(first.status, 0, "{}", first.stderr);
    let pace = first.stderr.lines().find(|line| line.starts_with('{')).expect("progress");
    let pace: serde_json::Value = serde_json::from_str(pace).expect("JSON");
    assert_eq!(
        (&pace["objects"], &pace["of_objects"], &pace["listing"]),
        (&10.into(), &10.into(), &false.into())
    );
    let again = inside();
    assert!(
        again.stderr.contains("10 listed, 0 converted, 10 done before, 11 own outputs skipped"),
        "{}",
        again.stderr
    );
}

/// Parquet files, read back by the crate's own reader: the same events in the same order.
#[cfg(feature = "parquet")]
#[test]
fn parquet() {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let logs = logs(&folder.path().join("in"));
    let rows = |bytes: Vec<u8>| -> Vec<u8> {
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).expect("a Parquet file");
        let rows = reader.get_row_iter(None).expect("rows");
        let events = rows.map(|row| row.and_then(|row| Ok(row.get_string(row.len() - 1)?.clone() + "\n")));
        events.map(|event| event.expect("a row")).collect::<String>().into_bytes()
    };
    let input = at(&format!("in/{}", logs[3].0));
    let one = run(&["convert", &input, "-o", &at("one.parquet"), "-q"]);
    assert_eq!(one.status, 0, "{}", one.stderr);
    assert!(rows(std::fs::read(at("one.parquet")).expect("read")) == events(&logs[3].1));

    for (out, more) in [("each/", &[] as &[&str]), ("packed/", &["--pack", "1MB"])] {
        let options =
            ["convert", &at("in"), "-o", &at(out), "--output-format", "parquet", "--max-rejects", "1", "-q"];
        let done = run(&[&options, more].concat());
        assert_eq!(done.status, 0, "{}", done.stderr);
        let all = files(Path::new(&at(out)));
        for line in manifest(&all) {
            let output = &line["outputs"][0];
            let key = output["key"].as_str().expect("a key");
            assert!(key.ends_with(".parquet"), "{key}");
            let rows = rows(all[key].clone());
            let rows: Vec<&[u8]> = rows.split_inclusive(|byte| *byte == b'\n').collect();
            let number = |key: &str| output[key].as_u64().and_then(|n| usize::try_from(n).ok());
            let part = number("offset")
                .map_or(&rows[..], |from| &rows[from..][..number("length").expect("a length")]);
            let name = line["input"].as_str().expect("a name");
            let (_, text) = logs.iter().find(|(log, _)| name.ends_with(&format!("/{log}"))).expect(name);
            assert!(part.concat() == events(text), "{name}");
        }
        let verified =
            run(&["verify", &at(&format!("{out}manifest")), "--deep", "--output-format", "parquet"]);
        assert_eq!(verified.status, 0, "{}", verified.stderr);
    }
}
