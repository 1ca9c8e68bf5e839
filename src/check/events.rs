//! Finds UDM events inside the JSON that tools and services wrap them in.
//!
//! Known are: bare events; arrays; `{"event":{"idm":{"read_only_udm":...}}}` as parsers and
//! content-hub's expected files have it; `{"events":[...]}`; `runParser`'s answer
//! (`runParserResults[].parsedEvents.events[].event`); bodies of `events:import`
//! (`inlineSource.events[].udm`) and of the older `udmevents:batchCreate`; all in snake_case and
//! camelCase.

use crate::json::{Kind, Value};

/// What [`find`] found.
#[derive(Debug, Clone, Copy)]
pub enum Found<'t> {
    /// An event.
    Event(Value<'t>),
    /// A value where an event should be, that can't be one.
    NoEvent(Value<'t>),
    /// The error that a parser (or the service) gave instead of events.
    ParserError(Value<'t>),
    /// The result of a parser that gave neither an event nor an error.
    Nothing(Value<'t>),
}

/// Hands every event in `value` to `found`, in order.
pub fn find<'t>(value: Value<'t>, found: &mut dyn FnMut(Found<'t>)) {
    match value.kind() {
        Kind::Array => value.children().for_each(|element| find(element, found)),
        Kind::Object => object(value, found),
        _ => found(Found::NoEvent(value)),
    }
}

fn object<'t>(value: Value<'t>, found: &mut dyn FnMut(Found<'t>)) {
    let mut progress = false;
    let mut members = 0;
    for member in value.children() {
        members += 1;
        match (member.raw_key(), member.kind()) {
            // None of these is a field of UDM's root.
            ("readOnlyUdm" | "read_only_udm" | "udm", Kind::Object) => return found(Found::Event(member)),
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
                return found(Found::NoEvent(member));
            }
            ("error", Kind::Object) if !member.is_empty() => return found(Found::ParserError(member)),
            ("progress", _) => progress = true,
            _ => {}
        }
    }
    // An answer that comes in parts says in some of them only how far it is.
    if !(progress && members == 1) {
        found(Found::Event(value));
    }
}

/// One of `runParserResults`: events, or an error, or, for a log that was dropped, neither.
fn result_of_parser<'t>(result: Value<'t>, found: &mut dyn FnMut(Found<'t>)) {
    if result.kind() != Kind::Object {
        return found(Found::NoEvent(result));
    }
    let mut nothing = true;
    for member in result.children() {
        match (member.raw_key(), member.kind()) {
            // A status without a code is no error.
            ("error", Kind::Null) => {}
            ("error", Kind::Object) if member.is_empty() => {}
            ("error", _) => {
                nothing = false;
                found(Found::ParserError(member));
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
        found(Found::Nothing(result));
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
                Found::Event(value) => value.raw().to_owned(),
                Found::NoEvent(value) => format!("no {}", value.raw()),
                Found::ParserError(value) => format!("error {}", value.raw()),
                Found::Nothing(value) => format!("nothing {}", value.raw()),
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
