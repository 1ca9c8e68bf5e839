//! The file format of mapping tables: from TOML to rules. `docs/mapping.md` describes it.

use super::condition::{self, Condition};
use super::document::{TomlFile, TomlTable, TomlValue, field, field_in_lists, list};
use super::problem::{MappingError, Problem, TextPlace};
use super::table::{Case, Change, Content, EmbeddedText, KnownValues, Mapping, Rule, Shape, TableSet, When};
use super::watched::WatchedFields;
use super::{own, own_test, rest, set, template, transform, value_map, watched};
use crate::record::formats::{Cef, EnvelopeHolds, EnvelopeRule, Formats, KeyValue};
use crate::record::notation;
use crate::record::{FieldPath, ValueTest};
use crate::text::shown;
use crate::time::{self, Instant, Reading, TimeError, TimeFormat, TimeReading};
use crate::udm;
use std::collections::BTreeSet;
use toml::Spanned;
use toml::de::DeTable;

/// How many tables may build on each other.
const MOST_BASES: usize = 8;
/// How many rules a table may have, with those that it builds on.
const MOST_RULES: usize = 10_000;

/// Reads a table and those that it builds on; unchecked against UDM.
pub(super) fn read(
    file: &str,
    text: &str,
    base: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Mapping, MappingError> {
    read_nested(file, text, base, 0)
}

fn read_nested(
    name: &str,
    text: &str,
    base: &dyn Fn(&str) -> Result<String, String>,
    depth: usize,
) -> Result<Mapping, MappingError> {
    let file = TomlFile::new(name, text);
    if !file.source.is_table() {
        let problem = file.at(0..0).problem("this is not a mapping table: it has no `[mapping]`");
        return Err(MappingError::new(vec![
            problem.hint("`udmap mappings show duo_telephony --source` shows one"),
        ]));
    }
    let document = parsed(&file, text)?;
    let keys = TomlTable::new(&file, document.get_ref(), 0..0);
    let mapping = whole(&file, &keys, base, depth);
    match mapping {
        Ok(mapping) => {
            let problems = file.into_problems();
            if problems.is_empty() { Ok(mapping) } else { Err(MappingError::new(problems)) }
        }
        // The problem is in the base: say that first and alone.
        Err(error) => Err(error),
    }
}

fn parsed<'t>(file: &TomlFile, text: &'t str) -> Result<Spanned<DeTable<'t>>, MappingError> {
    DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        let end = span.end.min(text.len());
        MappingError::new(vec![file.at(span.start.min(end)..end).problem(error.message().trim_end())])
    })
}

