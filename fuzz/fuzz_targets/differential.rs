//! All engines give what the exact one gives, whatever the input.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use udmap::mapping::builtin_text;
use udmap::convert::{CHUNK_BYTES, MAX_RECORD_BYTES, Options};
use udmap_fuzz::{Engines, GOOD, load};

const CHUNKS: [usize; 4] = [CHUNK_BYTES, 1, 100, 1000];
const LIMITS: [usize; 4] = [MAX_RECORD_BYTES, 64, 200, 1000];

/// How often a record is met: the last is enough to learn which of its texts have always one length.
const TIMES: [usize; 4] = [1, 2, 4, 40];

/// A table with nested fields, kinds other than texts, and several times.
const NESTED: &str = include_str!("../../tests/it/differential/nested.toml");

/// One with what the language has besides values as they are, and one that also takes texts apart and puts the rest
/// somewhere.
const LANGUAGE: &str = include_str!("../../tests/it/differential/language.toml");
const REST: &str = "\n[[embedded]]\nfrom = \"d\"\n[[rule]]\nudm = \"target.hostname\"\nfrom = [\"d.h\", \"d\"]\n\
                    [rest]\nudm = \"additional\"\nexcept = \"x.y\"\n";

/// The tables; the number is a part of the setting.
const TABLES: usize = 7;

/// The engines of one setting.
fn engines(table: usize, chunk: usize, limit: usize) -> &'static Engines {
    static ALL: [OnceLock<Engines>; TABLES * 16] = [const { OnceLock::new() }; TABLES * 16];
    ALL[(table * 4 + chunk) * 4 + limit].get_or_init(|| {
        let text = match table {
            0 => builtin("duo_telephony"),
            1 => builtin("duo_telephony_extended"),
            2 => NESTED.to_owned(),
            3 => LANGUAGE.to_owned(),
            4 => [LANGUAGE, REST].concat(),
            5 => builtin("duo_auth"),
            _ => builtin("duo_admin_extended"),
        };
        let mapping = load(&text).expect("the table is right");
        let options =
            Options::default().chunk_bytes(CHUNKS[chunk]).max_record_bytes(LIMITS[limit]);
        Engines::new(&mapping, &options)
    })
}

fn builtin(name: &str) -> String {
    builtin_text(name).expect("built in").to_owned()
}

// The first byte is the setting, the second how the input is put among good records.
fuzz_target!(|data: &[u8]| {
    let [setting, order, input @ ..] = data else { return };
    let setting = usize::from(*setting);
    let order = usize::from(*order);

    let mut log = Vec::new();
    for good in GOOD {
        for _ in 0..TIMES[order % 4] {
            log.extend_from_slice(good.as_bytes());
            log.push(b'\n');
        }
    }
    // Again and again, so that what is learnt of it is used as well.
    for _ in 0..TIMES[order / 4 % 4] {
        log.extend_from_slice(input);
        log.push(b'\n');
    }
    for good in &GOOD[..order / 16 % 4] {
        log.extend_from_slice(good.as_bytes());
        log.push(b'\n');
    }
    // The input's end may be the log's.
    if order >= 128 {
        log.extend_from_slice(input);
    }
    engines(setting / 16 % TABLES, setting / 4 % 4, setting % 4).same(&log);
});
