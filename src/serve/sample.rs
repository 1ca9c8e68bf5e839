//! Records to try a table on: a text that was pasted, files that were dropped, or the file that the command names.

use crate::check::cases::raw_data;
use crate::convert::MAX_RECORD_BYTES;
use crate::record::frame::{Chunk, Framer};
use crate::store::{Input, Source};
use crate::text::{NextText, escaped};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The most bytes of a sample, after decompression.
pub(super) const SAMPLE_BYTES: usize = 16 << 20;
/// About how many bytes a chunk has. What is before a record in its chunk is read with it.
const CHUNK: usize = 32 << 10;
/// How much of a text may be left out at its end, so that it ends with a line.
const LONGEST_LINE: usize = 1 << 20;
/// The most texts of a sample.
const MOST_TEXTS: usize = 20_000;

/// A sample, cut into chunks of whole records.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(super) id: String,
    pub(super) name: String,
    /// Whether its name is that of a file that the command was given.
    pub(super) is_file: bool,
    pub(super) texts: Vec<SampleText>,
    /// The chunks of all texts, in order.
    pub(super) chunks: Vec<SampleChunk>,
    pub(super) bytes: usize,
    /// Whether there is more.
    pub(super) truncated: bool,
    /// How it was wrapped.
    pub(super) wraps: Vec<&'static str>,
    /// What could not be read, a sentence each.
    pub(super) failures: Vec<String>,
}

#[derive(Debug)]
pub(super) struct SampleText {
    pub(super) name: String,
}

#[derive(Debug)]
pub(super) struct SampleChunk {
    /// The number of its text.
    pub(super) text: usize,
    pub(super) chunk: Chunk,
}

