//! Every line is compared with an oracle of its own: serde_json, and a small reader of times.

use super::fields::{RecordFields, civil, put_number};
use super::*;
use serde_json::{Map, Value};

const TIMES: [&str; 3] = ["timestamp", "ts", "isotimestamp"];
const MAPPED: [&str; 7] = ["context", "credits", "phone", "type", "host", "eventtype", "log_type"];
/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
const RANGE: std::ops::RangeInclusive<i128> = -62_135_596_800..=253_402_300_799;

fn mix(text: &str) -> Mix {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The first `n` lines, with how many records each counts for and what must become of it.
fn lines(seed: u64, kinds: &str, n: usize) -> Vec<(Vec<u8>, u64, Option<&'static str>)> {
    let mut generator = Generator::new(seed, &mix(kinds));
    let take = |_| {
        let mut line = Vec::new();
        let count = generator.line(u64::MAX, &mut line);
        assert_eq!(line.pop(), Some(b'\n'));
        assert!(!line.contains(&b'\n') && !line.trim_ascii().is_empty(), "{}", show(&line));
        (line, count, generator.reason())
    };
    (0..n).map(take).collect()
}

fn show(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text.escape_debug().take(2000).collect()
}

/// Why a line must be rejected, if it must.
fn verdict(line: &[u8]) -> Option<&'static str> {
    if line.len() > 1 << 20 {
        return Some("too-long");
    }
    let Ok(text) = std::str::from_utf8(line) else { return Some("invalid-utf8") };
    let is_text = !text.trim_start().starts_with(['{', '[']);
    if is_text && (text.contains("CEF:0|") || text.contains(",host=\"")) {
        return Some("other-log");
    }
    match serde_json::from_str::<Value>(text) {
        Err(error) if error.to_string().contains("recursion limit") => Some("too-deep"),
        Err(_) => Some("invalid-json"),
        Ok(Value::Object(record)) => record_verdict(&record),
        Ok(_) => Some("not-object"),
    }
}

fn record_verdict(record: &Map<String, Value>) -> Option<&'static str> {
    if record.get("stat").is_some_and(|stat| stat == "FAIL") {
        return Some("api-error");
    }
    if record.get("stat").is_some_and(|stat| stat == "OK") && record["response"].is_object() {
        return record_verdict(record["response"].as_object().unwrap());
    }
    let present = |key: &str| !matches!(record.get(key), None | Some(Value::Null)) && record[key] != "";
    for key in ["eventtype", "event_type", "service"].into_iter().filter(|key| present(key)) {
        let is_own = match &record[key] {
            Value::String(text) => text.eq_ignore_ascii_case("telephony"),
            value => MAPPED.contains(&key) && (value.is_array() || value.is_object()),
        };
        if !is_own {
            return Some("other-log");
        }
    }
    let unknown = |key: &str| !(MAPPED.contains(&key) || TIMES.contains(&key) || key == "txid");
    let is_own = ["phone", "type", "credits", "context", "telephony_id"].into_iter().any(present);
    if !is_own && record.keys().any(|key| unknown(key) && present(key)) {
        return Some("other-log");
    }
    if MAPPED
        .iter()
        .chain(&TIMES)
        .any(|key| matches!(record.get(*key), Some(Value::Array(_) | Value::Object(_))))
    {
        return Some("field-type");
    }
    let Some(key) = TIMES.iter().find(|key| present(key)) else { return Some("no-timestamp") };
    let text = match &record[*key] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let seconds = if *key == "timestamp" { epoch(&text) } else { iso(text.as_bytes()) };
    match seconds {
        None => Some("bad-timestamp"),
        Some(seconds) if RANGE.contains(&seconds) => None,
        Some(_) => Some("timestamp-range"),
    }
}

/// Whole seconds, cut toward the past, of a text that is a JSON number.
fn epoch(text: &str) -> Option<i128> {
    if text.trim() != text || !matches!(serde_json::from_str(text).ok()?, Value::Number(_)) {
        return None;
    }
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let far = if exponent.starts_with('-') { -1_000_000 } else { 1_000_000 };
    let point = whole.len() as i64 + exponent.parse::<i64>().unwrap_or(far).clamp(-1_000_000, 1_000_000);
    let digits = || whole.bytes().chain(fraction.bytes());
    let first = digits().position(|digit| digit != b'0');
    match first {
        None => return Some(0),
        Some(first) if point - first as i64 > 20 => return Some(i128::MAX),
        Some(_) => {}
    }
    let (mut seconds, mut rest) = (0, false);
    for (place, digit) in digits().chain([b'0'; 40]).enumerate() {
        if (place as i64) < point {
            seconds = seconds * 10 + i128::from(digit - b'0');
        } else {
            rest |= digit != b'0';
        }
    }
    Some(if sign < 0 { -seconds - i128::from(rest) } else { seconds })
}