fn whole(
    file: &TomlFile,
    keys: &TomlTable<'_>,
    base: &dyn Fn(&str) -> Result<String, String>,
    depth: usize,
) -> Result<Mapping, MappingError> {
    keys.only(&[
        "mapping",
        "shape",
        "known",
        "profile",
        "own",
        "envelope",
        "cef",
        "key-value",
        "embedded",
        "rest",
        "rule",
        "table",
        "test",
    ]);
    let mut mapping = Mapping {
        name: String::new(),
        log_type: String::new(),
        description: String::new(),
        extends: None,
        rules: Vec::new(),
        shapes: Vec::new(),
        known: Vec::new(),
        watched: WatchedFields::default(),
        formats: Formats::default(),
        embedded: Vec::new(),
        tests: Vec::new(),
        set: None,
        rest: None,
        notes_bad_fields: false,
        opens_shippers: false,
    };
    let mut without = Vec::new();
    if let Some(head) = keys.get("mapping").and_then(|item| item.table()) {
        let usual = ["name", "log_type", "description", "extends", "without", "on_bad_field", "shippers"];
        head.only(&[&usual[..], &["log_field"]].concat());
        if keys.get("table").is_some() && depth > 0 {
            // The file that names a set refuses it.
            mapping.set = Some(TableSet { log_fields: Vec::new(), tables: Vec::new() });
            return Ok(mapping);
        }
        if keys.get("table").is_some() {
            let rules = std::cell::Cell::new(0);
            let table = |at: &TextPlace, name: &str| {
                let table = other("read", at, name, base, depth)?;
                rules.set(rules.get() + table.rules.len());
                let problem = || at.problem(format!("the tables have more than {MOST_RULES} rules in all"));
                if rules.get() > MOST_RULES { Err(MappingError::new(vec![problem()])) } else { Ok(table) }
            };
            let set = set::read(keys, &head, &table)?;
            let log_types: Vec<&str> = set.tables.iter().map(|table| table.mapping.log_type()).collect();
            mapping.log_type = log_types.join(",");
            mapping.set = Some(set);
            mapping.name = head.required("name");
            mapping.description = head.text("description").unwrap_or_default();
            mapping.tests = keys.tables("test").iter().filter_map(own_test::read).collect();
            return Ok(mapping);
        }
        if let Some(item) = head.get("log_field") {
            item.report("`log_field` goes only with `[[table]]`");
        }
        if let Some(item) = head.get("extends") {
            mapping = extended(&item.at(), &item.text().unwrap_or_default(), base, depth)?;
        }
        mapping.name = head.required("name");
        let inherits = mapping.extends.is_some();
        if !inherits || head.get("log_type").is_some() {
            mapping.log_type = head.required("log_type");
        }
        mapping.description = head.text("description").unwrap_or_default();
        without = head.texts("without");
        mapping.opens_shippers = head.get("shippers").map_or(mapping.opens_shippers, |item| item.flag());
        mapping.notes_bad_fields = rest::read_on_bad_field(&head).unwrap_or(mapping.notes_bad_fields);
    } else if keys.get("mapping").is_none() {
        keys.report(keys.at().problem("the table has no `[mapping]` with its `name` and `log_type`"));
    }
    let below = own::read_by(&mapping.rules);
    let targets: BTreeSet<String> = mapping.rules.iter().map(|rule| rule.target.to_string()).collect();
    for (text, at) in without.iter().filter(|(text, _)| !targets.contains(text)) {
        if file.is_full() {
            break;
        }
        let problem = at.problem(format!("no rule of the table below fills `{}`", shown(text)));
        file.report(problem.nearest(text, targets.iter().map(String::as_str)));
    }
    let without: BTreeSet<String> = without.into_iter().map(|(text, _)| text).collect();
    mapping.rules.retain(|rule| !without.contains(&rule.target.to_string()));
    if keys.get("shape").is_some() {
        mapping.shapes = keys.tables("shape").iter().map(shape).collect();
    }
    if keys.get("known").is_some() {
        mapping.known = keys.tables("known").iter().filter_map(|keys| known(file, keys)).collect();
    }
    if let Some(keys) = keys.get("profile").and_then(|item| item.table()) {
        mapping.watched = watched::read(&keys);
    }
    formats(keys, &mut mapping.formats);
    if keys.get("embedded").is_some() {
        mapping.embedded = keys.tables("embedded").iter().filter_map(|keys| embedded(file, keys)).collect();
    }
    if let Some(keys) = keys.get("rest").and_then(|item| item.table()) {
        mapping.rest = rest::read(&keys);
    }
    rules(file, keys, base, &mut mapping.rules);
    // Those of the table below are about its own events.
    mapping.tests = keys.tables("test").iter().filter_map(own_test::read).collect();
    own::read(keys, below, &mut mapping);
    if mapping.rules.is_empty() {
        keys.report(keys.at().problem("the table has no rules, but every UDM event has a time and a type"));
    }
    Ok(mapping)
}

