//! UDM's fields that a raw field may go to, the likeliest first.

use crate::udm::{self, FoundField, Type};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::OnceLock;

/// How many fields are listed.
const MOST: usize = 60;
/// How many values of an enum are listed.
const MOST_VALUES: usize = 200;
/// The longest query that is read, in characters.
const LONGEST: usize = 200;

/// What is asked.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    query: String,
    /// A value of the raw field.
    #[serde(default)]
    value: Option<String>,
    /// The raw field: what is likely if nothing is asked.
    #[serde(default)]
    field: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Answer {
    fields: Vec<FieldView>,
    more: bool,
}

#[derive(Debug, Serialize)]
struct FieldView {
    path: String,
    #[serde(rename = "type")]
    kind: String,
    label: String,
    values: Vec<&'static str>,
    repeated: bool,
    score: i32,
}

/// A field, as it is searched.
struct Known {
    found: FoundField,
    /// Path and type in small letters.
    about: String,
    /// The words of the last name.
    last: String,
    levels: usize,
}

/// Fields that hold what a table can give.
fn known() -> &'static [Known] {
    static KNOWN: OnceLock<Vec<Known>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let known = |found: FoundField| {
            let about = format!("{} {}", found.path, found.holds).to_lowercase();
            let last = found.path.trim_end_matches("[]").rsplit('.').next().unwrap_or_default().to_owned();
            Known { about, last, levels: found.path.matches('.').count(), found }
        };
        udm::search(&[]).into_iter().filter(can_be_filled).map(known).collect()
    })
}

fn can_be_filled(field: &FoundField) -> bool {
    match field.holds.split_once(' ') {
        Some(("message", name)) => udm::is_label(name) && field.path.ends_with("[]"),
        _ => {
            field.holds == "google.protobuf.Struct" && field.path == "additional"
                || !field.holds.starts_with("google.") && field.holds != "bytes"
        }
    }
}

/// The nouns at the top of an event, which have the fields of `principal`.
fn nouns() -> impl Iterator<Item = &'static str> {
    let fields = udm::message("UDM").map_or(&[][..], |udm| &udm.fields);
    fields.iter().filter(|field| field.kind == Type::Message("Noun")).map(|field| field.name)
}

pub(super) fn search(asked: &Asked) -> Answer {
    let query: String = asked.query.chars().take(LONGEST).collect::<String>().to_lowercase();
    let mut words: Vec<&str> = query
        .split(|c: char| c.is_whitespace() || matches!(c, '.' | '[' | ']'))
        .filter(|word| !word.is_empty())
        .collect();
    // The others are found as principal's.
    let noun = words.iter().find_map(|word| nouns().find(|noun| *noun == *word && *noun != "principal"));
    words.retain(|word| Some(*word) != noun);
    let is_asked = !words.is_empty() || noun.is_some();
    let hints: Vec<String> = match &asked.field {
        Some(field) if !is_asked => split(&field.chars().take(LONGEST).collect::<String>()),
        _ => Vec::new(),
    };
    let value = asked.value.as_deref().map(kind_of_value);
    let is_id = hints.last().is_some_and(|word| matches!(word.as_str(), "id" | "uuid" | "guid"));
    let mut found: Vec<(i32, &Known, Vec<&'static str>)> = Vec::new();
    for known in known() {
        if noun.is_some() && !known.found.path.starts_with("principal.") {
            continue;
        }
        let rest: Vec<&&str> = words.iter().filter(|word| !known.about.contains(**word)).collect();
        // What is not in the field's name or type must be in a value.
        let fits = |value: &&&str| rest.iter().all(|word| value.to_lowercase().contains(**word));
        let values: Vec<&'static str> = known.found.values.iter().filter(fits).copied().collect();
        if !rest.is_empty() && values.is_empty() {
            continue;
        }
        let mut score = words.iter().map(|word| of_word(known, word)).sum::<i32>();
        score += hints.iter().map(|word| of_word(known, word)).sum::<i32>();
        score += value.map_or(0, |value| of_value(known, value));
        // The name of a record goes where SecOps expects it.
        if is_id && known.found.path == "metadata.product_log_id" {
            score += 25;
        }
        // Fields near the top are used more, and those of the noun that acts.
        score -= 4 * i32::try_from(known.levels).unwrap_or(0);
        let is_usual = ["principal.", "metadata."].iter().any(|top| known.found.path.starts_with(top));
        score += if is_usual { 12 } else { 0 };
        found.push((score, known, values));
    }
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.found.path.len().cmp(&b.1.found.path.len())));
    let more = found.len() > MOST;
    let view = |(score, known, values): (i32, &Known, Vec<&'static str>)| {
        let path = match noun {
            Some(noun) => with_noun(&known.found.path, noun),
            None => known.found.path.clone(),
        };
        FieldView {
            repeated: path.ends_with("[]"),
            path,
            kind: known.found.holds.clone(),
            label: known.last.replace('_', " "),
            values: values.into_iter().take(MOST_VALUES).collect(),
            score,
        }
    };
    Answer { fields: found.into_iter().take(MOST).map(view).collect(), more }
}

/// The path with another noun than `principal`; of a noun that is repeated, its first element.
fn with_noun(path: &str, noun: &str) -> String {
    let field = udm::message("UDM").and_then(|udm| udm.field(noun));
    let is_list = field.is_some_and(|field| field.cardinality == udm::Cardinality::Repeated);
    let element = if is_list { "[0]" } else { "" };
    format!("{noun}{element}{}", path.strip_prefix("principal").unwrap_or(path))
}