/// Whole seconds of an ISO 8601 text.
fn iso(text: &[u8]) -> Option<i128> {
    let number = |from: usize, to: usize| -> Option<i128> {
        let digits = text.get(from..to).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    };
    let marks = [*text.get(4)?, *text.get(7)?, *text.get(13)?, *text.get(16)?, text[10].to_ascii_lowercase()];
    let [year, month, day] = [number(0, 4)?, number(5, 7)?, number(8, 10)?];
    let [hour, minute, second] = [number(11, 13)?, number(14, 16)?, number(17, 19)?];
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let last = match month {
        2 => 28 + i128::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let mut rest = &text[19..];
    if let [b'.' | b',', fraction @ ..] = rest {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = &fraction[digits..];
        if digits == 0 {
            return None;
        }
    }
    let from = text.len() - rest.len();
    let offset = match rest {
        [] | [b'Z' | b'z'] => 0,
        [b'+' | b'-', tail @ ..] => {
            let minutes = match tail {
                [_, _, b':', _, _] => number(from + 4, from + 6)?,
                [_, _, _, _] => number(from + 3, from + 5)?,
                [_, _] => 0,
                _ => return None,
            };
            let hours = number(from + 1, from + 3)?;
            let sign = if rest[0] == b'-' { -1 } else { 1 };
            (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))?
        }
        _ => return None,
    };
    let in_order = (1..=12).contains(&month) && (1..=last).contains(&day);
    if !(matches!(&marks, b"--::t" | b"--:: ") && in_order && hour < 24 && minute < 60 && second < 60) {
        return None;
    }
    // Days before this month in a year that begins in March, so that the leap day is the last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day - 719_469;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second - offset)
}

#[test]
fn the_bytes_are_the_same_for_ever() {
    // FNV-1a of 3,000 records: a change here is a change for everyone who kept a seed.
    let hash = |kinds: &str| {
        let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        Generator::records(42, &mix(kinds), 3000).iter().fold(0xcbf2_9ce4_8422_2325, fnv)
    };
    let expected = [
        ("v2", 0x5c71_6914_e7ae_e0d6),
        ("v1", 0x1761_ea09_b6c1_623f),
        ("awkward", 0x79a3_c153_c6bd_8ef7),
        ("shuffled", 0xe410_9af0_7db0_6dcc),
        ("broken", 0x69f9_2815_89eb_20d3),
        ("wrapped", 0xa583_7e9f_f4ac_d908),
        ("v2=70,v1=25,awkward=5", 0xe210_27c0_0555_ab9c),
    ];
    assert_eq!(expected.map(|(kinds, _)| (kinds, hash(kinds))), expected);
    let first = Generator::records(42, &mix("v2,v1"), 2);
    let expected = concat!(
        r#"{"context":"administrator login","credits":3,"phone":"+17495558688","telephony_id":"f6875512-6b94-4e05-a670-6e48953f9601","ts":"2019-06-01T00:00:05.024944+00:00","txid":"54ff14b5-6a9f-4b2f-9cf9-c5f7150e06ce","type":"phone"}"#,
        "\n",
        r#"{"context":"authentication","credits":8,"isotimestamp":"2019-06-01T00:00:20+00:00","phone":"+15105559950","timestamp":1559347220,"type":"phone","eventtype":"telephony","host":"api-5a4937fd.duosecurity.com"}"#,
        "\n",
    );
    assert_eq!(String::from_utf8_lossy(&first), expected);
}

#[test]
fn seeds_and_chunks() {
    let all = mix("v2,v1,awkward,shuffled,broken,wrapped");
    assert_ne!(Generator::records(1, &all, 100), Generator::records(2, &all, 100));
    // Longer streams of one seed begin with the shorter ones, unless an envelope was cut short.
    let unwrapped = mix("v2,v1,awkward,shuffled,broken");
    let [short, long] = [500, 900].map(|n| Generator::records(3, &unwrapped, n));
    assert!(long.starts_with(&short));
    assert!(Generator::records(3, &all, 0).is_empty());
}

