//! What holds for any input: books, order, JSON, times.

use crate::support::streamed;
use chrono::{DateTime, FixedOffset, NaiveDate, SecondsFormat, Utc};
use proptest::prelude::*;
use udmap::convert::{Batch, Converter, Options};
use udmap::lab::{Generator, Mix};
use udmap::mapping::Mapping;
use udmap::time::{Reading, TimeError, read};

fn converter(max_record_bytes: usize, chunk_bytes: usize) -> Converter {
    let mapping = Mapping::builtin("duo_telephony").expect("built in");
    Converter::new(&mapping, &Options::default().max_record_bytes(max_record_bytes).chunk_bytes(chunk_bytes))
}

/// A log: lines of every kind, some of them damaged, in one of the layouts.
fn log() -> impl Strategy<Value = Vec<u8>> {
    let mixes = ["v1,v2", "v2,awkward", "broken,v1", "wrapped,v2", "v1,v2,awkward,shuffled,broken,wrapped"];
    let damage = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 0..6);
    (any::<u64>(), prop::sample::select(mixes.to_vec()), 1..60u64, damage, 0..4u8).prop_map(
        |(seed, mix, records, damage, layout)| {
            let mix: Mix = mix.parse().expect("a mix");
            let mut bytes = Generator::records(seed, &mix, records);
            if layout == 1 {
                // An array over lines.
                let lines: Vec<&[u8]> =
                    bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()).collect();
                bytes = [b"[\n".as_slice(), &lines.join(b",\n".as_slice()), b"\n]\n"].concat();
            } else if layout == 2 {
                // Pretty-printed, as far as it goes.
                bytes = String::from_utf8_lossy(&bytes).replace("{\"", "{\n  \"").into_bytes();
            }
            for (at, byte, kind) in damage {
                let at = at.index(bytes.len());
                match kind {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    2 => drop(bytes.remove(at)),
                    _ => bytes[at] = b"\n\"{}[],\\"[usize::from(byte) % 8],
                }
                if bytes.is_empty() {
                    bytes.push(b'\n');
                }
            }
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// The same events, rejects and books for any threads, chunks and ways to read; the books
    /// balance; every event is strict JSON; every byte that is not white space or wrapping is in a
    /// record.
    #[test]
    fn results_do_not_depend_on_how_they_are_made(
        bytes in log(),
        limit in prop_oneof![Just(1 << 20), 50..2000usize],
        chunk in prop_oneof![1..40usize, 1..5000usize],
        sizes in proptest::collection::vec(1..5000usize, 1..4),
        threads in 1..4usize,
    ) {
        let whole: Batch = converter(limit, 1 << 18).convert(&bytes);
        let (events, rejects, tally) = streamed(&converter(limit, chunk), &bytes, &sizes, threads);
        prop_assert!(whole.events == events);
        prop_assert_eq!(&whole.rejects, &rejects);
        prop_assert_eq!(&whole.tally, &tally);

        prop_assert!(tally.balances(), "{:?}", tally);
        prop_assert_eq!(tally.bytes_in, bytes.len() as u64);
        prop_assert_eq!(tally.bytes_out, events.len() as u64);
        prop_assert_eq!(tally.rejects, rejects.len() as u64);
        let text = String::from_utf8(events).expect("events are UTF-8");
        let mut lines = 0;
        for line in text.split_terminator('\n') {
            let event: serde_json::Value = serde_json::from_str(line).expect(line);
            prop_assert!(event["metadata"]["event_timestamp"].is_string());
            prop_assert!(event["metadata"]["event_type"].is_string());
            lines += 1;
        }
        prop_assert_eq!(lines, tally.events);
        for reject in &rejects {
            let start = usize::try_from(reject.offset).expect("an offset");
            let kept = &bytes[start..start + reject.raw.len()];
            prop_assert!(kept == reject.raw.as_slice());
            prop_assert!(reject.raw.len() as u64 == reject.length || reject.raw.len() == 4096);
        }
    }

    /// Any bytes at all.
    #[test]
    fn random_bytes_are_read_to_the_end(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"{}[]\",:\n \\u0a1.-e".to_vec())], 0..400),
        chunk in 1..50usize,
    ) {
        let whole = converter(1 << 20, 1 << 18).convert(&bytes);
        let (events, rejects, tally) = streamed(&converter(1 << 20, chunk), &bytes, &[7], 2);
        prop_assert!(whole.events == events);
        prop_assert_eq!(&whole.rejects, &rejects);
        prop_assert!(tally.balances());
    }

    /// Epoch seconds, against chrono.
    #[test]
    fn epoch_seconds_are_chronos(seconds in -62_135_596_800i64..=253_402_300_799, nanos in 0u32..1_000_000_000, digits in 0usize..=9) {
        let cut = nanos - nanos % 10u32.pow(9 - digits as u32);
        let expected = DateTime::from_timestamp(seconds, cut).expect("in range").to_rfc3339_opts(SecondsFormat::AutoSi, true);
        // The value as one decimal number; a negative one counts back from zero.
        let total = i128::from(seconds) * 1_000_000_000 + i128::from(cut);
        let (sign, size) = if total < 0 { ("-", -total) } else { ("", total) };
        let text = format!("{sign}{}.{:09}", size / 1_000_000_000, size % 1_000_000_000);
        prop_assert_eq!(read(&text, Reading::EpochSeconds).expect("a time").to_rfc3339(), expected.clone());
        let scaled = format!("{sign}{size}e-9");
        prop_assert_eq!(read(&scaled, Reading::EpochSeconds).expect("a time").to_rfc3339(), expected.clone());
        let milliseconds = format!("{sign}{size}E-6");
        prop_assert_eq!(read(&milliseconds, Reading::EpochMilliseconds).expect("a time").to_rfc3339(), expected);
    }

    /// ISO 8601, against chrono, in all the forms that are read.
    #[test]
    fn iso_times_are_chronos(
        days in 1i64..3_652_059, second in 0u32..86_400, nanos in 0u32..1_000_000_000, digits in 0usize..=9,
        offset in -1439i32..=1439, separator in prop::sample::select(vec!['T', 't', ' ']),
        point in prop::sample::select(vec!['.', ',']), colon in any::<bool>(),
    ) {
        let date = NaiveDate::from_ymd_opt(1, 1, 1).expect("a day") + chrono::Days::new(days as u64);
        let cut = nanos - nanos % 10u32.pow(9 - digits as u32);
        let local = date.and_hms_nano_opt(second / 3600, second / 60 % 60, second % 60, cut).expect("a time");
        let zone = FixedOffset::east_opt(offset * 60).expect("an offset");
        let utc = local.and_local_timezone(zone).single().expect("no gaps").with_timezone(&Utc);
        let fraction = if digits == 0 { String::new() } else { format!("{point}{}", &format!("{cut:09}")[..digits]) };
        let sign = if offset < 0 { '-' } else { '+' };
        let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
        let zone = if colon { format!("{sign}{hours:02}:{minutes:02}") } else { format!("{sign}{hours:02}{minutes:02}") };
        let text = format!("{}{separator}{}{fraction}{zone}", local.format("%Y-%m-%d"), local.format("%H:%M:%S"));
        let years = 1..=9999;
        match read(&text, Reading::Iso8601) {
            Ok(instant) => prop_assert_eq!(instant.to_rfc3339(), utc.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Err(TimeError::OutOfRange(_)) => prop_assert!(!years.contains(&chrono::Datelike::year(&utc)), "{}", text),
            Err(other) => prop_assert!(false, "{}: {:?}", text, other),
        }
    }

    /// Whatever is accepted as ISO 8601, chrono accepts as RFC 3339 once it is spelled that way.
    #[test]
    fn nothing_is_taken_for_a_time_that_is_none(text in "[0-9]{4}-[0-1][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]([.,][0-9]{0,11})?(Z|z|[+-][0-2][0-9]:?[0-6][0-9]|)") {
        let mut rfc = text.replace(',', ".").replace([' ', 't'], "T").replace('z', "Z");
        if rfc.len() > 5 && rfc.as_bytes()[rfc.len() - 5].is_ascii_punctuation() && !rfc.contains('Z') && rfc[19..].contains(['+', '-']) && !rfc.ends_with('Z') && rfc.as_bytes()[rfc.len() - 3] != b':' {
            rfc.insert(rfc.len() - 2, ':');
        }
        if !rfc.ends_with('Z') && !rfc[19..].contains(['+', '-']) {
            rfc.push('Z');
        }
        let ours = read(&text, Reading::Iso8601);
        let leap = &rfc[17..19] == "60";
        match (DateTime::parse_from_rfc3339(&rfc), ours) {
            (Ok(_), Err(TimeError::NotATime(_))) => prop_assert!(leap, "{}", text),
            (Ok(theirs), Ok(ours)) => {
                prop_assert_eq!(ours.to_rfc3339(), theirs.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::AutoSi, true));
            }
            (Err(_), Ok(_)) => prop_assert!(false, "{} is no RFC 3339", text),
            _ => {}
        }
    }
}
