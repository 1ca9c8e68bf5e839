//! What an `if` asks.

use super::build::Build;
use super::failure::Failure;
use super::number;
use super::path::Path;
use super::pattern::Pattern;
use super::position::Word;
use super::re2::Groups;
use super::state::State;
use super::syntax::{self, Comparison, Operand};
use super::value::{Text, Value};
use super::warning::Code;
use crate::text::shown;
use std::cmp::Ordering;
use std::sync::Arc;

/// A question to a log.
#[derive(Debug)]
pub(super) enum Condition {
    Or(Vec<Condition>),
    And(Vec<Condition>),
    Not(Box<Condition>),
    Holds(Term),
    Equal(Term, Term, bool),
    Ordered(Term, Comparison, Term),
    Matches(Term, Arc<Pattern>, bool),
    In(Term, Vec<Term>, bool),
    InToken(Term, Path, bool),
    Never,
    /// Matched against what is not a regex.
    NoRegex,
}

/// A value of a condition.
#[derive(Debug)]
pub(super) enum Term {
    Token(Path),
    Known(Value),
    List(Vec<Term>),
}

/// Compiles a condition.
pub(super) fn compile(condition: &syntax::Condition, build: &mut Build) -> Condition {
    match condition {
        syntax::Condition::Or(any) => Condition::Or(any.iter().map(|one| compile(one, build)).collect()),
        syntax::Condition::And(all) => Condition::And(all.iter().map(|one| compile(one, build)).collect()),
        syntax::Condition::Not(inner) => Condition::Not(Box::new(compile(inner, build))),
        syntax::Condition::Holds(operand) => match operand {
            Operand::List(at, elements) if elements.is_empty() => {
                build.warn(*at, Code::NeverTrue, "an empty bracket is never true");
                Condition::Never
            }
            operand => Condition::Holds(term(operand, build, false)),
        },
        syntax::Condition::Compare { left, op, right } => compare(left, *op, right, build),
    }
}

fn compare(left: &Operand, op: Comparison, right: &Operand, build: &mut Build) -> Condition {
    match op {
        Comparison::Equal | Comparison::NotEqual => {
            Condition::Equal(term(left, build, false), term(right, build, false), op == Comparison::Equal)
        }
        Comparison::Matches | Comparison::MatchesNot => {
            let left = term(left, build, false);
            let word = match right {
                Operand::Pattern(word) => word.clone(),
                Operand::Text { value, once } => {
                    escaped_twice(value, once, build);
                    value.clone()
                }
                other => {
                    let at = place(other);
                    build.warn(at, Code::BadRegex, "expected a regex, so this fails when a log comes here");
                    return Condition::NoRegex;
                }
            };
            let pattern = build.pattern(&word.text, Groups::None);
            build.looks_at(&pattern, word.at);
            Condition::Matches(left, pattern, op == Comparison::Matches)
        }
        Comparison::In | Comparison::NotIn => {
            let left = term(left, build, false);
            let is_in = op == Comparison::In;
            match right {
                Operand::List(_, elements) => {
                    let elements = elements.iter().map(|element| term(element, build, true)).collect();
                    Condition::In(left, elements, is_in)
                }
                Operand::Token(token) => {
                    build.reads(token);
                    Condition::InToken(left, build.path(&token.text), is_in)
                }
                other => Condition::In(left, vec![term(other, build, true)], is_in),
            }
        }
        _ => Condition::Ordered(term(left, build, false), op, term(right, build, false)),
    }
}

/// Warns of `"\\d"`, which is `d` when it has been read twice.
fn escaped_twice(value: &Word, once: &str, build: &mut Build) {
    let mut chars = once.chars();
    let mut lost = false;
    while let Some(c) = chars.next() {
        lost |= c == '\\' && chars.next().is_some_and(|c| c.is_ascii_alphanumeric());
    }
    if lost {
        let right = once.replace('\\', "\\\\\\\\");
        let message = format!(
            "escapes in conditions are read twice, so this is the regex `{}`; write `\"{}\"`",
            shown(&value.text),
            shown(&right)
        );
        build.warn(value.at, Code::EscapedTwice, message);
    }
}

