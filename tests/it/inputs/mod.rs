//! What every command reads: files, folders, archives and objects of buckets, in any mixture.

mod archives;
mod bucket;
mod commands;
mod filters;
mod hints;
mod trouble;

use crate::dump::events;
use std::io::Write as _;

/// Two records, and their events.
const LOG: &str = concat!(
    r#"{"ts":"2026-01-01T00:00:00Z","type":"sms","phone":"+15555550100","telephony_id":"a","credits":1,"context":"verify"}"#,
    "\n",
    r#"{"ts":"2026-01-02T00:00:00Z","type":"phone","phone":"+15555550101","telephony_id":"b","credits":2,"context":"verify"}"#,
    "\n"
);

fn log_events() -> String {
    String::from_utf8(events(LOG.as_bytes())).expect("UTF-8")
}

/// A tar archive of these files.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).expect("a vector takes all");
    }
    builder.into_inner().expect("a vector takes all")
}

/// In UTF-16, with a byte order mark.
fn utf16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("a level");
    encoder.write_all(bytes).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}
