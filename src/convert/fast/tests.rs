//! The fast path against the reference path, few enough records for Miri.

use crate::convert::range::TimeRange;
use crate::convert::{Converter, Engine, Options};
use crate::mapping::Mapping;
use std::fmt::Write as _;

const TABLE: &str = r#"
[mapping]
name = "small"
log_type = "SMALL"

[[rule]]
udm = "metadata.event_timestamp"
time = [{ from = "timestamp", read = "epoch-seconds" }, { from = "ts", read = "iso8601" }]

[[rule]]
udm = "metadata.event_type"
value = "GENERIC_EVENT"

[[rule]]
udm = "principal.hostname"
from = "host"
when = "not-ip"

[[rule]]
udm = "principal.ip[]"
from = "host"
when = "ip"

[[rule]]
udm = "principal.user.userid"
from = "phone"

[[rule]]
udm = "network.sent_bytes"
from = "credits"
"#;

/// A range's limits are compared as texts: with and without fractions, of other lengths.
#[test]
fn a_range_has_the_records_of_the_exact_path() {
    let mapping = Mapping::load("small.toml", TABLE, &|_| Err(String::new())).unwrap();
    let fractions = ["", ".5", ".500001", ".499999", ".49", ".000000001", ".999999999", ".000"];
    let mut log = String::new();
    // Miri looks at each step, so it gets few.
    let fractions = if cfg!(miri) { &fractions[..2] } else { &fractions };
    for second in 48..51 {
        for fraction in fractions {
            let _ = writeln!(log, "{{\"ts\":\"2023-03-21T22:34:{second}{fraction}Z\",\"host\":\"h\"}}");
        }
        let _ = writeln!(log, "{{\"timestamp\":{},\"phone\":\"p\"}}", 1_679_438_040 + second);
    }
    log.push_str("{\"ts\":\"0001-01-01T00:00:00Z\"}\n{\"ts\":\"never\"}\n\n");
    let log = log.repeat(if cfg!(miri) { 1 } else { 6 });
    let limits = ["2023-03-21T22:34:49Z", "2023-03-21T22:34:49.5Z", "0001-01-01T00:00:00Z"];
    let limits = limits.map(|text| crate::time::read_rfc3339(text).unwrap());
    let limits = if cfg!(miri) { &limits[1..2] } else { &limits };
    let mut outside = 0;
    for since in [None].into_iter().chain(limits.iter().copied().map(Some)) {
        for until in [None].into_iter().chain(limits.iter().copied().map(Some)) {
            let range = TimeRange { since, until };
            let convert = |engine| {
                Converter::new(&mapping, &Options { engine, range, ..Options::default() })
                    .convert(log.as_bytes())
            };
            let exact = convert(Engine::Exact);
            outside += exact.counts.outside;
            for engine in Engine::ALL.into_iter().filter(|engine| engine.is_available()) {
                let got = convert(engine);
                assert!(got.events == exact.events, "{engine:?} {range:?}");
                assert_eq!(
                    (got.rejects, got.uneven),
                    (exact.rejects.clone(), exact.uneven),
                    "{engine:?} {range:?}"
                );
                assert_eq!(got.counts, exact.counts, "{engine:?} {range:?}");
            }
        }
    }
    assert!(outside > 0);
}

/// Whole records through all of the fast path, few enough for Miri, and a small table; the
/// integration tests have the many.
#[test]
fn records_become_the_events_of_the_exact_path() {
    let good = "{\"phone\":\"+1\",\"credits\":12,\"host\":\"h\",\"timestamp\":1584718692}\n";
    let log = [
        good,
        good,
        "{\"phone\":\"a \\\"b\\\" \u{e9}\",\"x\":[1.5,{}],\"ts\":\"2023-03-21T22:34:49.466370+00:00\"}\r\n",
        "{\"phone\":\"+1\",\"credits\":012,\"host\":\"h\",\"timestamp\":1584718692}\n",
        "{\"phone\":\"more than one block of thirty-two bytes\",\"credits\":1,\"host\":\"::1\",\"timestamp\":1584718692}\n",
        " \n",
        "{\"phone\":\"more than one block of thirty-two bytes\",\"credits\":1,\"host\":\"::1\",\"timestamp\":1584718692300}\n",
        good,
        good.trim_end(),
    ];
    let log = log.concat();
    let mapping = Mapping::load("small.toml", TABLE, &|_| Err(String::new())).unwrap();
    let chunks: &[usize] = if cfg!(miri) { &[150, 10_000] } else { &[1, 64, 100, 150, 300, 1000, 10_000] };
    for &chunk_bytes in chunks {
        // Enough of them for the tight layout.
        let more = if chunk_bytes < 10_000 { 0 } else { 40 };
        let log = good.repeat(more) + &log;
        let convert = |engine| {
            Converter::new(&mapping, &Options { engine, chunk_bytes, ..Options::default() })
                .convert(log.as_bytes())
        };
        let exact = convert(Engine::Exact);
        assert_eq!((exact.counts.events, exact.counts.rejects), (6 + more as u64, 2));
        for engine in Engine::ALL.into_iter().filter(|engine| engine.is_available()) {
            let got = convert(engine);
            assert!(got.events == exact.events, "{engine:?} {chunk_bytes}");
            assert_eq!(got.rejects, exact.rejects, "{engine:?} {chunk_bytes}");
            assert_eq!(got.counts, exact.counts, "{engine:?} {chunk_bytes}");
        }
    }
}
