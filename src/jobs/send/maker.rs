//! Makes parts of requests of lines: events, or raw logs.

use super::event::{self, Ages, EventMaker};
use super::log::LogMaker;
use super::piece::{EventAt, Reject};

/// What is behind all events or logs of a request.
pub(super) const TAIL: &[u8] = b"]}}";

/// Makes parts of requests of lines.
pub(super) enum Maker {
    Events(EventMaker),
    Logs(LogMaker),
}

impl Maker {
    /// What a request begins with.
    pub(super) fn head(&self) -> &[u8] {
        match self {
            Maker::Events(_) => event::HEAD,
            Maker::Logs(logs) => &logs.head,
        }
    }

    /// What of a line is sent: of a log, all of it.
    pub(super) fn solid<'l>(&self, line: &'l [u8]) -> &'l [u8] {
        match self {
            Maker::Logs(_) if !line.trim_ascii().is_empty() => line.strip_suffix(b"\r").unwrap_or(line),
            _ => line.trim_ascii(),
        }
    }

    /// How much a line of this length adds to a request, whatever is in it.
    pub(super) fn cost(&self, length: u64) -> u64 {
        match self {
            Maker::Events(_) => EventMaker::cost(length),
            Maker::Logs(logs) => logs.cost(length),
        }
    }

    /// Appends what is on a line to a request that has others if `others`.
    pub(super) fn add(
        &mut self,
        line: &[u8],
        number: u64,
        others: bool,
        body: &mut Vec<u8>,
    ) -> Result<EventAt, Reject> {
        match self {
            Maker::Events(events) => events.add(line, number, others, body),
            Maker::Logs(logs) => logs.add(line, number, others, body),
        }
    }

    /// How old the events were since this was last asked.
    pub(super) fn take_ages(&mut self) -> Ages {
        match self {
            Maker::Events(events) => std::mem::take(&mut events.ages),
            Maker::Logs(_) => Ages::default(),
        }
    }

    /// Whether what was made holds a line as base64.
    pub(super) fn is_encoded(&self) -> bool {
        matches!(self, Maker::Logs(_))
    }
}
