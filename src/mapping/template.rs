//! Templates: texts with the values of fields in them, `"${context} by ${type}"`.

use super::document::{TomlTable, TomlValue};
use crate::record::FieldPath;
use std::fmt;

/// Texts with the values of fields between them.
#[derive(Debug, Clone)]
pub struct Template {
    /// The parts, in order.
    pub parts: Vec<TemplatePart>,
}

/// A part of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// A text.
    Text(String),
    /// The value of a raw field.
    Field(FieldPath),
}

impl Template {
    /// The fields whose values are in it.
    pub fn fields(&self) -> impl Iterator<Item = &FieldPath> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Field(path) => Some(path),
            TemplatePart::Text(_) => None,
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            TemplatePart::Text(text) => f.write_str(&text.replace("${", "$${")),
            TemplatePart::Field(path) => write!(f, "${{{path}}}"),
        })
    }
}

/// Reads a rule's template.
pub(super) fn read(keys: &TomlTable<'_>, item: &TomlValue<'_>) -> Option<Template> {
    let text = item.text()?;
    let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text.as_str());
    while let Some((before, behind)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            literal.push_str(before);
            literal.push_str("${");
            rest = behind;
            continue;
        }
        literal.push_str(before);
        let Some((name, behind)) = behind.split_once('}') else {
            let problem = item.at().problem("expected `}` behind the field's name");
            keys.report(problem.hint("for the signs themselves write `$${`"));
            return None;
        };
        match FieldPath::parse_in_lists(name) {
            Ok(path) if path.is_many() => {
                let problem =
                    item.at().problem(format!("`{path}` may be several values, but a template has one"));
                keys.report(problem.hint("name one element: `[0]` is the first"));
                return None;
            }
            Ok(path) => {
                if !literal.is_empty() {
                    parts.push(TemplatePart::Text(std::mem::take(&mut literal)));
                }
                parts.push(TemplatePart::Field(path));
            }
            Err(error) => {
                keys.report(item.at().problem(error.to_string()).hint(error.hint()));
                return None;
            }
        }
        rest = behind;
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(TemplatePart::Text(literal));
    }
    if !parts.iter().any(|part| matches!(part, TemplatePart::Field(_))) {
        let problem = item.at().problem("the template names no field");
        keys.report(problem.hint("write `${field}` for a field's value, or use `value` for a fixed text"));
        return None;
    }
    Some(Template { parts })
}