/// The table called `name`, to be built upon.
fn extended(
    at: &TextPlace,
    name: &str,
    base: &dyn Fn(&str) -> Result<String, String>,
    depth: usize,
) -> Result<Mapping, MappingError> {
    let mut mapping = other("build on", at, name, base, depth)?;
    if mapping.set.is_some() {
        let problem = at.problem(format!("can't build on `{}`: it is a set of tables", shown(name)));
        return Err(MappingError::new(vec![problem.hint("build on one of these")]));
    }
    mapping.extends = Some(name.to_owned());
    Ok(mapping)
}

/// The table called `name`, which this one needs.
fn other(
    what_for: &str,
    at: &TextPlace,
    name: &str,
    base: &dyn Fn(&str) -> Result<String, String>,
    depth: usize,
) -> Result<Mapping, MappingError> {
    let refuse = |problem: Problem| Err(MappingError::new(vec![problem]));
    if depth == MOST_BASES {
        return refuse(at.problem(format!(
            "more than {MOST_BASES} tables build on each other; do two extend each other?"
        )));
    }
    match base(name) {
        Err(why) => refuse(at.problem(format!("can't {what_for} `{}`: {why}", shown(name)))),
        Ok(text) => read_nested(name, &text, base, depth + 1),
    }
}

fn shape(keys: &TomlTable<'_>) -> Shape {
    keys.only(&["name", "present"]);
    Shape { name: keys.required("name"), present: keys.fields("present"), at: keys.at() }
}

fn known(file: &TomlFile, keys: &TomlTable<'_>) -> Option<KnownValues> {
    keys.only(&["from", "values"]);
    let from = keys.required("from");
    let at = keys.get("from").map_or_else(|| keys.at(), |item| item.at());
    let values = keys.texts("values").into_iter().map(|(text, _)| text).collect();
    Some(KnownValues { from: field(file, &from, &at)?, values })
}

fn embedded(file: &TomlFile, keys: &TomlTable<'_>) -> Option<EmbeddedText> {
    keys.only(&["from", "objects"]);
    let from = keys.required("from");
    let at = keys.get("from").map_or_else(|| keys.at(), |item| item.at());
    let objects = keys.get("objects").is_some_and(|item| item.flag());
    Some(EmbeddedText { from: field_in_lists(file, &from, &at)?, objects, at })
}

/// The envelopes in a text that holds nothing else.
///
/// # Errors
/// A [`MappingError`] that says what is wrong.
pub(super) fn envelopes(name: &str, text: &str) -> Result<Vec<EnvelopeRule>, MappingError> {
    let file = TomlFile::new(name, text);
    let document = parsed(&file, text)?;
    let keys = TomlTable::new(&file, document.get_ref(), 0..0);
    keys.only(&["envelope"]);
    let envelopes = keys.tables("envelope").iter().filter_map(envelope).collect();
    let problems = file.into_problems();
    if problems.is_empty() { Ok(envelopes) } else { Err(MappingError::new(problems)) }
}

fn formats(keys: &TomlTable<'_>, formats: &mut Formats) {
    if keys.get("envelope").is_some() {
        formats.envelopes = keys.tables("envelope").iter().filter_map(envelope).collect();
    }
    if let Some(keys) = keys.get("cef").and_then(|item| item.table()) {
        keys.only(&["rename", "milliseconds", "absent"]);
        let absent = keys.texts("absent").into_iter().map(|(text, _)| text).collect();
        let rename =
            keys.get("rename").and_then(|item| item.table()).map(|table| pairs(&table)).unwrap_or_default();
        formats.cef = Some(Cef { rename, milliseconds: milliseconds(&keys), absent });
    }
    if let Some(keys) = keys.get("key-value").and_then(|item| item.table()) {
        keys.only(&["lead"]);
        formats.key_value = Some(KeyValue { lead: keys.text("lead") });
    }
}

