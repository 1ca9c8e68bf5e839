//! Too large for every day: `cargo test --release --test it dump::large -- --ignored --nocapture`.

use super::{finish, gzip, log, manifest, outputs};
use crate::s3::S3;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Runs a command that must succeed; how long it took, and the most memory that it had in KiB.
fn measured(command: &mut Command) -> (std::time::Duration, u64) {
    let start = Instant::now();
    let mut child = command.stderr(Stdio::piped()).spawn().expect("the command starts");
    let mut peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait().expect("waited for") {
            break status;
        }
        let memory = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = memory.lines().find(|line| line.starts_with("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)).and_then(|text| text.parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().expect("stderr"), &mut said).expect("read");
    assert!(status.success(), "{said}");
    (start.elapsed(), peak)
}

#[test]
#[ignore = "minutes"]
fn twenty_thousand_small_objects() {
    let Some(s3) = S3::start() else { return };
    let start = Instant::now();
    for n in 0..20_000u64 {
        s3.put("logs", &format!("in/{:03}/{n:05}.gz", n / 100), &gzip(&log(n, 5)));
    }
    println!("filled in {:.1?}", start.elapsed());
    let convert = |out: &str, more: &[&str]| {
        let mut command = s3.udmap();
        command.args(["convert", "s3://logs/in/", "-o", out]).args(more);
        command
    };
    let (took, peak) = measured(&mut convert("s3://udm/one/", &[]));
    println!("20000 objects in {took:.1?}, {:.0} a second; peak {peak} KiB", 20_000.0 / took.as_secs_f64());
    let all = s3.all("udm");
    assert_eq!((outputs(&all).len(), manifest(&all).len()), (20_000, 20_000));
    let (took, peak) = measured(&mut convert("s3://udm/one/", &[]));
    println!("again, all done before: {took:.1?}; peak {peak} KiB");
    assert!(s3.all("udm") == all);
    let (took, peak) = measured(&mut convert("s3://udm/packed/", &["--pack", "1MB"]));
    println!("packed: {took:.1?}; peak {peak} KiB");
    let verified = finish(s3.udmap().args(["verify", "s3://udm/packed/manifest/", "--deep"]));
    assert_eq!(verified.status, 0, "{}", verified.stderr);
}

#[test]
#[ignore = "minutes, and gigabytes of memory for the server"]
fn an_object_of_two_gibibytes() {
    let Some(s3) = S3::start() else { return };
    let part = log(7, 100_000);
    let text = part.repeat((2usize << 30).div_ceil(part.len()));
    s3.put("logs", "in/huge", &text);
    let size = text.len();
    drop(text);
    let mut command = s3.udmap();
    command.args(["convert", "s3://logs/in/", "-o", "s3://udm/"]);
    let (took, peak) = measured(&mut command);
    println!("{size} bytes in {took:.1?}; peak {peak} KiB");
    let lines = manifest(&s3.all("udm"));
    assert_eq!(lines[0]["size"], size);
    assert!(peak < 400 << 10, "{peak} KiB");
}
