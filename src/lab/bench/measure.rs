//! Runs everything in turns, and takes the time.

use super::bound;
use super::input::{Material, Part};
use crate::convert::{Converter, Counts, Input, Piece};
use crate::report::bench::{Bound, Files, Rate, Row, Seconds};
use crate::store::Output;
use crate::store::store_error;
use anyhow::bail;
use std::hint::black_box;
use std::io::{self, Read, Write as _};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Inputs smaller than this are converted several times a run, so that a run is longer than
/// what clocks and schedulers blur.
const ENOUGH: usize = 16_000_000;
/// How often at most.
const MOST_PASSES: usize = 1000;
/// How many runs there are at least, unless their number is given.
const FEWEST_RUNS: usize = 5;
/// How much is read at a time where reading alone is measured.
const BLOCK: usize = 256 * 1024;
/// Where the events go on the whole way.
const NOWHERE: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

/// How often everything is run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Runs {
    Number(usize),
    /// For so long, about.
    Time(Duration),
}

/// What was measured.
#[derive(Debug)]
pub(crate) struct Figures {
    /// The counts of the input, converted once.
    pub(crate) counts: Counts,
    pub(crate) passes: usize,
    pub(crate) runs: usize,
    pub(crate) memory: Vec<Row>,
    pub(crate) files: Option<Files>,
}

/// One of the things that are run in turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BenchJob {
    /// Conversion in memory, on this many threads.
    Memory(usize),
    /// The machine's bound for that.
    Bound(usize),
    /// Conversion from files to nowhere.
    Files(usize),
    /// The files' bytes alone, decompressed.
    Reading,
}

/// Measures `converter` on `material` for each number of `threads`; nothing if there is not one record.
pub(crate) fn measure(
    converter: &Converter,
    material: &Material,
    threads: &[usize],
    runs: Runs,
) -> anyhow::Result<Option<Figures>> {
    let passes = ENOUGH.div_ceil(material.len()).min(MOST_PASSES);
    let mut jobs: Vec<BenchJob> =
        threads.iter().flat_map(|n| [BenchJob::Memory(*n), BenchJob::Bound(*n)]).collect();
    if material.is_files() {
        jobs.extend(threads.iter().map(|n| BenchJob::Files(*n)));
        jobs.push(BenchJob::Reading);
    }
    let mut bench = Bench { converter, material, passes, once: converter.counts() };
    bench.once = bench.memory(1, 1)?;
    if bench.once.records == 0 {
        return Ok(None);
    }
    for job in &jobs {
        bench.run(*job)?;
    }
    let mut times = vec![Vec::new(); jobs.len()];
    let start = Instant::now();
    let mut run = 0;
    while match runs {
        Runs::Number(number) => run < number,
        Runs::Time(time) => run < FEWEST_RUNS || run % 2 == 0 || start.elapsed() < time,
    } {
        // Each round begins with another job, so that none always follows the same.
        for turn in 0..jobs.len() {
            let number = (run + turn) % jobs.len();
            times[number].push(bench.run(jobs[number])? / passes as f64);
        }
        run += 1;
    }
    let of = |job: BenchJob| Seconds::new(&times[jobs.iter().position(|other| *other == job)?]);
    let memory = rows(&bench.once, threads, &|n| of(BenchJob::Memory(n)), &|n| of(BenchJob::Bound(n)));
    let files = of(BenchJob::Reading).map(|reading| Files {
        rows: rows(&bench.once, threads, &|n| of(BenchJob::Files(n)), &|_| None),
        reading: Rate::new(reading, bench.once.bytes_in),
    });
    Ok(Some(Figures { counts: bench.once, passes, runs: run, memory, files }))
}

fn rows(
    counts: &Counts,
    threads: &[usize],
    taken: &dyn Fn(usize) -> Option<Seconds>,
    bound: &dyn Fn(usize) -> Option<Seconds>,
) -> Vec<Row> {
    let one = taken(1);
    let row = |threads: usize| {
        let seconds = taken(threads)?;
        let bound = bound(threads).map(|bound| Bound::new(bound, seconds, counts.bytes_in));
        Some(Row::new(threads, seconds, one, counts, bound))
    };
    threads.iter().filter_map(|n| row(*n)).collect()
}

