//! What an event of each type needs beyond the schema: `schema/udm_event_rules.tsv`, and the few
//! rules that hold for all.

use super::codes::Code;
use super::finding::Reporter;
use crate::json::{Kind, Value};
use crate::udm::index::index;
use crate::udm::schema;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

const RULES: &str = include_str!("../../../schema/udm_event_rules.tsv");

/// Fields that tell a machine, below a noun: those that Google's guide names, and their like in `asset`.
const MACHINE: [&[&str]; 9] = [
    &["hostname"],
    &["ip"],
    &["mac"],
    &["asset_id"],
    &["asset", "hostname"],
    &["asset", "ip"],
    &["asset", "mac"],
    &["asset", "asset_id"],
    &["asset", "product_object_id"],
];

/// Fields that tell a user, below a noun's `user`: the guide names `userid`; the others are our reading.
const USER: [&str; 7] = [
    "userid",
    "email_addresses",
    "user_display_name",
    "windows_sid",
    "employee_id",
    "product_object_id",
    "phone_numbers",
];

/// A part that events of a type must have.
#[derive(Debug)]
struct Need {
    /// One of these.
    any: Vec<NeededPart>,
    code: Code,
}

#[derive(Debug)]
struct NeededPart {
    path: Vec<&'static str>,
    holds: Holds,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Holds {
    Anything,
    Machine,
    User,
    This(&'static str),
}

/// The needs by event type.
fn needs(event_type: &str) -> &'static [Need] {
    static NEEDS: OnceLock<HashMap<&'static str, Vec<Need>>> = OnceLock::new();
    NEEDS.get_or_init(read).get(event_type).map(Vec::as_slice).unwrap_or_default()
}

fn read() -> HashMap<&'static str, Vec<Need>> {
    let mut needs: HashMap<&'static str, Vec<Need>> = HashMap::new();
    for row in schema::rows(RULES) {
        let [event_type, parts, severity, ..] = row[..] else { continue };
        let code = if severity == "error" { Code::MissingPart } else { Code::DocumentedPart };
        needs.entry(event_type).or_default().push(Need { any: parts.split('|').map(part).collect(), code });
    }
    needs
}

fn part(text: &'static str) -> NeededPart {
    let (path, holds) = match (text.split_once('@'), text.split_once('=')) {
        (Some((path, "machine")), _) => (path, Holds::Machine),
        (Some((path, _)), _) => (path, Holds::User),
        (_, Some((path, value))) => (path, Holds::This(value)),
        _ => (text, Holds::Anything),
    };
    NeededPart { path: path.split('.').collect(), holds }
}

/// Whether a need looks at the words of fields of this name, and not only at whether they are there.
pub(super) fn read_words_of(field: &str) -> bool {
    static NAMES: OnceLock<HashSet<&'static str>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let parts = read().into_values().flatten().flat_map(|need| need.any);
        let read = parts.filter(|part| matches!(part.holds, Holds::This(_)));
        read.filter_map(|part| part.path.last().copied()).chain(["event_type"]).collect()
    });
    names.contains(field)
}

/// Checks an event that was compared with the schema.
pub(super) fn check(event: Value<'_>, reporter: &mut Reporter<'_>) {
    if event.kind() != Kind::Object {
        return;
    }
    let mut add = |code, path: &str, message: String, at| reporter.add(code, path.to_owned(), message, at);
    let metadata = find(event, &["metadata"]);
    let at = metadata.map_or(event.start(), |metadata| metadata.start());
    if find(event, &["metadata", "event_timestamp"]).is_none() {
        add(Code::NoTimestamp, "metadata.event_timestamp", "there is no event_timestamp".into(), at);
    }
    let event_type = find(event, &["metadata", "event_type"]);
    let name = event_type.map(name).unwrap_or_default();
    if name == "EVENTTYPE_UNSPECIFIED" || event_type.is_none() {
        let at = event_type.map_or(at, |value| value.start());
        add(Code::NoEventType, "metadata.event_type", "there is no event_type".into(), at);
    }

    let mut missing: Vec<&[&str]> = Vec::new();
    for need in needs(&name) {
        let known = |part: &NeededPart| missing.iter().any(|path| part.path.starts_with(path));
        if need.any.iter().any(|part| part.is_in(event)) || need.any.iter().any(known) {
            continue;
        }
        let words: Vec<String> = need.any.iter().map(NeededPart::words).collect();
        let message = format!("{name} needs {}", words.join(", or "));
        add(need.code, &need.any[0].path.join("."), message, event.start());
        missing.push(&need.any[0].path);
    }

    let nouns = ["principal", "src", "target"];
    let has_noun = nouns.iter().any(|noun| find(event, &[noun]).is_some_and(is_filled));
    if !has_noun && missing.is_empty() && !name.is_empty() {
        let code = if name == "GENERIC_EVENT" { Code::NoNounGeneric } else { Code::NoNoun };
        add(code, "principal", "none of principal, src and target holds anything".into(), event.start());
    }
    if let Some(tags) = find(event, &["metadata", "tags"]) {
        add(Code::TagsSet, "metadata.tags", "metadata.tags is set".into(), tags.start());
    }
    for field in ["email", "file", "registry"] {
        if let Some(value) = find(event, &["principal", field]).filter(|value| is_filled(*value)) {
            let path = format!("principal.{field}");
            add(Code::PrincipalHolds, &path, format!("principal holds `{field}`"), value.start());
        }
    }
    for member in event.children() {
        if !matches!(member.kind(), Kind::Object | Kind::Array) {
            continue;
        }
        let Some(entry) = index().root().field(&member.key()) else { continue };
        let name = entry.field.name;
        if entry.field.kind != schema::Type::Message("Noun") {
        } else if member.kind() == Kind::Array {
            for (place, noun) in member.children().enumerate() {
                port(noun, &format!("{name}[{place}].port"), &mut add);
            }
        } else {
            port(member, &format!("{name}.port"), &mut add);
        }
    }
}

