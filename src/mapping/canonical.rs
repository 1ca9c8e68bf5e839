//! A table as a text that says all that decides over events, and nothing else.

use super::{Content, Mapping, When};
use crate::record::FieldPath;
use crate::record::forms::Holds;
use serde_json::{Value, json};

impl Mapping {
    /// What the table does, as compact JSON: two tables with the same text make the same events of
    /// the same records. Comments, the order of lines in tables it builds on, names of files and
    /// what only reports show are not in it.
    pub fn canonical(&self) -> String {
        let rules: Vec<Value> = self.rules.iter().map(rule).collect();
        let envelopes: Vec<Value> = self
            .forms
            .envelopes
            .iter()
            .map(|envelope| {
                let when: Vec<Value> =
                    envelope.when.iter().map(|(path, text)| json!([keys(path), text])).collect();
                // The name stands in messages of rejects.
                json!([
                    envelope.name,
                    when,
                    all(&envelope.present),
                    match &envelope.holds {
                        Holds::Records(paths) => json!({ "records": all(paths) }),
                        Holds::Error(paths) => json!({ "error": all(paths) }),
                    }
                ])
            })
            .collect();
        let cef = self.forms.cef.as_ref().map(|cef| json!([cef.rename, cef.milliseconds, cef.absent]));
        let key_value = self.forms.key_value.as_ref().map(|it| json!([it.lead]));
        let log_type = &self.log_type;
        json!({ "log_type": log_type, "rules": rules, "envelopes": envelopes, "cef": cef, "key_value": key_value })
            .to_string()
    }
}

fn rule(rule: &super::Rule) -> Value {
    let content = match &rule.content {
        Content::From { fields, default } => json!({ "from": all(fields), "default": default }),
        Content::Fixed(text) => json!({ "fixed": text }),
        Content::Cases(cases) => {
            let case = |case: &super::Case| json!([all(&case.present), all(&case.absent), case.value]);
            json!({ "cases": cases.iter().map(case).collect::<Vec<_>>() })
        }
        Content::Time(fields) => {
            let one = |(path, reading): &(FieldPath, _)| json!([keys(path), format!("{reading:?}")]);
            json!({ "time": fields.iter().map(one).collect::<Vec<_>>() })
        }
    };
    let when = rule.when.map(|when| match when {
        When::Ip => "ip",
        When::NotIp => "not-ip",
    });
    json!([rule.target.to_string(), content, when, rule.label, rule.order])
}

fn keys(path: &FieldPath) -> &[String] {
    path.keys()
}

fn all(paths: &[FieldPath]) -> Vec<&[String]> {
    paths.iter().map(keys).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin_text;

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