/// Everything that a run needs.
struct Bench<'a> {
    converter: &'a Converter,
    material: &'a Material,
    passes: usize,
    /// What comes of one pass.
    once: Counts,
}

impl Bench<'_> {
    /// Does it once more; how many seconds it took.
    fn run(&self, job: BenchJob) -> anyhow::Result<f64> {
        let start = Instant::now();
        let counts = match job {
            BenchJob::Memory(threads) => Some(self.memory(threads, self.passes)?),
            BenchJob::Files(threads) => Some(self.files(threads)?),
            BenchJob::Bound(threads) => {
                let parts: Vec<&[u8]> = self.material.parts.iter().map(|part| &part.bytes[..]).collect();
                bound::run(&parts, self.once.bytes_out as usize, threads, self.passes);
                None
            }
            BenchJob::Reading => {
                self.reading()?;
                None
            }
        };
        let seconds = start.elapsed().as_secs_f64();
        if let Some(counts) = counts {
            let passes = self.passes as u64;
            let books = |counts: &Counts| [counts.bytes_in, counts.bytes_out, counts.events, counts.rejects];
            if books(&counts) != books(&self.once).map(|n| n * passes) {
                bail!(
                    "the input changed while it was measured: what came of it is not the same in every run"
                );
            }
        }
        Ok(seconds)
    }

    /// Converts what is in memory, and lets go of the events.
    fn memory(&self, threads: usize, passes: usize) -> anyhow::Result<Counts> {
        let inputs = self.inputs(passes, |part| Input::bytes(&part.name, &part.bytes));
        self.convert(inputs, threads, &mut |events| {
            black_box(events);
            Ok(())
        })
    }

    /// Converts from the files, and writes the events to where they leave no trace.
    fn files(&self, threads: usize) -> anyhow::Result<Counts> {
        let mut nowhere = Output::create(NOWHERE)?;
        let inputs = self.inputs(self.passes, |part| Input::open(&part.name, || open(part)));
        let counts = self.convert(inputs, threads, &mut |events| nowhere.write_all(events))?;
        nowhere.finish()?;
        Ok(counts)
    }

    /// Reads the files, and decompresses them.
    fn reading(&self) -> anyhow::Result<()> {
        let mut buffer = vec![0; BLOCK];
        for _ in 0..self.passes {
            for part in &self.material.parts {
                let mut reader = open(part).map_err(store_error)?;
                while reader.read(&mut buffer).map_err(store_error)? > 0 {
                    black_box(&mut buffer);
                }
            }
        }
        Ok(())
    }

    /// The parts, repeated for each pass.
    fn inputs<'b>(&'b self, passes: usize, input: fn(&'b Part) -> Input<'b>) -> Vec<Input<'b>> {
        (0..passes).flat_map(|_| self.material.parts.iter().map(input)).collect()
    }

    fn convert(
        &self,
        inputs: Vec<Input<'_>>,
        threads: usize,
        to: &mut (dyn FnMut(&[u8]) -> io::Result<()> + Send),
    ) -> anyhow::Result<Counts> {
        let mut failed = None;
        // Each run begins as a new process does: it has seen no record.
        let counts = self.converter.clone().run(inputs, threads, |piece| {
            failed = match piece {
                Piece::Batch { batch, .. } => to(&batch.events).err(),
                Piece::Failed { error, .. } => Some(error),
            };
            if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        failed.map_or(Ok(counts), |error| Err(store_error(error)))
    }
}

/// Opens a part's file again, and gives as much of it as is measured.
fn open(part: &Part) -> io::Result<impl Read + Send> {
    let source = part.source.as_ref().ok_or(io::ErrorKind::NotFound)?;
    Ok(source.open(Arc::default(), Arc::default())?.take(part.bytes.len() as u64))
}
