//! Finds UDM events inside the JSON that tools and services wrap them in.
//!
//! Known are: bare events; arrays; `{"event":{"idm":{"read_only_udm":...}}}` as parsers and
//! content-hub's expected files have it; `{"events":[...]}`; `runParser`'s answer
//! (`runParserResults[].parsedEvents.events[].event`); bodies of `events:import`
//! (`inlineSource.events[].udm`) and of the older `udmevents:batchCreate`; all in snake_case and
//! camelCase.

use crate::json::{Kind, Value};
use crate::text::shown_up_to;

/// How many characters of a parser's error are shown: the cause comes last.
pub(crate) const MOST_OF_AN_ERROR: usize = 1 << 16;

/// What [`find`] finds.
#[derive(Debug, Clone, Copy)]
pub enum Candidate<'t> {
    /// An event.
    Event(Value<'t>),
    /// A value where an event should be, that can't be one.
    NotAnEvent(Value<'t>),
    /// The error that a parser (or the service) gave instead of events.
    ParserError(Value<'t>),
    /// The result of a parser that gave neither an event nor an error.
    Nothing(Value<'t>),
}

impl<'t> Candidate<'t> {
    /// The event, or the value that is there instead.
    pub fn value(self) -> Value<'t> {
        match self {
            Candidate::Event(value)
            | Candidate::NotAnEvent(value)
            | Candidate::ParserError(value)
            | Candidate::Nothing(value) => value,
        }
    }

    /// The event.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    pub fn event(self) -> Result<Value<'t>, String> {
        match self {
            Candidate::Event(value) => Ok(value),
            Candidate::NotAnEvent(value) => Err(format!("{} where an event should be", value.kind().name())),
            Candidate::Nothing(_) => Err("the parser gave neither events nor an error".to_owned()),
            Candidate::ParserError(value) => {
                Err(format!("the parser's error {}", shown_up_to(value.raw(), MOST_OF_AN_ERROR)))
            }
        }
    }
}

/// Hands every event in `value` to `found`, in order.
pub fn find<'t>(value: Value<'t>, found: &mut dyn FnMut(Candidate<'t>)) {
    match value.kind() {
        Kind::Array => value.children().for_each(|element| find(element, found)),
        Kind::Object => object(value, found),
        _ => found(Candidate::NotAnEvent(value)),
    }
}

fn object<'t>(value: Value<'t>, found: &mut dyn FnMut(Candidate<'t>)) {
    let mut progress = false;
    let mut members = 0;
    for member in value.children() {
        members += 1;
        match (member.raw_key(), member.kind()) {
            // None of these is a field of UDM's root.
            ("readOnlyUdm" | "read_only_udm" | "udm", Kind::Object) => {
                return found(Candidate::Event(member));
            }
            (
                "event" | "idm" | "events" | "inlineSource" | "inline_source" | "parsedEvents"
                | "parsed_events",
                Kind::Object | Kind::Array,
            ) => return find(member, found),
            ("runParserResults" | "run_parser_results", Kind::Array) => {
                return member.children().for_each(|result| result_of_parser(result, found));
            }
            (
                "readOnlyUdm" | "read_only_udm" | "udm" | "event" | "idm" | "events" | "runParserResults"
                | "run_parser_results",
                _,
            ) => {
                return found(Candidate::NotAnEvent(member));
            }
            ("error", Kind::Object) if !member.is_empty() => return found(Candidate::ParserError(member)),
            ("progress", _) => progress = true,
            _ => {}
        }
    }
    // An answer that comes in parts says in some of them only how far it is.
    if !(progress && members == 1) {
        found(Candidate::Event(value));
    }
}

/// One of `runParserResults`: events, or an error, or, for a log that was dropped, neither.
fn result_of_parser<'t>(result: Value<'t>, found: &mut dyn FnMut(Candidate<'t>)) {
    if result.kind() != Kind::Object {
        return found(Candidate::NotAnEvent(result));
    }
    let mut nothing = true;
    for member in result.children() {
        match (member.raw_key(), member.kind()) {
            // A status without a code is not an error.
            ("error", Kind::Null) => {}
            ("error", Kind::Object) if member.is_empty() => {}
            ("error", _) => {
                nothing = false;
                found(Candidate::ParserError(member));
            }
            // A message without events is written without the member.
            ("parsedEvents" | "parsed_events", Kind::Object) if member.is_empty() => {}
            ("parsedEvents" | "parsed_events", kind) if kind != Kind::Null => find(member, &mut |one| {
                nothing = false;
                found(one);
            }),
            _ => {}
        }
    }
    if nothing {
        found(Candidate::Nothing(result));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tree;

    fn found(text: &str) -> Vec<String> {
        let mut tree = Tree::default();
        let mut all = Vec::new();
        find(tree.read(text.as_bytes()).unwrap(), &mut |found| {
            all.push(match found {
                Candidate::Event(value) => value.raw().to_owned(),
                Candidate::NotAnEvent(value) => format!("no {}", value.raw()),
                Candidate::ParserError(value) => format!("error {}", value.raw()),
                Candidate::Nothing(value) => format!("nothing {}", value.raw()),
            });
        });
        all
    }

    #[test]
    fn every_wrapping() {
        let cases: &[(&str, &[&str])] = &[
            (r#"{"metadata":1}"#, &[r#"{"metadata":1}"#]),
            ("{}", &["{}"]),
            ("[{},{}]", &["{}", "{}"]),
            (r#"{"event":{"timestamp":"x","idm":{"readOnlyUdm":{"a":1}}}}"#, &[r#"{"a":1}"#]),
            (r#"{"event":{"idm":{"read_only_udm":{}}}}"#, &["{}"]),
            (
                r#"{"events":[{"event":{"idm":{"readOnlyUdm":{}}}},{"udm":{}},{"b":2}]}"#,
                &["{}", "{}", r#"{"b":2}"#],
            ),
            (r#"[{"events":[{"event":{"metadata":{}}}]}]"#, &[r#"{"metadata":{}}"#]),
            (r#"{"inlineSource":{"events":[{"name":"x","udm":{}}]}}"#, &["{}"]),
            (r#"{"customer_id":"c","events":[{"metadata":{}}]}"#, &[r#"{"metadata":{}}"#]),
            (
                r#"{"runParserResults":[{"log":"x","parsedEvents":{"events":[{"event":{"idm":{"readOnlyUdm":{}}}}]}},{"log":"y","error":{"code":3}},{"log":"z"}]}"#,
                &["{}", r#"error {"code":3}"#, r#"nothing {"log":"z"}"#],
            ),
            (
                r#"{"runParserResults":[{"parsedEvents":{}},{"parsedEvents":{"events":[]}},{"parsedEvents":null,"error":null},{"error":{}},5]}"#,
                &[
                    r#"nothing {"parsedEvents":{}}"#,
                    r#"nothing {"parsedEvents":{"events":[]}}"#,
                    r#"nothing {"parsedEvents":null,"error":null}"#,
                    r#"nothing {"error":{}}"#,
                    "no 5",
                ],
            ),
            (
                r#"[{"progress":{"percent":50}},{"progress":{},"runParserResults":[{"parsedEvents":{"events":[{"udm":{"a":1}}]}}]}]"#,
                &[r#"{"a":1}"#],
            ),
            (r#"{"progress":1}"#, &[]),
            (r#"{"progress":1,"metadata":{}}"#, &[r#"{"progress":1,"metadata":{}}"#]),
            (r#"[{"error":{"code":400,"status":"x"}}]"#, &[r#"error {"code":400,"status":"x"}"#]),
            (r#"{"events":[]}"#, &[]),
            ("[]", &[]),
            ("1", &["no 1"]),
            (r#"[{},"x"]"#, &["{}", r#"no "x""#]),
            (r#"{"event":5}"#, &["no 5"]),
        ];
        for (text, events) in cases {
            assert_eq!(found(text), *events, "{text}");
        }
    }
}
