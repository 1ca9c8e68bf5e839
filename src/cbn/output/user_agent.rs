//! `network.http.parsed_user_agent`: a message that SecOps has and the public schema lacks.
//!
//! Its fields are those of UserAgentProto on the page of SecOps' REST API; their types are taken as they come.

use super::error::OutputError;
use super::scalar::quoted;
use crate::cbn::state::State;
use crate::cbn::value::{ContainerId, Value};
use crate::convert::FieldNames;
use std::io::Write as _;

/// The field of `Http`.
pub(super) const FIELD: &str = "parsed_user_agent";

/// The fields, and what each is in camelCase.
const FIELDS: [(&str, &str); 11] = [
    ("family", "family"),
    ("sub_family", "subFamily"),
    ("platform", "platform"),
    ("device", "device"),
    ("os", "os"),
    ("os_variant", "osVariant"),
    ("browser", "browser"),
    ("browser_version", "browserVersion"),
    ("browser_engine_version", "browserEngineVersion"),
    ("annotation", "annotation"),
    ("locale", "locale"),
];

/// What the field is called.
pub(super) fn name(style: FieldNames) -> &'static str {
    if style == FieldNames::Snake { FIELD } else { "parsedUserAgent" }
}

/// Writes the message.
pub(super) fn write(
    state: &State,
    id: ContainerId,
    style: FieldNames,
    out: &mut Vec<u8>,
) -> Result<(), OutputError> {
    out.push(b'{');
    let start = out.len();
    for (key, value, _) in state.container(id).members() {
        let given = key.map_or("", |key| state.symbols.name(key));
        let known = FIELDS.iter().find(|(name, _)| *name == given);
        let Some((snake, camel)) = known else {
            return Err(OutputError::new("a parsed user agent has no such field").below(given));
        };
        let before = out.len();
        if before > start {
            out.push(b',');
        }
        quoted(if style == FieldNames::Snake { snake } else { camel }, out);
        out.push(b':');
        match value {
            Value::Text(text) if text.is_empty() => out.truncate(before),
            Value::Text(text) => quoted(state.text(text), out),
            Value::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            // Writing to memory can't fail.
            value => match value.number() {
                Some(number) => drop(write!(out, "{number}")),
                None => return Err(OutputError::new("expected a text").below(snake)),
            },
        }
    }
    out.push(b'}');
    Ok(())
}