/// The names of `milliseconds`: a list, or a table of names with the earliest time of each.
fn milliseconds(keys: &TomlTable<'_>) -> Vec<(String, Option<Instant>)> {
    let Some(item) = keys.get("milliseconds") else { return Vec::new() };
    if !item.is_table() {
        return item.texts().into_iter().map(|(name, _)| (name, None)).collect();
    }
    let members = item.table().map(|table| table.members()).unwrap_or_default();
    let earliest = |(name, item): (&str, TomlValue<'_>)| match time::read(&item.text()?, Reading::Iso8601) {
        Ok(earliest) => Some((name.to_owned(), Some(earliest))),
        Err(TimeError::NotATime(why) | TimeError::OutOfRange(why)) => {
            keys.report(item.at().problem(format!("expected the earliest time of `{}`: {why}", shown(name))));
            None
        }
    };
    members.into_iter().filter_map(earliest).collect()
}

fn pairs(keys: &TomlTable<'_>) -> Vec<(String, String)> {
    let members = keys.members().into_iter();
    members.filter_map(|(key, item)| Some((key.to_owned(), item.text()?))).collect()
}

fn envelope(keys: &TomlTable<'_>) -> Option<EnvelopeRule> {
    keys.only(&["name", "when", "present", "records", "error", "text"]);
    let when = keys.get("when").and_then(|item| item.table());
    let test = |table: &TomlTable<'_>, item: &TomlValue<'_>| {
        let test = condition::test(table, item)?;
        // In what others write, a text alone is taken in any case of letters.
        let ignore_case = test.ignore_case || item.as_text().is_some();
        Some(ValueTest { ignore_case, ..test })
    };
    let when = when.map(|table| {
        let tests = table.by_field().into_iter();
        tests.filter_map(|(field, item)| Some((field, test(&table, &item)?))).collect::<Vec<_>>()
    });
    let when = when.unwrap_or_default();
    let present = keys.fields("present");
    if keys.get("when").is_none() && present.is_empty() {
        keys.report(
            keys.at().problem("the envelope has neither `when` nor `present`, so it can't be recognized"),
        );
    }
    let holds = match (keys.get("records"), keys.get("error")) {
        (Some(_), None) => EnvelopeHolds::Records(keys.fields("records")),
        (None, Some(_)) => EnvelopeHolds::Error(keys.fields("error")),
        _ => {
            keys.report(keys.at().problem("an envelope holds either `records` or an `error`"));
            return None;
        }
    };
    let text = keys.get("text").is_some_and(|item| item.flag());
    if let (true, EnvelopeHolds::Error(_), Some(item)) = (text, &holds, keys.get("text")) {
        keys.report(item.at().problem("`text` goes only with `records`"));
    }
    let envelope = EnvelopeRule { name: keys.required("name"), when, present, holds, text };
    if let (None, Some(item)) = (envelope.needed().next(), keys.get("when")) {
        let problem = item.at().problem("no field is sure to be there, so every object may be this envelope");
        keys.report(problem.hint("add a field of it to `present`"));
    }
    Some(envelope)
}

/// Adds the rules of one file to those of the table that it builds on.
fn rules(
    file: &TomlFile,
    keys: &TomlTable<'_>,
    base: &dyn Fn(&str) -> Result<String, String>,
    rules: &mut Vec<Rule>,
) {
    const KEYS: [&str; 20] = [
        "udm",
        "from",
        "default",
        "value",
        "cases",
        "time",
        "template",
        "when",
        "only_if",
        "label",
        "order",
        "replace",
        "literal",
        "absent",
        "capture",
        "split",
        "read",
        "map",
        "map_file",
        "otherwise",
    ];
    for keys in keys.tables("rule") {
        if file.is_full() {
            return;
        }
        if rules.len() == MOST_RULES {
            return keys.report(keys.at().problem(format!("the table has more than {MOST_RULES} rules")));
        }
        keys.only(&KEYS);
        let Some(item) = keys.get("udm") else {
            keys.report(keys.at().problem("`udm`, the field that the rule fills, is missing"));
            continue;
        };
        let at = item.at();
        let Some(text) = item.text() else { continue };
        let target = match udm::Path::parse(&text) {
            Ok(target) => target,
            Err(error) => {
                keys.report(at.problem(error.to_string()));
                continue;
            }
        };
        let Some(content) = content(file, &keys, base) else { continue };
        if !keys.get("literal").is_some_and(|item| item.flag()) {
            constants(&keys);
        }
        let (when, only_if) = when(&keys, matches!(content, Content::From { .. }));
        let rule = Rule {
            target,
            content,
            when,
            only_if,
            label: keys.text("label"),
            order: keys.get("order").and_then(|item| item.integer()),
            at,
        };
        if keys.get("replace").is_some_and(|item| item.flag()) {
            replace(&keys, rules, rule);
        } else {
            rules.push(rule);
        }
    }
}

