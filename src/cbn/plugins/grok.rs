//! `grok`: takes a text apart by patterns.

use crate::cbn::build::Build;
use crate::cbn::failure::Failure;
use crate::cbn::grok_patterns::{expand, may_have_ipv6, names};
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
use memchr::memchr;
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
    /// The pattern for texts that have no IPv6 address in them.
    without_ipv6: Option<Arc<Pattern>>,
    tokens: Vec<Token>,
}

/// A part of what a pattern finds.
#[derive(Debug, Clone, Copy)]
enum Group {
    /// A group of the regex.
    At(usize),
    /// The rest of the line behind it.
    Rest,
}

#[derive(Debug)]
struct Token {
    path: Path,
    /// Whether it may be set already.
    overwrites: bool,
    /// What gives it: the first that is not empty does.
    groups: Vec<Group>,
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
            let pattern = build.pattern(&expanded.regex, Groups::Named);
            build.looks_at(&pattern, word.at);
            let tokens = tokens(&pattern, expanded.rest.as_deref(), &overwrite, build);
            if tokens.is_empty() && pattern.is_re2() {
                let message = format!("`{}` names no token, so it never matches", shown(&word.text));
                build.warn(word.at, Code::NeverMatches, message);
                continue;
            }
            if let Some(token) = tokens.iter().find(|token| token.path.text.contains(':')) {
                let message = format!(
                    "the token is named `{}`: types of tokens are Logstash's, and Google has none",
                    shown(&token.path.text)
                );
                build.warn(word.at, Code::BadValue, message);
            }
            let without_ipv6 = expanded.without_ipv6.map(|regex| build.pattern(&regex, Groups::Named));
            alternatives.push(Alternative { pattern, without_ipv6, tokens });
        }
        matches.push(Match { source: build.path(&token.text), alternatives });
    }
    options.end(build, &["match", "overwrite", "on_error"]);
    Ok(Box::new(Grok { matches }))
}

fn tokens(pattern: &Pattern, rest: Option<&str>, overwrite: &[&str], build: &mut Build) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let groups = pattern.names().iter().enumerate();
    let groups = groups.filter_map(|(at, name)| Some((name.as_deref()?, Group::At(at + 1))));
    for (name, group) in groups.chain(rest.map(|rest| (rest, Group::Rest))) {
        match tokens.iter_mut().find(|token| *token.path.text == *name) {
            Some(token) => token.groups.push(group),
            None => tokens.push(Token {
                path: build.target(name),
                overwrites: overwrite.contains(&name),
                groups: vec![group],
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
        for Alternative { pattern, without_ipv6, tokens } in &self.alternatives {
            let smaller = without_ipv6.as_ref().filter(|_| !may_have_ipv6(state.text(text)));
            let pattern = smaller.unwrap_or(pattern);
            let Ok(regex) = pattern.regex() else { continue };
            let whole = state.text(text);
            let Some(places) = tools.captures.find(pattern, regex, whole) else { continue };
            let base = text.start as usize;
            let place = |group: &Group| match *group {
                Group::At(number) => places.get(number),
                Group::Rest => {
                    let (_, start) = places.get(0)?;
                    let line = memchr(b'\n', &whole.as_bytes()[start..]);
                    Some((start, line.map_or(whole.len(), |length| start + length)))
                }
            };
            for token in tokens {
                let texts = || token.groups.iter().filter_map(place);
                let (start, end) =
                    texts().find(|(start, end)| end > start).or(texts().next()).unwrap_or_default();
                found.push((token, Text::at(base + start..base + end)));
            }
            return Ok(());
        }
        Err(Failure::NoMatch)
    }
}

#[cfg(test)]
mod tests {
    use crate::cbn::{Log, Outcome, Parser, RunOptions};
    use crate::time::Instant;

    #[test]
    fn the_rest_of_a_line_is_what_a_regex_finds() {
        let parser = |pattern: &str| {
            let text = format!(
                r#"filter {{
                    grok {{ match => {{ "message" => "{pattern}" }} overwrite => ["a", "b"] on_error => "not_found" }}
                    if [not_found] {{ drop {{ tag => "T" }} }}
                    mutate {{ replace => {{ "e.idm.read_only_udm.metadata.description" => "%{{a}}<%{{b}}>" }} }}
                    mutate {{ merge => {{ "@output" => "e" }} }}
                }}"#
            );
            Parser::read(&text).unwrap()
        };
        let mut seed = 1_u64;
        let mut found = 0;
        for pattern in [
            "%{WORD:a}:%{GREEDYDATA:b}",
            "%{DATA:a} %{GREEDYDATA:b}",
            "(?P<b>x)?%{INT:a}%{GREEDYDATA:b}",
            "^%{IPORHOST:a}?%{GREEDYDATA:b}",
            "(?P<a>.)(?P<b>)%{GREEDYDATA}",
        ] {
            // In a group, it is the regex that finds the rest.
            let (plain, grouped) = (parser(pattern), parser(&format!("(?:{pattern})")));
            for _ in 0..500 {
                let text: String = (0..10)
                    .map(|_| {
                        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        ['x', '1', ':', ' ', '\n', 'é'][(seed >> 33) as usize % 6]
                    })
                    .collect();
                let run = |parser: &Parser| {
                    let mut events = Vec::new();
                    let outcome = parser
                        .runner(&RunOptions::default())
                        .run(&Log::new(&text, Instant::EPOCH), &mut events);
                    (outcome, String::from_utf8(events).unwrap())
                };
                let of_plain = run(&plain);
                found += usize::from(matches!(of_plain.0, Outcome::Events(1)));
                assert_eq!(of_plain, run(&grouped), "{pattern}: {text:?}");
            }
        }
        assert!(found > 1_000, "{found}");
    }
}
