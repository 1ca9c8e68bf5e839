//! A set of tables for logs that are mixed: `[[table]]`, each with what makes a record its own.

use super::condition::{self, Condition};
use super::document::{TomlTable, TomlValue};
use super::problem::{MappingError, TextPlace};
use super::table::{Mapping, SetTable, TableSet};
use crate::record::formats::{Belongs, MOST_TABLES, Sorting};
use crate::text::shown;

/// What only a table with rules has.
const OF_TABLES: [&str; 10] =
    ["shape", "known", "profile", "own", "envelope", "cef", "key-value", "embedded", "rest", "rule"];

/// Reads the table that is called so at a place.
type ReadTable<'a> = &'a dyn Fn(&TextPlace, &str) -> Result<Mapping, MappingError>;

/// The set in a file that has `[[table]]`. `head` is its `[mapping]`; `table` reads the tables that it names.
///
/// # Errors
/// If one of the tables is faulty.
pub(super) fn read(
    keys: &TomlTable<'_>,
    head: &TomlTable<'_>,
    table: ReadTable<'_>,
) -> Result<TableSet, MappingError> {
    for key in OF_TABLES {
        if let Some(item) = keys.get(key) {
            let problem = item.at().problem(format!("a set of tables has no `{key}`: its tables have"));
            keys.report(problem.hint("put it into one of the tables that `[[table]]` names"));
        }
    }
    let mut set = TableSet { log_fields: head.fields("log_field"), tables: Vec::new() };
    for key in ["extends", "without", "log_type", "on_bad_field", "shippers"] {
        if let Some(item) = head.get(key) {
            item.report(format!("`{key}` goes only with rules: a set has those of its tables"));
        }
    }
    let tables = keys.tables("table");
    if tables.len() < 2 && !keys.is_full() {
        keys.report(
            keys.at().problem("a set has at least two tables").hint("for one table, name that instead"),
        );
    }
    if tables.len() > MOST_TABLES {
        keys.report(keys.at().problem(format!("a set has at most {MOST_TABLES} tables")));
        return Ok(set);
    }
    for keys in &tables {
        if let Some(table) = member(keys, table, &set)? {
            set.tables.push(table);
        }
    }
    Ok(set)
}

/// One of the tables of a set, which comes behind those in `before`.
fn member(
    keys: &TomlTable<'_>,
    table: ReadTable<'_>,
    before: &TableSet,
) -> Result<Option<SetTable>, MappingError> {
    keys.only(&["name", "log", "own"]);
    let name = keys.required("name");
    let Some(item) = keys.get("name").filter(|_| !name.is_empty()) else { return Ok(None) };
    let mapping = table(&item.at(), &name)?;
    let refuse = |item: &TomlValue<'_>, why: String| item.report(why);
    if mapping.set().is_some() {
        refuse(&item, format!("`{}` is a set itself, but a set holds tables", shown(&name)));
        return Ok(None);
    }
    if before.tables.iter().any(|other| other.mapping.name == mapping.name) {
        refuse(&item, format!("`{}` is in the set already", shown(&mapping.name)));
    }
    let lead = |mapping: &Mapping| mapping.formats.key_value.as_ref().map(|it| it.lead.clone());
    if let Some(own) = lead(&mapping)
        && before.tables.iter().filter_map(|other| lead(&other.mapping)).any(|other| other != own)
    {
        refuse(&item, "another table of the set reads lines of pairs with another `lead`".to_owned());
    }
    let mut log = Vec::new();
    for (text, at) in keys.texts("log") {
        let is_same = |other: &String| other.eq_ignore_ascii_case(&text);
        if text.is_empty() {
            keys.report(at.problem("an empty field counts as absent, so it names no log"));
        } else if before.tables.iter().flat_map(|other| &other.log).any(is_same) {
            keys.report(at.problem(format!("another table of the set calls its log `{}`", shown(&text))));
        }
        log.push(text);
    }
    if let Some(item) = keys.get("log").filter(|_| before.log_fields.is_empty()) {
        let problem = item.at().problem("no field holds the name of a log");
        keys.report(problem.hint("say which: `log_field = \"kind\"` in `[mapping]`"));
    }
    let mut own = Vec::new();
    for table in keys.tables("own") {
        let condition = condition::read(&table);
        if let Some((path, _)) = condition.tests.iter().find(|(path, _)| path.has_lists()) {
            let problem = table.at().problem(format!("`{path}` leads into a list"));
            keys.report(problem.hint("ask for a field that is a text, a number or a boolean"));
        }
        if let Some(path) = condition.contradiction() {
            keys.report(
                table.at().problem(format!("no record can fit: the tests of `{path}` exclude each other")),
            );
        }
        let hides = |other: &&SetTable| other.own.iter().any(|other| other.follows_from(&condition));
        if let Some(other) = before.tables.iter().find(hides) {
            let name = shown(&other.mapping.name);
            let problem = table.at().problem(format!("`{name}` comes before and takes all such records"));
            keys.report(problem.hint("put the table that asks for more first"));
        }
        own.push(condition);
    }
    if keys.get("log").is_none() && keys.get("own").is_none() {
        let problem =
            keys.at().problem("the table has neither `log` nor `own`, so nothing makes a record its own");
        keys.report(problem.hint("`own = [{ id = { present = true } }]` takes records with an `id`"));
    }
    Ok(Some(SetTable { mapping, log, own }))
}

impl TableSet {
    /// What says to which table a record belongs.
    pub(super) fn sorting(&self) -> Sorting {
        let belongs = |table: &SetTable| Belongs {
            log: table.log.clone(),
            own: table.own.iter().map(|condition: &Condition| condition.tests.clone()).collect(),
        };
        Sorting { log_fields: self.log_fields.clone(), belongs: self.tables.iter().map(belongs).collect() }
    }
}
