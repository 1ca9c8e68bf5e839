//! Walking a TOML document: each value with its place, each problem collected.

use super::problem::{MOST, Problem, TableText, TextPlace};
use crate::record::{FieldPath, FieldPathError};
use crate::text::shown;
use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file that is being read, and what was found wrong with it so far.
#[derive(Debug)]
pub(super) struct TomlFile {
    pub(super) source: Arc<TableText>,
    problems: RefCell<Vec<Problem>>,
}

/// A table of the document whose keys are being taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct TomlTable<'t> {
    file: &'t TomlFile,
    table: &'t DeTable<'t>,
    span: (usize, usize),
}

/// A value and its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct TomlValue<'t> {
    file: &'t TomlFile,
    value: &'t Spanned<DeValue<'t>>,
}

impl TomlFile {
    pub(super) fn new(name: &str, text: &str) -> TomlFile {
        TomlFile { source: Arc::new(TableText::new(name, text)), problems: RefCell::default() }
    }

    pub(super) fn at(&self, span: Range<usize>) -> TextPlace {
        TextPlace { source: Arc::clone(&self.source), span }
    }

    /// Keeps a problem, and one more than are shown, which says that there are more.
    pub(super) fn report(&self, problem: Problem) {
        if !self.is_full() {
            self.problems.borrow_mut().push(problem);
        }
    }

    /// Whether no more problems are kept, so that looking for them is of no use.
    pub(super) fn is_full(&self) -> bool {
        self.problems.borrow().len() > MOST
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

impl<'t> TomlTable<'t> {
    pub(super) fn new(file: &'t TomlFile, table: &'t DeTable<'t>, span: Range<usize>) -> TomlTable<'t> {
        TomlTable { file, table, span: (span.start, span.end) }
    }

    pub(super) fn at(&self) -> TextPlace {
        self.file.at(self.span.0..self.span.1)
    }

    pub(super) fn report(&self, problem: Problem) {
        self.file.report(problem);
    }

    pub(super) fn is_full(&self) -> bool {
        self.file.is_full()
    }

    pub(super) fn file(&self) -> &'t TomlFile {
        self.file
    }

    /// Reports every key that is not one of `known`.
    pub(super) fn only(&self, known: &[&str]) {
        for key in self.table.keys() {
            if self.is_full() {
                return;
            }
            if !known.contains(&key.get_ref().as_ref()) {
                let message =
                    format!("unknown key `{}`; expected one of: {}", shown(key.get_ref()), list(known));
                let problem = self.file.at(key.span()).problem(message);
                self.file.report(problem.nearest(key.get_ref(), known.iter().copied()));
            }
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<TomlValue<'t>> {
        self.table.get(key).map(|value| TomlValue { file: self.file, value })
    }

    /// The members of the table, in the order of the file.
    pub(super) fn members(&self) -> Vec<(&'t str, TomlValue<'t>)> {
        let mut members: Vec<_> = self.table.iter().collect();
        members.sort_by_key(|(key, _)| key.span().start);
        members
            .into_iter()
            .map(|(key, value)| (key.get_ref().as_ref(), TomlValue { file: self.file, value }))
            .collect()
    }

    /// The members of the table whose keys are raw fields; a problem for each that is not one.
    pub(super) fn by_field(&self) -> Vec<(FieldPath, TomlValue<'t>)> {
        let members = self.members().into_iter();
        members.filter_map(|(key, item)| Some((field(self.file, key, &item.at())?, item))).collect()
    }

    /// The same where fields may lead into lists.
    pub(super) fn by_field_in_lists(&self) -> Vec<(FieldPath, TomlValue<'t>)> {
        let members = self.members().into_iter();
        members.filter_map(|(key, item)| Some((field_in_lists(self.file, key, &item.at())?, item))).collect()
    }

    /// The text at `key`; a problem if something else is there.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.get(key)?.text()
    }

    /// The text at `key`; a problem if it is not there.
    pub(super) fn required(&self, key: &str) -> String {
        if self.get(key).is_none() {
            self.report(self.at().problem(format!("`{key}` is missing")));
        }
        self.text(key).unwrap_or_default()
    }

    /// The tables at `key`: `[[key]]`, or a list of inline tables.
    pub(super) fn tables(&self, key: &str) -> Vec<TomlTable<'t>> {
        self.get(key).map(|item| item.tables()).unwrap_or_default()
    }

    /// The texts at `key`: one, or a list.
    pub(super) fn texts(&self, key: &str) -> Vec<(String, TextPlace)> {
        self.get(key).map(|item| item.texts()).unwrap_or_default()
    }

    /// The fields at `key`: one, or a list.
    pub(super) fn fields(&self, key: &str) -> Vec<FieldPath> {
        self.texts(key).into_iter().filter_map(|(text, at)| field(self.file, &text, &at)).collect()
    }

    /// The same where fields may lead into lists.
    pub(super) fn fields_in_lists(&self, key: &str) -> Vec<FieldPath> {
        self.texts(key).into_iter().filter_map(|(text, at)| field_in_lists(self.file, &text, &at)).collect()
    }
}

impl<'t> TomlValue<'t> {
    pub(super) fn at(&self) -> TextPlace {
        self.file.at(self.value.span())
    }

