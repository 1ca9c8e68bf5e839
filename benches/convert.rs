//! Whole conversions in memory, one thread: by kind of log, by engine, and from readers on threads.
//!
//! Bytes are those of the input, read where it lies; those of the group `streams` are copied from readers.

mod common;

use common::{SIZE, builtin, conversion, criterion, lines, synthetic, table};
use criterion::{Criterion, Throughput};
use std::fmt::Write as _;
use std::hint::black_box;
use std::ops::ControlFlow;
use udmap::convert::{Converter, Engine, Input, Options};

/// A table whose fields lie in objects within objects.
const NESTED: &str = r#"
[mapping]
name = "nested"
log_type = "NESTED"
[[rule]]
udm = "metadata.event_timestamp"
time = [{ from = "isotimestamp", read = "iso8601" }]
[[rule]]
udm = "metadata.event_type"
cases = [{ present = ["user.name"], value = "USER_LOGIN" }, { value = "GENERIC_EVENT" }]
[[rule]]
udm = "principal.user.userid"
from = "user.name"
[[rule]]
udm = "principal.ip[]"
from = "access_device.ip"
when = "ip"
[[rule]]
udm = "principal.location.city"
from = "access_device.location.city"
[[rule]]
udm = "principal.location.country_or_region"
from = "access_device.location.country"
[[rule]]
udm = "target.application"
from = "application.name"
[[rule]]
udm = "security_result[0].summary"
from = "result"
"#;

/// What every record has that the table of Duo's telephony wants.
fn plain_fields(to: &mut String, number: usize) -> std::fmt::Result {
    write!(
        to,
        r#""context":"authentication","credits":1,"timestamp":{},"phone":"+1212555{:04}","type":"sms","host":"api-1234abcd.duosecurity.com""#,
        1_683_648_435 + number,
        number % 10_000,
    )
}

fn nested(to: &mut String, number: usize) -> std::fmt::Result {
    write!(
        to,
        r#"{{"isotimestamp":"2024-02-13T18:{:02}:{:02}.351346+00:00","user":{{"groups":["Duo Users","CorpHQ"],"key":"DU3KC77WJ06Y5HIV7XKQ","name":"user{}@example.com"}},"access_device":{{"browser":"Chrome","ip":"40.77.{}.{}","location":{{"city":"Ann Arbor","country":"United States","state":"Michigan"}},"os":"Mac OS X"}},"application":{{"key":"DIY231J8BR23QK4UKBY8","name":"Microsoft Azure Active Directory"}},"result":"success","txid":"340a23e3-23f3-23c1-87dc-1491a23dfdbb"}}"#,
        number / 60 % 60,
        number % 60,
        number % 1000,
        number % 256,
        number / 7 % 256,
    )
}

/// A record with 60 fields that no rule wants.
fn wide(to: &mut String, number: usize) -> std::fmt::Result {
    to.push('{');
    for field in 0..60 {
        write!(to, r#""unmapped_{field}":"value {}","#, number * field)?;
    }
    plain_fields(to, number)?;
    to.push('}');
    Ok(())
}

/// A record as long as the whole log.
fn long() -> Vec<u8> {
    let mut log = format!("{{\"note\":\"{}\",", "words of no use ".repeat(SIZE / 16));
    plain_fields(&mut log, 0).expect("strings take everything");
    log.push_str("}\n");
    log.into_bytes()
}

fn kinds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("convert");
    let options = Options::default();
    let mixes = [
        ("mix", "v2=70,v1=25,awkward=5"),
        ("v1", "v1"),
        ("v2", "v2"),
        ("awkward", "awkward"),
        ("shuffled keys", "shuffled"),
        ("envelopes, arrays and text", "wrapped"),
    ];
    for (name, mix) in mixes {
        conversion(&mut group, name, &builtin(), &options, &synthetic(mix), false);
    }
    conversion(&mut group, "60 unmapped fields", &builtin(), &options, &lines(wide), false);
    let roomy = Options::default().max_record_bytes(2 * SIZE);
    conversion(&mut group, "one record of 4 MiB", &builtin(), &roomy, &long(), false);
    conversion(&mut group, "nested fields", &table(NESTED), &options, &lines(nested), false);
    group.finish();
}

fn engines(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    for (name, mix) in [("mix", "v2=70,v1=25,awkward=5"), ("shuffled keys", "shuffled")] {
        let log = synthetic(mix);
        let engines =
            Engine::ALL.into_iter().filter(|engine| *engine != Engine::Auto && engine.is_available());
        for engine in engines {
            let options = Options::default().engine(engine);
            conversion(&mut group, &format!("{}/{name}", engine.name()), &builtin(), &options, &log, false);
        }
    }
    group.finish();
}

fn streams(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("streams");
    // Threads are started in each run, so a run is longer.
    let log = synthetic("v2=70,v1=25,awkward=5").repeat(4);
    let converter = Converter::new(&builtin(), &Options::default());
    group.throughput(Throughput::Bytes(log.len() as u64));
    for threads in [1, 2] {
        group.bench_function(format!("threads {threads}"), |bencher| {
            bencher.iter(|| {
                let ran = converter.run([Input::reader("log", &log[..])], threads, |piece| {
                    black_box(&piece);
                    ControlFlow::Continue(())
                });
                ran.expect("threads start")
            });
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = criterion();
    kinds(&mut criterion);
    engines(&mut criterion);
    streams(&mut criterion);
    criterion.final_summary();
}
