//! UDM's fields by words of their names, types and enum values.

use super::schema::{Cardinality, Field, Type, enumeration, message};
use std::collections::{HashSet, VecDeque};

/// How many levels of messages are looked through.
const MOST_LEVELS: usize = 5;

/// A field that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundField {
    /// Its path, as mapping tables write it.
    pub path: String,
    /// What it holds, in a word or two.
    pub holds: String,
    /// The values of its enum that fit; all, if something else of the field does.
    pub values: Vec<&'static str>,
}

/// The fields of which the path, the type or a value of the enum has all of these words in it, case aside. Those at the top
/// come first.
pub fn search(words: &[String]) -> Vec<FoundField> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let mut found = Vec::new();
    // `principal` stands for the other nouns at the top, which have the same fields.
    let mut nouns = HashSet::new();
    let mut left = VecDeque::from([(String::new(), vec!["UDM"])]);
    while let Some((before, chain)) = left.pop_front() {
        for field in chain.last().and_then(|name| message(name)).iter().flat_map(|message| &message.fields) {
            let path = format!("{before}{}", field.name);
            let repeated = field.cardinality == Cardinality::Repeated;
            found.extend(fits(&words, field, format!("{path}{}", if repeated { "[]" } else { "" })));
            if let Type::Message(inner) = field.kind
                && !chain.contains(&inner)
                && chain.len() < MOST_LEVELS
                && (chain.len() > 1 || nouns.insert(inner))
            {
                let chain = chain.iter().copied().chain([inner]).collect();
                left.push_back((format!("{path}{}.", if repeated { "[0]" } else { "" }), chain));
            }
        }
    }
    found
}

fn fits(words: &[String], field: &Field, path: String) -> Option<FoundField> {
    let holds = holds(field);
    let values = match field.kind {
        Type::Enum(name) => enumeration(name).map(|found| &found.values),
        _ => None,
    };
    let all: Vec<&'static str> = values.into_iter().flatten().map(|(value, _)| *value).collect();
    let about = format!("{path} {holds}").to_lowercase();
    // What is not in the field's name or type must be in a value.
    let rest: Vec<&String> = words.iter().filter(|word| !about.contains(word.as_str())).collect();
    let has = |value: &&&str| rest.iter().all(|word| value.to_lowercase().contains(word.as_str()));
    let values: Vec<&'static str> = all.iter().filter(has).copied().collect();
    (rest.is_empty() || !values.is_empty()).then_some(FoundField { path, holds, values })
}

fn holds(field: &Field) -> String {
    match field.kind {
        Type::String => "text".into(),
        Type::Bytes => "bytes".into(),
        Type::Bool => "boolean".into(),
        Type::Integer { .. } => "whole number".into(),
        Type::Float { .. } => "number".into(),
        Type::Enum(name) => format!("enum {name}"),
        Type::Message(name) => format!("message {name}"),
        Type::Timestamp => "time".into(),
        Type::Foreign(name) => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name_type_and_value() {
        let find = |text: &str| search(&text.split(' ').map(str::to_owned).collect::<Vec<_>>());
        let paths = |text: &str| find(text).into_iter().map(|it| it.path).collect::<Vec<_>>();
        assert!(paths("USERID").contains(&"principal.user.userid".to_owned()));
        assert!(paths("labels resource").iter().any(|path| path == "principal.resource.attribute.labels[]"));
        let found = find("event_type user_login");
        assert_eq!(
            (found[0].path.as_str(), &found[0].values[..]),
            ("metadata.event_type", &["USER_LOGIN"][..])
        );
        assert!(find("no-such-thing").is_empty());
        // No path comes twice.
        let all = search(&[]);
        let unique: HashSet<&String> = all.iter().map(|it| &it.path).collect();
        assert!(all.len() > 500 && unique.len() == all.len(), "{}", all.len());
    }
}
