//! Good records with one byte changed, put in, taken out, or all behind it gone.

use super::GOOD;
use super::oracle::{Oracle, Table};

/// What bytes become: each that means something in JSON, and the edges of what is compared.
const BYTES: &[u8] = b"\"\\{}[]:,\n\r\t 09-+.eEnZTa/\x00\x1f\x7f\x80\xbf\xc3\xff";

/// All records that are one byte from `record`.
fn near(record: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for at in 0..=record.len() {
        let (before, behind) = record.split_at(at);
        all.push(before.to_vec());
        for byte in BYTES {
            all.push([before, &[*byte], behind].concat());
            if let [_, behind @ ..] = behind {
                all.push([before, &[*byte], behind].concat());
            }
        }
        if let [byte, behind @ ..] = behind {
            all.push([before, behind].concat());
            all.push([before, &[*byte ^ 0x20], behind].concat());
            all.push([before, &[byte.wrapping_add(1)], behind].concat());
            all.push([before, &[*byte, *byte], behind].concat());
        }
    }
    all
}

/// A log of `records`, with `good` before each so that its shape stays at hand.
fn log(good: &[u8], records: &[Vec<u8>]) -> Vec<u8> {
    let mut log = Vec::new();
    for record in records {
        log.extend_from_slice(good);
        log.push(b'\n');
        // Twice: only every other record is held against the loose layouts.
        for _ in 0..2 {
            log.extend_from_slice(record);
            log.push(b'\n');
        }
    }
    log
}

#[test]
fn one_byte() {
    for (good, tables) in GOOD.into_iter().zip([
        &[Table::Duo, Table::Extended][..],
        &[Table::Duo][..],
        &[Table::Duo][..],
        &[Table::Nested][..],
    ]) {
        let log = log(good.as_bytes(), &near(good.as_bytes()));
        for table in tables {
            Oracle::new(*table).same(&log);
        }
    }
}

/// The first record of a log is read before anything was learnt, the last may lack its newline,
/// and what is near the end of the bytes has no block behind it.
#[test]
fn one_byte_alone() {
    let oracle = Oracle::new(Table::Duo);
    for record in near(GOOD[1].as_bytes()) {
        oracle.same(&record);
        oracle.same(&[GOOD[1].as_bytes(), b"\n", &record].concat());
    }
}

/// Two cuts in one record: pieces that were learnt stand where they must not.
#[test]
fn parts_moved() {
    for (good, table) in [(GOOD[0], Table::Duo), (GOOD[1], Table::Duo), (GOOD[3], Table::Nested)] {
        let good = good.as_bytes();
        let mut records = Vec::new();
        let cuts: Vec<usize> =
            (0..good.len()).filter(|i| matches!(good[*i], b'"' | b',' | b':' | b'{' | b'}')).collect();
        for (i, from) in cuts.iter().enumerate() {
            for to in &cuts[i..] {
                // Without the part, and with it twice.
                records.push([&good[..*from], &good[*to..]].concat());
                records.push([&good[..*to], &good[*from..]].concat());
            }
        }
        Oracle::new(table).same(&log(good, &records));
    }
}
