//! Maps: the value that an event gets for each value of a field.

use super::document::TomlTable;
use super::problem::TextPlace;
use crate::text::shown;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The most entries of a map.
const MOST: usize = 10_000;

/// What becomes of a field's values. A value that is not in the map gives what `otherwise` says, or nothing.
#[derive(Debug, Clone)]
pub struct ValueMap {
    /// What each value becomes.
    pub entries: BTreeMap<String, String>,
    /// What all other values become.
    pub otherwise: Option<String>,
    /// Where what values become is written: that of a file is the file's name.
    places: Vec<(String, TextPlace)>,
}

impl ValueMap {
    /// What `value` becomes.
    pub(super) fn of(&self, value: &str) -> Option<&str> {
        self.entries.get(value).or(self.otherwise.as_ref()).map(String::as_str)
    }

    /// What values become, each with the place where it is written.
    pub(super) fn results(&self) -> impl Iterator<Item = (&str, &TextPlace)> {
        self.places.iter().map(|(text, at)| (text.as_str(), at))
    }

    pub(super) fn json(&self) -> Value {
        json!([self.entries, self.otherwise])
    }
}

/// Reads the map of a rule, if it has one. `file` gives the text of a file next to the table.
pub(super) fn read(keys: &TomlTable<'_>, file: &dyn Fn(&str) -> Result<String, String>) -> Option<ValueMap> {
    let mut map = ValueMap { entries: BTreeMap::new(), otherwise: None, places: Vec::new() };
    let (inline, from_file) = (keys.get("map"), keys.get("map_file"));
    if let (Some(_), Some(item)) = (&inline, &from_file) {
        keys.report(item.at().problem("a rule has either `map` or `map_file`"));
    }
    if let Some(item) = keys.get("otherwise") {
        if inline.is_none() && from_file.is_none() {
            let problem = item.at().problem("`otherwise` goes only with `map` or `map_file`");
            keys.report(problem.hint("what to put if no field is present is the rule's `default`"));
        }
        map.otherwise = item.text();
        map.places.extend(map.otherwise.clone().map(|text| (text, item.at())));
    }
    if let Some(table) = inline.and_then(|item| item.table()) {
        for (value, item) in table.members() {
            let Some(text) = item.text() else { continue };
            if value.is_empty() {
                let problem = item.at().problem("an empty value counts as absent, so it is never looked up");
                keys.report(problem.hint("what to put if no field is present is the rule's `default`"));
            }
            map.places.push((text.clone(), item.at()));
            map.entries.insert(value.to_owned(), text);
        }
    } else if let Some(item) = &from_file
        && let Some(name) = item.text()
    {
        match file(&name) {
            Err(why) => {
                keys.report(item.at().problem(format!("cannot read the map `{}`: {why}", shown(&name))))
            }
            Ok(text) => {
                if let Err(why) = lines(&text, &item.at(), &mut map) {
                    keys.report(item.at().problem(format!("{}: {why}", shown(&name))));
                }
            }
        }
    }
    let item = inline.or(from_file)?;
    if map.entries.is_empty() && !keys.is_full() {
        keys.report(item.at().problem("the map is empty"));
    }
    Some(map)
}

/// Reads lines of two columns with a tab between them; blank lines and those with `#` at their start say nothing.
fn lines(text: &str, at: &TextPlace, map: &mut ValueMap) -> Result<(), String> {
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let number = number + 1;
        let mut columns = line.split('\t');
        let (Some(value), Some(result), None) = (columns.next(), columns.next(), columns.next()) else {
            return Err(format!("line {number}: expected two columns with a tab between them"));
        };
        if value.is_empty() || result.is_empty() {
            return Err(format!("line {number}: a column is empty"));
        }
        if map.entries.insert(value.to_owned(), result.to_owned()).is_some() {
            return Err(format!("line {number}: `{}` is in the map twice", shown(value)));
        }
        if map.entries.len() > MOST {
            return Err(format!("it has more than {MOST} lines"));
        }
        map.places.push((result.to_owned(), at.clone()));
    }
    Ok(())
}
