//! What the tests of several files need.

use super::sample::Sample;
use super::state::{Opened, State};
use crate::mapping::builtin_text;
use std::sync::Arc;

/// A server's state with the built-in table and this sample.
pub(super) fn state(sample: &[u8]) -> State {
    let text = builtin_text("duo_telephony").unwrap().to_owned();
    let mapping = Opened { name: "x.toml".to_owned(), text, file: None };
    let sample = Sample::of_files("x", vec![("x".to_owned(), sample.to_vec())]);
    let received = crate::time::Instant::EPOCH;
    State::new(mapping, None, sample, false, std::env::temp_dir(), received, Arc::default())
}
