//! Which parts of a mapping table are exercised, by test cases or by a log.

use crate::convert::{Converter, Lineage};
use crate::mapping::{Content, Mapping, Plan};
use std::collections::{BTreeMap, BTreeSet};

/// A part of a rule that may or may not be used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum CoveragePart {
    /// The rule as a whole.
    Rule,
    /// The case at this line.
    Case(usize),
    /// This of several raw fields.
    From(String),
    /// The default.
    Default,
}

/// How often each part was used.
#[derive(Debug)]
pub(crate) struct Coverage {
    /// By table, rule and part: the place in the table, how it reads, and how often it was used.
    parts: BTreeMap<(usize, usize, CoveragePart), (String, u64)>,
    /// The fields of each table by their slots.
    fields: Vec<Vec<String>>,
}

impl Coverage {
    /// The parts of a mapping's tables, whose plans the converter has.
    pub(crate) fn new(mapping: &Mapping, converter: &Converter) -> Coverage {
        let names = |plan: &Plan| plan.fields().iter().map(ToString::to_string).collect();
        let mut parts = BTreeMap::new();
        let tables = mapping.tables().into_iter().enumerate();
        let rules = tables.flat_map(|(table, mapping)| {
            mapping.rules().iter().enumerate().map(move |(place, rule)| (table, place, rule))
        });
        for (table, place, rule) in rules {
            let label = rule.label.as_ref().map_or(String::new(), |label| format!(" ({label})"));
            let mut add = |part, line: usize, what: String| {
                let text = format!("{}:{line}: {}{label} <- {what}", rule.file(), rule.target);
                parts.insert((table, place, part), (text, 0));
            };
            match &rule.content {
                Content::Fixed(_) => add(CoveragePart::Rule, rule.line(), rule.content.to_string()),
                Content::From { fields, default, .. } => {
                    for field in fields {
                        add(CoveragePart::From(field.to_string()), rule.line(), field.to_string());
                    }
                    if let Some(text) = default {
                        add(CoveragePart::Default, rule.line(), format!("the default \"{text}\""));
                    }
                }
                Content::Cases(cases) => {
                    for case in cases {
                        add(CoveragePart::Case(case.line()), case.line(), format!("{} {case}", case.value));
                    }
                }
                Content::Template(template) => {
                    // Lineage names the first of its fields.
                    if let Some(field) = template.fields().next() {
                        add(CoveragePart::From(field.to_string()), rule.line(), rule.content.to_string());
                    }
                }
                Content::Time(times) => {
                    for (field, _) in times {
                        add(
                            CoveragePart::From(field.to_string()),
                            rule.line(),
                            format!("the time in {field}"),
                        );
                    }
                }
            }
        }
        Coverage { parts, fields: converter.plans().iter().map(names).collect() }
    }

    /// Counts what made this many events of a table.
    pub(crate) fn add(&mut self, table: usize, lineage: &Lineage, events: u64) {
        // Of a list, each element comes from the same part.
        let mut seen = BTreeSet::new();
        for filled in &lineage.filled {
            let Some(rule) = filled.rule else { continue };
            let part = match (filled.line, filled.from) {
                (Some(line), _) => CoveragePart::Case(line),
                (None, Some(slot)) => CoveragePart::From(self.fields[table][slot].clone()),
                (None, None) if self.parts.contains_key(&(table, rule, CoveragePart::Rule)) => {
                    CoveragePart::Rule
                }
                (None, None) => CoveragePart::Default,
            };
            // A label's key comes with its value, from no field; it counts for nothing.
            let is_key = filled.path.ends_with(".key") && filled.from.is_none() && filled.line.is_none();
            let part = (table, rule, part);
            if let (Some((_, n)), false) = (self.parts.get_mut(&part), is_key)
                && seen.insert(part)
            {
                *n += events;
            }
        }
    }

    /// How many parts there are.
    pub(crate) fn all(&self) -> usize {
        self.parts.len()
    }

    /// Every part, with how often it was used.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.parts.values().map(|(text, n)| (text.as_str(), *n))
    }

    /// Parts that were never used.
    pub(crate) fn unused(&self) -> Vec<&str> {
        self.parts.values().filter(|(_, n)| *n == 0).map(|(text, _)| text.as_str()).collect()
    }
}
