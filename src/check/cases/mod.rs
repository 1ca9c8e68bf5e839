//! A mapping, or a parser, against cases: logs with the events that are expected of them.

mod bless;
mod case_files;
mod issues;
mod layouts;
mod outcome;

pub(crate) use bless::bless;
pub(crate) use case_files::CaseFiles;
pub(crate) use issues::issues;
#[cfg(any(feature = "parser", feature = "serve"))]
pub(crate) use layouts::Layout;
#[cfg(feature = "parser")]
pub(crate) use layouts::MOST;
#[cfg(all(feature = "cli", feature = "parser"))]
pub(crate) use layouts::log_type_next_to;
pub(crate) use layouts::{ByParser, Cases, TestCase, WantedCases, among, find, is_part, raw_data};
#[cfg(feature = "parser")]
pub(crate) use outcome::{Event, Eventless, Parsed};
pub(crate) use outcome::{LogEnd, Outcome};
