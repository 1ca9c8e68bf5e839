//! A table as it is being written: what is wrong with it, or what converts by it.

use super::answer::Refusal;
use super::index::Index;
use super::places::Place;
use super::sample::Sample;
use super::work::Work;
use crate::check::own_tests;
use crate::convert::{Converter, Engine, Options};
use crate::mapping::files::{LoadError, load_text};
use crate::mapping::{Mapping, MappingError, Problem, builtin_mappings};
use crate::sync::lock;
use serde::Serialize;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// A text that was read as a table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) errors: Vec<Complaint>,
    pub(super) warnings: Vec<Complaint>,
    pub(super) rules: Option<Compiled>,
}

/// A table without errors.
#[derive(Debug)]
pub(super) struct Compiled {
    /// The file that the table is read as.
    pub(super) name: String,
    pub(super) mapping: Mapping,
    fast: Converter,
    /// Reads records the exact way, to explain them.
    pub(super) exact: Converter,
    /// What it makes of the sample that was looked at last.
    index: Mutex<Option<(String, Arc<Index>)>>,
}

/// What is wrong at a place of a text.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Complaint {
    #[serde(flatten)]
    pub(super) place: Place,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) fix: Option<Fix>,
}

/// A change that mends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Fix {
    text: String,
    #[serde(flatten)]
    place: Place,
    replacement: String,
}

impl Table {
    /// Reads `text` as the file called `name`, and checks it.
    pub(super) fn read(name: &str, text: &str) -> Table {
        let mut table = Table {
            name: name.to_owned(),
            text: text.to_owned(),
            errors: Vec::new(),
            warnings: Vec::new(),
            rules: None,
        };
        match load_text(name, text.to_owned()) {
            Ok(loaded) => {
                let mapping = loaded.mapping;
                // The table may be right, and its own tests fail all the same.
                if let Err(error) = own_tests::run(&mapping) {
                    table.warnings = complaints(&error, name, text);
                }
                table.rules = Some(Compiled::of(name, mapping));
            }
            Err(LoadError::Faulty { error, .. }) => table.errors = complaints(&error, name, text),
            Err(error) => {
                let message = error.to_string();
                table.errors.push(Complaint { place: Place::of(text, 0..0), message, hint: None, fix: None });
            }
        }
        table
    }
}

impl Compiled {
    fn of(name: &str, mapping: Mapping) -> Compiled {
        let exact = Options::default().engine(Engine::Exact);
        Compiled {
            name: name.to_owned(),
            fast: Converter::new(&mapping, &Options::default()),
            exact: Converter::new(&mapping, &exact),
            mapping,
            index: Mutex::default(),
        }
    }

    /// What the table makes of a sample.
    pub(super) fn index(&self, sample: &Sample, work: &Work) -> Result<Arc<Index>, Refusal> {
        if let Some((id, index)) = &*lock(&self.index)
            && *id == sample.id
        {
            return Ok(Arc::clone(index));
        }
        let index = Arc::new(Index::of(&self.fast, sample, work)?);
        *lock(&self.index) = Some((sample.id.clone(), Arc::clone(&index)));
        Ok(index)
    }
}

/// The built-in table that makes most events of a sample's beginning; of several, the first.
pub(crate) fn best_table(sample: &Sample) -> &'static str {
    let events = |name: &str| {
        let mapping = Mapping::builtin(name).filter(|mapping| mapping.set().is_none());
        let chunk = sample.chunks.first();
        mapping.zip(chunk).map_or(0, |(mapping, chunk)| {
            Converter::new(&mapping, &Options::default()).convert_chunk(&chunk.chunk).counts.events
        })
    };
    // Of equal ones, the last is taken.
    builtin_mappings()
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .max_by_key(|name| events(name))
        .unwrap_or_default()
}

fn complaints(error: &MappingError, name: &str, text: &str) -> Vec<Complaint> {
    error.problems().iter().map(|problem| complaint(problem, name, text)).collect()
}