fn port(noun: Value<'_>, path: &str, add: &mut dyn FnMut(Code, &str, String, usize)) {
    let Some(port) = find(noun, &["port"]).filter(|port| port.text() != "0") else { return };
    let addresses = find(noun, &["ip"]).map_or(0, |ip| ip.children().filter(|ip| is_filled(*ip)).count());
    if addresses != 1 {
        let message = format!("a port with {addresses} IP addresses");
        add(Code::PortWithoutIp, path, message, port.start());
    }
}

/// The name of the event type, also where it is written as a number.
fn name(value: Value<'_>) -> String {
    let text = value.text();
    let number = text.parse().ok();
    let values = schema::enumeration("Metadata.EventType").map(|e| e.values.as_slice()).unwrap_or_default();
    let name = values.iter().find(|(_, n)| Some(*n) == number).map(|(name, _)| (*name).to_owned());
    name.unwrap_or_else(|| text.into_owned())
}

/// The value at a path of names as the proto has them; nothing for `null`.
fn find<'t>(value: Value<'t>, path: &[&str]) -> Option<Value<'t>> {
    let Some((name, rest)) = path.split_first() else { return Some(value) };
    if value.kind() != Kind::Object {
        return None;
    }
    let member = value.children().filter(|member| spells(member.raw_key(), name)).last()?;
    if member.kind() == Kind::Null { None } else { find(member, rest) }
}

/// Whether `key` is `name`, in snake_case or camelCase.
fn spells(key: &str, name: &str) -> bool {
    if key == name {
        return true;
    }
    let mut key = key.bytes();
    let mut upper = false;
    for byte in name.bytes() {
        if byte == b'_' {
            upper = true;
            continue;
        }
        let wanted = if upper { byte.to_ascii_uppercase() } else { byte };
        upper = false;
        if key.next() != Some(wanted) {
            return false;
        }
    }
    key.next().is_none()
}

/// Whether there is something in it. What protobuf writes like an absent field (an empty text, `0`, `false`) is nothing,
/// and so are lists and objects that hold nothing else.
fn is_filled(value: Value<'_>) -> bool {
    match value.kind() {
        Kind::Array | Kind::Object => value.children().any(is_filled),
        Kind::Text => value.raw().len() > 2,
        Kind::Number => {
            value.raw().bytes().take_while(|b| !b"eE".contains(b)).any(|b| matches!(b, b'1'..=b'9'))
        }
        Kind::Bool => value.raw() == "true",
        Kind::Null => false,
    }
}

/// Whether the message at this field is a noun: one without content tells nobody.
fn is_noun(name: &str) -> bool {
    index().root().field(name).is_some_and(|entry| entry.field.kind == schema::Type::Message("Noun"))
}

impl NeededPart {
    fn is_in(&self, event: Value<'_>) -> bool {
        let Some(value) = find(event, &self.path) else { return false };
        match self.holds {
            // `extensions.auth: {}` says something; an empty noun does not.
            Holds::Anything
                if value.kind() == Kind::Object && !(self.path.len() == 1 && is_noun(self.path[0])) =>
            {
                true
            }
            Holds::Anything => is_filled(value),
            Holds::Machine => MACHINE.iter().any(|path| find(value, path).is_some_and(is_filled)),
            Holds::User => USER.iter().any(|field| find(value, &["user", field]).is_some_and(is_filled)),
            Holds::This(wanted) => value.text() == wanted,
        }
    }

