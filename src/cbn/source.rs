//! The text that a plugin reads.

use super::failure::Failure;
use super::path::Path;
use super::state::State;
use super::template::kind;
use super::value::{Text, Value};

/// The text of a token.
///
/// # Errors
/// If it is not set, or is not a text.
pub(super) fn text_of<'p>(path: &'p Path, state: &State) -> Result<Text, Failure<'p>> {
    match path.get(state) {
        Value::Text(text) => {
            state.spend(text.len as usize);
            Ok(text)
        }
        Value::Unset => Err(Failure::NoSource { source: &path.text }),
        value => Err(Failure::WrongSource { source: &path.text, kind: kind(state, value) }),
    }
}
