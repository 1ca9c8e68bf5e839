//! A table as a text that says all that decides over events, and nothing else.

use super::condition::Condition;
use super::table::{Case, Content, EmbeddedText, Mapping, Rule, SetTable, When};
use super::transform::Transform;
use super::value_map::ValueMap;
use crate::record::FieldPath;
use crate::record::formats::EnvelopeHolds;
use crate::record::formats::Own;
use crate::time::{Instant, TimeReading};
use serde_json::{Value, json};

impl Mapping {
    /// What the table does, as compact JSON: two tables with the same text make the same events of
    /// the same records. Comments, the order of lines in tables it builds on, names of files and
    /// what only reports show are not in it.
    pub fn canonical(&self) -> String {
        if let Some(set) = &self.set {
            let table = |table: &SetTable| {
                let own: Vec<Value> = table.own.iter().map(Condition::json).collect();
                json!([table.mapping.name, table.log, own, table.mapping.canonical()])
            };
            let tables: Vec<Value> = set.tables.iter().map(table).collect();
            return json!({ "log_fields": paths(&set.log_fields), "tables": tables }).to_string();
        }
        let rules: Vec<Value> = self.rules.iter().map(rule).collect();
        let envelopes: Vec<Value> = self
            .formats
            .envelopes
            .iter()
            .map(|envelope| {
                let when: Vec<Value> =
                    envelope.when.iter().map(|(path, test)| json!([keys(path), test.json()])).collect();
                // The name is part of rejects' messages.
                let mut all = json!([
                    envelope.name,
                    when,
                    paths(&envelope.present),
                    match &envelope.holds {
                        EnvelopeHolds::Records(places) => json!({ "records": paths(places) }),
                        EnvelopeHolds::Error(places) => json!({ "error": paths(places) }),
                    }
                ]);
                if let (true, Some(parts)) = (envelope.text, all.as_array_mut()) {
                    parts.push(json!("text"));
                }
                all
            })
            .collect();
        let milliseconds = |(name, earliest): &(String, Option<Instant>)| match earliest {
            Some(earliest) => json!([name, earliest.to_rfc3339()]),
            None => json!(name),
        };
        let cef = self.formats.cef.as_ref().map(|cef| {
            let milliseconds: Vec<Value> = cef.milliseconds.iter().map(milliseconds).collect();
            json!([cef.rename, milliseconds, cef.absent])
        });
        let key_value = self.formats.key_value.as_ref().map(|it| json!([it.lead]));
        let log_type = &self.log_type;
        let mut all = json!({
            "log_type": log_type, "rules": rules, "envelopes": envelopes, "cef": cef, "key_value": key_value
        });
        if let Some(own) = own(&self.formats.own) {
            all["own"] = own;
        }
        if !self.embedded.is_empty() {
            let one = |text: &EmbeddedText| match text.objects {
                true => json!([text.from.to_string(), "objects"]),
                false => json!(text.from.to_string()),
            };
            all["embedded"] = self.embedded.iter().map(one).collect();
        }
        if let Some(rest) = &self.rest {
            let except: Vec<String> = rest.except.iter().map(ToString::to_string).collect();
            all["rest"] = json!([rest.target.to_string(), rest.prefix, except]);
        }
        if self.notes_bad_fields {
            all["on_bad_field"] = json!("note");
        }
        all.to_string()
    }
}

/// Whose records the table takes; nothing if it takes all.
fn own(own: &Own) -> Option<Value> {
    if own.fields.is_empty() && own.envelope.is_empty() && own.any.is_empty() && own.header.is_empty() {
        return None;
    }
    let texts = |fields: &[(FieldPath, Vec<String>)]| -> Vec<Value> {
        fields.iter().map(|(path, texts)| json!([keys(path), texts])).collect()
    };
    let header: Vec<Value> = own.header.iter().map(|(part, texts)| json!([part.name(), texts])).collect();
    // What is known counts only together with `any`.
    let known = (!own.any.is_empty()).then_some(&own.known);
    let mut all = vec![json!(texts(&own.fields)), json!(paths(&own.any)), json!(known), json!(header)];
    all.extend((!own.envelope.is_empty()).then(|| json!(texts(&own.envelope))));
    Some(all.into())
}

fn rule(rule: &Rule) -> Value {
    let content = match &rule.content {
        Content::From { fields, default, change } => {
            let mut from = json!({ "from": texts(fields), "default": default });
            if !change.is_none() {
                let steps: Vec<Value> = change.steps.iter().map(Transform::json).collect();
                from["change"] = json!([change.absent, steps, change.map.as_ref().map(ValueMap::json)]);
            }
            from
        }
        Content::Fixed(text) => json!({ "fixed": text }),
        Content::Cases(cases) => {
            let case = |case: &Case| match case.when.is_empty() {
                true => json!([texts(&case.present), texts(&case.absent), case.value]),
                false => json!([texts(&case.present), texts(&case.absent), case.value, case.when.json()]),
            };
            json!({ "cases": cases.iter().map(case).collect::<Vec<_>>() })
        }
        Content::Time(fields) => {
            let one = |(path, reading): &(FieldPath, TimeReading)| match reading.named() {
                Some(reading) => json!([text(path), format!("{reading:?}")]),
                None => json!([text(path), reading.to_string()]),
            };
            json!({ "time": fields.iter().map(one).collect::<Vec<_>>() })
        }
        Content::Template(template) => json!({ "template": template.to_string() }),
    };
    let when = rule.when.map(When::name);
    let mut all = json!([rule.target.to_string(), content, when, rule.label, rule.order]);
    if let (false, Some(parts)) = (rule.only_if.is_empty(), all.as_array_mut()) {
        parts.push(rule.only_if.json());
    }
    all
}

/// A field that may lead into lists: one that does not is its keys.
fn text(path: &FieldPath) -> Value {
    if path.has_lists() { json!(path.to_string()) } else { json!(keys(path)) }
}

fn texts(paths: &[FieldPath]) -> Vec<Value> {
    paths.iter().map(text).collect()
}

fn keys(path: &FieldPath) -> &[String] {
    path.keys()
}

fn paths(paths: &[FieldPath]) -> Vec<&[String]> {
    paths.iter().map(keys).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::builtin_text;

    #[test]
    fn comments_change_nothing_and_rules_do() {
        let base = |name: &str| builtin_text(name).map(str::to_owned).ok_or_else(|| "none".to_owned());
        let text = builtin_text("duo_telephony").unwrap();
        let of = |text: &str| Mapping::load("t", text, &base).unwrap().canonical();
        assert_eq!(of(text), of(&format!("# hello\n\n{text}")));
        let other = text.replace("MECHANISM_UNSPECIFIED", "USERNAME_PASSWORD");
        assert_ne!(text, other);
        assert_ne!(of(text), of(&other));
        assert_ne!(of(text), of(builtin_text("duo_telephony_extended").unwrap()));
        assert!(of(text).contains("isotimestamp"));
    }
}
