//! Compiled regexes.

use super::re2::{Groups, Translated, translate};
use regex::{CaptureLocations, Regex, RegexBuilder};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// The most memory of a compiled regex, in bytes.
const MOST_BYTES: usize = 64 << 20;

/// A regex, which is compiled when it is first needed.
#[derive(Debug)]
pub(super) struct Pattern {
    /// As the parser has it.
    pub(super) source: String,
    /// Its number among the parser's.
    number: usize,
    translated: Result<Translated, String>,
    compiled: OnceLock<Result<Regex, String>>,
}

impl Pattern {
    fn new(source: &str, groups: Groups, number: usize) -> Pattern {
        Pattern {
            source: source.to_owned(),
            number,
            translated: translate(source, groups),
            compiled: OnceLock::new(),
        }
    }

    /// The names of its groups from 1 on.
    pub(super) fn names(&self) -> &[Option<String>] {
        self.translated.as_ref().map_or(&[], |translated| &translated.names)
    }

    /// Whether RE2 has all that it says.
    pub(super) fn is_re2(&self) -> bool {
        self.translated.is_ok()
    }

    /// The regex.
    ///
    /// # Errors
    /// Why it can't be compiled. Not escaped.
    pub(super) fn regex(&self) -> Result<&Regex, &str> {
        let translated = self.translated.as_ref().map_err(String::as_str)?;
        self.compiled.get_or_init(|| Pattern::compile(translated)).as_ref().map_err(String::as_str)
    }

    /// Why it can't be compiled, if it can't. It keeps no compiled regex: a parser has many, and each may be large.
    pub(super) fn problem(&self) -> Option<String> {
        match &self.translated {
            Ok(translated) => Pattern::compile(translated).err(),
            Err(why) => Some(why.clone()),
        }
    }

    fn compile(translated: &Translated) -> Result<Regex, String> {
        let built = RegexBuilder::new(&translated.pattern).size_limit(MOST_BYTES).build();
        built.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            // The first line shows the pattern as it was translated, the last one says what is wrong.
            error => {
                let words = error.to_string();
                let last = words.lines().last().unwrap_or("it is not a regex");
                last.strip_prefix("error: ").unwrap_or(last).to_owned()
            }
        })
    }
}

/// All regexes of a parser, each once.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    known: HashMap<(String, u8), Arc<Pattern>>,
}

impl Patterns {
    pub(super) fn get(&mut self, source: &str, groups: Groups) -> Arc<Pattern> {
        let kind = match groups {
            Groups::All => 0,
            Groups::Named => 1,
            Groups::None => 2,
        };
        let number = self.known.len();
        let known = self.known.entry((source.to_owned(), kind));
        Arc::clone(known.or_insert_with(|| Arc::new(Pattern::new(source, groups, number))))
    }
}

/// Where the groups of matches are, kept from match to match.
#[derive(Debug, Default)]
pub(super) struct Captures {
    by_pattern: Vec<Option<CaptureLocations>>,
}

impl Captures {
    /// Looks for the first match; where its groups are, by their numbers.
    pub(super) fn find(&mut self, pattern: &Pattern, regex: &Regex, text: &str) -> Option<&CaptureLocations> {
        if self.by_pattern.len() <= pattern.number {
            self.by_pattern.resize(pattern.number + 1, None);
        }
        let places = self.by_pattern[pattern.number].get_or_insert_with(|| regex.capture_locations());
        regex.captures_read(places, text).map(|_| &*places)
    }
}
