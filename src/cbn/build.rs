//! What all statements of a parser share while they are compiled.

use super::path::Path;
use super::pattern::{Pattern, Patterns};
use super::position::{Position, Word};
use super::re2::Groups;
use super::symbols::Symbols;
use super::template::{Template, Texts, parts};
use super::warning::{Code, Warning};
use crate::text::shown;
use std::collections::HashSet;
use std::sync::Arc;

/// What has been seen of a parser so far.
#[derive(Debug, Default)]
pub(super) struct Build {
    pub(super) symbols: Symbols,
    pub(super) texts: Texts,
    pub(super) patterns: Patterns,
    pub(super) warnings: Vec<Warning>,
    /// Tokens that a statement sets.
    set: HashSet<String>,
    /// Whether a statement sets tokens that the log names.
    sets_any: bool,
    /// Tokens that conditions read.
    read: Vec<Word>,
    /// Regexes, with where they are.
    pub(super) regexes: Vec<(Arc<Pattern>, Position)>,
}

impl Build {
    pub(super) fn warn(&mut self, at: Position, code: Code, message: impl Into<String>) {
        self.warnings.push(Warning { at, code, message: message.into() });
    }

    /// A token that is read.
    pub(super) fn path(&mut self, text: &str) -> Path {
        Path::new(text, &mut self.symbols)
    }

    /// A token that is set.
    pub(super) fn target(&mut self, text: &str) -> Path {
        self.sets(text);
        self.path(text)
    }

    /// Says that a statement sets the token.
    pub(super) fn sets(&mut self, path: &str) {
        if !self.set.contains(path) {
            self.set.insert(path.to_owned());
        }
    }

    /// Says that a statement sets tokens that the log names: below `target`, or anywhere.
    pub(super) fn sets_any(&mut self, target: Option<&str>) {
        match target {
            Some(target) => self.sets(&format!("{target}.*")),
            None => self.sets_any = true,
        }
    }

    /// Says that a condition reads the token.
    pub(super) fn reads(&mut self, token: &Word) {
        self.read.push(token.clone());
    }

    pub(super) fn template(&mut self, text: &str) -> Template {
        Template::new(text, &mut self.symbols, &mut self.texts)
    }

    pub(super) fn pattern(&mut self, source: &str, groups: Groups) -> Arc<Pattern> {
        self.patterns.get(source, groups)
    }

    /// Has a regex looked at when the parser is checked: to compile all of them takes time that a run may not need.
    pub(super) fn looks_at(&mut self, pattern: &Arc<Pattern>, at: Position) {
        self.regexes.push((Arc::clone(pattern), at));
    }

    /// Warns of tokens that conditions read and nothing sets.
    pub(super) fn warn_of_unset(&mut self) {
        if self.sets_any {
            return;
        }
        let is_set = |token: &str| {
            // Whatever sets a part of it, or something inside of it, sets it.
            let starts = std::iter::once(token.len()).chain(token.match_indices('.').map(|(at, _)| at));
            let above = starts
                .map(|end| &token[..end])
                .any(|above| self.set.contains(above) || self.set.contains(&format!("{above}.*")));
            above || self.set.iter().any(|set| is_below(set, token))
        };
        let unset: Vec<Word> = self
            .read
            .iter()
            .filter(|token| !token.text.starts_with('@') && token.text != "message" && !is_set(&token.text))
            .cloned()
            .collect();
        let mut told = HashSet::new();
        for Word { text, at } in unset {
            if told.insert(text.clone()) {
                self.warn(
                    at,
                    Code::UnsetToken,
                    format!("nothing sets `{}`, so a log that comes here fails", shown(&text)),
                );
            }
        }
    }
}

fn is_below(set: &str, token: &str) -> bool {
    set.strip_prefix(token).is_some_and(|rest| rest.starts_with('.'))
}

/// Whether a text has tokens in it.
pub(super) fn has_tokens(text: &str) -> bool {
    parts(text).iter().any(Result::is_err)
}