#[test]
fn v2_is_exactly_what_duo_sends() {
    let sample = br#"{"context":"enrollment","credits":1,"phone":"+12125556707","telephony_id":"220f89ff-bff8-4466-b6cb-b7787940ce68","ts":"2023-03-21T22:34:49.466370+00:00","txid":"2f5d34d3-053f-422c-9dd4-77a5d58706b1","type":"sms"}"#;
    let fields = RecordFields {
        micros: 1_679_438_089_466_370,
        context: "enrollment",
        credits: 1,
        phone: *b"+12125556707",
        sms: true,
        telephony_id: 0x220f_89ff_bff8_4466_b6cb_b778_7940_ce68,
        txid: 0x2f5d_34d3_053f_422c_9dd4_77a5_d587_06b1,
        host: *b"api-1b2c3d4e.duosecurity.com",
    };
    let (mut builder, mut rng) = (RecordBuilder::default(), Rng::new(0));
    let mut written = |builder: &RecordBuilder| {
        let mut out = Vec::new();
        builder.write(&mut rng, &mut out);
        String::from_utf8(out).unwrap()
    };
    builder.v2(&fields);
    assert_eq!(written(&builder).as_bytes(), sample);
    builder.v1(&fields);
    assert_eq!(
        written(&builder),
        r#"{"context":"enrollment","credits":1,"isotimestamp":"2023-03-21T22:34:49+00:00","phone":"+12125556707","timestamp":1679438089,"type":"sms","eventtype":"telephony","host":"api-1b2c3d4e.duosecurity.com"}"#
    );
}

#[test]
fn plain_records_are_plausible_and_in_order() {
    let mut before = 0;
    for (line, count, _) in lines(5, "v2,v1", 20_000) {
        let record: Value = serde_json::from_slice(&line).unwrap();
        let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let time = match record["timestamp"].as_i64() {
            Some(seconds) => {
                assert_eq!(iso(text("isotimestamp").as_bytes()), Some(seconds.into()));
                assert_eq!((text("eventtype").as_str(), text("host").len()), ("telephony", 28));
                seconds.into()
            }
            None => {
                let uuid = |id: &str| {
                    id.len() == 36 && id.as_bytes()[14] == b'4' && b"89ab".contains(&id.as_bytes()[19])
                };
                assert!(uuid(&text("txid")) && uuid(&text("telephony_id")));
                iso(text("ts").as_bytes()).unwrap()
            }
        };
        assert!(time >= before && count == 1);
        before = time;
        assert!(record["credits"].as_u64().unwrap() <= 20);
        assert!(["sms", "phone"].contains(&text("type").as_str()));
        assert!(text("phone").starts_with("+1") && text("phone").len() == 12);
    }
    // 20,000 records, ten seconds apart on average, from 2019-06-01 on.
    assert!((1_559_347_200 + 190_000..1_559_347_200 + 210_000).contains(&before));
}

#[test]
fn what_must_convert_can_convert() {
    for kind in ["v2", "v1", "shuffled", "awkward"] {
        for (line, count, reason) in lines(8, kind, 20_000) {
            assert_eq!((verdict(&line), count, reason), (None, 1, None), "{kind}: {}", show(&line));
        }
    }
}

#[test]
fn every_oddity_must_convert() {
    let (mut rng, mut builder) = (Rng::new(11), RecordBuilder::default());
    let mut source = RecordSource::new(&mut rng);
    assert!(awkward::ODDITIES.len() >= 40);
    for (n, oddity) in awkward::ODDITIES.iter().enumerate() {
        for _ in 0..200 {
            let mut line = Vec::new();
            awkward::odd(*oddity, &mut rng, &mut source, &mut builder, &mut line);
            assert_eq!(verdict(&line), None, "oddity {n}: {}", show(&line));
        }
    }
}

#[test]
fn every_flaw_is_rejected_for_its_reason() {
    let (mut rng, mut builder, mut line) = (Rng::new(13), RecordBuilder::default(), Vec::new());
    let mut source = RecordSource::new(&mut rng);
    for (reason, flaws) in broken::FLAWS {
        for (n, flaw) in flaws.iter().enumerate() {
            for _ in 0..400 {
                line.clear();
                broken::spoil(*flaw, &mut rng, &mut source, &mut builder, &mut line);
                assert!(!line.contains(&b'\n') && !line.trim_ascii().is_empty());
                assert_eq!(verdict(&line), Some(*reason), "flaw {n} of {reason}: {}", show(&line));
            }
        }
    }
}

