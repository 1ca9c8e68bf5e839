//! The collector is killed at random moments while the service fails now and then: every record is
//! delivered, once.
//!
//! UDMAP_COLLECT_RECORDS (50,000) and UDMAP_COLLECT_KILLS (40) make it larger; with
//! `--nocapture` it says what it cost.

use super::duo::{Cursor, Duo, End, Fault, Form, Record, Switches, record, record_of};
use super::http::{Server, bare, lines, no_secret};
use crate::support::Random;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// CPU time of ended children, in ms, by a clock of 100 ticks a second.
fn children_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    10 * (ticks(13) + ticks(14))
}

/// Now and then a request goes wrong, of a hundred this many; how many came is counted.
fn fail_now_and_then(duo: &Duo, faulty: u64, seed: u64) -> Arc<AtomicU64> {
    let asked = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&asked);
    duo.faults(move |n| {
        counted.store(n, Ordering::SeqCst);
        let mut random = Random(seed ^ n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        random.below(1);
        if random.below(100) >= faulty {
            return None;
        }
        Some(match random.below(6) {
            0 => Fault::Answer(
                429,
                r#"{"stat":"FAIL","code":42901,"message":"Too Many Requests"}"#.into(),
                None,
            ),
            1 => Fault::Answer(500, String::new(), None),
            2 => Fault::Answer(200, "<html>busy</html>".into(), None),
            3 => Fault::CutJson,
            4 => Fault::CutBody,
            _ => Fault::Reset,
        })
    });
    asked
}

/// What it took until a command that was killed now and then was done.
struct Lives {
    lives: u64,
    /// The most memory of one, in KiB.
    peak: u64,
}

/// Starts the command again and again, and kills it this often, about every so many requests.
fn kill(
    command: impl Fn() -> Command,
    asked: &AtomicU64,
    kills: u64,
    requests_a_life: u64,
    seed: u64,
) -> Lives {
    let (mut random, mut killed, mut lives, mut peak) = (Random(seed), 0, 0, 0);
    loop {
        lives += 1;
        assert!(lives < 20 * (kills + 10), "it comes to an end");
        // The last pages are near the present, where nothing is urgent.
        let mut child = command().stderr(Stdio::piped()).spawn().expect("the command starts");
        let after = asked.load(Ordering::SeqCst) + 1 + random.below(2 * requests_a_life - 1);
        let moment = Duration::from_micros(random.below(20_000));
        let mut due = None;
        let status = loop {
            if let Some(status) = child.try_wait().expect("waited for") {
                break status;
            }
            let memory = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
            let line = memory
                .lines()
                .find(|line| line.starts_with("VmHWM:"))
                .and_then(|l| l.split_whitespace().nth(1));
            peak = peak.max(line.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0));
            if killed < kills && due.is_none() && asked.load(Ordering::SeqCst) >= after {
                due = Some(Instant::now() + moment);
            }
            if due.is_some_and(|due| Instant::now() >= due) {
                child.kill().expect("killed");
                killed += 1;
                break child.wait().expect("ended");
            }
            std::thread::sleep(Duration::from_micros(500));
        };
        let mut said = Vec::new();
        std::io::Read::read_to_end(&mut child.stderr.take().expect("stderr"), &mut said).expect("read");
        no_secret("stderr", &said);
        if status.success() && killed >= kills {
            return Lives { lives, peak };
        }
        assert!(status.success() || status.code().is_none(), "{}", String::from_utf8_lossy(&said));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn killed_at_random_moments_with_faulty_answers() {
    let (records, kills) = (number("UDMAP_COLLECT_RECORDS", 50_000), number("UDMAP_COLLECT_KILLS", 40));
    let faulty = number("UDMAP_COLLECT_FAULTS", 5);
    let seed = number("UDMAP_COLLECT_SEED", 7);
    let duo = Duo::new(Switches { end: End::Given, form: Form::List, cursor: Cursor::LastAgain });
    let now = chrono::Utc::now().timestamp_millis();
    let step = 72_000_000_000 / records as i64;
    duo.add((0..records).map(|i| record((now - 72_300_000) * 1000 + i as i64 * step, i)));
    let asked = fail_now_and_then(&duo, faulty, seed);
    let (server, folder) = (Server::start(duo), tempfile::tempdir().expect("a folder"));
    let (begun, cpu) = (Instant::now(), children_ms());
    let requests_a_life = (records / 1000 / (kills + 1)).max(1);
    let Lives { lives, peak } = kill(|| server.collect(folder.path()), &asked, kills, requests_a_life, seed);
    let (took, cpu) = (begun.elapsed(), children_ms() - cpu);
    let existing = server.duo.lines(i64::MAX);
    let delivered = lines(&folder.path().join("logs"));
    assert_eq!(delivered.len() as u64, records);
    assert!(delivered == existing, "every record, and each once");
    println!(
        "{records} records, {kills} kills in {lives} lives, {} requests, {took:.1?}; CPU {cpu} ms, {:.1} us a record; \
         peak {peak} KiB",
        asked.load(Ordering::SeqCst),
        cpu as f64 * 1000.0 / records as f64
    );
}

/// One process that collects a log of each kind.
#[test]
fn killed_while_several_logs_are_collected() {
    let mut duo = Duo::new(Switches { end: End::Given, form: Form::List, cursor: Cursor::LastAgain });
    duo.newest_first = true;
    let now = chrono::Utc::now().timestamp_millis();
    for (log, records) in
        [("authentication", 1500), ("activity", 1500), ("administrator", 5000), ("trust-monitor", 1500)]
    {
        // Several in a second, so that pages of seconds are cut within one; and every tenth has a twin.
        duo.add((0..records).flat_map(|i| {
            let one = record_of(log, (now - 72_300_000 + i as i64 * 150) * 1000, i);
            let twin = (log == "administrator" && i % 10 == 0)
                .then(|| Record { id: format!("{}-twin", one.id), ..one.clone() });
            std::iter::once(one).chain(twin)
        }));
    }
    let asked = fail_now_and_then(&duo, 5, 11);
    let (server, folder) = (Server::start(duo), tempfile::tempdir().expect("a folder"));
    let command = || {
        let mut command = bare();
        command.args(["authentication", "activity", "administrator", "trust-monitor"]);
        command.args(["--allow-any-host", "--api-url", &server.url, "--request-interval", "0"]);
        command.args(["--retry-wait", "1ms", "--page-size", "100"]);
        command.arg("--to").arg(folder.path().join("logs/{log}"));
        command.arg("--state").arg(folder.path().join("state/{log}.json"));
        command
    };
    kill(command, &asked, 15, 4, 11);
    let delivered = lines(&folder.path().join("logs"));
    assert_eq!(delivered.len(), 3 * 1500 + 5500);
    assert!(delivered == server.duo.lines(i64::MAX), "every record, and each once");
}
