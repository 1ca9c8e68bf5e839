//! A record that could not be converted, with everything that is needed to mend it.

use crate::record::Reason;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// A record that could not be converted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reject {
    /// Why, in a code.
    pub reason: Reason,
    /// Why, in a sentence.
    pub message: String,
    /// The line of its stream on which it begins, from 1.
    pub line: u64,
    /// Where it begins in its stream, in bytes, after decompression.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
    /// Its bytes; for [`Reason::TooLong`] the first 4 KiB of them.
    pub raw: Vec<u8>,
    /// The table that it belongs to, if the mapping is a set of tables.
    pub table: Option<String>,
}

impl Reject {
    /// Appends the reject as a line of a reject file: compact JSON with `source`, `line`,
    /// `offset`, `length`, `reason`, `message`, `table` (of a set), and `raw`, or `raw_base64` if it is not UTF-8.
    pub fn write_json(&self, source: &str, out: &mut Vec<u8>) {
        #[derive(Serialize)]
        struct RejectLine<'a> {
            source: &'a str,
            line: u64,
            offset: u64,
            length: u64,
            reason: &'a str,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            table: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            raw: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            raw_base64: Option<String>,
        }
        let text = std::str::from_utf8(&self.raw).ok();
        let line = RejectLine {
            source,
            line: self.line,
            offset: self.offset,
            length: self.length,
            reason: self.reason.code(),
            message: &self.message,
            table: self.table.as_deref(),
            raw: text,
            raw_base64: text.is_none().then(|| STANDARD.encode(&self.raw)),
        };
        // Writing texts and numbers to a vector can't fail.
        let _ = serde_json::to_writer(&mut *out, &line);
        out.push(b'\n');
    }
}

impl std::fmt::Display for Reject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}: {}", self.line, self.reason.code(), self.message)
    }
}

impl std::error::Error for Reject {}
