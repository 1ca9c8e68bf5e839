//! Where each field of an event comes from: the rule and its line, the raw field and its bytes, what was done.
//!
//! Also: the rules that gave nothing, with the reason, and the raw fields that no rule reads.

use crate::convert::{CHUNK_BYTES, Converter, Engine, MAX_RECORD_BYTES, Options, Traced};
use crate::mapping::Mapping;
use crate::record::formats::{Format, Formats};
use crate::record::frame::Framer;
use crate::record::{FieldPath, each_field};
use crate::text::cut;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{self, Read};
use std::ops::ControlFlow;

/// Explains the records of `input`, or the one that begins on a line. `source` is what the input is called. `each`
/// gets the explanations in order, until it breaks.
///
/// # Errors
/// When `input` fails.
pub fn explain(
    mapping: &Mapping,
    options: &Options,
    source: &str,
    input: &mut dyn Read,
    line: Option<u64>,
    each: &mut dyn FnMut(Explanation) -> ControlFlow<()>,
) -> io::Result<()> {
    let converter = Converter::new(mapping, &Options { engine: Engine::Exact, ..options.clone() });
    let mut framer = Framer::new(MAX_RECORD_BYTES, CHUNK_BYTES);
    let (mut buffer, mut state) = (Vec::new(), ControlFlow::Continue(()));
    while let (ControlFlow::Continue(()), Some(chunk)) = (state, framer.next(input, buffer)?) {
        converter.trace(&chunk.bytes, &chunk.body, &mut |record| {
            if state.is_break() {
            } else if line.is_some_and(|line| line < record.line) {
                state = ControlFlow::Break(());
            } else if line.is_none_or(|line| line == record.line) {
                state = each(Explanation::of(&converter, mapping, source, record));
            }
        });
        buffer = chunk.bytes;
    }
    Ok(())
}