fn place(operand: &Operand) -> super::position::Position {
    match operand {
        Operand::Token(word) | Operand::Pattern(word) | Operand::Text { value: word, .. } => word.at,
        Operand::List(at, _) | Operand::Number(at, _) | Operand::Bool(at, _) => *at,
    }
}

fn term(operand: &Operand, build: &mut Build, in_list: bool) -> Term {
    match operand {
        Operand::Token(word) => {
            build.reads(word);
            Term::Token(build.path(&word.text))
        }
        Operand::Text { value, .. } => Term::Known(Value::Text(build.texts.keep(&value.text))),
        Operand::Pattern(word) => Term::Known(Value::Text(build.texts.keep(&word.text))),
        Operand::Number(_, number) => Term::Known(Value::Number(*number)),
        Operand::Bool(_, value) => Term::Known(Value::Bool(*value)),
        Operand::List(at, elements) => {
            if !in_list && let [Operand::Text { value, .. }] = &elements[..] {
                let message = format!(
                    "a list with the text `{0}`, not the token `{0}`: write `[{0}]` without quotes",
                    shown(&value.text)
                );
                build.warn(*at, Code::ListNotToken, message);
            }
            Term::List(elements.iter().map(|element| term(element, build, true)).collect())
        }
    }
}

/// A value that was looked up: a token's, or a list of the condition.
#[derive(Clone, Copy)]
enum Found<'p> {
    Value(Value),
    List(&'p [Term]),
}

impl Term {
    fn get<'p>(&'p self, state: &State) -> Result<Found<'p>, Failure<'p>> {
        match self {
            Term::Token(path) => get(path, state).map(Found::Value),
            Term::Known(value) => Ok(Found::Value(*value)),
            Term::List(elements) => Ok(Found::List(elements)),
        }
    }
}

fn get<'p>(path: &'p Path, state: &State) -> Result<Value, Failure<'p>> {
    match path.get(state) {
        Value::Unset => Err(Failure::Condition { token: &path.text }),
        value => Ok(value),
    }
}

impl Condition {
    /// Whether it holds.
    pub(super) fn holds<'p>(&'p self, state: &mut State) -> Result<bool, Failure<'p>> {
        Ok(match self {
            Condition::Or(any) => {
                for one in any {
                    if one.holds(state)? {
                        return Ok(true);
                    }
                }
                false
            }
            Condition::And(all) => {
                for one in all {
                    if !one.holds(state)? {
                        return Ok(false);
                    }
                }
                true
            }
            Condition::Not(inner) => !inner.holds(state)?,
            Condition::Never => false,
            Condition::NoRegex => {
                return Err(Failure::Other("failed to evaluate expression: expected a regex".into()));
            }
            Condition::Holds(term) => match term.get(state)? {
                Found::List(elements) => !elements.is_empty(),
                Found::Value(value) => counts_as_true(state, value),
            },
            Condition::Equal(left, right, wanted) => {
                found_equal(state, left.get(state)?, right.get(state)?)? == *wanted
            }
            Condition::Ordered(left, op, right) => {
                let order = match (left.get(state)?, right.get(state)?) {
                    (Found::Value(left), Found::Value(right)) => order(state, left, right),
                    _ => None,
                };
                let failed = "failed to evaluate expression: the values can't be ordered";
                let order = order.ok_or(Failure::Other(failed.into()))?;
                match op {
                    Comparison::Less => order == Ordering::Less,
                    Comparison::Greater => order == Ordering::Greater,
                    Comparison::AtMost => order != Ordering::Greater,
                    _ => order != Ordering::Less,
                }
            }
            Condition::Matches(left, pattern, wanted) => {
                let text = match left.get(state)? {
                    Found::Value(value) => text(state, value),
                    Found::List(_) => None,
                };
                let failed = || Failure::Other("failed to evaluate expression: expected a text".into());
                let text = text.ok_or_else(failed)?;
                let regex = pattern.regex().map_err(|why| {
                    Failure::Other(format!("failed to evaluate expression: bad regex: {why}").into())
                })?;
                regex.is_match(state.text(text)) == *wanted
            }
            Condition::In(left, elements, wanted) => {
                let left = left.get(state)?;
                let mut is_in = false;
                for element in elements {
                    if found_equal(state, left, element.get(state)?)? {
                        is_in = true;
                        break;
                    }
                }
                is_in == *wanted
            }
            Condition::InToken(left, path, wanted) => {
                let Found::Value(left) = left.get(state)? else { return Ok(!wanted) };
                let is_in = match get(path, state)? {
                    Value::Container(id) => match state.list(id) {
                        Some(mut elements) => {
                            state.spend(16 * state.container(id).len());
                            let is_in =
                                elements.any(|(element, _)| equal(state, left, element) || state.is_spent());
                            if state.is_spent() {
                                return Err(Failure::TooLong);
                            }
                            is_in
                        }
                        None => equal(state, left, Value::Container(id)),
                    },
                    other => equal(state, left, other),
                };
                is_in == *wanted
            }
        })
    }
}

