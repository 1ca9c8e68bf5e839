//! A mapping table against UDM's schema: paths, types, enum values, and rules that collide.

use super::problem::{At, MOST, MappingError, Problem};
use super::scalar::Kind;
use super::table::{Case, Content, Mapping, Rule};
use crate::record::Projection;
use crate::text::shown;
use crate::udm::{self, Cardinality, Field, Index, Type};
use std::collections::{HashMap, HashSet};

/// UDM requires these of every event.
const REQUIRED: [&str; 2] = ["metadata.event_timestamp", "metadata.event_type"];

/// How many raw fields a table may read.
const MOST_FIELDS: usize = 10_000;

/// Finds everything that is wrong with `mapping`.
pub(super) fn check(mapping: &Mapping) -> Result<(), MappingError> {
    let mut problems = Vec::new();
    for rule in mapping.rules() {
        if let Err(problem) = check_rule(rule) {
            problems.push(*problem);
        }
        if problems.len() > MOST {
            return Err(MappingError::new(problems));
        }
    }
    collisions(mapping.rules(), &mut problems);
    sources(mapping, &mut problems);
    if let Some(first) = mapping.rules().first() {
        for path in REQUIRED {
            if !mapping.rules().iter().any(|rule| rule.target.to_string() == path) {
                let message = format!("no rule fills `{path}`, which every UDM event must have");
                problems.push(first.at.problem(message));
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(MappingError::new(problems)) }
}

/// What the field at the end of a rule's target holds, once its path is known to be right.
pub(super) fn target(rule: &Rule) -> Result<&'static Field, Box<Problem>> {
    // The root message is part of the embedded schema; a test of the schema holds that.
    let mut message =
        udm::message("UDM").ok_or_else(|| Box::new(rule.at.problem("UDM's schema is empty")))?;
    let mut walked = String::new();
    let last = rule.target.segments.len() - 1;
    for (i, segment) in rule.target.segments.iter().enumerate() {
        let names = || message.fields.iter().map(|f| f.name);
        let Some(field) = message.field(&segment.name) else {
            let place = if walked.is_empty() { "UDM".to_owned() } else { format!("`{walked}`") };
            let what = rule.at.problem(format!("{place} has no field `{}`", segment.name));
            return Err(Box::new(match udm::nearest(&segment.name, names()) {
                Some(name) if walked.is_empty() => what.hint(format!("the nearest is `{name}`")),
                Some(name) => what.hint(format!("the nearest is `{walked}.{name}`")),
                None => what,
            }));
        };
        if !walked.is_empty() {
            walked.push('.');
        }
        walked.push_str(&segment.name);
        index(rule, field, segment.index, i == last, &walked)?;
        if i == last {
            return Ok(field);
        }
        message = match field.kind {
            Type::Message(name) => udm::message(name).ok_or_else(|| {
                Box::new(rule.at.problem(format!("`{walked}` is a message without fields")))
            })?,
            _ => {
                return Err(Box::new(
                    rule.at
                        .problem(format!("`{walked}` is a single value, not a message, so it has no fields")),
                ));
            }
        };
    }
    Err(Box::new(rule.at.problem("the path is empty")))
}

/// Whether a step's index fits its field's cardinality.
fn index(
    rule: &Rule,
    field: &Field,
    index: Option<Index>,
    last: bool,
    walked: &str,
) -> Result<(), Box<Problem>> {
    let refuse = |message: String, hint: String| Err(Box::new(rule.at.problem(message).hint(hint)));
    match (field.cardinality, index) {
        (Cardinality::Map, _) => refuse(
            format!("`{walked}` is a map, which tables can't fill"),
            "choose a field that is not a map".into(),
        ),
        (Cardinality::Singular, Some(_)) => {
            refuse(format!("`{walked}` holds one value, so it takes no index"), format!("write `{walked}`"))
        }
        (Cardinality::Repeated, None) if last => refuse(
            format!("`{walked}` is repeated; the rule is for a single value"),
            format!("write `{walked}[]` to add an element"),
        ),
        (Cardinality::Repeated, None) => {
            refuse(format!("`{walked}` is repeated"), format!("write `{walked}[0]` for its first element"))
        }
        (Cardinality::Repeated, Some(Index::Append)) if !last => refuse(
            format!(
                "`{walked}[]` is not at the end of the path, so no other rule could fill the same element"
            ),
            format!("write `{walked}[0]` for its first element"),
        ),
        (Cardinality::Repeated, Some(Index::At(_))) if last => {
            refuse(format!("an element of `{walked}` is added"), format!("write `{walked}[]`"))
        }
        _ => Ok(()),
    }
}

fn check_rule(rule: &Rule) -> Result<(), Box<Problem>> {
    let field = target(rule)?;
    let refuse = |message: String| Err(Box::new(rule.at.problem(message)));
    let kind = match (field.kind, &rule.label) {
        (Type::Message(name), Some(_)) => {
            if field.cardinality != Cardinality::Repeated || !is_label(name) {
                return refuse(format!("`{}` does not hold labels with `key` and `value`", rule.target));
            }
            Type::String
        }
        (_, Some(_)) => {
            return refuse(format!("`{}` does not hold labels with `key` and `value`", rule.target));
        }
        (Type::Message(name), None) if field.cardinality == Cardinality::Repeated && is_label(name) => {
            let problem = rule.at.problem(format!("`{}` holds labels with a key and a value", rule.target));
            return Err(Box::new(problem.hint("say which key with `label = \"...\"`")));
        }
        (Type::Message(name), None) => {
            let fields =
                udm::message(name).map(|m| m.fields.iter().map(|f| f.name).take(8).collect::<Vec<_>>());
            let problem = rule.at.problem(format!("`{}` is a message ({name}), not a value", rule.target));
            let fields = fields.unwrap_or_default().join(", ");
            return Err(Box::new(problem.hint(format!("name one of its fields: {fields}, ..."))));
        }
        (Type::Foreign(name), None) => {
            return refuse(format!("`{}` is a {name}, which tables can't fill", rule.target));
        }
        (Type::Bytes, None) => {
            return refuse(format!("`{}` holds bytes, which tables can't fill", rule.target));
        }
        (kind, None) => kind,
    };
    check_content(rule, kind)
}

fn is_label(message: &str) -> bool {
    let text = |name| {
        udm::message(message)
            .and_then(|m| m.field(name))
            .is_some_and(|field| field.kind == Type::String && field.cardinality == Cardinality::Singular)
    };
    text("key") && text("value")
}

fn check_content(rule: &Rule, kind: Type) -> Result<(), Box<Problem>> {
    let refuse = |message: String| Err(Box::new(rule.at.problem(message)));
    match (&rule.content, kind) {
        (Content::Time(times), Type::Timestamp) => {
            if times.is_empty() {
                refuse("`time` lists no fields".into())
            } else {
                Ok(())
            }
        }
        (Content::Time(_), _) => refuse(format!("`{}` is not a time, so `time` can't fill it", rule.target)),
        (_, Type::Timestamp) => {
            let problem = rule.at.problem(format!("`{}` is a time", rule.target));
            let hint = "fill it with `time = [{ from = \"...\", read = \"iso8601\" }]`";
            Err(Box::new(problem.hint(hint)))
        }
        (Content::From { .. }, Type::Enum(name)) => {
            let problem = rule.at.problem(format!("`{}` holds a value of the enum {name}", rule.target));
            Err(Box::new(problem.hint("fill it with `value` or `cases`")))
        }
        (Content::From { default: Some(text), .. } | Content::Fixed(text), kind) => {
            constant(text, kind, &rule.at)
        }
        (Content::From { default: None, .. }, _) => Ok(()),
        (Content::Cases(cases), kind) => {
            let Some((last, before)) = cases.split_last() else {
                return refuse("`cases` lists no cases".into());
            };
            for case in cases {
                constant(&case.value, kind, &case.at)?;
            }
            let unconditional = |case: &Case| case.present.is_empty() && case.absent.is_empty();
            if let Some(case) = before.iter().find(|case| unconditional(case)) {
                let problem =
                    case.at.problem("this case fits every record, so the cases after it never apply");
                return Err(Box::new(problem));
            }
            if REQUIRED.contains(&rule.target.to_string().as_str()) && !unconditional(last) {
                let problem =
                    last.at.problem(format!("no case may fit, but every event must have `{}`", rule.target));
                return Err(Box::new(problem.hint("end with a case that has only a `value`")));
            }
            Ok(())
        }
    }
}

/// Whether `text` is a value of `kind`.
fn constant(text: &str, kind: Type, at: &At) -> Result<(), Box<Problem>> {
    if let Type::Enum(name) = kind {
        let Some(values) = udm::enumeration(name).map(|e| &e.values) else { return Ok(()) };
        if values.iter().any(|(value, _)| *value == text) {
            return Ok(());
        }
        let problem = at.problem(format!("`{}` is not a value of the enum {name}", shown(text)));
        return Err(Box::new(problem.nearest(text, values.iter().map(|(value, _)| *value))));
    }
    if text.is_empty() {
        return Err(Box::new(at.problem("the value is empty")));
    }
    match Kind::of(kind).and_then(|kind| kind.refuses(text)) {
        None => Ok(()),
        Some(expected) => Err(Box::new(at.problem(format!("expected {expected}, found `{}`", shown(text))))),
    }
}

/// Several rules for one singular field need an order, and elements need no gaps.
fn collisions(rules: &[Rule], problems: &mut Vec<Problem>) {
    let singular = |rule: &Rule| rule.target.segments.last().is_none_or(|s| s.index.is_none());
    let mut by_target: HashMap<&udm::Path, Vec<&Rule>> = HashMap::new();
    for rule in rules.iter().filter(|rule| singular(rule)) {
        let earlier = by_target.entry(&rule.target).or_default();
        for earlier in earlier.iter() {
            if problems.len() > MOST {
                return;
            }
            let line = earlier.line();
            let file =
                if earlier.file() == rule.file() { String::new() } else { format!(" of {}", earlier.file()) };
            let problem = match (earlier.order, rule.order) {
                (Some(a), Some(b)) if a != b => continue,
                (Some(a), Some(_)) => {
                    format!("`{}` is filled on line {line}{file} too, with the same order {a}", rule.target)
                }
                _ => format!("`{}` holds one value and is filled on line {line}{file} too", rule.target),
            };
            let hint =
                "say which comes first with `order = 1`, `order = 2`, or `replace = true` for a table below";
            problems.push(rule.at.problem(problem).hint(hint));
        }
        earlier.push(rule);
    }
    let begun = |rule: &Rule, steps: usize| rule.target.segments[..steps].to_vec();
    let elements: HashSet<Vec<udm::Segment>> = rules
        .iter()
        .flat_map(|rule| {
            let steps = rule.target.segments.iter().enumerate();
            steps.filter(|(_, s)| matches!(s.index, Some(Index::At(_)))).map(|(i, _)| begun(rule, i + 1))
        })
        .collect();
    for rule in rules.iter() {
        for (i, segment) in rule.target.segments.iter().enumerate() {
            let Some(Index::At(n @ 1..)) = segment.index else { continue };
            let mut before = begun(rule, i + 1);
            before[i].index = Some(Index::At(n - 1));
            if !elements.contains(&before) {
                let message = format!("`{}[{n}]` is filled, but no rule fills `[{}]`", segment.name, n - 1);
                problems.push(rule.at.problem(message).hint("number elements from 0, without gaps"));
            }
        }
    }
}

/// No field may be read both as a value and as an object; shapes are told by fields that are read.
fn sources(mapping: &Mapping, problems: &mut Vec<Problem>) {
    let mut projection = Projection::default();
    for rule in mapping.rules() {
        for field in rule.fields() {
            if let Err(overlap) = projection.add(field) {
                problems.push(rule.at.problem(overlap.to_string()));
            }
            if projection.paths().len() > MOST_FIELDS {
                return problems
                    .push(rule.at.problem(format!("the rules read more than {MOST_FIELDS} fields")));
            }
            if problems.len() > MOST {
                return;
            }
        }
    }
    for shape in mapping.shapes() {
        for field in shape.present.iter().filter(|field| projection.slot(field).is_none()) {
            let message =
                format!("the shape `{}` is recognized by `{field}`, which no rule reads", shown(&shape.name));
            problems.push(shape.at.problem(message));
        }
    }
}
