//! What all rivals share: reading files in blocks of whole lines, and timing from memory.

use std::fs::File;
use std::io::{self, Read, Write};
use std::time::Instant;

/// How much is read, and how much is converted at a time from memory: what suits the caches.
const BLOCK: usize = 128 * 1024;

/// A way to turn NDJSON records into events.
pub trait Job {
    /// Appends the events of these whole lines to `out`.
    fn lines(&mut self, lines: &[u8], out: &mut Vec<u8>);

    /// Converts all of `input` into a buffer that is used again, and says how many bytes that made.
    fn all(&mut self, input: &[u8]) -> u64 {
        let (mut out, mut written, mut rest) = (Vec::new(), 0, input);
        while !rest.is_empty() {
            let end = match memchr::memrchr(b'\n', &rest[..BLOCK.min(rest.len())]) {
                Some(newline) => newline + 1,
                None => rest.len(),
            };
            let (lines, behind) = rest.split_at(end);
            out.clear();
            self.lines(lines, &mut out);
            written += std::hint::black_box(&out).len() as u64;
            rest = behind;
        }
        written
    }

    /// What has to be known beforehand: how many records there are, and how long their events.
    fn expect(&mut self, _events: u64) {}
}

/// A rival that takes records one by one and answers `None` to one that it can't convert.
pub struct Lines<F>(pub F);

impl<F: FnMut(&[u8], &mut Vec<u8>) -> Option<()>> Job for Lines<F> {
    fn lines(&mut self, lines: &[u8], out: &mut Vec<u8>) {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', lines) {
            let line = &lines[start..end];
            start = end + 1;
            if (self.0)(line, out).is_none() {
                panic!("no event for {}", String::from_utf8_lossy(line));
            }
            out.push(b'\n');
        }
    }
}

/// Converts the file at `path` to stdout.
pub fn file(job: &mut dyn Job, path: &str) -> io::Result<()> {
    let mut input = File::open(path)?;
    let mut stdout = io::stdout().lock();
    let (mut block, mut filled, mut out) = (vec![0; BLOCK], 0, Vec::new());
    loop {
        if filled == block.len() {
            block.resize(2 * filled, 0);
        }
        let read = input.read(&mut block[filled..])?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        let Some(newline) = memchr::memrchr(b'\n', &block[..filled]) else { continue };
        out.clear();
        job.lines(&block[..=newline], &mut out);
        stdout.write_all(&out)?;
        block.copy_within(newline + 1..filled, 0);
        filled -= newline + 1;
    }
}

/// Times `jobs` over the file at `path`, held in memory, one after the other `runs` times; prints
/// each one's name, median nanoseconds a record, and bytes written.
pub fn memory(mut jobs: Vec<(&str, Box<dyn Job>)>, runs: usize, path: &str) -> io::Result<()> {
    let input = std::fs::read(path)?;
    let records = memchr::memchr_iter(b'\n', &input).count() as f64;
    let mut times = vec![Vec::new(); jobs.len()];
    let mut written = vec![0; jobs.len()];
    for _ in 0..runs {
        let mut most = 0;
        for (at, (_, job)) in jobs.iter_mut().enumerate() {
            job.expect(most);
            let start = Instant::now();
            written[at] = job.all(&input);
            times[at].push(start.elapsed().as_secs_f64() * 1e9 / records);
            most = most.max(written[at]);
        }
    }
    for ((name, _), (mut times, written)) in jobs.iter().zip(times.into_iter().zip(written)) {
        times.sort_by(f64::total_cmp);
        println!("{name}\t{}\t{written}", times[times.len() / 2]);
    }
    Ok(())
}
