//! Raw logs in the forms in which they come: lines, JSON strings, content-hub's files.

use crate::cbn::{Log, MAX_LOG_BYTES, TOO_LONG, log_text};
use crate::check::cases::MOST;
use crate::text::escaped;
use crate::time::{Instant, Reading, read as read_time};
use serde_json::Value;
use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::Range;

/// In which form logs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogForm {
    /// Content-hub's file, if it looks like one, else lines.
    Auto,
    /// A line is a log.
    Text,
    /// A line is a JSON string, which is a log.
    JsonLines,
    /// A file with `raw_logs.entries`.
    ContentHub,
}

impl LogForm {
    /// Each form with its name.
    pub(crate) const ALL: [(&'static str, LogForm); 4] = [
        ("auto", LogForm::Auto),
        ("text", LogForm::Text),
        ("jsonl", LogForm::JsonLines),
        ("content-hub", LogForm::ContentHub),
    ];
}

/// About how many bytes are handed on at once.
const CHUNK: usize = 64 << 10;

/// A log of a chunk.
#[derive(Debug)]
pub(crate) struct RawLog {
    /// Where it is in the chunk.
    pub(super) range: Range<usize>,
    pub(super) kind: RawKind,
    /// When it was received, if the file says so.
    pub(super) received: Option<Instant>,
    pub(super) collected: Option<Instant>,
    pub(super) timestamp: Option<Instant>,
}

/// What a log of a chunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RawKind {
    Text,
    JsonString,
    /// The beginning of one that is too long.
    TooLong,
}

impl RawKind {
    /// The longest line. In a JSON string six bytes may stand for one.
    fn most(self) -> usize {
        if self == RawKind::JsonString { 6 * MAX_LOG_BYTES + 2 } else { MAX_LOG_BYTES }
    }
}

impl RawLog {
    /// Its text in its chunk; or why it has none that a parser could take.
    pub(super) fn text<'c>(&self, chunk: &'c Chunk) -> Result<Cow<'c, str>, &'static str> {
        let bytes = &chunk.bytes[self.range.clone()];
        match self.kind {
            RawKind::TooLong => Err(TOO_LONG),
            RawKind::Text => Ok(log_text(bytes)?.into()),
            // It is longer than the text that it says.
            RawKind::JsonString => match serde_json::from_slice::<String>(bytes) {
                Ok(text) if text.len() > MAX_LOG_BYTES => Err(TOO_LONG),
                Ok(text) => Ok(Cow::Owned(text)),
                Err(_) => Err("expected a JSON string, as `--logs jsonl` says"),
            },
        }
    }

    /// The log as a parser takes it; `received` is when it was received if its file does not say so.
    pub(super) fn log<'t>(&self, text: &'t str, received: Instant) -> Log<'t> {
        Log {
            received: self.received.unwrap_or(received),
            collected: self.collected,
            timestamp: self.timestamp,
            ..Log::new(text, received)
        }
    }
}

/// Several logs, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    pub(super) bytes: Vec<u8>,
    pub(super) logs: Vec<RawLog>,
    /// The number of the first log in its input, from 1.
    pub(super) first: u64,
}

