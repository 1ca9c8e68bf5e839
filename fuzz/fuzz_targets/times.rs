//! The fast path's times are those of the general reader, for any text in a time's place.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use udmap::mapping::builtin_text;
use udmap::convert::Options;
use udmap_fuzz::{Engines, load};

/// Times of the common forms, between which the fuzzer's stand: the fast path keeps the last day.
const GOOD: [&str; 3] = ["1584718692", "2023-03-21T22:34:49.466370+00:00", "2024-02-29T00:00:00Z"];

// A time a line.
fuzz_target!(|text: &str| {
    static ENGINES: OnceLock<Engines> = OnceLock::new();
    let engines = ENGINES.get_or_init(|| {
        let table = load(builtin_text("duo_telephony").expect("built in")).expect("the table is right");
        Engines::new(&table, &Options::default())
    });
    let mut log = String::new();
    for time in text.lines().flat_map(|line| [line].into_iter().chain(GOOD)) {
        for key in ["timestamp", "ts"] {
            log += &format!("{{\"{key}\":\"{time}\",\"phone\":\"+1\"}}\n");
        }
        log += &format!("{{\"timestamp\":{time},\"phone\":\"+1\"}}\n");
    }
    engines.same(log.as_bytes());
});
