//! Numbers as texts.

use super::state::State;
use super::value::{Text, Value};

/// A number's text: the shortest digits that read back, never an exponent.
pub(super) fn keep(state: &mut State, value: Value) -> Option<Text> {
    Some(match value {
        Value::Number(number) => state.keep_written(format_args!("{number}")),
        Value::Integer(number) => state.keep_written(format_args!("{number}")),
        Value::Unsigned(number) => state.keep_written(format_args!("{number}")),
        Value::Counter(number) => state.keep_written(format_args!("{number}")),
        _ => return None,
    })
}
