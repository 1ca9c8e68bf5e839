//! What is in a sample, each count with the records behind it.

use super::answer::Refusal;
use super::sample::SampleChunk;
use super::state::State;
use super::work::Work;
use crate::check::profile::{Gathered, profile_chunks};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How many records are named behind a count.
const MOST: usize = 50;
/// How many are named in all behind values, and how many behind one.
const MOST_OF_VALUES: usize = 100_000;
const MOST_OF_A_VALUE: usize = 10;

/// What is asked.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    sample: String,
    #[serde(default)]
    mapping: Option<String>,
}

/// Which records are behind each count: the first of them.
#[derive(Debug, Default)]
struct Behind {
    fields: BTreeMap<String, Vec<u64>>,
    values: BTreeMap<(String, String), Vec<u64>>,
    rejects: BTreeMap<&'static str, Vec<u64>>,
    forms: BTreeMap<&'static str, Vec<u64>>,
    shapes: BTreeMap<String, Vec<u64>>,
    of_values: usize,
}

#[derive(Debug, Serialize)]
struct FieldView {
    path: String,
    /// The type of most values.
    kind: &'static str,
    types: BTreeMap<&'static str, u64>,
    count: u64,
    share: f64,
    distinct: u64,
    /// Whether the table reads it.
    read: bool,
    examples: Vec<ValueView>,
    records: Vec<u64>,
}

#[derive(Debug, Serialize)]
struct ValueView {
    value: String,
    count: u64,
    records: Vec<u64>,
}

/// The profile as JSON.
///
/// # Errors
/// If the table has errors, or if it takes too long.
pub(super) fn profile(state: &State, asked: &Asked, work: &Work) -> Result<Value, Refusal> {
    let sample = state.sample(&asked.sample)?;
    let table = state.table(asked.mapping.as_deref().unwrap_or(&state.mapping.text))?;
    let rules = table.rules.as_ref();
    let rules = rules.ok_or_else(|| Refusal::bad("the table has errors").hint("mend them first"))?;
    let (mut behind, mut ended) = (Behind::default(), Ok(()));
    let chunks = sample.chunks.iter().map(|SampleChunk { chunk, .. }| chunk);
    let profile = profile_chunks(&rules.mapping, &rules.exact, chunks, &mut |number, record| {
        behind.add(number, record);
        ended = if number % 256 == 0 { work.go_on() } else { Ok(()) };
        ended.is_ok()
    });
    ended?;
    let records = profile.records;
    let share = |count: u64| count as f64 / records.max(1) as f64;
    let named = |numbers: Option<Vec<u64>>| numbers.unwrap_or_default();
    let mut fields = Vec::new();
    for field in profile.fields {
        let examples = field.values.into_iter().map(|(value, count)| {
            let key = (field.name.clone(), value);
            let records = named(behind.values.remove(&key));
            ValueView { value: key.1, count, records }
        });
        let examples = examples.collect();
        fields.push(FieldView {
            kind: field.types.iter().max_by_key(|(_, count)| **count).map_or("null", |(kind, _)| kind),
            types: field.types,
            count: field.present,
            share: share(field.present),
            distinct: field.distinct,
            read: field.read,
            examples,
            records: named(behind.fields.remove(&field.name)),
            path: field.name,
        });
    }
    let rejects = profile.rejects.iter().map(|(reason, count)| {
        json!({"reason": reason, "count": count, "records": named(behind.rejects.remove(reason))})
    });
    let forms = profile.formats.iter().map(
        |(form, count)| json!({"form": form, "count": count, "records": named(behind.forms.remove(form))}),
    );
    let shapes = profile.shapes.iter().map(|shape| {
        let records = named(behind.shapes.remove(&shape.name));
        json!({"shape": shape.name, "count": shape.records, "first": shape.first, "last": shape.last, "records": records})
    });
    let new_values = profile.new_values.iter().take(MOST);
    Ok(json!({
        "records": records,
        "truncated": sample.truncated,
        "rejects": rejects.collect::<Vec<_>>(),
        "forms": forms.collect::<Vec<_>>(),
        "shapes": shapes.collect::<Vec<_>>(),
        "times": {"first": profile.first, "last": profile.last, "unit": profile.unit, "buckets": profile.times},
        "changes": profile.changes,
        "rules": profile.rules,
        "new_values": new_values.collect::<Vec<_>>(),
        "fields": fields,
        "fields_not_counted": profile.fields_not_counted,
    }))
}

impl Behind {
    fn add(&mut self, number: u64, record: &Gathered) {
        for (name, stat) in record.fields() {
            add(self.fields.entry(name.clone()).or_default(), number, MOST);
            for (value, _) in stat.values() {
                if self.of_values == MOST_OF_VALUES {
                    break;
                }
                let numbers = self.values.entry((name.clone(), value.to_owned())).or_default();
                self.of_values += usize::from(add(numbers, number, MOST_OF_A_VALUE));
            }
        }
        for reason in record.rejects().into_keys() {
            add(self.rejects.entry(reason).or_default(), number, MOST);
        }
        for form in record.formats.keys() {
            add(self.forms.entry(form).or_default(), number, MOST);
        }
        for shape in record.shapes() {
            add(self.shapes.entry(shape.to_owned()).or_default(), number, MOST);
        }
    }
}

/// Names a record once; whether it was added.
fn add(numbers: &mut Vec<u64>, number: u64, most: usize) -> bool {
    let is_new = numbers.len() < most && numbers.last() != Some(&number);
    if is_new {
        numbers.push(number);
    }
    is_new
}
