//! A rule for a raw field, written into a table as one would by hand.

use super::answer::Refusal;
use super::state::State;
use super::table::Table;
use crate::text::shown;
use crate::time::{Reading, read as read_time};
use crate::udm::{self, Cardinality, Field, Type};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is asked.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    mapping: String,
    /// The raw field, as a table spells it.
    field: String,
    udm: String,
    /// The field's value in a record.
    #[serde(default)]
    value: String,
    /// What the value becomes, if the UDM field holds an enum.
    #[serde(default)]
    becomes: Option<String>,
}

/// The table with the rule.
#[derive(Debug, Serialize)]
pub(super) struct Written {
    mapping: String,
    /// The rule's line.
    line: usize,
    /// What else is to be known of it.
    note: Option<String>,
}

/// What a rule needs to know.
struct Wanted<'a> {
    /// The raw field, as the rule reads it.
    from: String,
    target: udm::Path,
    kind: Type,
    asked: &'a Asked,
    notes: Vec<String>,
}

/// Writes the rule.
///
/// # Errors
/// If no rule of a table can do that.
pub(super) fn write(state: &State, asked: &Asked) -> Result<Written, Refusal> {
    let before = state.table(&asked.mapping)?;
    if before.rules.as_ref().is_some_and(|rules| rules.mapping.set().is_some()) {
        return Err(Refusal::bad("a set of tables has no rules").hint("open one of its tables"));
    }
    let mut wanted = Wanted::of(asked)?;
    let text = &asked.mapping;
    let document = DeTable::parse(text).ok();
    let rules = document.as_ref().map_or_else(Vec::new, |document| rules(document.get_ref()));
    let is_singular = wanted.target.segments.last().is_none_or(|segment| segment.index.is_none());
    let same = |rule: &&WrittenRule| rule.target.as_ref() == Some(&wanted.target);
    let (written, line) = match rules.iter().rfind(same) {
        Some(rule) if is_singular => {
            let (written, at) = wanted.add_to_rule(text, rule)?;
            wanted.notes.push(format!(
                "`{}` has a rule on line {}: what is there before `{}` comes first",
                asked.udm,
                line_of(text, at),
                wanted.from
            ));
            (written, at)
        }
        _ => {
            let replaces = is_singular.then(|| wanted.in_base(&before)).flatten();
            let rule = wanted.rule(replaces.is_some());
            if let Some(base) = replaces {
                wanted.notes.push(format!("it replaces the rule for `{}` in {base}", asked.udm));
            }
            let end = rules.iter().map(|rule| rule.span.end).max().unwrap_or(text.len());
            added(text, end, &rule)
        }
    };
    // A rule that makes a right table wrong is not written.
    let after = Table::read(&before.name, &written);
    if let (true, Some(error)) = (before.errors.is_empty(), after.errors.first()) {
        let refusal = Refusal::bad(format!("the rule can't be written: {}", error.message));
        return Err(Refusal { hint: error.hint.clone(), ..refusal });
    }
    if !before.errors.is_empty() {
        wanted.notes.push("the table has errors, so the rule could not be tried".to_owned());
    }
    let note = (!wanted.notes.is_empty()).then(|| wanted.notes.join("; "));
    Ok(Written { line: line_of(&written, line), mapping: written, note })
}

