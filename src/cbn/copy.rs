//! Copies of tokens with all that they hold.

use super::failure::Failure;
use super::state::State;
use super::value::Value;

/// How deep tokens may nest where they are copied or written: an object may hold itself.
pub(super) const DEEPEST: usize = 100;

/// A copy that shares nothing with the value.
pub(super) fn deep_copy<'p>(state: &mut State, value: Value) -> Result<Value, Failure<'p>> {
    copied(state, value, 0)
}

fn copied<'p>(state: &mut State, value: Value, depth: usize) -> Result<Value, Failure<'p>> {
    let Value::Container(id) = value else { return Ok(value) };
    if depth == DEEPEST {
        return Err(Failure::Other("copy failure: the value nests too deeply, or holds itself".into()));
    }
    state.check()?;
    let shape = state.container(id).shape;
    let new = state.make(shape);
    for place in 0..state.container(id).len() {
        let Some((key, value, _)) = state.container(id).at(place) else { break };
        let value = copied(state, value, depth + 1)?;
        match key {
            Some(key) => state.set_member(new, key, value),
            None => state.push(new, value),
        }
    }
    Ok(Value::Container(new))
}
