//! A mapping table against UDM's schema: paths, types, enum values, and rules that collide.

use super::condition::Condition;
use super::problem::{MOST, MappingError, Problem, TextPlace};
use super::rest::{BAD_FIELDS, RestRule};
use super::scalar::TextKind;
use super::table::{Case, Change, Content, Mapping, REQUIRED, Rule};
use super::value_map::ValueMap;
use crate::record::FieldPath;
use crate::text::shown;
use crate::udm::{self, Cardinality, Field, Index, Type};
use std::collections::{HashMap, HashSet};

/// How many cases before one are compared with it.
const MOST_COMPARED: usize = 200;

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
    problems.extend(event_type(mapping.rules()));
    if let Some(rest) = mapping.rest() {
        problems.extend(check_rest(mapping, rest).err().map(|problem| *problem));
    }
    if mapping.notes_bad_fields() {
        let name = |rule: &&Rule| matches!(&rule.target.segments[..], [first, last] if first.name == "additional" && last.name == BAD_FIELDS);
        if let Some(rule) = mapping.rules().iter().find(name) {
            let message = format!("`{}` holds the fields that `on_bad_field` notes", rule.target);
            problems.push(rule.at.problem(message).hint("choose another name"));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(MappingError::new(problems)) }
}

/// What is wrong with the rules for the event type as a whole: one must give it to every record.
fn event_type(rules: &[Rule]) -> Option<Problem> {
    let own = || rules.iter().filter(|rule| rule.target.to_string() == REQUIRED[1]);
    let last = own().next_back().filter(|_| !own().any(Rule::is_certain))?;
    // A single rule with cases was told at its last case.
    if matches!(last.content, Content::Cases(_)) && last.order.is_none() && last.only_if.is_empty() {
        return None;
    }
    let problem =
        last.at.problem(format!("no rule may give a value, but every event must have `{}`", REQUIRED[1]));
    Some(
        problem
            .hint("let the last rule have no condition, and a `default` and `otherwise` if it has a `map`"),
    )
}

/// What the field at the end of a path holds, once that is known to be right.
pub(super) fn target(path: &udm::Path, at: &TextPlace) -> Result<&'static Field, Box<Problem>> {
    // The root message is part of the embedded schema; a test of the schema holds that.
    let mut message = udm::message("UDM").ok_or_else(|| Box::new(at.problem("UDM's schema is empty")))?;
    let mut walked = String::new();
    let last = path.segments.len() - 1;
    for (i, segment) in path.segments.iter().enumerate() {
        let names = || message.fields.iter().map(|f| f.name);
        let Some(field) = message.field(&segment.name) else {
            let place = if walked.is_empty() { "UDM".to_owned() } else { format!("`{walked}`") };
            let what = at.problem(format!("{place} has no field `{}`", segment.name));
            return Err(Box::new(match udm::nearest(&segment.name, names()) {
                Some(name) => {
                    let dot = if walked.is_empty() { "" } else { "." };
                    what.hint(format!("the nearest is `{walked}{dot}{name}`")).instead_of(&segment.name, name)
                }
                None => what,
            }));
        };
        if !walked.is_empty() {
            walked.push('.');
        }
        walked.push_str(&segment.name);
        index(at, field, segment.index, i == last, &walked)?;
        if i == last {
            return Ok(field);
        }
        if field.kind == STRUCT {
            return free(at, &path.segments[i + 1..], &walked);
        }
        message = match field.kind {
            Type::Message(name) => udm::message(name)
                .ok_or_else(|| Box::new(at.problem(format!("`{walked}` is a message without fields"))))?,
            _ => {
                return Err(Box::new(
                    at.problem(format!("`{walked}` is a single value, not a message, so it has no fields")),
                ));
            }
        };
    }
    Err(Box::new(at.problem("the path is empty")))
}

/// The type of `additional`, which holds texts by any name.
const STRUCT: Type = Type::Foreign("google.protobuf.Struct");

/// What is in a field of this type, at a name.
static FREE_TEXT: Field = Field {
    name: "value",
    json_name: "value",
    kind: Type::String,
    cardinality: Cardinality::Singular,
    deprecated: false,
    optional: false,
    oneof: None,
};

