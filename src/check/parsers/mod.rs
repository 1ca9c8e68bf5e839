//! Google SecOps' parsers over many logs: `logs` reads them, `stream` runs a parser on them with many threads, in order,
//! and `tested` runs parsers on test cases.

mod logs;
mod stream;
mod tested;

pub(crate) use logs::LogForm;
pub(crate) use stream::{Event, FailedLog, Part, Run, Wanted};
pub(crate) use tested::{ParserCoverage, Receipt, TestedParsers};