#[test]
fn broken_lines_know_their_reason_and_a_few_are_too_long() {
    let mut generator = Generator::new(17, &mix("broken"));
    let (mut line, mut long) = (Vec::new(), 0);
    for _ in 0..100_000 {
        line.clear();
        assert_eq!(generator.line(1, &mut line), 1);
        line.pop();
        assert_eq!(verdict(&line), generator.reason(), "{}", show(&line));
        long += u64::from(generator.reason() == Some("too-long"));
    }
    assert!((1..=20).contains(&long), "{long}");
}

#[test]
fn wrapped_lines_hold_what_they_count() {
    let mut seen = [0; 4];
    for (line, count, reason) in lines(19, "wrapped", 20_000) {
        assert_eq!(reason, None);
        let text = std::str::from_utf8(&line).unwrap();
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            assert_eq!(count, 1);
            if text.contains(" vm CEF:0|Duo Security|") {
                let (_, rt) = text.split_once(" rt=").unwrap();
                assert!(rt.split(' ').next().unwrap().parse::<u64>().unwrap() > 1_559_347_200_000);
                seen[0] += 1;
            } else {
                let (seconds, pairs) = text.split_once(',').unwrap();
                assert!(seconds.parse::<u64>().is_ok() && pairs.split(", ").count() == 6, "{text}");
                seen[1] += 1;
            }
            continue;
        };
        let inner = value.get("response").or(value.get("message")).unwrap_or(&value);
        let records = match inner.get("items").unwrap_or(inner) {
            Value::Array(records) => records.clone(),
            record => vec![record.clone()],
        };
        assert_eq!(count, records.len().max(1) as u64, "{text}");
        seen[2 + usize::from(records.is_empty())] += 1;
        for record in records {
            assert_eq!(record_verdict(record.as_object().unwrap()), None, "{text}");
        }
    }
    assert!(seen.iter().all(|n| *n > 500), "{seen:?}");
    // No more than asked for, and never nothing.
    let mut generator = Generator::new(23, &mix("wrapped"));
    for most in (0..3).cycle().take(3000) {
        assert!((1..=most.max(1)).contains(&generator.line(most, &mut Vec::new())));
    }
}

#[test]
fn records_of_the_default_mix_are_as_long_as_the_corpus() {
    let length = Generator::records(29, &Mix::default(), 50_000).len() as f64 / 50_000.0;
    assert!((200.0..=235.0).contains(&length), "{length}");
}

#[test]
fn mixes() {
    for (given, expected) in [
        ("v2=70,v1=25,awkward=5", "v2=70,v1=25,awkward=5"),
        ("v1,v2,awkward", "v2=1,v1=1,awkward=1"),
        (" wrapped = 3 , broken ,", "broken=1,wrapped=3"),
        ("v1=0,shuffled", "shuffled=1"),
        ("v1=4294967295", "v1=4294967295"),
        (
            "v3",
            "no kind of line is called `v3`; there are v2, v1, awkward, shuffled, broken, wrapped, authentication",
        ),
        (
            "V1",
            "no kind of line is called `V1`; there are v2, v1, awkward, shuffled, broken, wrapped, authentication",
        ),
        ("v1,v1=2", "the kind `v1` is given twice"),
        ("v1=-1", "the weight `-1` of `v1` is not a whole number from 0 to 4294967295"),
        ("v1=", "the weight `` of `v1` is not a whole number from 0 to 4294967295"),
        (
            "v1=0",
            "a mix needs at least one kind with a weight; there are v2, v1, awkward, shuffled, broken, wrapped, authentication",
        ),
        (
            "",
            "a mix needs at least one kind with a weight; there are v2, v1, awkward, shuffled, broken, wrapped, authentication",
        ),
    ] {
        let got = given.parse::<Mix>().map_or_else(|error| error.to_string(), |mix| mix.to_string());
        assert_eq!(got, expected, "{given}");
    }
    assert_eq!("v2=70,v1=25,awkward=5".parse(), Ok(Mix::default()));
}

#[test]
fn small_parts() {
    let number = |n, width| {
        let mut out = Vec::new();
        put_number(n, width, &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        (number(0, 1), number(7, 3), number(u64::MAX, 1)),
        ("0".into(), "007".into(), u64::MAX.to_string())
    );
    for (days, date) in
        [(0, [1970, 1, 1]), (19_782, [2024, 2, 29]), (47_482, [2100, 1, 1]), (2_932_896, [9999, 12, 31])]
    {
        assert_eq!(civil(days), date);
    }
}