    fn words(&self) -> String {
        let path = self.path.join(".");
        match self.holds {
            Holds::Anything => format!("`{path}`"),
            Holds::Machine => {
                format!("a machine in `{path}` (hostname, ip, mac, asset_id, or those of asset)")
            }
            Holds::User => format!("a user in `{path}` (user.userid or another name of the user)"),
            Holds::This(value) => format!("`{path}` = {value}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::udm;

    #[test]
    fn every_rule_names_what_exists() {
        let types: Vec<&str> =
            schema::enumeration("Metadata.EventType").unwrap().values.iter().map(|(name, _)| *name).collect();
        let needs = read();
        assert_eq!(needs.values().map(Vec::len).sum::<usize>(), RULES.lines().count() - 1);
        for (event_type, needs) in &needs {
            assert!(types.contains(event_type), "{event_type}");
            for part in needs.iter().flat_map(|need| &need.any) {
                let mut message = udm::message("UDM");
                for name in &part.path {
                    let field =
                        message.and_then(|m| m.field(name)).unwrap_or_else(|| panic!("{name} in {part:?}"));
                    message = match field.kind {
                        schema::Type::Message(name) => udm::message(name),
                        _ => None,
                    };
                }
            }
        }
        assert!(spells("eventTimestamp", "event_timestamp") && spells("ip", "ip"));
        assert!(!spells("eventTimestam", "event_timestamp") && !spells("eventTimestamps", "event_timestamp"));
    }

    /// Puts a value at a path of an event.
    fn put(event: &mut serde_json::Value, path: &[&str], value: serde_json::Value) {
        match path {
            [] => *event = value,
            [name, rest @ ..] => {
                if !event.is_object() {
                    *event = serde_json::json!({});
                }
                put(&mut event[*name], rest, value);
            }
        }
    }

    fn at<'v>(event: &'v serde_json::Value, path: &[&str]) -> Option<&'v serde_json::Value> {
        path.iter().try_fold(event, |value, name| value.get(name))
    }

    /// An event of this type that has the first part of each of these needs.
    fn event_with<'n>(event_type: &str, needs: impl Iterator<Item = &'n Need>) -> String {
        let mut event = serde_json::json!({
            "metadata": {"event_timestamp": "2024-01-01T00:00:00Z", "event_type": event_type},
            "src": {"hostname": "s"},
        });
        for need in needs {
            let part = &need.any[0];
            let mut path = part.path.clone();
            let value = match part.holds {
                Holds::This(value) => value.into(),
                Holds::Machine => {
                    path.push("hostname");
                    "h".into()
                }
                Holds::User => {
                    path.extend(["user", "userid"]);
                    "u".into()
                }
                Holds::Anything => match path.last() {
                    Some(&"target") => serde_json::json!({"hostname": "t"}),
                    Some(&("url" | "registry_key" | "name" | "application")) => "urn:x".into(),
                    Some(&"ip_protocol") => "TCP".into(),
                    Some(&"application_protocol") => "HTTP".into(),
                    _ => serde_json::json!({}),
                },
            };
            if at(&event, &path).is_none() {
                put(&mut event, &path, value);
            }
        }
        event.to_string()
    }

    #[test]
    fn without_one_part_that_part_and_nothing_else_is_missed() {
        let found = |text: &str| {
            let mut all = Vec::new();
            let mut validator = crate::check::validate::Validator::default();
            validator.check(text.as_bytes(), &mut |f| all.push((f.code, f.path)));
            all
        };
        let mut broken = 0;
        for (event_type, needs) in read() {
            assert_eq!(found(&event_with(event_type, needs.iter())), [], "{event_type}");
            for (left_out, need) in needs.iter().enumerate() {
                let others =
                    needs.iter().enumerate().filter(|(place, _)| *place != left_out).map(|(_, need)| need);
                let text = event_with(event_type, others);
                // Another need may lie inside of this one.
                let mut tree = crate::json::Tree::default();
                let value = tree.read(text.as_bytes()).unwrap();
                if need.any.iter().any(|part| part.is_in(value)) {
                    continue;
                }
                assert_eq!(found(&text), [(need.code, need.any[0].path.join("."))], "{text}");
                broken += 1;
            }
        }
        assert!(broken > 100, "{broken}");
    }
}
