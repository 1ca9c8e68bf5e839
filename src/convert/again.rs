//! Rejects taken back: the record in a line of a reject file, converted again under its old place.

use super::batch::Batch;
use super::converter::Converter;
use super::counts::Counts;
use crate::record::formats::Format;
use crate::record::frame::{HEAD, Unit, UnitState};
use crate::record::{Reason, RecordError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::{self, BufRead as _, Read};
use std::ops::ControlFlow;

/// A line of a reject file, as far as it is read.
#[derive(Debug, Deserialize)]
struct RejectLine<'a> {
    #[serde(borrow)]
    source: Cow<'a, str>,
    line: u64,
    offset: u64,
    length: Option<u64>,
    reason: Option<Cow<'a, str>>,
    table: Option<Cow<'a, str>>,
    raw: Option<Cow<'a, str>>,
    raw_base64: Option<Cow<'a, str>>,
}

impl RejectLine<'_> {
    /// Where its record is, of which `raw` is there, if it is one that is rejected as it is.
    fn place(&self, raw: &[u8], length: u64) -> Unit {
        Unit {
            range: 0..raw.len(),
            offset: self.offset,
            length,
            line: self.line,
            column: 1,
            state: UnitState::Whole,
            alone: true,
        }
    }
}

/// Why a `raw` that holds nothing to convert is rejected.
fn no_record(raw: &[u8]) -> RecordError {
    // Nothing at all is not JSON; an empty list is, and holds no object.
    let reason = if raw.trim_ascii().is_empty() { Reason::InvalidJson } else { Reason::NotObject };
    RecordError::new(reason, "`raw` holds no record: expected the mended one")
}

/// The reject in a line of a reject file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RejectAt<'a> {
    /// The source that the record is of.
    pub(crate) source: &'a str,
    /// Where in the source the record is.
    line: u64,
    offset: u64,
}

impl RejectAt<'_> {
    /// Appends a line for each event that the reject became: its number, where `before` events came before them, and
    /// where its record is from.
    pub(crate) fn write_events(&self, before: u64, batch: &Batch, out: &mut Vec<u8>) {
        #[derive(Serialize)]
        struct Event<'a> {
            event: u64,
            source: &'a str,
            line: u64,
            offset: u64,
        }
        let RejectAt { source, line, offset } = *self;
        for n in 1..=batch.counts.events {
            // Texts and numbers always serialize, and a vector takes everything.
            let _ = serde_json::to_writer(&mut *out, &Event { event: before + n, source, line, offset });
            out.push(b'\n');
        }
    }
}

/// Why a file could not be read as rejects.
#[derive(Debug)]
pub(crate) enum NotRejects {
    /// It could not be read.
    Unread(io::Error),
    /// A line is not a reject; a clause that says which and why.
    Line(String),
}

