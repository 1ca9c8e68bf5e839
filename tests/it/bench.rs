//! `udmap bench`: that it runs, that its numbers fit together, and that it says what they are worth.

use crate::support::{run, run_with};
use serde_json::Value;
use std::fs;
use udmap::lab::{Generator, Mix};

/// A folder with a log in it: plain, and compressed.
fn folder(mix: &str, records: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Generator::records(3, &mix.parse::<Mix>().expect("a mix"), records);
    fs::write(folder.path().join("log"), &log).expect("written");
    fs::write(folder.path().join("log.zst"), zstd::encode_all(&log[..], 1).expect("zstd")).expect("written");
    folder
}

fn json(args: &[&str]) -> Value {
    let run = run(&[&["bench", "--json", "--runs", "3"], args].concat());
    assert_eq!(run.status, 0, "{args:?}: {}", run.stderr);
    serde_json::from_str(&run.stdout).expect(&run.stdout)
}

fn number(value: &Value, path: &str) -> f64 {
    value.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} in {value}"))
}

/// `a` is `b`, but for rounding.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * b.abs()
}

/// Holds a row of the JSON against the input's counts.
fn check_row(row: &Value, input: &Value, threads: f64) {
    assert_eq!(number(row, "/threads"), threads);
    let [median, min, max] = ["median", "min", "max"].map(|name| number(row, &format!("/seconds/{name}")));
    assert!(0.0 < min && min <= median && median <= max, "{row}");
    assert!(same(number(row, "/records_per_second") * number(row, "/ns_per_record"), 1e9), "{row}");
    for (rate, amount) in [
        ("/records_per_second", "/records"),
        ("/mb_per_second_in", "/bytes_in"),
        ("/mb_per_second_out", "/bytes_out"),
    ] {
        let scale = if amount == "/records" { 1.0 } else { 1e6 };
        assert!(same(number(row, rate) * scale * median, number(input, amount)), "{rate} in {row}");
    }
}

#[test]
fn the_numbers_fit_together() {
    let folder = folder("v1,v2,awkward,broken=1", 2000);
    for (name, compressions) in [("log", serde_json::json!([])), ("log.zst", serde_json::json!(["zstd"]))] {
        let path = folder.path().join(name);
        let bench = json(&[path.to_str().expect("UTF-8"), "--threads", "2,1,2", "--engine", "portable"]);
        assert_eq!(bench["mapping"], "duo_telephony");
        assert_eq!(bench["engine"], "portable");
        assert!(bench["cpu"].is_string() && number(&bench, "/cores") >= 1.0);
        assert_eq!((number(&bench, "/runs"), bench["input"]["compressions"].clone()), (3.0, compressions));
        let input = &bench["input"];
        assert_eq!(number(input, "/records"), 2000.0);
        assert_eq!(number(input, "/records"), number(input, "/events") + number(input, "/rejects"));
        assert!(number(input, "/rejects") > 100.0 && input["mostly_rejects"] == false);
        let plain = fs::metadata(folder.path().join("log")).expect("the log").len();
        assert_eq!(number(input, "/bytes_in"), plain as f64, "{name} is counted decompressed");

        let memory = bench["memory"].as_array().expect("memory");
        let files = bench["files"]["rows"].as_array().expect("files");
        assert_eq!((memory.len(), files.len()), (2, 2));
        for (threads, (row, file)) in [1.0, 2.0].into_iter().zip(memory.iter().zip(files)) {
            check_row(row, input, threads);
            check_row(file, input, threads);
            let (bound, taken) = (number(row, "/bound/seconds/median"), number(row, "/seconds/median"));
            assert!(same(number(row, "/bound/share"), bound / taken), "{row}");
            assert!(same(number(row, "/bound/mb_per_second_in") * bound * 1e6, plain as f64), "{row}");
            let one = number(&memory[0], "/seconds/median");
            assert!(same(number(row, "/speedup"), one / taken), "{row}");
        }
        assert!(number(&bench, "/files/reading/mb_per_second_in") > 0.0);
    }
}