/// Reads the logs of an input, and hands them on until `give` says `false`.
///
/// # Errors
/// When the input fails, or is not in the form that is expected.
pub(super) fn read(
    input: &mut dyn Read,
    form: LogForm,
    give: &mut dyn FnMut(Chunk) -> bool,
) -> io::Result<()> {
    let mut head = Vec::new();
    if form == LogForm::Auto {
        input.take(4096).read_to_end(&mut head)?;
    }
    let looks_like_content_hub = {
        let text = String::from_utf8_lossy(&head);
        text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with('{')
            && (text.contains("\"raw_logs\"") || text.contains("\"rawLogs\""))
    };
    let mut input = head.as_slice().chain(input);
    if form == LogForm::ContentHub || looks_like_content_hub {
        let mut text = Vec::new();
        input.take(MOST + 1).read_to_end(&mut text)?;
        if text.len() as u64 > MOST {
            return Err(invalid(format!("a file of raw logs of more than {} MiB", MOST >> 20)));
        }
        give(content_hub(&text)?);
        return Ok(());
    }
    let kind = if form == LogForm::JsonLines { RawKind::JsonString } else { RawKind::Text };
    lines(&mut input, kind, give)
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Reads lines; blank ones are passed over.
fn lines(input: &mut dyn Read, kind: RawKind, give: &mut dyn FnMut(Chunk) -> bool) -> io::Result<()> {
    let mut chunk = Chunk { first: 1, ..Chunk::default() };
    let mut buffer = vec![0; CHUNK];
    let most = kind.most();
    // Where the line that is not whole yet begins in the chunk, and whether the rest of it is passed over.
    let (mut start, mut is_cut, mut is_first) = (0, false, true);
    loop {
        let count = match input.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let mut bytes = &buffer[..count];
        if is_first && count > 0 {
            bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            is_first = false;
        }
        while !bytes.is_empty() {
            let end = memchr::memchr(b'\n', bytes);
            let piece = &bytes[..end.unwrap_or(bytes.len())];
            bytes = end.map_or(&[], |end| &bytes[end + 1..]);
            let room = (most + 1).saturating_sub(chunk.bytes.len() - start);
            is_cut |= piece.len() > room;
            chunk.bytes.extend_from_slice(&piece[..piece.len().min(room)]);
            if end.is_some() {
                chunk.add(start, kind, is_cut);
                (start, is_cut) = (chunk.bytes.len(), false);
            }
        }
        if count == 0 {
            chunk.add(start, kind, is_cut);
            if !chunk.logs.is_empty() {
                give(chunk);
            }
            return Ok(());
        }
        // Whole lines are handed on; what is left of the last one begins the next chunk.
        if start >= CHUNK {
            let rest = chunk.bytes.split_off(start);
            let first = chunk.first + chunk.logs.len() as u64;
            let full = std::mem::replace(&mut chunk, Chunk { bytes: rest, logs: Vec::new(), first });
            start = 0;
            if !full.logs.is_empty() && !give(full) {
                return Ok(());
            }
        }
    }
}

impl Chunk {
    /// Ends the line that began here.
    fn add(&mut self, start: usize, kind: RawKind, is_cut: bool) {
        let line = &self.bytes[start..];
        let length = line.strip_suffix(b"\r").unwrap_or(line).len();
        let is_too_long = is_cut || length > kind.most();
        if line.iter().all(u8::is_ascii_whitespace) && !is_too_long {
            self.bytes.truncate(start);
            return;
        }
        let kind = if is_too_long { RawKind::TooLong } else { kind };
        self.logs.push(RawLog {
            range: start..start + length,
            kind,
            received: None,
            collected: None,
            timestamp: None,
        });
    }
}

/// The logs of a content-hub file.
fn content_hub(text: &[u8]) -> io::Result<Chunk> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let value: Value = serde_json::from_slice(text).map_err(|error| {
        invalid(format!("not valid JSON: {error}; if a line is a log, `--logs text` says so"))
    })?;
    let raw = [&value["raw_logs"], &value["rawLogs"]].into_iter().find(|raw| raw.is_object());
    let entries = raw.and_then(|raw| raw["entries"].as_array());
    let entries = entries.ok_or_else(|| {
        invalid("expected `raw_logs.entries`, a list; if a line is a log, `--logs text` says so".into())
    })?;
    let time = |of: &Value, names: [&str; 2]| -> io::Result<Option<Instant>> {
        let Some(text) = names.iter().find_map(|name| of[*name].as_str()) else { return Ok(None) };
        match read_time(text, Reading::Iso8601) {
            Ok(instant) => Ok(Some(instant)),
            Err(_) => Err(invalid(format!("`{}` is not a time: {}", names[0], escaped(text)))),
        }
    };
    let created = time(&value, ["create_time", "createTime"])?;
    let mut chunk = Chunk { first: 1, ..Chunk::default() };
    for entry in entries {
        let data = entry["data"].as_str().ok_or_else(|| invalid("an entry has no `data`".into()))?;
        let data = crate::check::cases::raw_data(data);
        let start = chunk.bytes.len();
        chunk.bytes.extend_from_slice(&data);
        let timestamp = time(entry, ["timestamp", "timestamp"])?;
        let collected = time(entry, ["collection_time", "collectionTime"])?;
        chunk.logs.push(RawLog {
            range: start..chunk.bytes.len(),
            kind: if data.len() > MAX_LOG_BYTES { RawKind::TooLong } else { RawKind::Text },
            received: timestamp.or(collected).or(created),
            collected,
            timestamp,
        });
    }
    Ok(chunk)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8], form: LogForm) -> Vec<(String, RawKind)> {
        let mut found = Vec::new();
        let mut next = 1;
        read(&mut &*bytes, form, &mut |chunk| {
            assert_eq!(chunk.first, next);
            next += chunk.logs.len() as u64;
            for log in &chunk.logs {
                let text = &chunk.bytes[log.range.clone()];
                found.push((String::from_utf8_lossy(&text[..text.len().min(20)]).into_owned(), log.kind));
            }
            true
        })
        .unwrap();
        found
    }

    #[test]
    fn lines_are_logs_but_blank_ones() {
        let text = |text: &str| (text.to_owned(), RawKind::Text);
        assert_eq!(texts(b"\xef\xbb\xbfa\r\n\n  \nb c", LogForm::Auto), [text("a"), text("b c")]);
        assert_eq!(texts(b"", LogForm::Auto), []);
        assert_eq!(texts(b"\"a\"\n", LogForm::JsonLines), [("\"a\"".to_owned(), RawKind::JsonString)]);
    }

    #[test]
    fn a_line_that_is_too_long_is_one_log_and_the_next_ones_stay() {
        let long = [&b"x".repeat(3 << 20)[..], b"\ny\n", &b"z".repeat(1 << 20), b"\n"].concat();
        let found = texts(&long, LogForm::Text);
        let kinds: Vec<RawKind> = found.iter().map(|(_, kind)| *kind).collect();
        assert_eq!(kinds, [RawKind::TooLong, RawKind::Text, RawKind::Text]);
        assert_eq!(found[1].0, "y");
    }

    #[test]
    fn many_lines_are_counted_over_chunks() {
        let many = b"0123456789\n".repeat(30_000);
        assert_eq!(texts(&many, LogForm::Text).len(), 30_000);
    }

    #[test]
    fn files_of_content_hub_say_when_a_log_was_received() {
        let text = br#"{"create_time":"2024-01-01T00:00:00Z","raw_logs":{"entries":[{"data":"a"},
            {"data":"aGVsbG8gd29ybGQ=","collection_time":"2025-01-01T00:00:00Z"}]}}"#;
        let mut times = Vec::new();
        read(&mut &text[..], LogForm::Auto, &mut |chunk| {
            for log in &chunk.logs {
                times.push((chunk.bytes[log.range.clone()].to_vec(), log.received.unwrap().to_rfc3339()));
            }
            true
        })
        .unwrap();
        assert_eq!(times[0], (b"a".to_vec(), "2024-01-01T00:00:00Z".to_owned()));
        assert_eq!(times[1], (b"hello world".to_vec(), "2025-01-01T00:00:00Z".to_owned()));
        assert!(read(&mut &b"{}"[..], LogForm::ContentHub, &mut |_| true).is_err());
    }
}
