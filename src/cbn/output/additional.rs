//! `additional`: a free structure, which parsers write as a list of keys and values.

use super::error::OutputError;
use super::scalar;
use crate::cbn::copy::DEEPEST;
use crate::cbn::state::State;
use crate::cbn::template::kind;
use crate::cbn::value::{ContainerId, Value};
use std::collections::HashMap;

/// Writes `{"fields": [{"key": ..., "value": ...}, ...]}` as a plain object, until the output is `limit` bytes long.
pub(super) fn structure(
    state: &State,
    id: ContainerId,
    depth: usize,
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), OutputError> {
    if depth > DEEPEST {
        return Err(OutputError::new("nests too deeply, or holds itself"));
    }
    let mut entries: Vec<(&str, Value)> = Vec::new();
    for (key, value, _) in state.container(id).members() {
        let name = key.map_or("", |key| state.symbols.name(key));
        if name != "fields" {
            return Err(OutputError::new("expected `fields`, a list of `key` and `value`").below(name));
        }
        let elements = match value {
            Value::Container(list) => state.list(list),
            _ => None,
        };
        match elements {
            Some(elements) => {
                for (element, _) in elements {
                    entry(state, element, &mut entries).map_err(|error| error.below("fields"))?;
                }
            }
            None => entry(state, value, &mut entries).map_err(|error| error.below("fields"))?,
        }
    }
    // A key that is there twice has its last value.
    let mut last: HashMap<&str, usize> = HashMap::new();
    if entries.len() > 1 {
        last = entries.iter().enumerate().map(|(at, (key, _))| (*key, at)).collect();
    }
    out.push(b'{');
    let start = out.len();
    for (at, (key, found)) in entries.iter().enumerate() {
        if last.get(key).is_some_and(|last| *last != at) {
            continue;
        }
        if out.len() > start {
            out.push(b',');
        }
        scalar::quoted(key, out);
        out.push(b':');
        value(state, *found, depth, limit, out).map_err(|error| error.below(key).below("fields"))?;
    }
    out.push(b'}');
    Ok(())
}

fn entry<'s>(
    state: &'s State,
    element: Value,
    entries: &mut Vec<(&'s str, Value)>,
) -> Result<(), OutputError> {
    let id = match element {
        Value::Container(id) => id,
        Value::Text(text) if text.is_empty() => return Ok(()),
        other => {
            return Err(OutputError::new(format!(
                "expected `key` and `value`, found {}",
                kind(state, other)
            )));
        }
    };
    match state.named(id, "key") {
        Value::Text(key) => entries.push((state.text(key), state.named(id, "value"))),
        other => {
            return Err(
                OutputError::new(format!("expected a text, found {}", kind(state, other))).below("key")
            );
        }
    }
    Ok(())
}

/// Writes a value of `google.protobuf.Value`: an object with one of its members.
fn value(
    state: &State,
    found: Value,
    depth: usize,
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), OutputError> {
    if out.len() > limit {
        return Err(OutputError::new("the event is too large"));
    }
    let id = match found {
        Value::Container(id) => id,
        Value::Unset => {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        Value::Text(text) if text.is_empty() => {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        other => {
            let message = format!("expected `value.string_value` or its like, found {}", kind(state, other));
            return Err(OutputError::new(message));
        }
    };
    let mut members = state.container(id).members();
    let Some((Some(key), found, _)) = members.next() else {
        out.extend_from_slice(b"null");
        return Ok(());
    };
    let name = state.symbols.name(key);
    let result = match (name, found) {
        ("string_value", Value::Text(text)) => {
            scalar::quoted(state.text(text), out);
            Ok(())
        }
        ("bool_value", found) => scalar::boolean(state, found, out).map(|_| ()),
        ("number_value", found) => scalar::float(state, found, out).map(|_| ()),
        ("null_value", _) => {
            out.extend_from_slice(b"null");
            Ok(())
        }
        ("struct_value", Value::Container(id)) => structure(state, id, depth + 1, limit, out),
        ("list_value", Value::Container(id)) => list(state, state.named(id, "values"), depth + 1, limit, out),
        ("string_value", other) => {
            let message =
                format!("expected a text (convert it to a string first), found {}", kind(state, other));
            Err(OutputError::new(message))
        }
        (_, other) => Err(OutputError::new(format!("{} does not fit", kind(state, other)))),
    };
    if members.next().is_some() {
        return Err(OutputError::new("has more than one kind of value"));
    }
    result.map_err(|error| error.below(name))
}

fn list(
    state: &State,
    values: Value,
    depth: usize,
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), OutputError> {
    if depth > DEEPEST {
        return Err(OutputError::new("nests too deeply, or holds itself"));
    }
    out.push(b'[');
    let elements = match values {
        Value::Container(id) => state.list(id),
        _ => None,
    };
    match (elements, values) {
        (Some(elements), _) => {
            for (at, (element, _)) in elements.enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                value(state, element, depth, limit, out).map_err(|error| error.below("values"))?;
            }
        }
        (None, Value::Unset) => {}
        (None, single) => value(state, single, depth, limit, out).map_err(|error| error.below("values"))?,
    }
    out.push(b']');
    Ok(())
}
