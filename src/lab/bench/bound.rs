//! The machine's own bound: no converter can be faster than reading its input and writing its output.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much is read before what belongs to it is written.
const STEP: usize = 64 * 1024;
/// How large the buffer is that is written to: it stays in the cache, as a converter's output does
/// that is written away piece by piece.
const HOT: usize = 64 * 1024;

/// Reads all of `parts` once and writes `out` bytes, on `threads` threads; all that `passes` times.
///
/// Reading is a search for a byte that no text has, writing is filling: both are as wide as the
/// machine's vectors. Of the ways tried (sums, counting, copying; steps and buffers from 4 KiB to
/// 320 KiB) this is the fastest, so the bound is the hardest to reach.
pub(super) fn run(parts: &[&[u8]], out: usize, threads: usize, passes: usize) {
    let steps: Vec<&[u8]> = parts.iter().flat_map(|part| part.chunks(STEP)).collect();
    let total: usize = parts.iter().map(|part| part.len()).sum();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut hot = vec![0u8; HOT];
        let mut owed = 0.0;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= steps.len() * passes {
                break;
            }
            let step = steps[number % steps.len()];
            for at in memchr::memchr_iter(0xff, step) {
                black_box(at);
            }
            owed += step.len() as f64 * out as f64 / total as f64;
            while owed >= 1.0 {
                let size = HOT.min(owed as usize);
                hot[..size].fill(step[0]);
                black_box(&mut hot);
                owed -= size as f64;
            }
        }
    };
    if threads == 1 {
        work();
    } else {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn any_sizes_will_do() {
        let parts: [&[u8]; 3] = [b"", b"x", &[0xff; 200_000]];
        for (parts, out) in [(&parts[..0], 0), (&parts[..1], 7), (&parts, 0), (&parts, 3), (&parts, 900_000)]
        {
            for threads in [1, 3] {
                super::run(parts, out, threads, 2);
            }
        }
    }
}
