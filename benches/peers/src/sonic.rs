//! sonic-rs: the record read lazily, values left as the text they are.

use crate::record::{Field, Record, Text};
use sonic_rs::LazyValue;
use std::borrow::Cow;

/// Appends the event of a record.
pub fn convert(line: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut record = Record::default();
    for member in sonic_rs::to_object_iter(line) {
        let (key, value) = member.ok()?;
        if let Some(field) = Field::named(&key) {
            record.set(field, Text::from_json(text(&value)?));
        }
    }
    record.event(out)
}

fn text<'a>(value: &LazyValue<'a>) -> Option<&'a str> {
    match value.as_raw_cow() {
        Cow::Borrowed(text) => Some(text),
        Cow::Owned(_) => None,
    }
}