/// What is at `names` in a field that holds texts by any name.
fn free(at: &TextPlace, names: &[udm::Segment], walked: &str) -> Result<&'static Field, Box<Problem>> {
    match names {
        [name] if name.index.is_none() => Ok(&FREE_TEXT),
        [_] => Err(Box::new(
            at.problem(format!("`{walked}` holds one text for each name, so it takes no index")),
        )),
        _ => {
            let problem = at.problem(format!("`{walked}` holds texts by their names, one level deep"));
            Err(Box::new(problem.hint(format!("put a name with dots into quotes: `{walked}.\"a.b\"`"))))
        }
    }
}

/// Whether a step's index fits its field's cardinality.
fn index(
    at: &TextPlace,
    field: &Field,
    index: Option<Index>,
    last: bool,
    walked: &str,
) -> Result<(), Box<Problem>> {
    let refuse = |message: String, hint: String| Err(Box::new(at.problem(message).hint(hint)));
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
    let field = target(&rule.target, &rule.at)?;
    let refuse = |message: String| Err(Box::new(rule.at.problem(message)));
    let kind = match (field.kind, &rule.label) {
        (Type::Message(name), Some(_)) => {
            if field.cardinality != Cardinality::Repeated || !udm::is_label(name) {
                return refuse(format!("`{}` does not hold labels with `key` and `value`", rule.target));
            }
            Type::String
        }
        (_, Some(_)) => {
            return refuse(format!("`{}` does not hold labels with `key` and `value`", rule.target));
        }
        (Type::Message(name), None) if field.cardinality == Cardinality::Repeated && udm::is_label(name) => {
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
        (STRUCT, None) => {
            let problem = rule.at.problem(format!("`{}` holds texts by their names", rule.target));
            return Err(Box::new(problem.hint(format!("name one: `{}.\"name\"`", rule.target))));
        }
        (Type::Foreign(name), None) => {
            return refuse(format!("`{}` is a {name}, which tables can't fill", rule.target));
        }
        (Type::Bytes, None) => {
            return refuse(format!("`{}` holds bytes, which tables can't fill", rule.target));
        }
        (kind, None) => kind,
    };
    if rule.is_many() && rule.target.segments.last().is_some_and(|s| s.index.is_none()) {
        let problem =
            rule.at.problem(format!("`{}` holds one value, but the rule may give several", rule.target));
        let hint =
            "name one element: `[0]` is the first; of `split` take one with `{ by = \",\", element = 0 }`";
        return Err(Box::new(problem.hint(hint)));
    }
    if rule.target.to_string() == REQUIRED[0] && !rule.only_if.is_empty() {
        let problem = rule
            .at
            .problem(format!("every event must have `{}`, so its rule takes no condition", REQUIRED[0]));
        return Err(Box::new(problem));
    }
    if let Some(field) = rule.only_if.contradiction() {
        return refuse(format!("the condition on `{field}` can't hold, so the rule never applies"));
    }
    check_content(rule, kind)
}

/// Whether the fields that no rule takes can go where `[rest]` says.
fn check_rest(mapping: &Mapping, rest: &RestRule) -> Result<(), Box<Problem>> {
    let field = target(&rest.target, &rest.at)?;
    match field.kind {
        STRUCT => {}
        Type::Message(name) if field.cardinality == Cardinality::Repeated && udm::is_label(name) => {
            return Ok(());
        }
        _ => {
            let problem = rest.at.problem(format!("`{}` does not hold texts with names", rest.target));
            let hint =
                "write `additional`, or a field for labels such as `target.resource.attribute.labels[]`";
            return Err(Box::new(problem.hint(hint)));
        }
    }
    // A name that a rule gives is spelled in another way: with quotes, which only a key can have.
    let (taken, others) = (mapping.taken(rest), mapping.names_in(&rest.target));
    for name in &others {
        let Some(path) = name.strip_prefix(&rest.prefix) else { continue };
        let Ok(field) = FieldPath::parse_in_lists(path) else { continue };
        let may_come = field.to_string() == path && !taken.has(&field);
        if may_come && path.ends_with(']') {
            let message = format!(
                "`{}.\"{}\"` is also the name of the field `{}`, which no rule takes",
                rest.target,
                shown(name),
                shown(path)
            );
            let hint = "set the fields apart with a `prefix`, or leave this one out with `except`";
            return Err(Box::new(rest.at.problem(message).hint(hint)));
        }
    }
    Ok(())
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
        (Content::From { change: Change { map: None, .. }, .. }, Type::Enum(name)) => {
            let problem = rule.at.problem(format!("`{}` holds a value of the enum {name}", rule.target));
            Err(Box::new(
                problem.hint("fill it with `value` or `cases`, or say with `map` what each value becomes"),
            ))
        }
        (Content::From { default, change, .. }, kind) => {
            default.iter().try_for_each(|text| constant(text, kind, &rule.at))?;
            change.map.iter().flat_map(ValueMap::results).try_for_each(|(text, at)| constant(text, kind, at))
        }
        (Content::Template(_), Type::Enum(name)) => {
            refuse(format!("`{}` holds a value of the enum {name}, which a template can't give", rule.target))
        }
        (Content::Template(_), _) => Ok(()),
        (Content::Fixed(text), kind) => constant(text, kind, &rule.at),
        (Content::Cases(cases), kind) => {
            let Some(last) = cases.last() else {
                return refuse("`cases` lists no cases".into());
            };
            for case in cases {
                constant(&case.value, kind, &case.at)?;
            }
            reachable(cases)?;
            if REQUIRED.contains(&rule.target.to_string().as_str())
                && rule.order.is_none()
                && !last.condition().is_empty()
            {
                let problem =
                    last.at.problem(format!("no case may fit, but every event must have `{}`", rule.target));
                return Err(Box::new(problem.hint("end with a case that has only a `value`")));
            }
            Ok(())
        }
    }
}