/// Reports constants that look like something to be filled in.
fn constants(keys: &TomlTable<'_>) {
    let cases = keys.get("cases").map(|item| item.tables()).unwrap_or_default();
    let own = ["value", "default", "label", "otherwise"].into_iter().filter_map(|key| keys.get(key));
    for item in own.chain(cases.iter().filter_map(|case| case.get("value"))) {
        // What is not a text was reported before.
        let Some(text) = item.as_text() else { continue };
        if let Some(notation) = notation::of_value(text) {
            let problem = item.at().problem(format!("`{}` {}", shown(text), notation.why));
            keys.report(problem.hint(notation.hint));
        }
    }
}

/// Puts `rule` in the place of those with its target (and label) that stand in another file.
fn replace(keys: &TomlTable<'_>, rules: &mut Vec<Rule>, rule: Rule) {
    let same = |old: &Rule| {
        old.target == rule.target && old.label == rule.label && old.at.source.name != rule.at.source.name
    };
    match rules.iter().position(same) {
        Some(first) => {
            rules.retain(|old| !same(old));
            rules.insert(first.min(rules.len()), rule);
        }
        None => keys.report(
            rule.at.problem("there is nothing to replace: no rule of the table below fills this field"),
        ),
    }
}

fn content(
    file: &TomlFile,
    keys: &TomlTable<'_>,
    base: &dyn Fn(&str) -> Result<String, String>,
) -> Option<Content> {
    const KINDS: [&str; 5] = ["from", "value", "cases", "time", "template"];
    let given: Vec<&str> = KINDS.into_iter().filter(|kind| keys.get(kind).is_some()).collect();
    let [kind] = given[..] else {
        let at = keys.get("udm").map_or_else(|| keys.at(), |item| item.at());
        let what = if given.is_empty() { "none".to_owned() } else { list(&given) };
        keys.report(at.problem(format!("expected exactly one of: {}; found {what}", list(&KINDS))));
        return None;
    };
    if kind != "from" {
        for key in ["default", "absent", "capture", "split", "read", "map", "map_file", "otherwise"] {
            if let Some(item) = keys.get(key) {
                keys.report(item.at().problem(format!("`{key}` goes only with `from`")));
            }
        }
    }
    match kind {
        "from" => {
            let fields = keys.fields_in_lists("from");
            let change = Change {
                absent: keys.texts("absent").into_iter().map(|(text, _)| text).collect(),
                steps: transform::read(keys),
                map: value_map::read(keys, base),
            };
            (!fields.is_empty()).then(|| Content::From { fields, default: keys.text("default"), change })
        }
        "value" => keys.text("value").map(Content::Fixed),
        "template" => {
            keys.get("template").and_then(|item| template::read(keys, &item)).map(Content::Template)
        }
        "cases" => Some(Content::Cases(keys.tables("cases").iter().map(case).collect())),
        _ => Some(Content::Time(keys.tables("time").iter().filter_map(|keys| time(file, keys)).collect())),
    }
}

