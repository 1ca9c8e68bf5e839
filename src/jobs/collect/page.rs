//! A page of a log in Duo's answer: its records, each in Duo's own bytes, and where the next page begins.

use super::logs::Log;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The most records of an answer: ten times what may be asked for.
pub(super) const MOST_ITEMS: usize = 10_000;
/// The longest offset, in bytes; Duo's have some fifty.
pub(super) const MOST_OFFSET: usize = 1024;

/// A page of records, each in Duo's own bytes.
#[derive(Debug, Clone)]
pub(super) struct Page<'a> {
    /// The records.
    pub items: Vec<&'a RawValue>,
    /// Where the next page begins; `None` at the end of the data.
    pub next_offset: Option<String>,
}

/// Reads the page in an answer's `response`.
///
/// # Errors
/// Why there is none.
pub(super) fn read<'a>(log: &Log, response: Option<&'a RawValue>) -> Result<Page<'a>, String> {
    let text = response.ok_or("`response` is missing")?.get();
    let Some(list) = log.list else {
        let Items(items) = serde_json::from_str(text)
            .map_err(|error| format!("`response` is not a list of at most {MOST_ITEMS} records: {error}"))?;
        return Ok(Page { items, next_offset: None });
    };
    if text.starts_with('[') {
        return Err("`response` is a list, as version 1 of the API gives".into());
    }
    let content = serde_json::Deserializer::from_str(text).deserialize_map(Members(list));
    let (items, metadata) = content
        .map_err(|error| format!("`response` is not {{\"{list}\":[...],\"metadata\":{{...}}}}: {error}"))?;
    let Items(items) = items.ok_or_else(|| format!("`response` has no `{list}`"))?;
    // What can't be read is not the end of the data.
    let metadata: Option<Metadata<'_>> = match metadata {
        None => None,
        Some(text) => Some(read_object(text).ok_or("`metadata` is not an object with one `next_offset`")?),
    };
    let next_offset = match metadata.and_then(|metadata| metadata.next_offset) {
        None => None,
        Some(raw) => offset(raw).map_err(|why| format!("`next_offset` {why}"))?,
    };
    Ok(Page { items, next_offset: next_offset.filter(|offset| !offset.is_empty()) })
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    next_offset: Option<&'a RawValue>,
}

/// Reads an object's list of this name, and its `metadata`.
struct Members(&'static str);

impl<'de> Visitor<'de> for Members {
    type Value = (Option<Items<'de>>, Option<&'de RawValue>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut items, mut metadata) = (None, None);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let twice = if key == self.0 {
                items.replace(map.next_value::<Option<Items<'de>>>()?).is_some()
            } else if key == "metadata" {
                metadata.replace(map.next_value::<Option<&RawValue>>()?).is_some()
            } else {
                map.next_value::<IgnoredAny>()?;
                false
            };
            if twice {
                return Err(A::Error::custom(format!("`{key}` is there twice")));
            }
        }
        Ok((items.flatten(), metadata.flatten()))
    }
}

/// A list of anything, up to [`MOST_ITEMS`].
struct Items<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Items<'a>, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Items<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MOST_ITEMS} records")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Items<'de>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    if items.len() == MOST_ITEMS {
                        return Err(A::Error::invalid_length(MOST_ITEMS + 1, &self));
                    }
                    items.push(item);
                }
                Ok(Items(items))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// An object; serde would also read a list as the fields in their order.
pub(super) fn read_object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    if raw.get().starts_with('{') { serde_json::from_str(raw.get()).ok() } else { None }
}

/// An offset as it is sent: a text, a number, or a list of them joined by commas.
fn offset(raw: &RawValue) -> Result<Option<String>, String> {
    // It goes into the state and into every request.
    if raw.get().len() > MOST_OFFSET {
        return Err(format!("has {} bytes, expected at most {MOST_OFFSET}", raw.get().len()));
    }
    let other = || "is neither a text nor a list of them".to_owned();
    let scalar = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let value: serde_json::Value = serde_json::from_str(raw.get()).map_err(|_| other())?;
    match &value {
        serde_json::Value::Null => Ok(None),
        serde_json::Value::Array(parts) => {
            let parts: Option<Vec<String>> = parts.iter().map(scalar).collect();
            Ok(Some(parts.ok_or_else(other)?.join(",")))
        }
        value => Ok(Some(scalar(value).ok_or_else(other)?)),
    }
}
