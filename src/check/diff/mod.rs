//! Two sets of events: which events differ, in which fields, how often.
//!
//! Events are matched by their content, not by their position, and copies are counted. Sorting, over temporary files
//! where memory does not suffice, finds events that are the same. The others find their counterparts in passes, by what
//! they share.

mod digests;
mod event_source;
mod kept_texts;
mod passes;
mod report;
mod run;
mod second_read;
mod sets;
mod unmatched;

pub(crate) use event_source::EventSource;
pub(crate) use report::Report;
pub(crate) use run::{Options, diff};
pub(crate) use sets::{Matched, match_up};
