//! A range of lines as it is sent, and its halves.

use super::state::Known;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use std::ops::Range;

/// A range, or a part of a split one: what one request holds.
#[derive(Debug)]
pub(super) struct Piece {
    /// The name of its input in the state.
    pub(super) input: String,
    /// The name of its input for people.
    pub(super) source: String,
    pub(super) lines: Range<u64>,
    /// The body of the request for all of it.
    pub(super) body: Bytes,
    /// The bytes behind the last event.
    pub(super) tail: usize,
    /// Whether it holds lines as base64.
    pub(super) is_encoded: bool,
    /// Where each event is in the body.
    pub(super) events: Vec<EventAt>,
    /// Lines that are not sent, in order.
    pub(super) rejects: Vec<Reject>,
    /// The input, up to the end of these lines.
    pub(super) known: Known,
    /// Whether the input ends here.
    pub(super) is_end: bool,
    /// The version of the object that ends here.
    pub(super) version: Option<String>,
    /// Whether an earlier run may have sent it.
    pub(super) again: bool,
}

/// Where an event (or a log) is.
#[derive(Debug, Clone)]
pub(super) struct EventAt {
    pub(super) line: u64,
    /// With all that belongs to it alone.
    pub(super) bytes: Range<usize>,
    /// What the line held of it.
    pub(super) raw: Range<usize>,
}

/// A line that is not sent, or was refused.
#[derive(Debug, Clone)]
pub(super) struct Reject {
    pub(super) line: u64,
    pub(super) length: u64,
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) raw: Vec<u8>,
}

impl Reject {
    /// Appends it as a line of JSON.
    pub(super) fn write(&self, source: &str, out: &mut Vec<u8>) {
        #[derive(Serialize)]
        struct RejectLine<'a> {
            source: &'a str,
            line: u64,
            length: u64,
            reason: &'a str,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            raw: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            raw_base64: Option<String>,
        }
        let Reject { line, length, reason, message, raw } = self;
        let text = std::str::from_utf8(raw).ok();
        let raw_base64 = text.is_none().then(|| STANDARD.encode(raw));
        // Writing texts and numbers to a vector can't fail.
        let _ = serde_json::to_writer(
            &mut *out,
            &RejectLine { source, line: *line, length: *length, reason, message, raw: text, raw_base64 },
        );
        out.push(b'\n');
    }
}

impl Piece {
    /// The body of a request for some of its events: the same bytes between the same ends.
    pub(super) fn body_of(&self, events: &Range<usize>) -> Bytes {
        let all = 0..self.events.len();
        if *events == all {
            return self.body.clone();
        }
        let (Some(first), Some(last)) = (self.events.get(events.start), self.events.get(events.end - 1))
        else {
            return Bytes::new();
        };
        let head = self.events.first().map_or(0, |event| event.bytes.start);
        let end = self.body.len() - self.tail;
        let parts = [&self.body[..head], &self.body[first.bytes.start..last.bytes.end], &self.body[end..]];
        Bytes::from(parts.concat())
    }

    /// What the line of an event held.
    pub(super) fn raw(&self, event: &EventAt) -> Vec<u8> {
        let raw = &self.body[event.raw.clone()];
        if self.is_encoded { STANDARD.decode(raw).unwrap_or_default() } else { raw.to_vec() }
    }

    /// The lines that belong to some of its events: all, for all of them.
    pub(super) fn lines_of(&self, events: &Range<usize>) -> Range<u64> {
        let line = |at: usize, edge: u64| match self.events.get(at) {
            Some(event) if at > 0 => event.line,
            _ => edge,
        };
        line(events.start, self.lines.start)..line(events.end, self.lines.end)
    }
}
