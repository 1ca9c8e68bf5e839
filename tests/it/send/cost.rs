//! What sending costs: CPU time of the command alone, against a service that takes everything and judges nothing.
//!
//!     cargo test --release --all-features --test it what_sending_costs -- --ignored --nocapture

use super::World;
use crate::http::{Reply, serve};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// CPU time of ended children, in ms, by a clock of 100 ticks a second.
fn children_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    10 * (ticks(13) + ticks(14))
}

#[derive(Clone, Copy)]
struct Cost {
    cpu_ms: u64,
    seconds: f64,
    /// The most memory.
    peak_kib: u64,
}

/// Runs a command, which must go well.
fn cost(command: &mut Command) -> Cost {
    let (begun, cpu) = (Instant::now(), children_ms());
    let mut child = command.stderr(Stdio::null()).spawn().expect("the command starts");
    let mut peak_kib = 0;
    let status = loop {
        if let Some(status) = child.try_wait().expect("waited for") {
            break status;
        }
        let memory = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = memory.lines().find(|line| line.starts_with("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)).and_then(|text| text.parse().ok());
        peak_kib = peak_kib.max(kib.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success());
    Cost { cpu_ms: children_ms() - cpu, seconds: begun.elapsed().as_secs_f64(), peak_kib }
}

#[test]
#[ignore = "measures, and needs a release build"]
#[cfg(target_os = "linux")]
fn what_sending_costs() {
    let world = World::new();
    let block = crate::dump::events(&crate::dump::log(1, 20_000));
    let events = block.iter().filter(|byte| **byte == b'\n').count() as u64;
    let times = 25;
    world.write("in.ndjson", block.repeat(times));
    world.write("in.ndjson.gz", crate::dump::gzip(&block.repeat(times)));
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&taken);
    let url = serve(move |request| {
        counted.fetch_add(request.body.len() as u64, SeqCst);
        Some(Reply::new(200, "{}"))
    });
    for (name, parallel) in [("in.ndjson", "1"), ("in.ndjson", "4"), ("in.ndjson.gz", "4")] {
        let mut runs: Vec<Cost> = (0..5)
            .map(|_| {
                let _ = std::fs::remove_file(world.at("state.json"));
                cost(world.send(&[name, "--parallel", parallel]).args(["--api-url", &url]))
            })
            .collect();
        runs.sort_by_key(|cost| cost.cpu_ms);
        let (all, Cost { cpu_ms, seconds, peak_kib }) = (events * times as u64, runs[2]);
        println!(
            "{name}, --parallel {parallel}: {} events of {} bytes, {:.0} a second of CPU time, {:.0} a second, {} MiB",
            all,
            block.len() as u64 / events,
            all as f64 * 1000.0 / cpu_ms as f64,
            all as f64 / seconds,
            peak_kib >> 10
        );
    }
    assert!(taken.load(SeqCst) > 0);
}
