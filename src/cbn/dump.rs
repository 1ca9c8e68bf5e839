//! All tokens as JSON, as Google's console shows them.

use super::copy::DEEPEST;
use super::state::State;
use super::value::{Shape, Value};
use std::fmt::Write as _;

/// The most bytes of what all dumps of a log show.
const MOST_BYTES: usize = 1 << 20;

/// Writes the tokens below a heading, as long as there is room.
pub(super) fn dump(state: &State, label: &str, out: &mut String) {
    if out.len() > MOST_BYTES {
        return;
    }
    // Writing to a string can't fail.
    let _ = writeln!(out, "Internal State (label={label}):");
    out.push('{');
    for (at, key) in state.root_keys().into_iter().enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        member(state, state.symbols.name(key), state.root(key), 1, out);
    }
    out.push_str("\n}\n");
}

fn member(state: &State, key: &str, value: Value, depth: usize, out: &mut String) {
    let _ = write!(out, "{:indent$}{}: ", "", quoted(key), indent = 2 * depth);
    self::value(state, value, depth, out);
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn value(state: &State, value: Value, depth: usize, out: &mut String) {
    match value {
        _ if out.len() > MOST_BYTES => out.push_str("\"...\""),
        Value::Unset => out.push_str("null"),
        Value::Text(text) => out.push_str(&quoted(state.text(text))),
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Integer(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Unsigned(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Counter(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Value::Time { seconds, nanos } => {
            let _ = write!(out, "{{\"seconds\": {seconds}, \"nanos\": {nanos}}}");
        }
        Value::Container(_) if depth > DEEPEST => out.push_str("\"...\""),
        Value::Container(id) => {
            let container = state.container(id);
            let is_list = container.shape == Shape::List;
            let mut members: Vec<(String, Value)> = container
                .members()
                .enumerate()
                .map(|(at, (key, value, _))| {
                    (key.map_or_else(|| at.to_string(), |key| state.symbols.name(key).to_owned()), value)
                })
                .collect();
            if !container.shape.is_list() {
                members.sort_by(|a, b| a.0.cmp(&b.0));
            }
            if members.is_empty() {
                return out.push_str(if is_list { "[]" } else { "{}" });
            }
            out.push(if is_list { '[' } else { '{' });
            for (at, (key, value)) in members.into_iter().enumerate() {
                out.push_str(if at == 0 { "\n" } else { ",\n" });
                if is_list {
                    let _ = write!(out, "{:indent$}", "", indent = 2 * (depth + 1));
                    self::value(state, value, depth + 1, out);
                } else {
                    member(state, &key, value, depth + 1, out);
                }
            }
            let _ = write!(out, "\n{:indent$}{}", "", if is_list { ']' } else { '}' }, indent = 2 * depth);
        }
    }
}