impl Converter {
    /// Converts what is in a file of rejects, line by line, and hands it to `sink`: each reject, and the outcome of its
    /// records.
    ///
    /// # Errors
    /// If it can't be read, or at the first line that is not a reject. What came before it was handed on.
    pub(crate) fn run_rejects(
        &self,
        rejects: impl Read,
        counts: &mut Counts,
        mut sink: impl FnMut(&RejectAt<'_>, &Batch) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, NotRejects> {
        let mut rejects = io::BufReader::with_capacity(1 << 16, rejects);
        // A byte takes up to six in JSON; the rest is for the other fields.
        let most = (self.exact.max_record_bytes as u64).saturating_mul(6).saturating_add(1 << 16);
        let mut line = Vec::new();
        for number in 1u64.. {
            line.clear();
            let read =
                rejects.by_ref().take(most).read_until(b'\n', &mut line).map_err(NotRejects::Unread)?;
            counts.bytes_in += read as u64;
            if read == 0 {
                break;
            }
            let no_reject = |why: &str| NotRejects::Line(format!("line {number} is not a reject: {why}"));
            if read as u64 == most {
                return Err(no_reject("it is too long for one (`--max-record-bytes`)"));
            }
            if line.trim_ascii().is_empty() {
                counts.blank += 1;
                continue;
            }
            let (reject, batch) = self.convert_reject(&line).map_err(|why| no_reject(&why))?;
            counts.add(&batch.counts);
            let RejectLine { source, line, offset, .. } = &reject;
            if sink(&RejectAt { source, line: *line, offset: *offset }, &batch).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Converts what is in `line`, a reject as [`Reject::write_json`](super::Reject::write_json) writes it, whose `raw`
    /// may have been mended; what it says, and what becomes of its records.
    ///
    /// Rejects keep their source and their places in it; those of further records count on from there. A reject of which
    /// only the beginning is there (`too-long`) stays one, and so does one whose `raw` holds no record any more.
    ///
    /// # Errors
    /// If the line is not a reject; the error says why.
    fn convert_reject<'l>(&self, line: &'l [u8]) -> Result<(RejectLine<'l>, Batch), String> {
        let text = std::str::from_utf8(line).map_err(|error| error.to_string())?;
        let line: RejectLine<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let raw: Cow<'_, [u8]> = match (&line.raw, &line.raw_base64) {
            (Some(raw), None) => Cow::Borrowed(raw.as_bytes()),
            (None, Some(raw)) => {
                Cow::Owned(STANDARD.decode(raw.as_bytes()).map_err(|error| format!("`raw_base64`: {error}"))?)
            }
            (None, None) => return Err("it has neither `raw` nor `raw_base64`".to_owned()),
            (Some(_), Some(_)) => return Err("it has both `raw` and `raw_base64`: remove one".to_owned()),
        };
        let mut batch = self.batch();
        let kept = raw.len() as u64;
        // What was not kept whole: see `Unit::kept`.
        let cut = [Reason::TooLong, Reason::TooDeep].into_iter().find(|reason| {
            line.reason.as_deref() == Some(reason.code()) && (*reason == Reason::TooLong || raw.len() <= HEAD)
        });
        match (line.length, cut) {
            (Some(length), Some(reason)) if kept < length => {
                let message = match reason {
                    Reason::TooLong => format!(
                        "only the first {kept} of {length} bytes are here: convert the input again with a larger \
                         `--max-record-bytes`"
                    ),
                    _ => format!("only the first {kept} of {length} bytes are here: mend it in the input"),
                };
                let error = RecordError::new(reason, message);
                batch.reject(error, Format::Plain, None, &line.place(&raw, length), &raw);
            }
            _ => {
                // What was around the record is no longer there.
                let left = self.exact.left(line.table.as_deref());
                self.convert_left(&mut self.learnt(), &raw, left, &mut batch);
                // Those of the file of rejects are read.
                batch.counts.bytes_in = 0;
                // The numbers of the line may be any.
                for reject in &mut batch.rejects {
                    reject.line = reject.line.saturating_add(line.line.saturating_sub(1));
                    reject.offset = reject.offset.saturating_add(line.offset);
                }
                // A record of the source must not vanish.
                if batch.counts.records == 0 {
                    let error = no_record(&raw);
                    batch.reject(error, Format::Plain, None, &line.place(&raw, kept), &raw);
                }
            }
        }
        batch.end = line.offset.saturating_add(kept);
        Ok((line, batch))
    }
}

#[cfg(test)]
mod tests {
    use crate::convert::{Converter, Options, Reject};
    use crate::mapping::Mapping;

    fn converter() -> Converter {
        Converter::new(&Mapping::builtin("duo_telephony").unwrap(), &Options::default())
    }

    /// The reject lines of an input, and the rejects.
    fn rejects(input: &[u8]) -> Vec<Reject> {
        converter().convert(input).rejects
    }

    fn written(reject: &Reject) -> Vec<u8> {
        let mut line = Vec::new();
        reject.write_json("a/b.log", &mut line);
        line
    }

