//! The programs in `examples/` run, and say what the library's documentation promises.

use crate::support::{Run, project};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the examples (`cargo test` has done so, `cargo test --test it` has not), and says where they are.
fn folder() -> PathBuf {
    let profile = Path::new(env!("CARGO_BIN_EXE_udmap")).parent().expect("a folder");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(project("")).args(["build", "--quiet", "--offline", "--examples"]);
    cargo.arg("--target-dir").arg(profile.parent().expect("a folder"));
    if cfg!(feature = "lambda") {
        cargo.args(["--features", "lambda"]);
    }
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let built = Run::of(&cargo.output().expect("cargo starts"));
    assert_eq!(built.status, 0, "{}", built.stderr);
    profile.join("examples")
}

#[test]
fn every_example_runs_and_says_what_it_should() {
    let says: [(&str, &[&str]); 5] = [
        (
            "record",
            &["\"event_timestamp\":\"2023-03-21T22:34:49.466370Z\"", "no-timestamp: no time in `timestamp`"],
        ),
        ("reader", &["\"product_event_type\":\"verify\"", "rejected: line 12: no-timestamp"]),
        (
            "all_cores",
            &["input.ndjson: line 12: ", "no-such-file can't be read: ", "14 records, 12 events, 2 rejects"],
        ),
        ("own_table", &["\"location\":{\"name\":\"Acme\"}", "has no field `nam`", "acme.toml:7:7"]),
        (
            "validate",
            &["event 2: invalid-timestamp: metadata.event_timestamp", "event 2: list-expected", "2 events"],
        ),
    ];
    let folder = folder();
    let mut there: Vec<String> = crate::support::names(&project("examples"));
    there.retain(|name| !says.iter().any(|(example, _)| *name == format!("{example}.rs")));
    assert!(there.is_empty(), "no test runs {there:?}");
    for (example, words) in says {
        let run =
            Run::of(&Command::new(folder.join(example)).current_dir(project("")).output().expect(example));
        assert_eq!(run.status, 0, "{example}: {}", run.stderr);
        for word in words {
            assert!(run.stdout.contains(word), "{example} says {}, not {word}", run.stdout);
        }
    }
}
