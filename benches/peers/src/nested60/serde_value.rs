//! The 60 rules with serde_json's `Value`: a tree parsed, a tree built, and serialized.

use super::{LEAVES, NOUNS};
use crate::serde_value::text;
use crate::time;
use serde_json::{Value, json};

/// Appends the event of a record.
pub fn convert(line: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let record: Value = serde_json::from_slice(line).ok()?;
    let mut when = Vec::new();
    time::epoch(&text(record.get("time"))?, &mut when)?;
    let mut event = json!({
        "metadata": {
            "product_log_id": text(record.get("id"))?,
            "event_timestamp": String::from_utf8(when).ok()?,
            "event_type": "GENERIC_EVENT",
        },
    });
    for (object, noun) in NOUNS {
        let object = record.get(object)?;
        for (from, to) in LEAVES {
            let value = from.iter().try_fold(object, |value, key| value.get(key));
            let place = to.iter().fold(&mut event[noun], |place, key| &mut place[key]);
            *place = text(value)?.into();
        }
    }
    serde_json::to_writer(out, &event).ok()
}
