//! Bounded memory and time on hostile events and records, measured.
//!
//! The inputs are a few megabytes; what grows with the square of that, or keeps a copy of it for each finding, takes
//! minutes or gigabytes.

use super::on_disk::{folder, write};
use crate::support::udmap;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Far more than any command takes on an idle machine.
const MOST_TIME: Duration = Duration::from_secs(40);
/// Inputs of 2 to 8 MB, read as a whole and taken apart by two threads.
const MOST_KIB: u64 = 384 * 1024;

/// Runs a command that must end soon, in little memory, with one of these statuses.
#[cfg(target_os = "linux")]
fn runs_in_bounds(what: &str, args: &[&str], statuses: &[i32]) {
    let begun = Instant::now();
    let mut child =
        udmap().args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let status = loop {
        if let Some(status) = child.try_wait().expect("waited") {
            break status;
        }
        if begun.elapsed() > MOST_TIME {
            child.kill().expect("killed");
            panic!("{what}: {args:?} takes too long");
        }
        std::thread::sleep(Duration::from_millis(5));
        let text = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0);
        if kib > MOST_KIB {
            child.kill().expect("killed");
            panic!("{what}: {args:?} takes {kib} KiB");
        }
    };
    assert!(status.code().is_some_and(|code| statuses.contains(&code)), "{what}: {args:?}: {status}");
}

/// So many members `"<prefix><number>":<value>`.
fn members(count: usize, prefix: &str, value: &str) -> String {
    (0..count).map(|n| format!("\"{prefix}{n}\":{value}")).collect::<Vec<_>>().join(",\n")
}

/// `text` under so many objects with keys of this length.
fn nested(depth: usize, length: usize, text: &str) -> String {
    let key = "k".repeat(length);
    format!("{}{text}{}", format!("{{\"{key}\":").repeat(depth), "}".repeat(depth))
}

const HEAD: &str = r#""metadata":{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"STATUS_UPDATE"}"#;

