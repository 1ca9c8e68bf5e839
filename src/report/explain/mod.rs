//! Where each field of an event comes from, for a person and for a machine.

#[cfg(feature = "cli")]
mod html;
#[cfg(feature = "cli")]
mod text;

#[cfg(feature = "cli")]
pub(crate) use html::{page, section};
#[cfg(feature = "cli")]
pub(crate) use text::text;

use crate::convert::{Converter, Traced};
use crate::mapping::Mapping;
use crate::record::{FieldPath, Leaf, each_leaf};
use crate::text::cut;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::HashSet;

/// What became of one record.
#[derive(Debug, Serialize)]
pub(crate) struct Explained {
    pub(crate) source: String,
    pub(crate) line: u64,
    /// Where the record is in its source, in bytes after decompression.
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shape: Option<String>,
    /// Why there is no event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reject: Option<Reject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<serde_json::Value>,
    pub(crate) fields: Vec<Field>,
    /// Rules that gave nothing.
    pub(crate) silent: Vec<Silent>,
    /// Raw fields that no rule reads.
    pub(crate) left: Vec<Raw>,
    /// Raw fields that rules read, but took nothing from: another field came first, or only presence counted.
    pub(crate) unused: Vec<Raw>,
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
    pub(crate) from: Option<Raw>,
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
pub(crate) struct Silent {
    pub(crate) rule: Rule,
    pub(crate) why: String,
}

#[derive(Debug, Serialize, Clone)]
pub(crate) struct Raw {
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

impl Explained {
    pub(crate) fn of(
        converter: &Converter,
        mapping: &Mapping,
        source: &str,
        line: u64,
        record: &Traced<'_>,
    ) -> Explained {
        let mut all = Explained {
            source: source.to_owned(),
            line,
            offset: record.offset,
            length: record.raw.len() as u64,
            format: record.format.name(),
            shape: None,
            reject: None,
            event: None,
            fields: Vec::new(),
            silent: Vec::new(),
            left: Vec::new(),
            unused: Vec::new(),
            omitted: 0,
            raw: String::from_utf8_lossy(&record.raw[..record.raw.len().min(4 * MOST_TEXT)]).into_owned(),
        };
        all.raw = cut(&all.raw, MOST_TEXT).into_owned();
        let wanted = converter.plan().fields();
        let raw = |leaf: &Leaf<'_>| Raw {
            field: leaf.path(),
            value: leaf.value.clone().into_owned(),
            offset: leaf.at.as_ref().map(|at| record.offset + at.start as u64),
            length: leaf.at.as_ref().map(|at| at.len() as u64),
        };
        // Of two equal keys the last counts.
        let mut last: Vec<Option<Raw>> = wanted.iter().map(|_| None).collect();
        let mut read = Vec::new();
        each_leaf(record.raw, record.format, mapping.formats(), &mut |leaf| {
            let is = |path: &FieldPath, keys: &[Cow<'_, str>]| path.keys().iter().eq(keys);
            // A wanted field that holds an object has leaves below it.
            let below =
                |path: &FieldPath| leaf.keys.get(..path.keys().len()).is_some_and(|keys| is(path, keys));
            let list = if wanted.iter().any(below) { &mut read } else { &mut all.left };
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
            all.shape = Some(converter.shape_of(fields).to_owned());
            Ok((converter.event(fields)?, converter.lineage(fields)?))
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
            let rule = &mapping.rules()[place];
            let mut text = rule.content.to_string();
            if let Some(label) = &rule.label {
                text = format!("{label}: {text}");
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
                last[slot].clone().unwrap_or_else(|| Raw {
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
        read.retain(|raw: &Raw| !used.contains(raw.field.as_str()));
        all.unused = read;
        all.silent =
            lineage.silent.into_iter().map(|s| Silent { rule: rule(s.rule, None), why: s.why }).collect();
        all
    }
}
