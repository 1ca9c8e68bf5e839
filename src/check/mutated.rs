//! Events and records with changes of all kinds, for tests that read them in two ways.

use crate::convert::{Converter, Envelope, FieldNames, Options};
use crate::lab::{Generator, Mix};
use crate::mapping::Mapping;

/// What takes the place of a text or number.
const VALUES: [&str; 24] = [
    r#""""#,
    r#""0""#,
    r#""x""#,
    r#""é""#,
    r#""a\n""#,
    r#""10.0.0.1""#,
    r#""::1""#,
    r#""2024-01-01T00:00:00Z""#,
    r#""2024-13-01T00:00:00.5+01:00""#,
    r#""MUTEX""#,
    r#""USER_LOGIN""#,
    r#""EVENTTYPE_UNSPECIFIED""#,
    r#""a b://c""#,
    r#""\ud83d""#,
    "0",
    "-1",
    "443",
    "65536",
    "12345678901234567890",
    "1e999",
    "007",
    "null",
    "true",
    r#"["x",{"x":"y"}]"#,
];

/// What comes behind the beginning of an object.
const MEMBERS: [&str; 12] = [
    r#""port":443,"#,
    r#""port":"0","ip":["10.0.0.1"],"#,
    r#""hostname":"h","#,
    r#""hostname":"","#,
    r#""ip":["x","::1"],"#,
    r#""event_type":"USER_LOGIN","#,
    r#""eventType":"GENERIC_EVENT","#,
    r#""resource":{"resource_type":"MUTEX","type":"MUTEX"},"#,
    r#""additional":{"a":"x","b":[1,"y"]},"#,
    r#""nobody knows":"x","#,
    r#""txid":"x","eventtype":"authentication","#,
    r#""email":"a@b.c","#,
];

/// Numbers that look random, the same each time.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Numbers {
        Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % most.max(1)
    }
}

/// Lines of a synthetic log, many of them with a change.
pub(crate) fn records(seed: u64, mix: &str, count: u64) -> Vec<Vec<u8>> {
    let log = Generator::records(seed, &mix.parse::<Mix>().unwrap(), count);
    changed(seed, &log)
}

/// The events of a synthetic log, many of them with a change.
pub(crate) fn events(seed: u64, count: u64) -> Vec<Vec<u8>> {
    let log = Generator::records(seed, &"v2=4,v1=4,awkward=1".parse::<Mix>().unwrap(), count);
    let mapping = Mapping::builtin("duo_telephony").unwrap();
    let options = [
        Options::default(),
        Options::default().field_names(FieldNames::Camel),
        Options::default().envelope(Envelope::Event),
    ];
    let events = options.map(|options| Converter::new(&mapping, &options).convert(&log).events);
    changed(seed, &events.concat())
}

fn changed(seed: u64, lines: &[u8]) -> Vec<Vec<u8>> {
    let mut numbers = Numbers::new(seed);
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| change(&mut numbers, line.to_vec())).collect()
}

fn change(numbers: &mut Numbers, mut line: Vec<u8>) -> Vec<u8> {
    let find = |line: &[u8], wanted: &[u8], numbers: &mut Numbers| {
        let all: Vec<usize> = memchr::memmem::find_iter(line, wanted).collect();
        all.get(numbers.below(all.len())).copied()
    };
    match numbers.below(8) {
        // The text behind a key, or an element.
        0 | 1 => {
            let before: &[u8] = [b"\":\"" as &[u8], b"[\""][numbers.below(2)];
            if let Some(at) = find(&line, before, numbers) {
                let start = at + before.len() - 1;
                let end = start + 1 + line[start + 1..].iter().position(|b| *b == b'"').unwrap_or(0);
                let value = VALUES[numbers.below(VALUES.len())].bytes();
                line.splice(start..(end + 1).min(line.len()), value);
            }
        }
        2 => {
            if let Some(at) = find(&line, b"{", numbers) {
                line.splice(at + 1..at + 1, MEMBERS[numbers.below(MEMBERS.len())].bytes());
            }
        }
        3 => {
            let at = numbers.below(line.len());
            line[at] = [b'"', b'\\', b'1', 0xc3, b' ', b'}', b'x', 0][numbers.below(8)];
        }
        4 if numbers.below(4) == 0 => line.truncate(numbers.below(line.len())),
        _ => {}
    }
    line
}