/// The words of a raw field's name: `userName` and `user_name` have two.
fn split(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() && was_small {
            words.push(String::new());
        }
        was_small = c.is_lowercase();
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| word.len() > 1);
    words
}

fn of_word(known: &Known, word: &str) -> i32 {
    let (path, last) = (&known.about, &known.last);
    match () {
        () if last == word => 40,
        () if last.split('_').any(|part| part == word) => 25,
        () if last.starts_with(word) => 18,
        () if last.contains(word) => 12,
        () if path.split(['.', '_', '[', ']', ' ']).any(|part| part == word) => 10,
        () if path.contains(word) => 4,
        () => 0,
    }
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looks {
    Ip,
    Mac,
    Email,
    Url,
    Hash,
    Phone,
    Time,
    Number,
    Hostname,
    Other,
}

fn kind_of_value(value: &str) -> Looks {
    let value = value.trim().trim_matches('"');
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    match () {
        () if value.is_empty() || value.len() > 2_000 => Looks::Other,
        () if value.parse::<IpAddr>().is_ok() => Looks::Ip,
        () if value.len() == 17
            && value.split([':', '-']).count() == 6
            && value.split([':', '-']).all(is_hex) =>
        {
            Looks::Mac
        }
        () if value.contains("://") => Looks::Url,
        () if value.split('@').filter(|part| !part.is_empty()).count() == 2 && !value.contains(' ') => {
            Looks::Email
        }
        () if is_hex(value) && matches!(value.len(), 32 | 40 | 64) => Looks::Hash,
        () if value.len() >= 10
            && value.as_bytes()[4] == b'-'
            && value[..4].bytes().all(|b| b.is_ascii_digit()) =>
        {
            Looks::Time
        }
        () if value.starts_with('+') && (7..=15).contains(&digits) => Looks::Phone,
        () if digits == value.len() => Looks::Number,
        () if value.contains('.')
            && !value.contains(' ')
            && value.bytes().any(|b| b.is_ascii_alphabetic()) =>
        {
            Looks::Hostname
        }
        () => Looks::Other,
    }
}

fn of_value(known: &Known, value: Looks) -> i32 {
    let (last, holds) = (known.last.as_str(), known.found.holds.as_str());
    let fits = match value {
        Looks::Ip => last == "ip" || last.ends_with("_ip"),
        Looks::Mac => last == "mac",
        Looks::Email => last.contains("email"),
        Looks::Url => last == "url" || last.ends_with("_url"),
        Looks::Hash => matches!(last, "md5" | "sha1" | "sha256"),
        Looks::Phone => last.contains("phone"),
        Looks::Time => holds == "time",
        Looks::Number => holds.ends_with("number"),
        Looks::Hostname => matches!(last, "hostname" | "domain" | "name"),
        Looks::Other => false,
    };
    // A text is not a time, and a name is not a number.
    let never = match value {
        Looks::Time => holds != "time" && holds != "text",
        Looks::Number => holds == "time" && known.levels > 1,
        Looks::Other | Looks::Ip | Looks::Email | Looks::Hostname => {
            holds == "time" || holds.ends_with("number") || holds == "boolean"
        }
        _ => false,
    };
    if fits {
        30
    } else if never {
        -30
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(query: &str, value: &str, field: &str) -> Vec<String> {
        let asked = Asked {
            query: query.to_owned(),
            value: Some(value.to_owned()),
            field: (!field.is_empty()).then(|| field.to_owned()),
        };
        search(&asked).fields.into_iter().map(|field| field.path).collect()
    }

    #[test]
    fn the_likeliest_field_comes_first() {
        for (query, value, field, first) in [
            ("userid", "jdoe", "", "principal.user.userid"),
            ("target userid", "jdoe", "", "target.user.userid"),
            ("intermediary hostname", "a.example", "", "intermediary[0].hostname"),
            ("metadata.description", "x", "", "metadata.description"),
            ("", "10.0.0.1", "client_ip", "principal.ip[]"),
            ("", "a@example.com", "userEmail", "principal.user.email_addresses[]"),
            ("hostname", "", "", "principal.hostname"),
            ("", "220f89ff-bff8-4466-b6cb-b7787940ce68", "telephony_id", "metadata.product_log_id"),
            ("additional", "", "", "additional"),
        ] {
            let found = paths(query, value, field);
            let place = found.iter().position(|path| path == first);
            assert!(
                place.is_some_and(|place| place < 2),
                "{query} {value} {field}: {:?}",
                &found[..found.len().min(8)]
            );
        }
    }

    #[test]
    fn all_that_is_found_can_be_filled_and_is_bounded() {
        for query in ["", "a", "labels", "user_login", "é", "..", &"x".repeat(10_000)] {
            let answer = search(&Asked { query: query.to_owned(), value: None, field: None });
            assert!(answer.fields.len() <= MOST);
            for field in &answer.fields {
                assert!(udm::Path::parse(&field.path).is_ok(), "{}", field.path);
            }
        }
        assert!(!paths("", "", "").is_empty());
        let found = search(&Asked { query: "event_type user_login".to_owned(), value: None, field: None });
        assert_eq!(found.fields[0].values, ["USER_LOGIN"]);
    }

    #[test]
    fn names_are_split_into_words() {
        assert_eq!(split("accessDevice.ip_address"), ["access", "device", "ip", "address"]);
        assert_eq!(kind_of_value("2024-01-01T00:00:00Z"), Looks::Time);
        for odd in ["é", "éééé-éé-éé", "", "+", "a:b:c:d:e:f"] {
            kind_of_value(odd);
        }
    }
}