impl<'a> Wanted<'a> {
    fn of(asked: &'a Asked) -> Result<Wanted<'a>, Refusal> {
        let target = udm::Path::parse(&asked.udm).map_err(|error| Refusal::bad(error.to_string()))?;
        let unknown = || Refusal::bad(format!("UDM has no field `{}`", shown(&asked.udm)));
        let field = field_of(&target).ok_or_else(unknown)?;
        let mut wanted =
            Wanted { from: asked.field.clone(), target, kind: field.kind, asked, notes: Vec::new() };
        wanted.add_name(field)?;
        wanted.read_elements();
        Ok(wanted)
    }

    /// A text with a name gets that of the raw field.
    fn add_name(&mut self, field: &Field) -> Result<(), Refusal> {
        let name = &self.asked.field;
        match field.kind {
            Type::Foreign("google.protobuf.Struct") => {
                let path = format!("{}.\"{}\"", self.target, name.replace('"', "'"));
                self.target = udm::Path::parse(&path).map_err(|error| Refusal::bad(error.to_string()))?;
                self.kind = Type::String;
                Ok(())
            }
            Type::Message(message)
                if !(udm::is_label(message) && field.cardinality == Cardinality::Repeated) =>
            {
                Err(Refusal::bad(format!("`{}` holds a message ({message})", self.target))
                    .hint("name one of its fields"))
            }
            Type::Foreign(kind) => {
                Err(Refusal::bad(format!("`{}` is a {kind}, which tables can't fill", self.target)))
            }
            Type::Bytes => {
                Err(Refusal::bad(format!("`{}` holds bytes, which tables can't fill", self.target)))
            }
            _ => Ok(()),
        }
    }

    /// Of a list, its elements are read, or one field of them.
    fn read_elements(&mut self) {
        let Ok(serde_json::Value::Array(elements)) = serde_json::from_str(&self.asked.value) else { return };
        let is_many = self.target.segments.last().is_some_and(|segment| segment.index.is_some());
        let step = if is_many && self.kind != Type::Timestamp { "[]" } else { "[0]" };
        self.from = format!("{}{step}", self.asked.field);
        if let Some(serde_json::Value::Object(first)) = elements.first()
            && let Some(key) = first.iter().find(|(_, value)| !value.is_object() && !value.is_array())
        {
            let key = crate::record::FieldPath::of(vec![key.0.clone()]).to_string();
            self.from = format!("{}.{key}", self.from);
            self.notes.push(format!("of each element `{key}` is read; name another field if you mean that"));
        }
    }

    /// The file and line of the rule for the same field in a table that this one builds on.
    fn in_base(&self, table: &Table) -> Option<String> {
        let rules = table.rules.as_ref()?;
        let same = |rule: &&crate::mapping::Rule| rule.target == self.target && rule.file() != table.name;
        let rule = rules.mapping.rules().iter().find(same)?;
        Some(format!("`{}`, line {}", rule.file(), rule.line()))
    }

    /// The rule's text.
    fn rule(&mut self, replaces: bool) -> String {
        let mut rule = format!("[[rule]]\nudm = {}\n", toml_text(&self.target.to_string()));
        let from = toml_text(&self.from);
        match self.kind {
            Type::Timestamp => rule.push_str(&format!("time = [{}]\n", self.time())),
            Type::Enum(name) => {
                rule.push_str(&format!("from = {from}\n"));
                rule.push_str(&self.map(name));
            }
            Type::Message(_) => {
                rule.push_str(&format!("label = {}\nfrom = {from}\n", toml_text(&self.asked.field)));
            }
            _ => rule.push_str(&format!("from = {from}\n")),
        }
        if replaces {
            rule.push_str("replace = true\n");
        }
        rule
    }

    /// What the value becomes.
    fn map(&mut self, name: &str) -> String {
        let values = udm::enumeration(name).map_or(&[][..], |found| &found.values);
        let names = || values.iter().filter(|(_, number)| *number != 0).map(|(name, _)| *name);
        let value = &self.asked.value;
        let becomes = self.asked.becomes.clone().or_else(|| udm::nearest(value, names()).map(str::to_owned));
        let becomes = becomes.or_else(|| names().next().map(str::to_owned)).unwrap_or_default();
        if self.asked.becomes.is_none() {
            self.notes
                .push(format!("`{}` becomes `{becomes}`: change it if you mean another value", shown(value)));
        }
        if value.is_empty() {
            return format!("map = {{}}\notherwise = {}\n", toml_text(&becomes));
        }
        format!("map = {{ {} = {} }}\n", toml_text(value), toml_text(&becomes))
    }

    /// How the value is read as a time.
    fn time(&mut self) -> String {
        let value = self.asked.value.trim();
        // Each unit has its own range of plausible times: 1990 to 2100.
        let plausible = 631_152_000..4_102_444_800;
        let is = |reading: Reading| {
            read_time(value, reading).is_ok_and(|time| plausible.contains(&time.seconds()))
        };
        let read = Reading::ALL.into_iter().find(|(_, reading)| is(*reading)).map(|(name, _)| name);
        if read.is_none() && read_time(value, Reading::Iso8601).is_err() {
            self.notes.push(format!("`{}` is not a time of ISO 8601: say how it is read", shown(value)));
        }
        format!("{{ from = {}, read = \"{}\" }}", toml_text(&self.from), read.unwrap_or("iso8601"))
    }

    /// The table with the field in a rule that fills the same UDM field, and where that rule is.
    fn add_to_rule(&mut self, text: &str, rule: &WrittenRule) -> Result<(String, usize), Refusal> {
        let (place, new) = match (&rule.from, &rule.time) {
            (Some(from), _) => (from.clone(), toml_text(&self.from)),
            (None, Some(time)) => (time.clone(), self.time()),
            (None, None) => {
                let line = line_of(text, rule.span.start);
                let error = format!("`{}` has a rule on line {line} that reads no field", self.asked.udm);
                return Err(Refusal::conflict(error).hint("change that rule, or choose another field"));
            }
        };
        let old = &text[place.clone()];
        let list = match old.strip_suffix(']') {
            Some(all) => {
                let all = all.trim_end();
                let comma = if all.ends_with(['[', ',']) { "" } else { "," };
                let space = if all.ends_with('[') { "" } else { " " };
                format!("{all}{comma}{space}{new}]")
            }
            None => format!("[{old}, {new}]"),
        };
        Ok((format!("{}{list}{}", &text[..place.start], &text[place.end..]), rule.span.start))
    }
}

/// The field that a path leads to.
fn field_of(path: &udm::Path) -> Option<&'static Field> {
    let (mut message, mut found) = (udm::message("UDM")?, None);
    for (place, segment) in path.segments.iter().enumerate() {
        let field = message.field(&segment.name)?;
        found = Some(field);
        match field.kind {
            Type::Message(name) => match udm::message(name) {
                Some(below) => message = below,
                None if place + 1 < path.segments.len() => return None,
                None => {}
            },
            _ if place + 1 < path.segments.len() => return None,
            _ => {}
        }
    }
    found
}

