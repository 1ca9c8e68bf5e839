//! `grok`: takes a text apart by patterns.

use crate::cbn::build::Build;
use crate::cbn::failure::Failure;
use crate::cbn::grok_patterns::{expand, names};
use crate::cbn::options::{Options, as_texts};
use crate::cbn::path::Path;
use crate::cbn::pattern::Pattern;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::re2::Groups;
use crate::cbn::source::text_of;
use crate::cbn::state::State;
use crate::cbn::value::{Text, Value};
use crate::cbn::warning::Code;
use crate::text::shown;
use crate::udm::nearest;
use std::sync::Arc;

#[derive(Debug)]
struct Grok {
    matches: Vec<Match>,
}

/// A token with its patterns.
#[derive(Debug)]
struct Match {
    source: Path,
    alternatives: Vec<Alternative>,
}

/// A pattern, and which token each of its groups sets.
#[derive(Debug)]
struct Alternative {
    pattern: Arc<Pattern>,
    tokens: Vec<Token>,
}

#[derive(Debug)]
struct Token {
    path: Path,
    /// Whether it may be set already.
    overwrites: bool,
    /// The groups that give it: the first that is not empty does.
    groups: Vec<usize>,
}

pub(super) fn compile(options: &mut Options<'_>, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let overwrite = options.texts("overwrite")?.unwrap_or_default();
    let overwrite: Vec<&str> = overwrite.iter().map(|word| word.text.as_str()).collect();
    let pairs = options.pairs("match")?.ok_or_else(|| options.missing("match"))?;
    let mut matches = Vec::new();
    for (token, patterns) in pairs {
        let mut alternatives = Vec::new();
        for word in as_texts("grok", "match", patterns)? {
            let expanded = match expand(&word.text) {
                Ok(expanded) => expanded,
                Err(why) => {
                    let mut named =
                        word.text.split("%{").skip(1).filter_map(|rest| rest.split([':', '}']).next());
                    let near = named.find(|name| !names().any(|known| known == *name));
                    let near = near.and_then(|name| nearest(name, names()));
                    let near = near.map_or(String::new(), |near| format!("; the nearest is `{near}`"));
                    let message = format!("`{}` never matches: {}{near}", shown(&word.text), shown(&why));
                    build.warn(word.at, Code::BadRegex, message);
                    continue;
                }
            };
            let pattern = build.pattern(&expanded, Groups::Named);
            build.looks_at(&pattern, word.at);
            let tokens = tokens(&pattern, &overwrite, build);
            if tokens.is_empty() && pattern.is_re2() {
                let message = format!("`{}` names no token, so it never matches", shown(&word.text));
                build.warn(word.at, Code::NeverMatches, message);
                continue;
            }
            alternatives.push(Alternative { pattern, tokens });
        }
        matches.push(Match { source: build.path(&token.text), alternatives });
    }
    options.end(build, &["match", "overwrite", "on_error"]);
    Ok(Box::new(Grok { matches }))
}

fn tokens(pattern: &Pattern, overwrite: &[&str], build: &mut Build) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for (at, name) in pattern.names().iter().enumerate() {
        let Some(name) = name else { continue };
        match tokens.iter_mut().find(|token| *token.path.text == **name) {
            Some(token) => token.groups.push(at + 1),
            None => tokens.push(Token {
                path: build.target(name),
                overwrites: overwrite.contains(&name.as_str()),
                groups: vec![at + 1],
            }),
        }
    }
    tokens
}

impl Action for Grok {
    fn run<'p>(&'p self, state: &mut State, tools: &mut Tools) -> Result<(), Failure<'p>> {
        // Nothing is set unless all match, and all can be set.
        let mut found = Vec::new();
        for one in &self.matches {
            one.find(state, tools, &mut found)?;
        }
        for (token, _) in &found {
            if !token.overwrites && token.path.get(state).is_set() {
                return Err(Failure::NotOverwritable { field: &token.path.text });
            }
        }
        for (token, text) in found {
            token.path.set(state, Value::Text(text));
        }
        Ok(())
    }
}

impl Match {
    fn find<'p>(
        &'p self,
        state: &State,
        tools: &mut Tools,
        found: &mut Vec<(&'p Token, Text)>,
    ) -> Result<(), Failure<'p>> {
        let text = text_of(&self.source, state)?;
        for Alternative { pattern, tokens } in &self.alternatives {
            let Ok(regex) = pattern.regex() else { continue };
            let Some(places) = tools.captures.find(pattern, regex, state.text(text)) else { continue };
            let base = text.start as usize;
            for token in tokens {
                let texts = || token.groups.iter().filter_map(|group| places.get(*group));
                let (start, end) =
                    texts().find(|(start, end)| end > start).or(texts().next()).unwrap_or_default();
                found.push((token, Text::at(base + start..base + end)));
            }
            return Ok(());
        }
        Err(Failure::NoMatch)
    }
}