    #[test]
    fn unmended_rejects_stay_what_they_are() {
        let pretty = b"[{\"phone\":\n\"1\"},\n\n{\"ts\":\n[]}\n]";
        let binary = b"{\"ts\":\"2024-01-01T00:00:00Z\"}\n\xff\xfe{}\n{\"phone\":\"1\"}\n";
        for input in [&pretty[..], binary, b"\n\nnot json\n{}{\n", &b"x".repeat(2 << 20)] {
            let rejects = rejects(input);
            assert!(!rejects.is_empty());
            for reject in rejects {
                let converter = converter();
                let line = written(&reject);
                let (read, batch) = converter.convert_reject(&line).unwrap();
                assert_eq!(read.source, "a/b.log");
                assert!(batch.events.is_empty() && batch.counts.balances());
                let [again] = &batch.rejects[..] else { panic!("{batch:?}") };
                let place = |it: &Reject| (it.reason, it.line, it.offset, it.length, it.raw.clone());
                assert_eq!(place(again), place(&reject));
            }
        }
    }

    #[test]
    fn what_is_mended_becomes_events_and_what_is_no_reject_is_told() {
        let converter = converter();
        let line = |raw: &str| {
            serde_json::json!({"source": "x", "line": 7, "offset": 100, "length": 3, "reason": "no-timestamp", "raw": raw})
                .to_string()
        };
        let good = r#"{"ts":"2024-01-01T00:00:00Z","phone":"1"}"#;
        let (_, batch) = converter.convert_reject(line(good).as_bytes()).unwrap();
        assert_eq!((batch.counts.events, batch.counts.rejects), (1, 0));
        // Records that were added to it count on from its place.
        let three = format!("{good}\n{{}}\n{good}");
        let (_, batch) = converter.convert_reject(line(&three).as_bytes()).unwrap();
        assert_eq!((batch.counts.events, batch.counts.rejects), (2, 1));
        assert_eq!((batch.rejects[0].line, batch.rejects[0].offset), (8, 100 + good.len() as u64 + 1));
        let too_long = r#"{"source":"x","line":1,"offset":0,"length":9999,"reason":"too-long","raw":"{\"ts\":\"2024-01-01T00:00:00Z\"}"}"#;
        let (_, batch) = converter.convert_reject(too_long.as_bytes()).unwrap();
        assert_eq!((batch.counts.events, batch.rejects[0].reason.code()), (0, "too-long"));
        assert_eq!(batch.rejects[0].length, 9999);
        // What holds no record stays a reject in its place, and stays the same.
        for (raw, reason) in
            [("", "invalid-json"), ("  ", "invalid-json"), ("\n\n", "invalid-json"), ("[]", "not-object")]
        {
            let mut text = line(raw);
            for _ in 0..2 {
                let (_, batch) = converter.convert_reject(text.as_bytes()).unwrap();
                assert!(batch.counts.balances() && batch.counts.records == 1, "{raw:?}");
                let [left] = &batch.rejects[..] else { panic!("{batch:?}") };
                assert_eq!((left.reason.code(), left.line, left.offset), (reason, 7, 100), "{raw:?}");
                assert!(left.message.contains("`raw` holds no record") && left.raw == raw.as_bytes());
                assert_eq!(batch.records().filter(Result::is_err).count(), 1);
                text = String::from_utf8(written(left)).unwrap();
            }
        }
        // Numbers of the line end nothing, whatever they are.
        for field in ["line", "offset", "length"] {
            let mut text: serde_json::Value = serde_json::from_str(&line("{}\n{}")).unwrap();
            text[field] = u64::MAX.into();
            let (_, batch) = converter.convert_reject(text.to_string().as_bytes()).unwrap();
            assert_eq!((batch.counts.rejects, batch.rejects.len()), (2, 2), "{field}");
        }
        for (wrong, why) in [
            (good, "source"),
            ("", "EOF"),
            (r#"{"source":"x","line":1,"offset":0}"#, "neither"),
            (r#"{"source":"x","line":1,"offset":0,"raw":"","raw_base64":""}"#, "both"),
            (r#"{"source":"x","line":1,"offset":0,"raw_base64":"*"}"#, "raw_base64"),
            (r#"{"source":"x","line":1,"offset":0,"raw":{}}"#, "expected"),
        ] {
            let error = converter.convert_reject(wrong.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{wrong}: {error}");
        }
    }
}