/// A rule where it is written.
struct WrittenRule {
    target: Option<udm::Path>,
    span: Range<usize>,
    from: Option<Range<usize>>,
    time: Option<Range<usize>>,
}

fn rules(document: &DeTable<'_>) -> Vec<WrittenRule> {
    let Some(DeValue::Array(rules)) = document.get("rule").map(Spanned::get_ref) else { return Vec::new() };
    let rule = |rule: &Spanned<DeValue<'_>>| {
        let DeValue::Table(keys) = rule.get_ref() else { return None };
        let span_of = |key: &str| keys.get(key).map(Spanned::span);
        let start = keys.iter().map(|(key, _)| key.span().start).min().unwrap_or(rule.span().start);
        let end = keys.iter().map(|(_, value)| value.span().end).max().unwrap_or(rule.span().end);
        let target = keys.get("udm").and_then(|udm| udm.get_ref().as_str());
        Some(WrittenRule {
            target: target.and_then(|text| udm::Path::parse(text).ok()),
            span: start..end,
            from: span_of("from"),
            time: span_of("time"),
        })
    };
    rules.iter().filter_map(rule).collect()
}

/// The text with a rule behind the line that `end` is on, and where the rule begins.
fn added(text: &str, end: usize, rule: &str) -> (String, usize) {
    let end = text[end..].find('\n').map_or(text.len(), |line| end + line + 1);
    let (before, behind) = text.split_at(end);
    let mut written = before.to_owned();
    if !written.is_empty() && !written.ends_with('\n') {
        written.push('\n');
    }
    if !written.is_empty() && !written.ends_with("\n\n") {
        written.push('\n');
    }
    let start = written.len();
    written.push_str(rule);
    if !behind.is_empty() && !behind.starts_with('\n') {
        written.push('\n');
    }
    written.push_str(behind);
    (written, start)
}

