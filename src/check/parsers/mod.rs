//! Google SecOps' parsers over many logs: `logs` reads them, `stream` runs a parser on them with many threads, in order.

mod logs;
mod stream;

pub(crate) use logs::LogForm;
pub(crate) use stream::{Event, FailedLog, Part, Run, Wanted};