fn counts_as_true(state: &State, value: Value) -> bool {
    match value {
        Value::Unset => false,
        Value::Bool(value) => value,
        Value::Text(text) => !matches!(state.text(text), "" | "false"),
        Value::Time { .. } => true,
        Value::Container(id) => !state.container(id).is_empty(),
        number => number.number() != Some(0.0),
    }
}

fn found_equal<'p>(state: &State, left: Found<'p>, right: Found<'p>) -> Result<bool, Failure<'p>> {
    match (left, right) {
        (Found::Value(left), Found::Value(right)) => Ok(equal(state, left, right)),
        // A list of the condition equals a list with equal elements.
        (Found::List(elements), Found::Value(Value::Container(id)))
        | (Found::Value(Value::Container(id)), Found::List(elements)) => {
            let Some(mut places) = state.elements(id) else { return Ok(false) };
            for element in elements {
                let value = places.next().and_then(|place| state.container(id).at(place));
                let Some((_, value, _)) = value else { return Ok(false) };
                if !found_equal(state, Found::Value(value), element.get(state)?)? {
                    return Ok(false);
                }
            }
            Ok(places.next().is_none())
        }
        (Found::List(left), Found::List(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.iter().zip(right) {
                if !found_equal(state, left.get(state)?, right.get(state)?)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Whether two values are of one kind, and equal.
fn equal(state: &State, left: Value, right: Value) -> bool {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => {
            if left.len == right.len {
                state.spend(left.len as usize);
            }
            left.len == right.len && state.text(left) == state.text(right)
        }
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Time { seconds: a, nanos: b }, Value::Time { seconds: c, nanos: d }) => (a, b) == (c, d),
        (Value::Container(left), Value::Container(right)) => left == right,
        (left, right) => match (left.number(), right.number()) {
            (Some(left), Some(right)) => left == right,
            _ => false,
        },
    }
}

/// The order of two numbers or of two texts; of a text and a number, if the text is a number.
fn order(state: &State, left: Value, right: Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(state.text(left).cmp(state.text(right))),
        (Value::Text(text), number) => state.text(text).parse::<f64>().ok()?.partial_cmp(&number.number()?),
        (number, Value::Text(text)) => number.number()?.partial_cmp(&state.text(text).parse::<f64>().ok()?),
        (left, right) => left.number()?.partial_cmp(&right.number()?),
    }
}

/// The text of a value that is matched: a number's and a boolean's, too.
fn text(state: &mut State, value: Value) -> Option<Text> {
    match value {
        Value::Text(text) => {
            state.spend(text.len as usize);
            Some(text)
        }
        Value::Bool(value) => Some(state.keep(if value { "true" } else { "false" })),
        value => number::keep(state, value),
    }
}