fn line_of(text: &str, at: usize) -> usize {
    memchr::memchr_iter(b'\n', &text.as_bytes()[..at]).count() + 1
}

/// A text in TOML.
fn toml_text(text: &str) -> String {
    let is_plain = |c: char| !c.is_control() && c != '\'';
    if text.contains(['"', '\\']) && text.chars().all(is_plain) {
        return format!("'{text}'");
    }
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // Bidirectional marks and their like are shown as what they are.
            c if c.is_control() || crate::text::escaped(c.encode_utf8(&mut [0; 4])).len() != c.len_utf8() => {
                out.push_str(&format!("\\U{:08X}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::tests::state;

    const HEAD: &str = "[mapping]\nname = \"x\"\nextends = \"duo_telephony\"\n";

    fn write_in(mapping: &str, field: &str, udm: &str, value: &str) -> Result<Written, Refusal> {
        let asked = Asked {
            mapping: mapping.to_owned(),
            field: field.to_owned(),
            udm: udm.to_owned(),
            value: value.to_owned(),
            becomes: None,
        };
        write(&state(b"{}\n"), &asked)
    }

    /// What is written, which is a right table.
    fn written(mapping: &str, field: &str, udm: &str, value: &str) -> (String, Option<String>) {
        let written = write_in(mapping, field, udm, value).unwrap();
        let table = Table::read("x.toml", &written.mapping);
        assert!(table.errors.is_empty(), "{}\n{:?}", written.mapping, table.errors);
        let line = written.mapping.lines().nth(written.line - 1).unwrap();
        assert!(line.starts_with("[[rule]]") || line.starts_with("udm"), "{line}");
        (written.mapping, written.note)
    }

    #[test]
    fn each_type_gets_its_kind_of_rule() {
        for (field, udm, value, rule) in [
            ("txid", "metadata.product_log_id", "x", "udm = \"metadata.product_log_id\"\nfrom = \"txid\"\n"),
            ("ip", "principal.ip[]", "::1", "udm = \"principal.ip[]\"\nfrom = \"ip\"\n"),
            ("n", "target.port", "80", "udm = \"target.port\"\nfrom = \"n\"\n"),
            (
                "result",
                "security_result[0].priority",
                "high",
                "udm = \"security_result[0].priority\"\nfrom = \"result\"\nmap = { \"high\" = \"HIGH_PRIORITY\" }\n",
            ),
            (
                "at",
                "metadata.collected_timestamp",
                "1700000000123",
                "time = [{ from = \"at\", read = \"epoch-milliseconds\" }]\n",
            ),
            ("at", "metadata.collected_timestamp", "1700000000", "read = \"epoch-seconds\" }]\n"),
            ("at", "metadata.collected_timestamp", "2024-01-01T00:00:00Z", "read = \"iso8601\" }]\n"),
            (
                "a.b",
                "principal.labels[]",
                "x",
                "udm = \"principal.labels[]\"\nlabel = \"a.b\"\nfrom = \"a.b\"\n",
            ),
            ("a.b", "additional", "x", "udm = 'additional.\"a.b\"'\nfrom = \"a.b\"\n"),
            ("groups", "principal.user.group_identifiers[]", "[\"a\"]", "from = \"groups[]\"\n"),
            ("groups", "principal.user.group_identifiers[]", "[{\"id\":\"a\"}]", "from = \"groups[].id\"\n"),
            ("groups", "principal.user.title", "[\"a\"]", "from = \"groups[0]\"\n"),
            ("\"a.b\".c", "principal.user.title", "", "from = '\"a.b\".c'\n"),
        ] {
            let (text, _) = written(HEAD, field, udm, value);
            assert!(text.starts_with(HEAD) && text.ends_with(rule), "{text}");
        }
    }

    #[test]
    fn a_field_with_a_rule_gets_no_second_one() {
        // In the same table.
        let rule = "[[rule]]\nudm = \"metadata.description\"\nfrom = \"txid\" # a comment\n\n[[test]]\nrecord = '{}'\nreject = \"no-timestamp\"\n";
        let (text, note) = written(&format!("{HEAD}{rule}"), "telephony_id", "metadata.description", "x");
        assert!(text.contains("from = [\"txid\", \"telephony_id\"] # a comment\n"), "{text}");
        assert!(note.unwrap().contains("line 5"));
        let (text, _) = written(&text, "third", "metadata.description", "x");
        assert!(text.contains("from = [\"txid\", \"telephony_id\", \"third\"]"), "{text}");
        // In the table below.
        let (text, note) = written(HEAD, "txid", "metadata.product_event_type", "x");
        assert!(text.ends_with("from = \"txid\"\nreplace = true\n"), "{text}");
        assert!(note.unwrap().contains("duo_telephony"));
        let fixed = format!("{HEAD}[[rule]]\nudm = \"metadata.description\"\nvalue = \"x\"\n");
        let refusal = write_in(&fixed, "txid", "metadata.description", "x").unwrap_err();
        assert_eq!(refusal.status, hyper::StatusCode::CONFLICT);
        // A list takes more.
        let ips = format!("{HEAD}[[rule]]\nudm = \"target.ip[]\"\nfrom = \"a\"\n");
        let (text, note) = written(&ips, "b", "target.ip[]", "x");
        assert!(text.ends_with("from = \"a\"\n\n[[rule]]\nudm = \"target.ip[]\"\nfrom = \"b\"\n"), "{text}");
        assert_eq!(note, None);
    }

    #[test]
    fn rules_go_behind_the_last_one() {
        let mapping = format!(
            "{HEAD}[[rule]]\nudm = \"metadata.description\"\nfrom = [\n  \"a\",\n  \"b\",\n]\n\n[[test]]\nrecord = '{{}}'\nreject = \"no-timestamp\"\n"
        );
        let (text, _) = written(&mapping, "c", "target.ip[]", "");
        let at = |what: &str| text.find(what).unwrap();
        assert!(at("\"b\",\n]") < at("target.ip") && at("target.ip") < at("[[test]]"), "{text}");
        let (text, _) = written(&mapping, "c", "metadata.description", "");
        assert!(text.contains("\"b\", \"c\"]"), "{text}");
    }

    #[test]
    fn what_no_rule_can_do_is_refused() {
        for (udm, status) in [
            ("metadata.nothing", 400),
            ("principal", 400),
            ("network.received_packets.x", 400),
            ("a b", 400),
            ("", 400),
            ("principal.ip", 400),
        ] {
            let refusal = write_in(HEAD, "a", udm, "x").unwrap_err();
            assert_eq!(refusal.status.as_u16(), status, "{udm}");
        }
        let set = crate::mapping::builtin_text("duo").unwrap();
        assert!(write_in(set, "a", "principal.ip[]", "x").unwrap_err().error.contains("set"));
        // A table with errors still gets its rule.
        let faulty = format!("{HEAD}[[rule]]\nudm = \"metadata.descripton\"\nfrom = \"a\"\n");
        let written = write_in(&faulty, "b", "metadata.description", "x").unwrap();
        assert!(written.mapping.ends_with("from = \"b\"\n") && written.note.is_some());
        let written = write_in("[mapping\n", "b", "metadata.description", "x").unwrap();
        assert!(written.mapping.starts_with("[mapping\n\n[[rule]]\n"), "{}", written.mapping);
    }

    #[test]
    fn hostile_names_stay_texts() {
        for name in ["a\"b", "a'b\"c", "a\\b", "a\u{202e}b", "a\nb", "]]\"\"\"", "é😀"] {
            let text = toml_text(name);
            let document = format!("x = {text}\n");
            let table = DeTable::parse(&document).unwrap();
            assert_eq!(table.get_ref().get("x").unwrap().get_ref().as_str(), Some(name), "{text}");
            assert!(!text.contains(['\n', '\u{202e}']));
        }
    }
}