    /// Reports what is wrong with the value.
    pub(super) fn report(&self, message: impl AsRef<str>) {
        self.file.report(self.at().problem(message));
    }

    pub(super) fn wrong(&self, expected: &str) {
        let found = self.value.get_ref().type_str();
        let article = if found.starts_with(['a', 'i']) { "an" } else { "a" };
        let message = format!("expected {expected}, found {article} {found}");
        self.file.report(self.at().problem(message));
    }

    pub(super) fn as_text(&self) -> Option<&'t str> {
        self.value.get_ref().as_str()
    }

    pub(super) fn text(&self) -> Option<String> {
        if let Some(text) = self.value.get_ref().as_str() {
            return Some(text.to_owned());
        }
        self.wrong("a text in quotes");
        None
    }

    pub(super) fn flag(&self) -> bool {
        self.value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong("`true` or `false`");
            false
        })
    }

    pub(super) fn integer(&self) -> Option<i64> {
        let number = self.value.get_ref().as_integer().filter(|n| n.radix() == 10);
        let number = number.and_then(|n| n.as_str().parse().ok());
        if number.is_none() {
            self.wrong("a whole number of at most 18 digits");
        }
        number
    }

    pub(super) fn texts(&self) -> Vec<(String, TextPlace)> {
        match self.value.get_ref().as_array() {
            None => self.text().map(|text| (text, self.at())).into_iter().collect(),
            Some(array) => array
                .iter()
                .map(|value| TomlValue { file: self.file, value })
                .filter_map(|item| item.text().map(|text| (text, item.at())))
                .collect(),
        }
    }

    pub(super) fn is_empty_list(&self) -> bool {
        self.value.get_ref().as_array().is_some_and(|array| array.is_empty())
    }

    pub(super) fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    pub(super) fn table(&self) -> Option<TomlTable<'t>> {
        let table = self.value.get_ref().as_table();
        if table.is_none() {
            self.wrong("a table");
        }
        table.map(|table| TomlTable::new(self.file, table, self.value.span()))
    }

    pub(super) fn tables(&self) -> Vec<TomlTable<'t>> {
        let Some(array) = self.value.get_ref().as_array() else {
            self.wrong("a list of tables");
            return Vec::new();
        };
        array.iter().filter_map(|value| TomlValue { file: self.file, value }.table()).collect()
    }
}

/// Reads a raw field's path; a problem if it is none.
pub(super) fn field(file: &TomlFile, text: &str, at: &TextPlace) -> Option<FieldPath> {
    FieldPath::parse(text).map_err(|error| file.report(at.problem(error.to_string()).hint(error.hint()))).ok()
}

/// The same for one that may lead into lists.
pub(super) fn field_in_lists(file: &TomlFile, text: &str, at: &TextPlace) -> Option<FieldPath> {
    let refuse = |error: FieldPathError| file.report(at.problem(error.to_string()).hint(error.hint()));
    FieldPath::parse_in_lists(text).map_err(refuse).ok()
}

/// `a`, `b`, `c`.
pub(super) fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
