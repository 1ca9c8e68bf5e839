//! Test cases inside a table: a record, and what becomes of it.

use super::document::{TomlTable, list};
use super::problem::TextPlace;
use crate::record::Reason;
use crate::text::shown;
use serde_json::Value;

/// A test case of a table.
#[derive(Debug, Clone)]
pub struct OwnTest {
    /// The record.
    pub record: String,
    /// What is to become of it.
    pub expected: TestOutcome,
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the command runs the cases"))]
    pub(crate) at: TextPlace,
}

/// What a record becomes.
#[derive(Debug, Clone, PartialEq)]
pub enum TestOutcome {
    /// This event.
    Event(Value),
    /// A reject for this reason.
    Reject(Reason),
}

/// Reads a table's test case.
pub(super) fn read(keys: &TomlTable<'_>) -> Option<OwnTest> {
    keys.only(&["record", "event", "reject"]);
    let record = keys.required("record");
    let at = keys.get("record").map_or_else(|| keys.at(), |item| item.at());
    let expected = match (keys.get("event"), keys.get("reject")) {
        (Some(item), None) => match serde_json::from_str(&item.text()?) {
            Ok(event) => TestOutcome::Event(event),
            Err(error) => {
                keys.report(item.at().problem(format!("the event is not valid JSON: {error}")));
                return None;
            }
        },
        (None, Some(item)) => {
            let code = item.text()?;
            let Some(reason) = Reason::ALL.into_iter().find(|reason| reason.code() == code) else {
                let codes = Reason::ALL.map(Reason::code);
                let message = format!("unknown reason `{}`; expected one of: {}", shown(&code), list(&codes));
                keys.report(item.at().problem(message).nearest(&code, codes));
                return None;
            };
            TestOutcome::Reject(reason)
        }
        _ => {
            keys.report(at.problem("a test case says either `event` or `reject`"));
            return None;
        }
    };
    Some(OwnTest { record, expected, at })
}
