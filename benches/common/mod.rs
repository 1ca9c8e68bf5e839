//! What is measured: logs by name, each with the table that converts it.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Duration;
use udmap::convert::{Converter, Input, Options, Piece};
use udmap::lab::{Generator, Mix};
use udmap::mapping::Mapping;

/// So large that it does not stay in a core's own cache, and small enough for many samples.
pub(crate) const SIZE: usize = 4 << 20;

/// Times that keep all of `cargo bench` under three minutes.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_millis(1500))
        .configure_from_args()
}

/// Synthetic logs of this mix.
pub(crate) fn synthetic(mix: &str) -> Vec<u8> {
    let mix: Mix = mix.parse().expect("a mix");
    let mut generator = Generator::new(1, &mix);
    let mut log = Vec::new();
    while log.len() < SIZE {
        generator.line(1, &mut log);
    }
    log
}

/// Lines made from their number.
pub(crate) fn lines(line: impl Fn(&mut String, usize) -> std::fmt::Result) -> Vec<u8> {
    let mut log = String::new();
    for number in 0.. {
        line(&mut log, number).expect("strings take everything");
        log.push('\n');
        if log.len() >= SIZE {
            break;
        }
    }
    log.into_bytes()
}

/// A built-in table.
pub(crate) fn builtin() -> Mapping {
    Mapping::builtin("duo_telephony").expect("it comes with udmap")
}

/// A table in itself.
pub(crate) fn table(text: &str) -> Mapping {
    Mapping::load("bench.toml", text, &|_| Err("it builds on none".to_owned())).expect("the table is right")
}

/// Measures the conversion of `log` in memory, by the bytes of its input or, with `by_output`, of
/// its events. A log of which a record is rejected would measure something else.
pub(crate) fn conversion(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    mapping: &Mapping,
    options: &Options,
    log: &[u8],
    by_output: bool,
) {
    let converter = Converter::new(mapping, options);
    let run = || {
        let ran = converter.run([Input::bytes("log", log)], 1, |piece| {
            if let Piece::Batch { batch, .. } = piece {
                black_box(&batch.events);
            }
            ControlFlow::Continue(())
        });
        ran.expect("no threads are needed")
    };
    let counts = run();
    assert!(counts.events > 0 && counts.rejects == 0, "{name}: {counts:?}");
    group.throughput(Throughput::Bytes(if by_output { counts.bytes_out } else { counts.bytes_in }));
    group.bench_function(name, |bencher| bencher.iter(run));
}