fn complaint(problem: &Problem, name: &str, text: &str) -> Complaint {
    let hint = problem.suggestion().map(str::to_owned);
    if problem.file() != name {
        // It is in a file that this one builds on.
        let message = format!("{}:{}: {}", problem.file(), problem.line(), problem.message());
        let named = text.find(problem.file()).map_or(0..0, |at| at..at + problem.file().len());
        return Complaint { place: Place::of(text, named), message, hint, fix: None };
    }
    let mut span = problem.at.span.clone();
    let fix = problem.nearest_name().and_then(|(wrong, right)| {
        let within = word_in(text, &span, wrong);
        // A rule's fault is placed at its `udm`, and may be in another of its lines.
        let range = within.or_else(|| word_in(text, &section(text, span.start), wrong))?;
        if !(span.start..span.end).contains(&range.start) {
            span = range.clone();
        }
        let place = Place::of(text, range);
        Some(Fix { text: format!("change to `{right}`"), place, replacement: right.to_owned() })
    });
    Complaint { place: Place::of(text, span), message: problem.message().to_owned(), hint, fix }
}

/// The lines around a byte, from one line that begins with a bracket to the next.
fn section(text: &str, at: usize) -> Range<usize> {
    let start = text[..at].rfind("\n[").unwrap_or(0);
    start..text[at..].find("\n[").map_or(text.len(), |end| at + end)
}

/// The last place of a whole word in a range of a text.
fn word_in(text: &str, range: &Range<usize>, word: &str) -> Option<Range<usize>> {
    let within = text.get(range.clone())?;
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let is_whole = |at: &usize| {
        let end = at + word.len();
        !is_part(within[..*at].chars().next_back()) && !is_part(within[end..].chars().next())
    };
    let at = within.rmatch_indices(word).map(|(at, _)| at).find(is_whole)?;
    Some(range.start + at..range.start + at + word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "[mapping]\nname = \"x\"\nextends = \"duo_telephony\"\n";

    fn fixed(rule: &str) -> String {
        let text = format!("{HEAD}{rule}");
        let table = Table::read("x.toml", &text);
        let [error] = &table.errors[..] else { panic!("{:?}", table.errors) };
        let Some(fix) = &error.fix else { return format!("no fix: {error:?}") };
        assert_eq!(fix.place.line, fix.place.end_line);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let line = &mut lines[fix.place.line - 1];
        line.replace_range(fix.place.column - 1..fix.place.end_column - 1, &fix.replacement);
        let mended = lines.join("\n") + "\n";
        let again = Table::read("x.toml", &mended);
        assert!(again.errors.is_empty() && again.rules.is_some(), "{mended}\n{:?}", again.errors);
        mended[HEAD.len()..].to_owned()
    }

    #[test]
    fn a_wrong_name_is_mended_where_it_is() {
        for (wrong, right) in [
            ("metadata.descripton", "metadata.description"),
            ("metadat.description", "metadata.description"),
            ("principal.user.user_display_nam", "principal.user.user_display_name"),
        ] {
            let rule = |name: &str| format!("[[rule]]\nudm = \"{name}\"\nfrom = \"txid\"\n");
            assert_eq!(fixed(&rule(wrong)), rule(right));
        }
        let rule = |key: &str| {
            format!("[[rule]]\nudm = \"metadata.description\"\n{key} = \"txid\"\ndefault = \"x\"\n")
        };
        let text = format!("{HEAD}{}", rule("form"));
        let errors = Table::read("x.toml", &text).errors;
        assert!(
            errors.iter().any(|error| error.fix.as_ref().is_some_and(|fix| fix.replacement == "from")),
            "{errors:?}"
        );
        let value =
            |value: &str| format!("[[rule]]\nudm = \"security_result[0].priority\"\nvalue = \"{value}\"\n");
        assert_eq!(fixed(&value("HIGH_PRIORTY")), value("HIGH_PRIORITY"));
    }

    #[test]
    fn what_is_wrong_elsewhere_is_said_where_it_is_named() {
        let table = Table::read("x.toml", "[mapping]\nname = \"x\"\nextends = \"nowhere.toml\"\n");
        let [error] = &table.errors[..] else { panic!("{:?}", table.errors) };
        assert_eq!((error.place.line, error.place.column), (3, 11), "{error:?}");
        let table = Table::read("x.toml", "not a table");
        assert_eq!(table.errors.len(), 1);
        let failing = format!("{HEAD}[[test]]\nrecord = '{{}}'\nreject = \"bad-timestamp\"\n");
        let table = Table::read("x.toml", &failing);
        assert!(table.errors.is_empty() && table.rules.is_some());
        assert_eq!(table.warnings.len(), 1, "{:?}", table.warnings);
    }
}
