//! The test cases inside a mapping table, run.

use crate::convert::{Converter, Options};
use crate::mapping::{Mapping, MappingError, TestOutcome};
use crate::text::shown_up_to;
use serde_json::Value;

/// The most characters of a value that are shown.
const LONGEST: usize = 100;

/// Runs the test cases of a table; what fails, each with its place.
///
/// # Errors
/// A [`MappingError`] with the cases that fail.
pub(crate) fn run(mapping: &Mapping) -> Result<(), MappingError> {
    let converter = Converter::new(mapping, &Options::default());
    let mut failed = Vec::new();
    for test in mapping.tests() {
        let batch = converter.convert(test.record.trim().as_bytes());
        let found: Vec<_> = batch.records().collect();
        let why = match (&found[..], &test.expected) {
            ([Ok(event)], TestOutcome::Event(expected)) => match serde_json::from_slice::<Value>(event) {
                Ok(event) => difference("", &event, expected),
                Err(error) => Some(error.to_string()),
            },
            ([Ok(_)], TestOutcome::Reject(reason)) => {
                Some(format!("expected a reject, `{reason}`, found an event"))
            }
            ([Err(reject)], TestOutcome::Reject(reason)) if reject.reason == *reason => None,
            ([Err(reject)], _) => {
                Some(format!("the record is rejected: {}: {}", reject.reason, reject.message))
            }
            _ => Some(format!("expected one record, found {}", found.len())),
        };
        failed.extend(why.map(|why| test.at.problem(why)));
    }
    if failed.is_empty() { Ok(()) } else { Err(MappingError::new(failed)) }
}

/// The first difference between what an event is and what it should be.
fn difference(path: &str, found: &Value, expected: &Value) -> Option<String> {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let show = |value: &Value| shown_up_to(&value.to_string(), LONGEST);
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            let missing = expected.iter().find(|(name, _)| !found.contains_key(*name));
            let more = found.iter().find(|(name, _)| !expected.contains_key(*name));
            let inside = || {
                let mut both =
                    found.iter().filter_map(|(name, value)| Some((name, value, expected.get(name)?)));
                both.find_map(|(name, found, expected)| difference(&below(name), found, expected))
            };
            match (missing, more) {
                (Some((name, value)), _) => {
                    Some(format!("the event has no `{}`, expected {}", below(name), show(value)))
                }
                (None, Some((name, value))) => {
                    Some(format!("the event has `{}`, {}, which is not expected", below(name), show(value)))
                }
                (None, None) => inside(),
            }
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            let mut both = found.iter().zip(expected).enumerate();
            both.find_map(|(n, (found, expected))| difference(&format!("{path}[{n}]"), found, expected))
        }
        _ if found == expected => None,
        _ => Some(format!("`{path}`: expected {}, found {}", show(expected), show(found))),
    }
}
