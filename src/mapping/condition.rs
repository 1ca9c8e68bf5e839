//! Conditions: what a rule or a case asks of a record's fields.
//!
//! `{ action = { contains = "login" }, username = { present = true } }`: all fields must pass.

use super::document::{TomlTable, TomlValue, list};
use crate::record::{FieldPath, TestPart, ValueTest};
use crate::text::shown;
use ipnet::IpNet;
use regex::{Regex, RegexBuilder};
use serde_json::{Value, json};
use std::fmt;
use std::net::IpAddr;

/// The most bytes that a pattern may take when it is compiled.
const MOST_PATTERN: usize = 1 << 20;
/// The keys of a test.
const TESTS: [&str; 9] =
    ["equals", "in", "contains", "starts_with", "matches", "cidr", "present", "ignore_case", "not"];

/// What is asked of a record's fields: each must pass its test.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    /// The fields and their tests.
    pub tests: Vec<(FieldPath, ValueTest)>,
}

impl Condition {
    /// Whether it holds of every record.
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// Whether every record that fits the other is sure to fit this one.
    pub(super) fn follows_from(&self, other: &Condition) -> bool {
        self.tests.iter().all(|(path, test)| {
            other.tests.iter().any(|(same, stronger)| same == path && stronger.implies(test))
        })
    }

    /// The field of which this asks what can't be.
    pub(super) fn contradiction(&self) -> Option<&FieldPath> {
        let mut pairs = self.tests.iter().flat_map(|one| self.tests.iter().map(move |other| (one, other)));
        let found = pairs.find(|((path, one), (same, other))| {
            // Of several values each test may be passed by another one.
            path == same && !path.is_many() && one.excludes(other)
        });
        found.map(|((path, _), _)| path)
    }

    /// The condition as JSON, for comparisons.
    pub(super) fn json(&self) -> Value {
        self.tests.iter().map(|(path, test)| json!([path.to_string(), test.json()])).collect()
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tests: Vec<String> = self.tests.iter().map(|(path, test)| format!("`{path}` {test}")).collect();
        f.write_str(&tests.join(" and "))
    }
}

/// Reads the condition in a table of fields and tests.
pub(super) fn read(keys: &TomlTable<'_>) -> Condition {
    let members = keys.by_field_in_lists();
    if members.is_empty() && keys.members().is_empty() {
        keys.report(keys.at().problem("the condition names no field").hint("leave it out"));
    }
    Condition {
        tests: members.iter().filter_map(|(path, item)| Some((path.clone(), test(keys, item)?))).collect(),
    }
}

/// A test: a text, or a table.
pub(super) fn test(keys: &TomlTable<'_>, item: &TomlValue<'_>) -> Option<ValueTest> {
    if let Some(text) = item.as_text() {
        return some(keys, item, text).map(|text| ValueTest::equals(&text));
    }
    if !item.is_table() {
        item.wrong("a text, or a table with a test");
        return None;
    }
    let table = item.table()?;
    if !TESTS.iter().any(|name| table.get(name).is_some()) {
        let problem = item.at().problem(format!("expected a test, one of: {}", list(&TESTS)));
        keys.report(
            problem.hint("the name of a field inside an object needs quotes: `\"action.name\" = \"x\"`"),
        );
        return None;
    }
    table.only(&TESTS);
    let ignore_case = table.get("ignore_case").is_some_and(|item| item.flag());
    let mut parts = Vec::new();
    for (name, item) in table.members() {
        parts.extend(match name {
            "present" => Some(TestPart::Present(item.flag())),
            "equals" => text(keys, &item).map(|text| TestPart::OneOf(vec![text])),
            "in" => {
                if item.is_empty_list() {
                    keys.report(item.at().problem("the list is empty, so no value would pass"));
                }
                let texts = item.texts().into_iter().filter_map(|(text, _)| some(keys, &item, &text));
                Some(TestPart::OneOf(texts.collect()))
            }
            "contains" => text(keys, &item).map(TestPart::Contains),
            "starts_with" => text(keys, &item).map(TestPart::StartsWith),
            "matches" => pattern(keys, &item, ignore_case).map(TestPart::Matches),
            "cidr" => Some(TestPart::Cidr(
                item.texts()
                    .iter()
                    .filter_map(|(text, at)| {
                        let net = net(text);
                        if net.is_none() {
                            let message =
                                format!("expected a network such as `10.0.0.0/8`, found `{}`", shown(text));
                            keys.report(at.problem(message));
                        }
                        net
                    })
                    .collect(),
            )),
            "not" => test(keys, &item).map(TestPart::Not),
            _ => None,
        });
    }
    if parts.is_empty() && !keys.is_full() && table.members().iter().all(|(name, _)| *name == "ignore_case") {
        keys.report(item.at().problem("`ignore_case` goes only with a test of a text"));
    }
    (!parts.is_empty()).then_some(ValueTest { parts, ignore_case })
}

/// A text that a value can hold.
fn text(keys: &TomlTable<'_>, item: &TomlValue<'_>) -> Option<String> {
    item.text().and_then(|text| some(keys, item, &text))
}

fn some(keys: &TomlTable<'_>, item: &TomlValue<'_>, text: &str) -> Option<String> {
    if text.is_empty() {
        let problem = item.at().problem("an empty value counts as absent, so the text must not be empty");
        keys.report(problem.hint("to ask for that, write `{ present = false }`"));
        return None;
    }
    Some(text.to_owned())
}

/// The regular expression at `item`.
pub(super) fn pattern(keys: &TomlTable<'_>, item: &TomlValue<'_>, ignore_case: bool) -> Option<Regex> {
    let text = item.text()?;
    let built = RegexBuilder::new(&text).size_limit(MOST_PATTERN).case_insensitive(ignore_case).build();
    let refuse = |error: regex::Error| {
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        keys.report(item.at().problem(format!("not a regular expression: {why}")));
    };
    built.map_err(refuse).ok()
}

/// A network, or the one of a single address.
fn net(text: &str) -> Option<IpNet> {
    text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()
}