impl Sample {
    fn new(name: &str, is_file: bool) -> Sample {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Sample {
            id: format!("s{}", LAST.fetch_add(1, Relaxed) + 1),
            name: name.to_owned(),
            is_file,
            texts: Vec::new(),
            chunks: Vec::new(),
            bytes: 0,
            truncated: false,
            wraps: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// The beginning of what these sources hold.
    pub(crate) fn of_sources(name: &str, is_file: bool, sources: &[Source]) -> Sample {
        let mut sample = Sample::new(name, is_file);
        for source in sources {
            match source.open(Arc::default(), Arc::default()) {
                Ok(input) => sample.add(input, source.name()),
                Err(error) => sample.failures.push(escaped(&error.to_string()).into_owned()),
            }
        }
        sample
    }

    /// The beginning of what these files hold, which came with their names.
    pub(crate) fn of_files(name: &str, files: Vec<(String, Vec<u8>)>) -> Sample {
        let mut sample = Sample::new(name, false);
        for (name, bytes) in files {
            let size = bytes.len() as u64;
            sample.add(Input::of(Cursor::new(bytes), size, &name, Arc::default()), &name);
        }
        sample
    }

    /// What could not be read, a sentence each.
    pub(crate) fn failures(&self) -> &[String] {
        &self.failures
    }

    /// The name of the text that a chunk is of.
    pub(super) fn source(&self, chunk: &SampleChunk) -> &str {
        &self.texts[chunk.text].name
    }

    fn left(&self) -> usize {
        SAMPLE_BYTES - self.bytes
    }

    /// Adds the texts of an input: one, or the members of an archive.
    fn add(&mut self, input: Input, name: &str) {
        let (mut input, mut name) = (input.with_members(), name.to_owned());
        loop {
            if self.left() == 0 || self.texts.len() == MOST_TEXTS {
                self.truncated = true;
                return;
            }
            let mut text = Vec::new();
            let ended = (&mut input).take(self.left() as u64 + 1).read_to_end(&mut text);
            if let Some(compression) = input.compression() {
                self.wrapped(compression);
            }
            let is_cut = text.len() > self.left();
            let next = ended.err().map(NextText::of);
            if !text.is_empty() || next.is_none() {
                self.add_text(&name, text, is_cut);
            }
            match next {
                _ if is_cut => {
                    self.truncated = true;
                    return;
                }
                None => return,
                Some(Ok(next)) => {
                    self.wrapped("tar");
                    self.failures.extend(next.failed.map(|error| escaped(&error.to_string()).into_owned()));
                    name = next.name;
                }
                Some(Err(error)) => {
                    self.failures.push(escaped(&error.to_string()).into_owned());
                    return;
                }
            }
        }
    }

    fn wrapped(&mut self, how: &'static str) {
        if !self.wraps.contains(&how) {
            self.wraps.push(how);
        }
    }

    fn add_text(&mut self, name: &str, mut text: Vec<u8>, is_cut: bool) {
        if is_cut {
            text.truncate(self.left());
            // A record that is cut would be a reject.
            let end = memchr::memrchr(b'\n', &text).map_or(0, |end| end + 1);
            if text.len() - end <= LONGEST_LINE && end > 0 {
                text.truncate(end);
            }
        }
        if let Some(logs) = case_logs(&text) {
            self.wrapped("content-hub");
            for (number, log) in logs.into_iter().enumerate().take(MOST_TEXTS) {
                self.add_records(&format!("{name}, log {}", number + 1), &log);
            }
        } else if let Some(logs) = base64_logs(&text) {
            self.wrapped("base64");
            for (number, log) in logs.into_iter().enumerate().take(MOST_TEXTS) {
                self.add_records(&format!("{name}, line {}", number + 1), &log);
            }
        } else {
            self.add_records(name, &text);
        }
    }

    fn add_records(&mut self, name: &str, text: &[u8]) {
        let text = &text[..text.len().min(self.left())];
        self.bytes += text.len();
        self.texts.push(SampleText { name: name.to_owned() });
        let number = self.texts.len() - 1;
        let mut framer = Framer::new(MAX_RECORD_BYTES, CHUNK);
        let mut input = text;
        // Reading from a slice can't fail.
        while let Ok(Some(mut chunk)) = framer.next(&mut input as &mut dyn io::Read, Vec::new()) {
            chunk.bytes.shrink_to_fit();
            self.chunks.push(SampleChunk { text: number, chunk });
        }
    }
}

/// The logs of a file of raw logs, as content-hub keeps them: texts in base64, or as they are.
fn case_logs(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    let head = String::from_utf8_lossy(&text[..text.len().min(4096)]);
    let is_one = head.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with('{')
        && (head.contains("\"raw_logs\"") || head.contains("\"rawLogs\""));
    if !is_one {
        return None;
    }
    let value: Value = serde_json::from_slice(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)).ok()?;
    let entries = ["raw_logs", "rawLogs"].iter().find_map(|key| value[key]["entries"].as_array())?;
    entries.iter().map(|entry| entry["data"].as_str().map(raw_data)).collect()
}

/// The texts of lines that are all texts in base64.
fn base64_logs(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    /// A word may look like base64.
    const SHORTEST: usize = 16;
    let log = |line: &str| {
        let decoded = BASE64_STANDARD.decode(line).ok().filter(|_| line.len() >= SHORTEST)?;
        let is_text = std::str::from_utf8(&decoded)
            .is_ok_and(|text| !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')));
        is_text.then_some(decoded)
    };
    let lines = std::str::from_utf8(text).ok()?.lines().map(str::trim).filter(|line| !line.is_empty());
    let logs = lines.map(log).collect::<Option<Vec<_>>>()?;
    (!logs.is_empty()).then_some(logs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(text: &[u8]) -> Sample {
        Sample::of_files("x", vec![("x".to_owned(), text.to_vec())])
    }

    #[test]
    fn what_is_wrapped_is_opened() {
        let record = b"{\"ts\":\"2024-01-01T00:00:00Z\"}";
        let encoded = BASE64_STANDARD.encode(record);
        let hub = format!(r#"{{"raw_logs":{{"entries":[{{"data":"{encoded}"}},{{"data":"a=1"}}]}}}}"#);
        let texts = |sample: &Sample| {
            let text = |chunk: &SampleChunk| {
                let mut all = Vec::new();
                chunk.chunk.body.units(
                    &chunk.chunk.bytes,
                    1 << 20,
                    &mut |_, bytes| all.push(bytes.to_vec()),
                    &mut 0,
                );
                (sample.source(chunk).to_owned(), String::from_utf8(all.concat()).unwrap())
            };
            sample.chunks.iter().map(text).collect::<Vec<_>>()
        };
        let record = String::from_utf8(record.to_vec()).unwrap();
        let hub = sample(hub.as_bytes());
        assert_eq!(texts(&hub), [("x, log 1".to_owned(), record.clone()), ("x, log 2".into(), "a=1".into())]);
        assert_eq!(hub.wraps, ["content-hub"]);
        let lines = sample(format!("{encoded}\r\n\n{encoded}\n").as_bytes());
        assert_eq!((texts(&lines).len(), &lines.wraps[..]), (2, &["base64"][..]));
        for plain in [&record[..], "deadbeef", "aGVsbG8gd29ybGQgaGVsbG8=\n{}", ""] {
            assert!(sample(plain.as_bytes()).wraps.is_empty(), "{plain}");
        }
    }

    #[test]
    fn a_large_text_is_cut_at_a_line() {
        let line = b"{\"a\":1}\n".repeat(SAMPLE_BYTES / 8 + 100);
        let cut = sample(&line);
        assert!(cut.truncated && cut.bytes <= SAMPLE_BYTES && cut.bytes.is_multiple_of(8), "{}", cut.bytes);
        let whole = sample(&line[..SAMPLE_BYTES]);
        assert!(!whole.truncated && whole.bytes == SAMPLE_BYTES);
    }
}