/// Whether each case can be the first that fits.
fn reachable(cases: &[Case]) -> Result<(), Box<Problem>> {
    let conditions: Vec<Condition> = cases.iter().map(Case::condition).collect();
    let before = cases.len().saturating_sub(1);
    if let Some(all) = conditions[..before].iter().position(Condition::is_empty) {
        let problem = cases[all].at.problem("this case fits every record, so the cases after it never apply");
        return Err(Box::new(problem));
    }
    for (i, (case, condition)) in cases.iter().zip(&conditions).enumerate() {
        if let Some(field) = condition.contradiction() {
            let message = format!("what the case asks of `{field}` can't hold, so it never applies");
            return Err(Box::new(case.at.problem(message)));
        }
        // Long lists of cases are looked through only as far as that is quick.
        let earlier =
            conditions[..i].iter().take(MOST_COMPARED).position(|first| first.follows_from(condition));
        if let Some(first) = earlier {
            let message = format!(
                "the case on line {} fits whenever this one does, so this one never applies",
                cases[first].line()
            );
            return Err(Box::new(case.at.problem(message).hint("put it before that one, or leave it out")));
        }
    }
    Ok(())
}

/// Whether `text` is a value of `kind`.
fn constant(text: &str, kind: Type, at: &TextPlace) -> Result<(), Box<Problem>> {
    if let Type::Enum(name) = kind {
        let Some(values) = udm::enumeration(name).map(|e| &e.values) else { return Ok(()) };
        if name.ends_with("EventType") && values.iter().any(|(value, number)| (*value, *number) == (text, 0))
        {
            return Err(Box::new(at.problem(format!("`{text}` is what an event without a type has"))));
        }
        if values.iter().any(|(value, _)| *value == text) {
            return Ok(());
        }
        let problem = at.problem(format!("`{}` is not a value of the enum {name}", shown(text)));
        return Err(Box::new(problem.nearest(text, values.iter().map(|(value, _)| *value))));
    }
    if text.is_empty() {
        return Err(Box::new(at.problem("the value is empty").hint("leave the rule out")));
    }
    match TextKind::of(kind).and_then(|kind| kind.refuses(text)) {
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
    let mut projection = mapping.projection();
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
    for text in mapping.embedded() {
        let inside = |path: &&FieldPath| {
            path.keys().len() > text.from.keys().len()
                && path.first(text.from.keys().len(), true) == text.from
        };
        if !projection.paths().iter().any(|path| inside(&path)) {
            let message = format!("no rule reads a field inside of `{}`", text.from);
            problems.push(text.at.problem(message).hint("leave this section out, or read one in a rule"));
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
