//! Inputs that overlap: each object once.

use super::{Service, answer, convert, entry, listing, object};
use crate::dump::{finish, log};
use crate::support::udmap;
use std::path::Path;

/// Converts inputs of a folder into an output for each, and into one output: how many were converted.
fn both(folder: &Path, inputs: &[&str], more: &[&str]) -> (u64, u64) {
    let inputs: Vec<String> = inputs.iter().map(|name| format!("{}/{name}", folder.display())).collect();
    let summary = |output: String| {
        let path = tempfile::NamedTempFile::new().expect("a file").into_temp_path();
        let is_dump = output.ends_with('/');
        let more = if is_dump { more } else { &[] };
        let run = finish(
            udmap().arg("convert").args(&inputs).arg("-o").arg(output).args(more).arg("--summary").arg(&path),
        );
        assert_eq!(run.status, 0, "{}", run.stderr);
        let text = std::fs::read(&path).expect("a summary");
        let json: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        json["records"].as_u64().or_else(|| json["counts"]["records"].as_u64()).expect("a count")
    };
    let out = tempfile::tempdir().expect("a folder");
    (
        summary(format!("{}/out/", out.path().display())),
        summary(format!("{}/out.ndjson", out.path().display())),
    )
}

#[cfg(unix)]
#[test]
fn files_of_overlapping_folders_patterns_and_links_come_once() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    for (n, name) in ["in/a", "in/sub/b", "in/sub/deep/c", "other/d"].into_iter().enumerate() {
        std::fs::create_dir_all(at(name).parent().expect("a folder")).expect("made");
        std::fs::write(at(name), log(n as u64, 10)).expect("written");
    }
    // Inputs, and how many of the four files they name.
    let table: &[(&[&str], u64)] = &[
        (&["in", "in/sub"], 3),
        (&["in/sub", "in"], 3),
        (&["in/sub/", "./in/", "in/../in"], 3),
        (&["in", "in/a", "in/./a"], 3),
        (&["in/*", "in/sub"], 3),
        (&["in/sub/deep", "in/sub", "in"], 3),
        (&["", "in"], 4),
    ];
    for (inputs, files) in table {
        assert_eq!(both(folder.path(), inputs, &[]), (files * 10, files * 10), "{inputs:?}");
    }
    symlink(at("in/sub"), at("in/again")).expect("linked");
    symlink(at("in/a"), at("in/0latest")).expect("linked");
    symlink(at("other"), at("in/x1")).expect("linked");
    symlink(at("other/d"), at("in/x2")).expect("linked");
    for (inputs, files) in [
        (&["in"] as &[&str], 4),
        (&["in", "other"], 4),
        (&["in/x1", "in/x2"], 1),
        (&["in/0latest", "in/a"], 1),
    ] {
        assert_eq!(both(folder.path(), inputs, &[]), (files * 10, files * 10), "{inputs:?}");
    }
    // What the input before it does not want is not taken for its.
    let (wanted, _) = both(folder.path(), &["in/sub", "in/sub/deep"], &["--include", "c"]);
    assert_eq!(wanted, 10);
    let (link, _) = both(folder.path(), &["in"], &["--include", "0*"]);
    assert_eq!(link, 10, "a link whose file is not wanted under its own name");
}

#[test]
fn objects_of_overlapping_prefixes_come_once() {
    let service = Service::start(|asked| {
        if asked.is_listing() {
            let all = [entry("p/a", "9"), entry("p/x/b", "9"), entry("p/x/c", "9")];
            let from = if asked.target.contains("prefix=p%2Fx%2F") { 1 } else { 0 };
            return answer(200, "", listing(&all[from..].concat()));
        }
        match asked.target.trim_start_matches("/b/") {
            "p" | "p/x" => answer(404, "", ""),
            key => object(asked, key, &log(1, 5)),
        }
    });
    for inputs in [
        &["s3://b/p/", "s3://b/p/x/"] as &[&str],
        &["s3://b/p/x/", "s3://b/p/"],
        &["s3://b/p", "s3://b/p/x"],
        &["s3://b/p/", "s3://b/p/x/b", "s3a://b/p/x/"],
        &["s3://b/p/x/b", "s3://b/p/", "s3://b/p/"],
    ] {
        let (run, _folder) = convert(&service.endpoint, inputs, |_| ());
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert!(run.stderr.contains("3 listed, 3 converted"), "{inputs:?}: {}", run.stderr);
    }
}
