//! `gsub`: replaces what a regex matches.

use crate::cbn::build::Build;
use crate::cbn::failure::Failure;
use crate::cbn::options::as_texts;
use crate::cbn::pattern::Pattern;
use crate::cbn::place::Place;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::re2::Groups;
use crate::cbn::state::State;
use crate::cbn::syntax::Literal;
use crate::cbn::template::kind;
use crate::cbn::value::{Text, Value};
use std::ops::Range;
use std::sync::Arc;

#[derive(Debug)]
struct Gsub {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    place: Place,
    pattern: Arc<Pattern>,
    replacement: Vec<Part>,
}

/// A part of a replacement.
#[derive(Debug, PartialEq)]
enum Part {
    Text(String),
    Group(usize),
}

pub(super) fn compile(value: &Literal, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let words = as_texts("mutate", "gsub", value)?;
    if !words.len().is_multiple_of(3) {
        let message = format!(
            "expected triples of a token, a regex and a replacement in `gsub`, found {} texts",
            words.len()
        );
        return Err(ReadError::new(value.at(), message));
    }
    let mut rules = Vec::new();
    for triple in words.chunks_exact(3) {
        let pattern = build.pattern(&triple[1].text, Groups::All);
        build.looks_at(&pattern, triple[1].at);
        let replacement = parts(&triple[2].text, pattern.names());
        rules.push(Rule { place: Place::source(&triple[0].text, build), pattern, replacement });
    }
    Ok(Box::new(Gsub { rules }))
}

/// A replacement as Go reads it: `$1`, `${1}`, `$name` with the longest name, `$$` for a dollar sign.
fn parts(text: &str, names: &[Option<String>]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut literal = String::new();
    while let Some(at) = rest.find('$') {
        literal.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('$') {
            literal.push('$');
            rest = behind;
            continue;
        }
        let (inside, in_brackets) = rest.strip_prefix('{').map_or((rest, false), |inside| (inside, true));
        let end = inside.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(inside.len());
        let (name, behind) = inside.split_at(end);
        let behind = if in_brackets { behind.strip_prefix('}') } else { Some(behind) };
        let Some(behind) = behind.filter(|_| !name.is_empty()) else {
            literal.push('$');
            continue;
        };
        rest = behind;
        let group = match name.parse::<usize>() {
            Ok(group) => Some(group),
            Err(_) => names.iter().position(|known| known.as_deref() == Some(name)).map(|at| at + 1),
        };
        // A group that does not exist is empty.
        if let Some(group) = group.filter(|group| *group <= names.len()) {
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Group(group));
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    parts
}

impl Action for Gsub {
    fn run<'p>(&'p self, state: &mut State, _: &mut Tools) -> Result<(), Failure<'p>> {
        self.rules.iter().try_for_each(|rule| rule.run(state))
    }
}

impl Rule {
    fn run<'p>(&'p self, state: &mut State) -> Result<(), Failure<'p>> {
        let text = match self.place.get(state, "gsub")? {
            Value::Unset => return Ok(()),
            Value::Text(text) => text,
            value => {
                let kind = kind(state, value);
                return Err(Failure::WrongSource { source: self.place.text(), kind });
            }
        };
        let regex = self.pattern.regex();
        let regex = regex.map_err(|why| Failure::Other(format!("gsub failure: bad regex: {why}").into()))?;
        state.spend(text.len as usize);
        // Most texts have nothing to replace.
        if !regex.is_match(state.text(text)) {
            return Ok(());
        }
        let needs_groups = self.replacement.iter().any(|part| matches!(part, Part::Group(1..)));
        let mark = state.mark();
        let mut done = text.start as usize;
        let end = text.range().end;
        let mut places = needs_groups.then(|| regex.capture_locations());
        let mut at = 0;
        let mut last_end = None;
        while at <= text.len as usize {
            let whole = state.text(text);
            let found: Option<Range<usize>> = match &mut places {
                Some(places) => regex.captures_read_at(places, whole, at).map(|found| found.range()),
                None => regex.find_at(whole, at).map(|found| found.range()),
            };
            let Some(found) = found else { break };
            // An empty match right behind a match counts as part of it.
            let is_abutting = found.is_empty() && last_end == Some(found.start);
            let step = whole[found.end..].chars().next().map_or(1, char::len_utf8);
            at = if found.is_empty() { found.end + step } else { found.end };
            last_end = Some(found.end);
            if is_abutting {
                continue;
            }
            let base = text.start as usize;
            state.append(Text::at(done..base + found.start));
            for part in &self.replacement {
                match part {
                    Part::Text(text) => {
                        state.keep(text);
                    }
                    Part::Group(0) => state.append(Text::at(base + found.start..base + found.end)),
                    Part::Group(group) => {
                        if let Some((start, end)) = places.as_ref().and_then(|places| places.get(*group)) {
                            state.append(Text::at(base + start..base + end));
                        }
                    }
                }
            }
            done = base + found.end;
            state.check()?;
        }
        state.append(Text::at(done..end));
        state.check()?;
        let new = state.since(mark);
        self.place.set(state, "gsub", Value::Text(new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_are_read_as_go_reads_them() {
        let names = [None, Some("n".to_owned())];
        let text = |text: &str| Part::Text(text.into());
        for (replacement, expected) in [
            ("", vec![]),
            ("a", vec![text("a")]),
            ("$1-${2}", vec![Part::Group(1), text("-"), Part::Group(2)]),
            ("$n$1x", vec![Part::Group(2)]),
            ("$$1", vec![text("$1")]),
            ("a$", vec![text("a$")]),
            ("${1", vec![text("${1")]),
            ("$9\\", vec![text("\\")]),
        ] {
            assert_eq!(parts(replacement, &names), expected, "{replacement}");
        }
    }
}
