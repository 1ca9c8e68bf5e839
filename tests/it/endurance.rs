//! Memory stays bounded, whatever the size and shape of the input.

use crate::support::udmap;
use std::io::Write;
use std::process::Stdio;
use udmap::lab::{Generator, Mix};

/// The most memory that a conversion may have taken: the promise for two cores.
const MOST_KIB: u64 = 64 * 1024;

/// Converts what `feed` writes and gives the peak of its memory in KiB, and its exit status.
fn peak(feed: impl FnOnce(&mut dyn Write)) -> (u64, Option<i32>) {
    let mut child = udmap()
        .args(["convert", "-", "-q", "-o", "/dev/null", "--rejects", "/dev/null", "--threads", "2"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("stdin");
    feed(&mut stdin);
    // What is still in the pipe is little against what went through.
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("/proc");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("VmHWM");
    let peak = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect(line);
    drop(stdin);
    (peak, child.wait().expect("ended").code())
}

fn repeat(to: &mut dyn Write, block: &[u8], total: usize) {
    for _ in 0..total.div_ceil(block.len()) {
        to.write_all(block).expect("fed");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn two_gib_in_bounded_memory() {
    let block = Generator::records(1, &Mix::default(), 100_000);
    let (peak, status) = peak(|to| repeat(to, &block, 2 << 30));
    assert_eq!(status, Some(0));
    assert!(peak < MOST_KIB, "{peak} KiB");
}

#[test]
#[cfg(target_os = "linux")]
fn awkward_shapes_in_bounded_memory() {
    let size = 256 << 20;
    let cases: [(&str, &[u8], &[u8], i32); 5] = [
        ("short records that become long events", b"", b"{\"timestamp\":1}\n", 0),
        ("one array on one line", b"[{\"timestamp\":1}", b",{\"timestamp\":1,\"phone\":\"+1\"}", 1),
        ("one array over lines", b"[\n{\"timestamp\":1}", b",\n{\"timestamp\":1,\"phone\":\"+1\"}", 1),
        ("one line without end", b"", b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ", 1),
        (
            "white space without end",
            b"",
            b"                                                                ",
            3,
        ),
    ];
    for (name, start, block, expected) in cases {
        let block = block.repeat((1 << 20) / block.len());
        let (peak, status) = peak(|to| {
            to.write_all(start).expect("fed");
            repeat(to, &block, size);
        });
        assert_eq!(status, Some(expected), "{name}");
        assert!(peak < MOST_KIB, "{name}: {peak} KiB");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn nothing_but_rejects_in_bounded_memory() {
    let mix: Mix = "broken".parse().expect("a mix");
    let block = Generator::records(2, &mix, 50_000);
    let (peak, status) = peak(|to| repeat(to, &block, 256 << 20));
    assert_eq!(status, Some(1));
    assert!(peak < MOST_KIB, "{peak} KiB");
}

/// What the fast path learns is bounded: records of hundreds of shapes, and wide ones.
#[test]
#[cfg(target_os = "linux")]
fn shapes_without_end_in_bounded_memory() {
    let mix: Mix = "awkward,shuffled".parse().expect("a mix");
    let mut block = Generator::records(3, &mix, 20_000);
    for record in 0..2000 {
        let fields = (0..60).map(|n| format!("\"f{}\":\"{n}\",", (n + record) % 977));
        block.extend(
            format!("{{{}\"credits\":1,\"timestamp\":1700000000}}\n", fields.collect::<String>()).bytes(),
        );
    }
    let (peak, status) = peak(|to| repeat(to, &block, 256 << 20));
    assert_eq!(status, Some(0));
    assert!(peak < MOST_KIB, "{peak} KiB");
}