/// Events that are hostile, and the same otherwise.
fn events() -> Vec<(&'static str, String, String)> {
    let event = |members: &str| format!("{{{HEAD},{members}}}");
    let list = |elements: &mut dyn Iterator<Item = usize>| {
        elements.map(|n| format!("\"x{n}\"")).collect::<Vec<_>>().join(",\n")
    };
    let n = 120_000;
    let digits = "9".repeat(1_000_000);
    vec![
        ("unknown names", event(&members(n, "a", "1")), event(&members(n, "a", "2"))),
        (
            "findings in one list",
            event(&format!(r#""principal":{{"ip":[{}]}}"#, list(&mut (0..n)))),
            event(&format!(r#""principal":{{"ip":[{}]}}"#, list(&mut (0..n).rev()))),
        ),
        (
            "one name again and again",
            event(&format!(r#""principal":{{{}}}"#, vec!["\"hostname\":\"x\""; n].join(",\n"))),
            event(&format!(r#""principal":{{{}}}"#, vec!["\"hostnam\":\"y\""; n].join(",\n"))),
        ),
        (
            "names of any content, twice",
            event(&format!(r#""additional":{{{},{}}}"#, members(n / 2, "a", "1"), members(n / 2, "a", "2"))),
            event(&format!(r#""additional":{{{},{}}}"#, members(n / 2, "a", "3"), members(n / 2, "b", "2"))),
        ),
        (
            "much below a long name",
            event(&format!(
                "\"additional\":{}",
                nested(1, 1 << 20, &format!("{{{}}}", members(n, "a", "1e999")))
            )),
            event(&format!(
                "\"additional\":{}",
                nested(1, 1 << 20, &format!("{{{}}}", members(n, "a", "2")))
            )),
        ),
        (
            "much below many names",
            event(&format!(
                "\"additional\":{}",
                nested(100, 1000, &format!("{{{}}}", members(n, "a", "1e999")))
            )),
            event(&format!("\"additional\":{}", nested(100, 1000, &format!("{{{}}}", members(n, "a", "2"))))),
        ),
        (
            "events in one value",
            format!("[{}]", vec!["{}"; n].join(",\n")),
            format!("[{}]", vec!["{\"a\":1}"; n].join(",\n")),
        ),
        (
            "no events in one value",
            format!("[{}]", vec!["1"; n].join(",\n")),
            format!("[{}]", vec!["2"; n].join(",\n")),
        ),
        (
            "long values",
            event(&format!(
                r#""principal":{{"ip":["{digits}"],"port":{digits},"hostname":"{digits}"}},"x{digits}":-{digits}.{digits}e{digits}"#
            )),
            format!(r#"{{"metadata":{{"event_type":"{digits}","event_timestamp":"{digits}"}}}}"#),
        ),
        (
            "long values, most alike first",
            (0..60)
                .map(|n| event(&format!(r#""additional":{{"n":{n},"x":"{}"}}"#, "x".repeat(50_000))) + "\n")
                .collect(),
            (0..60)
                .map(|n| event(&format!(r#""additional":{{"n":{n},"x":"{}"}}"#, "y".repeat(50_000))) + "\n")
                .collect(),
        ),
    ]
}

#[test]
#[cfg(target_os = "linux")]
fn events_are_checked_in_bounded_memory_and_time() {
    let files = folder(&[]);
    let file = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    let (a, b, report) = (file("a"), file("b"), file("report"));
    for (what, one, other) in events() {
        write(files.path(), "a", &one);
        write(files.path(), "b", &other);
        let reports = format!("sarif={report},junit={report}.xml,markdown={report}.md");
        runs_in_bounds(what, &["validate", &a, "--threads", "2", "--report", &reports], &[0, 1]);
        runs_in_bounds(
            what,
            &["diff", &a, &b, "--threads", "2", "--report", &format!("json={report}")],
            &[1],
        );
        runs_in_bounds(
            what,
            &["diff", &a, &b, "--threads", "2", "--set", "all", "--ignore", "principal.port", "-q"],
            &[0, 1],
        );
    }
}

/// What `test` reads is compared in memory.
#[test]
#[cfg(target_os = "linux")]
fn cases_are_compared_in_bounded_memory_and_time() {
    let log: String = (0..3_000).map(|n| format!("{{\"timestamp\":{n},\"phone\":\"+1{n}\"}}\n")).collect();
    for (what, events, _) in events().into_iter().take(6) {
        let cases = folder(&[("a/input.ndjson", &log), ("a/events.ndjson", &(events + "\n"))]);
        runs_in_bounds(what, &["test", cases.path().to_str().unwrap(), "-q"], &[1, 2]);
    }
    // A file without end, and YAML that unfolds to one.
    let cases = folder(&[("logs/a.txt", "{}\n")]);
    let bomb: String = (1..40)
        .map(|n| format!("a{n}: &a{n} [*a{0},*a{0},*a{0},*a{0},*a{0},*a{0},*a{0},*a{0}]\n", n - 1))
        .collect();
    write(cases.path(), "events/a.yaml", &format!("a0: &a0 [x,x,x,x]\n{bomb}"));
    runs_in_bounds("a YAML bomb", &["test", cases.path().to_str().unwrap()], &[1, 2]);
    let zeros = zstd::encode_all(std::io::Read::take(std::io::repeat(b' '), 1 << 30), 1).unwrap();
    std::fs::write(cases.path().join("logs/a.txt"), zeros).unwrap();
    write(cases.path(), "events/a.yaml", "");
    runs_in_bounds("a log of a GiB", &["test", cases.path().to_str().unwrap()], &[2]);
    runs_in_bounds("settings without end", &["validate", "--config", "/dev/zero", "/dev/null"], &[2]);
}

#[test]
#[cfg(target_os = "linux")]
fn records_are_looked_at_in_bounded_memory_and_time() {
    let n = 120_000;
    let record = |members: &str| format!("{{\"timestamp\":1700000000,{members}}}\n");
    let long_names = |length: usize, count: usize| -> String {
        (0..count).map(|n| record(&format!("\"{n}{}\":\"v\"", "k".repeat(length)))).collect()
    };
    let files = folder(&[]);
    let (file, page) = (files.path().join("log"), files.path().join("page.html"));
    let (file, page) = (file.to_str().unwrap(), page.to_str().unwrap());
    for (what, log) in [
        ("unknown names", record(&members(n, "a", "1"))),
        ("one name again and again", record(&vec!["\"phone\":\"x\""; n].join(","))),
        ("much in a field that is read", record(&format!("\"phone\":{{{}}}", members(n, "a", "1")))),
        (
            "much below a long name",
            record(&format!("\"x\":{}", nested(1, 1 << 20, &format!("{{{}}}", members(n, "a", "1"))))),
        ),
        (
            "much below many names",
            record(&format!("\"x\":{}", nested(100, 1000, &format!("{{{}}}", members(n, "a", "1"))))),
        ),
        ("long names", long_names(100_000, 300)),
        ("names that are just short enough", long_names(900, 4_000)),
        (
            "long values of mapped fields",
            (0..100).map(|n| record(&format!("\"phone\":\"{n}{}\"", "9".repeat(100_000)))).collect(),
        ),
        ("records in one value", format!("[{}]", vec!["{}"; n].join(",\n"))),
    ] {
        write(files.path(), "log", &log);
        runs_in_bounds(what, &["profile", file, "--threads", "2", "--html", page], &[0]);
        runs_in_bounds(what, &["explain", file], &[0, 1]);
        runs_in_bounds(what, &["explain", file, "--html", page], &[0, 1]);
    }
}