#[test]
fn without_files_it_measures_synthetic_logs_and_says_which() {
    let bench = json(&["--megabytes", "1", "--threads", "2"]);
    assert_eq!(bench["input"]["synthetic"]["mix"], "v2=70,v1=25,awkward=5");
    assert_eq!(bench["files"], Value::Null);
    assert_eq!(bench["memory"][0]["speedup"], Value::Null, "one thread was not measured");
    let size = number(&bench, "/input/bytes_in");
    assert!((1e6..1.01e6).contains(&size), "{size}");
    let seed = number(&bench, "/input/synthetic/seed");
    // The seed gives the same logs to whoever wants to have them as a file.
    let records = number(&bench, "/input/records").to_string();
    let log = run(&["generate", "--seed", &seed.to_string(), "--records", &records]).stdout;
    assert_eq!(log.len() as f64, size);
}

/// `arguments | stdin -> exit status, words on stdout or stderr`.
#[test]
fn what_it_says() {
    let folder = folder("broken", 300);
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    fs::write(at("empty"), "").expect("written");
    fs::write(at("blank"), "\n\n").expect("written");
    fs::write(at("damaged"), &fs::read(at("log.zst")).expect("zstd")[..1000]).expect("written");
    let good = Generator::records(1, &Mix::default(), 6000);
    let fast = ["--runs", "1", "--threads", "1"];
    type Case<'a> = (&'a [&'a str], &'a [u8], i32, &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        (
            &[&at("log")],
            b"",
            0,
            &["most records are rejects", "rejects    100.0%: ", "from files", "reading alone"],
        ),
        (&[&at("log.zst")], b"", 0, &["(zstd)", "decompressed", "reading and decompressing alone"]),
        (
            &["-"],
            &good,
            0,
            &["in memory", "of bound", "6,000 records -> 6,000 events, 0 rejects", "is small"],
        ),
        (&["-", "--megabytes", "1"], &good, 0, &["only the first 999.8 kB: `--megabytes`", "4,558 records"]),
        (&[&at("empty")], b"", 3, &["nothing to measure", "empty`"]),
        (&["-"], b"", 3, &["nothing to measure", "`-`"]),
        (&[&at("blank")], b"", 3, &["not one record in `", "blank`"]),
        (&[&at("damaged")], b"", 2, &["damaged", "zstd stream is corrupt"]),
        (&["no/such/file"], b"", 2, &["no/such/file"]),
        (&["--mapping", "duo_telefony"], b"", 2, &["did you mean `duo_telephony`?"]),
    ];
    for (args, stdin, status, words) in cases {
        let run = run_with(stdin, &[&["bench"], &fast[..], args].concat());
        assert_eq!(run.status, *status, "{args:?}: {}", run.stderr);
        for word in *words {
            assert!(format!("{}{}", run.stdout, run.stderr).contains(word), "{args:?} says {word}: {run:?}");
        }
        assert!(!run.stdout.contains('\u{1b}') && run.stdout.is_empty() == (*status >= 2), "{run:?}");
    }
}

/// `arguments -> words on stderr`, with status 2.
#[test]
fn bad_usage_is_refused() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["--runs", "4"], &["`--runs 4` is even", "odd number"]),
        (&["--runs", "0"], &["--runs"]),
        (&["--runs", "3", "--seconds", "1"], &["--runs", "--seconds", "cannot be used with"]),
        (&["--threads", "1,0"], &["--threads"]),
        (&["--threads", ""], &["--threads"]),
        (&["--megabytes", "0"], &["--megabytes"]),
        (&["--engine", "warp"], &["warp", "portable"]),
    ];
    for (args, words) in cases {
        let run = run(&[&["bench"], *args].concat());
        assert_eq!(run.status, 2, "{args:?}: {}", run.stdout);
        for word in *words {
            assert!(run.stderr.contains(word), "{args:?} says {word}: {}", run.stderr);
        }
    }
}
