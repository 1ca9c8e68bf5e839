//! The parts of a conversion: reading, writing, and making a converter out of a table.
//!
//! Reading and writing have no door of their own, and need none: a table that takes one field of a
//! record and writes the least that an event can be is mostly a reader, and records of one field
//! that become whole events make mostly a writer. What is left of the other part is in the number.

mod common;

use common::{builtin, conversion, criterion, lines, synthetic, table};
use criterion::{Criterion, Throughput};
use std::fmt::Write as _;
use std::hint::black_box;
use udmap::convert::{Converter, Options};
use udmap::mapping::Mapping;
use udmap::mapping::builtin_text;

/// The least that a table must have.
const LEAST: &str = r#"
[mapping]
name = "least"
log_type = "LEAST"
[[rule]]
udm = "metadata.event_timestamp"
time = [
  { from = "timestamp", read = "epoch-seconds" },
  { from = "ts", read = "iso8601" },
  { from = "isotimestamp", read = "iso8601" },
]
[[rule]]
udm = "metadata.event_type"
value = "GENERIC_EVENT"
"#;

/// Bytes are those of the input.
fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mostly reading");
    let options = Options::default();
    for (name, mix) in [("v1", "v1"), ("v2", "v2"), ("shuffled keys", "shuffled")] {
        conversion(&mut group, name, &table(LEAST), &options, &synthetic(mix), false);
    }
    group.finish();
}

/// Bytes are those of the events.
fn writing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mostly writing");
    let options = Options::default();
    let constants = lines(|to, number| write!(to, r#"{{"timestamp":{}}}"#, 1_683_648_435 + number));
    conversion(&mut group, "constants and a time", &builtin(), &options, &constants, true);
    // The shortest texts in every place that the table has for one.
    let values = lines(|to, number| {
        write!(
            to,
            r#"{{"timestamp":{},"context":"c","host":"h","phone":"p","type":"t","credits":1,"eventtype":"e"}}"#,
            1_683_648_435 + number,
        )
    });
    conversion(&mut group, "every field", &builtin(), &options, &values, true);
    group.finish();
}

fn planning(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan");
    let text = builtin_text("duo_telephony").expect("it comes with udmap");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("read and check the table", |bencher| {
        bencher.iter(|| Mapping::load("t", black_box(text), &|_| Err(String::new())).expect("it is right"));
    });
    let mapping = builtin();
    group.bench_function("make a converter", |bencher| {
        bencher.iter(|| Converter::new(black_box(&mapping), &Options::default()));
    });
    let converter = Converter::new(&mapping, &Options::default());
    let record = b"{\"timestamp\":1683648435}\n";
    group.throughput(Throughput::Bytes(record.len() as u64));
    group.bench_function("convert one record", |bencher| {
        bencher.iter(|| converter.convert(black_box(record)));
    });
    group.finish();
}

fn main() {
    let mut criterion = criterion();
    reading(&mut criterion);
    writing(&mut criterion);
    planning(&mut criterion);
    criterion.final_summary();
}