/// What a mapping makes of one record, and why. Serialized, it is a line of `udmap explain --json`.
#[derive(Debug, Serialize)]
pub struct Explanation {
    pub(crate) source: String,
    pub(crate) line: u64,
    /// Where the record is in its source, in bytes after decompression.
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) format: &'static str,
    /// The table, if it is one of a set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) table: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shape: Option<String>,
    /// Why there is no event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reject: Option<Reject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<serde_json::Value>,
    pub(crate) fields: Vec<Field>,
    /// Rules that gave nothing.
    #[serde(rename = "silent")]
    pub(crate) skipped: Vec<SkippedRule>,
    /// Raw fields that no rule reads.
    pub(crate) left: Vec<RawField>,
    /// Raw fields that rules read, but took nothing from: another field came first, or only presence counted.
    pub(crate) unused: Vec<RawField>,
    /// How many more raw fields there are than in these two lists.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) omitted: u64,
    /// The beginning of the record's text, for the page.
    #[cfg_attr(not(feature = "cli"), allow(dead_code))]
    #[serde(skip)]
    pub(crate) raw: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Reject {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Field {
    pub(crate) path: String,
    pub(crate) value: serde_json::Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rule: Option<Rule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<RawField>,
    pub(crate) how: String,
}

#[derive(Debug, Serialize, Clone)]
pub(crate) struct Rule {
    pub(crate) udm: String,
    pub(crate) file: String,
    pub(crate) line: usize,
    /// What the rule says, in short.
    pub(crate) text: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct SkippedRule {
    pub(crate) rule: Rule,
    pub(crate) why: String,
}

#[derive(Debug, Serialize, Clone)]
pub(crate) struct RawField {
    pub(crate) field: String,
    pub(crate) value: String,
    /// The value's bytes in the source, after decompression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) length: Option<u64>,
}

/// How many raw fields are listed, and how many of those that rules read are looked through.
const MOST_FIELDS: usize = 1_000;
/// How many bytes of the record's text are kept.
const MOST_TEXT: usize = 64 << 10;

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Explanation {
    /// The explanation as JSON, on one line.
    pub fn json(&self) -> String {
        // Texts and numbers always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether the record makes no event.
    pub fn is_reject(&self) -> bool {
        self.reject.is_some()
    }

    /// The explanation of a record of `source`.
    pub(crate) fn of(
        converter: &Converter,
        mapping: &Mapping,
        source: &str,
        record: &Traced<'_>,
    ) -> Explanation {
        let mut all = Explanation {
            source: source.to_owned(),
            line: record.line,
            offset: record.offset,
            length: record.raw.len() as u64,
            format: record.format.name(),
            table: record.table.and_then(|table| converter.plans()[table].name.clone()),
            shape: None,
            reject: None,
            event: None,
            fields: Vec::new(),
            skipped: Vec::new(),
            left: Vec::new(),
            unused: Vec::new(),
            omitted: 0,
            raw: String::from_utf8_lossy(&record.raw[..record.raw.len().min(4 * MOST_TEXT)]).into_owned(),
        };
        all.raw = cut(&all.raw, MOST_TEXT).into_owned();
        // Of a record that belongs to no table nothing is read.
        let wanted = record.table.map_or(&[][..], |table| converter.plans()[table].fields());
        let tables = mapping.tables();
        // A record with fields has a table.
        let table = record.table.unwrap_or_default();
        let raw = |leaf: &crate::record::RawField<'_>| RawField {
            field: leaf.path(),
            value: leaf.value.clone().into_owned(),
            offset: leaf.at.as_ref().map(|at| record.offset + at.start as u64),
            length: leaf.at.as_ref().map(|at| at.len() as u64),
        };
        // Of two equal keys the last counts.
        let mut last: Vec<Option<RawField>> = wanted.iter().map(|_| None).collect();
        let mut read = Vec::new();
        each_field(record.raw, record.format, formats_of(&tables, record), &mut |leaf| {
            let is = |path: &FieldPath, keys: &[Cow<'_, str>]| path.keys().iter().eq(keys);
            // A wanted field that holds an object has leaves below it.
            let below =
                |path: &FieldPath| leaf.keys.get(..path.keys().len()).is_some_and(|keys| is(path, keys));
            // A list or a text may hold what is wanted.
            let around = |path: &FieldPath| {
                path.keys().len() > leaf.keys.len() && path.keys().iter().zip(leaf.keys).all(|(a, b)| a == b)
            };
            let is_read = wanted.iter().any(|path| below(path) || around(path));
            let list = if is_read { &mut read } else { &mut all.left };
            if let Some(slot) = wanted.iter().position(|path| is(path, leaf.keys)) {
                last[slot] = Some(raw(leaf));
            }
            if list.len() < MOST_FIELDS {
                list.push(raw(leaf));
            } else {
                all.omitted += 1;
            }
        });

        let lineage = record.fields.as_ref().map_err(Clone::clone).and_then(|fields| {
            all.shape = Some(converter.shape_of(table, fields).to_owned());
            Ok((converter.event(table, fields)?, converter.lineage(table, fields)?))
        });
        let (event, lineage) = match lineage {
            Ok(both) => both,
            Err(fault) => {
                all.reject = Some(Reject { reason: fault.reason.code(), message: fault.message });
                return all;
            }
        };
        all.event = serde_json::from_slice(&event).ok();
        let rule = |place: usize, line: Option<usize>| {
            let rule = &tables[table].rules()[place];
            let mut text = rule.content.to_string();
            if let Some(label) = &rule.label {
                text = format!("{label}: {text}");
            }
            if !rule.only_if.is_empty() {
                text = format!("{text}, if {}", rule.only_if);
            }
            Rule {
                udm: rule.target.to_string(),
                file: rule.file().to_owned(),
                line: line.unwrap_or(rule.line()),
                text,
            }
        };
        for filled in lineage.filled {
            let from = filled.from.map(|slot| {
                last[slot].clone().unwrap_or_else(|| RawField {
                    field: wanted[slot].to_string(),
                    value: record
                        .fields
                        .as_ref()
                        .ok()
                        .and_then(|f| f[slot].as_deref())
                        .unwrap_or_default()
                        .to_owned(),
                    offset: None,
                    length: None,
                })
            });
            all.fields.push(Field {
                path: filled.path,
                value: serde_json::from_str(&filled.value).unwrap_or_default(),
                rule: filled.rule.map(|place| rule(place, filled.line)),
                from,
                how: filled.how,
            });
        }
        let used: HashSet<&str> =
            all.fields.iter().filter_map(|field| field.from.as_ref()).map(|raw| raw.field.as_str()).collect();
        // What is in a list or a JSON text is named by its own path: `groups[].name`, `description.x`.
        let is_used = |raw: &RawField| {
            let inside = |used: &&str| {
                used.strip_prefix(raw.field.as_str()).is_some_and(|rest| rest.starts_with(['[', '.']))
            };
            used.contains(raw.field.as_str()) || used.iter().any(inside)
        };
        read.retain(|raw: &RawField| !is_used(raw));
        all.unused = read;
        all.skipped = lineage
            .skipped
            .into_iter()
            .map(|s| SkippedRule { rule: rule(s.rule, None), why: s.why })
            .collect();
        all
    }
}

/// The formats by which a record was read.
pub(super) fn formats_of<'m>(tables: &[&'m Mapping], record: &Traced<'_>) -> &'m Formats {
    let reads = |mapping: &&&Mapping| match record.format {
        Format::Cef => mapping.formats().cef.is_some(),
        Format::KeyValue => mapping.formats().key_value.is_some(),
        _ => true,
    };
    let table = record.table.map(|table| tables[table]).or_else(|| tables.iter().find(reads).copied());
    // There is always a table.
    table.unwrap_or(tables[0]).formats()
}
