//! The section `[own]` of a table: what makes a record its own.

use super::document::{TomlTable, TomlValue};
use super::table::{Mapping, Rule};
use crate::record::FieldPath;
use crate::record::formats::{HeaderPart, Own};
use std::collections::BTreeSet;

/// The keys at a record's top that lead to what these rules read.
pub(super) fn read_by(rules: &[Rule]) -> BTreeSet<String> {
    tops(rules.iter().flat_map(Rule::fields)).collect()
}

fn tops<'p>(paths: impl Iterator<Item = &'p FieldPath>) -> impl Iterator<Item = String> {
    paths.filter_map(|path| path.keys().first().cloned())
}

/// Reads what the file says about it into `mapping`, whose rules are read already. `below` are the
/// keys that the rules of the table below read.
pub(super) fn read(keys: &TomlTable<'_>, below: BTreeSet<String>, mapping: &mut Mapping) {
    if let Some(keys) = keys.get("own").and_then(|item| item.table()) {
        mapping.formats.own = section(&keys);
        against_rules(&keys, mapping);
    }
    // A rule that was left out still says that its field is one of this log's.
    let own = &mut mapping.formats.own;
    own.known.extend(below);
    own.known.extend(read_by(&mapping.rules));
    own.known.extend(tops(own.any.iter()));
}

fn section(keys: &TomlTable<'_>) -> Own {
    keys.only(&["fields", "envelope", "any", "also", "cef"]);
    let (fields, envelope) = (fields(keys, "fields"), fields(keys, "envelope"));
    let any = keys.fields("any");
    if let Some(item) = keys.get("any").filter(|item| item.is_empty_list()) {
        keys.report(item.at().problem("`any` lists no fields"));
    }
    let also = keys.fields("also");
    if let Some(item) = keys.get("also").filter(|_| keys.get("any").is_none()) {
        keys.report(item.at().problem("`also` has an effect only together with `any`"));
    }
    Own { fields, envelope, any, known: tops(also.iter()).collect(), header: header(keys) }
}

/// The fields in the table at `key`, with the texts that each may hold.
fn fields(keys: &TomlTable<'_>, key: &str) -> Vec<(FieldPath, Vec<String>)> {
    let fields = keys.get(key).and_then(|item| item.table()).map(|table| table.by_field());
    let fields = fields.unwrap_or_default().into_iter().map(|(field, item)| {
        let texts = texts(keys, &item);
        if texts.iter().any(String::is_empty) {
            let problem = item.at().problem("an empty field counts as absent, so every record would match");
            keys.report(problem.hint("leave the empty text out"));
        }
        (field, texts)
    });
    fields.collect()
}

fn header(keys: &TomlTable<'_>) -> Vec<(HeaderPart, Vec<String>)> {
    let Some(table) = keys.get("cef").and_then(|item| item.table()) else { return Vec::new() };
    table.only(&HeaderPart::ALL.map(HeaderPart::name));
    let part = |part: HeaderPart| Some((part, texts(keys, &table.get(part.name())?)));
    HeaderPart::ALL.into_iter().filter_map(part).collect()
}

/// The texts of a list that has some.
fn texts(keys: &TomlTable<'_>, item: &TomlValue<'_>) -> Vec<String> {
    if item.is_empty_list() {
        keys.report(item.at().problem("the list is empty, so no record would belong to this table"));
    }
    item.texts().into_iter().map(|(text, _)| text).collect()
}

/// What the section says must fit the rest of the table.
fn against_rules(keys: &TomlTable<'_>, mapping: &Mapping) {
    if let Some(item) = keys.get("cef").filter(|_| mapping.formats.cef.is_none()) {
        let problem = item.at().problem("the table reads no CEF lines, so there is no header to check");
        keys.report(problem.hint("add a `[cef]` section, or leave this out"));
    }
    let mut projection = mapping.projection();
    for field in mapping.rules.iter().flat_map(Rule::fields) {
        // Rules that contradict each other are reported where rules are checked.
        let _ = projection.add(field);
    }
    let own = &mapping.formats.own;
    let named =
        own.fields.iter().map(|(path, _)| ("fields", path)).chain(own.any.iter().map(|path| ("any", path)));
    for (key, path) in named {
        if let (Some(overlap), Some(item)) = (projection.overlap(path), keys.get(key)) {
            keys.report(item.at().problem(overlap.to_string()));
        }
    }
}
