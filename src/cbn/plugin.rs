//! What a plugin is, and what it may use.

use super::failure::Failure;
use super::pattern::Captures;
use super::state::State;
use super::xml::Documents;
use crate::json::Tree;
use crate::time::Instant;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Something that reads and sets tokens.
pub(super) trait Action: fmt::Debug + Send + Sync {
    /// Does it to a log.
    ///
    /// # Errors
    /// Why it failed. What it did before stays.
    fn run<'p>(&'p self, state: &mut State, tools: &mut Tools) -> Result<(), Failure<'p>>;
}

/// What plugins use again from log to log, and what they know of the log.
#[derive(Debug)]
pub(super) struct Tools {
    pub(super) captures: Captures,
    pub(super) tree: Tree,
    pub(super) documents: Documents,
    /// Ends a log early, once it is set.
    pub(super) stop: Option<Arc<AtomicBool>>,
    /// Whether a date has set `@timestamp`.
    pub(super) is_dated: bool,
    /// When the log was received.
    pub(super) received: Instant,
    /// What `statedump` has written; nothing, if nobody wants it.
    pub(super) dumped: Option<String>,
    /// Which of the parser's parts a log has reached, by number; empty, if nobody asks.
    pub(super) reached: Vec<bool>,
}