fn case(keys: &TomlTable<'_>) -> Case {
    keys.only(&["when", "present", "absent", "value"]);
    let at = keys.get("value").map_or_else(|| keys.at(), |item| item.at());
    let when = keys.get("when").and_then(|item| item.table()).map(|table| condition::read(&table));
    let (present, absent) = (keys.fields_in_lists("present"), keys.fields_in_lists("absent"));
    Case { present, absent, when: when.unwrap_or_default(), value: keys.required("value"), at }
}

fn time(file: &TomlFile, keys: &TomlTable<'_>) -> Option<(FieldPath, TimeReading)> {
    keys.only(&["from", "read"]);
    let from = keys.required("from");
    let at = keys.get("from").map_or_else(|| keys.at(), |item| item.at());
    let reading = match keys.get("read") {
        Some(item) if item.is_table() => item.table().and_then(|table| time_format(&table, &item)),
        _ => time_named(keys),
    };
    Some((field_in_lists(file, &from, &at).filter(|path| one(file, path, &at))?, reading?))
}

fn time_named(keys: &TomlTable<'_>) -> Option<TimeReading> {
    let read = keys.required("read");
    let names = Reading::ALL.map(|(name, _)| name);
    let reading = Reading::ALL.iter().find(|(name, _)| *name == read).map(|(_, reading)| *reading);
    if let (None, Some(item), false) = (reading, keys.get("read"), keys.is_full()) {
        let message = format!("unknown time format `{}`; expected one of: {}", shown(&read), list(&names));
        let hint = "for a form of your own write `read = { format = \"%d/%b/%Y %H:%M:%S\", zone = \"UTC\" }`";
        keys.report(item.at().problem(message).hint(hint).nearest(&read, names));
    }
    reading.map(TimeReading::Named)
}

fn time_format(table: &TomlTable<'_>, item: &TomlValue<'_>) -> Option<TimeReading> {
    table.only(&["format", "zone"]);
    let (format, zone) = (table.required("format"), table.text("zone").unwrap_or_else(|| "UTC".to_owned()));
    match TimeFormat::new(&format, &zone) {
        Ok(format) => Some(TimeReading::Format(format)),
        Err(why) => {
            if !table.is_full() {
                table.report(item.at().problem(why));
            }
            None
        }
    }
}

/// Whether a path leads to one value; a problem if not.
fn one(file: &TomlFile, path: &FieldPath, at: &TextPlace) -> bool {
    if path.is_many() {
        let problem = at.problem(format!("`{path}` may be several values, but the rule is for one time"));
        file.report(problem.hint("name one element: `[0]` is the first"));
    }
    !path.is_many()
}

/// What a rule asks of its own value, and of the record.
fn when(keys: &TomlTable<'_>, has_value: bool) -> (Option<When>, Condition) {
    let table = |key: &str| keys.get(key).filter(|item| key == "only_if" || item.is_table());
    let (mut word, mut only_if) = (None, Condition::default());
    for item in ["when", "only_if"].into_iter().filter_map(table) {
        let read = item.table().map(|table| condition::read(&table));
        only_if.tests.extend(read.unwrap_or_default().tests);
    }
    if let Some(item) = keys.get("when").filter(|item| !item.is_table()) {
        let text = item.text().unwrap_or_default();
        word = When::ALL.iter().find(|(name, _)| *name == text).map(|(_, when)| *when);
        let names = When::ALL.map(|(name, _)| name);
        if !has_value {
            let problem = item.at().problem("a word in `when` goes only with `from`: it is about the value");
            keys.report(problem.hint("for a test of other fields write `when = { field = \"text\" }`"));
        } else if word.is_none() && item.as_text().is_some() {
            let message = format!("unknown condition `{}`; expected one of: {}", shown(&text), list(&names));
            let hint = "for a test of other fields write `when = { field = \"text\" }`";
            keys.report(item.at().problem(message).hint(hint).nearest(&text, names));
        }
    }
    (word, only_if)
}
