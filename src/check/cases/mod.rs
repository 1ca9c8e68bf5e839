//! A mapping, or a parser, against cases: logs with the events that are expected of them.

mod bless;
mod case_files;
mod issues;
mod layouts;
mod outcome;

pub(crate) use bless::bless;
pub(crate) use case_files::CaseFiles;
pub(crate) use issues::issues;
pub(crate) use layouts::{
    ByParser, Cases, Layout, MOST, TestCase, WantedCases, among, find, is_part, raw_data,
};
pub(crate) use outcome::{Event, Eventless, LogEnd, Outcome, Parsed};
