//! Which raw fields went into which UDM fields, and how often.

use super::types::Flow;
use crate::convert::{Converter, Lineage};
use crate::mapping::Mapping;
use std::collections::{BTreeMap, BTreeSet};

/// How many are listed.
const MOST: usize = 1_000;

/// Counts of events by raw field and UDM field.
#[derive(Debug, Default)]
pub(super) struct Flows(BTreeMap<(String, String), u64>);

impl Flows {
    /// Counts what made this many events of a table.
    pub(super) fn add(
        &mut self,
        mapping: &Mapping,
        converter: &Converter,
        table: usize,
        lineage: &Lineage,
        events: u64,
    ) {
        let (tables, fields) = (mapping.tables(), converter.plans()[table].fields());
        // Of a list, each element goes the same way.
        let ways: BTreeSet<(usize, usize)> =
            lineage.filled.iter().filter_map(|filled| Some((filled.from?, filled.rule?))).collect();
        for (from, rule) in ways {
            let rule = &tables[table].rules()[rule];
            let label = rule.label.as_ref().map_or(String::new(), |label| format!(" ({label})"));
            let way = (fields[from].to_string(), format!("{}{label}", rule.target));
            *self.0.entry(way).or_default() += events;
        }
    }

    /// Those with most events first.
    pub(super) fn listed(self) -> Vec<Flow> {
        let mut flows: Vec<Flow> =
            self.0.into_iter().map(|((from, to), events)| Flow { from, to, events }).collect();
        flows.sort_by_key(|flow| std::cmp::Reverse(flow.events));
        flows.truncate(MOST);
        flows
    }
}
