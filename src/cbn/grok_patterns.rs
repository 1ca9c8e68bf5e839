//! Grok's predefined patterns, and what a pattern that names them is as a regex.

use std::collections::HashMap;
use std::sync::OnceLock;

const PREDEFINED: &str = include_str!("grok-patterns.txt");

/// How deep patterns may name others.
const DEEPEST: usize = 20;

/// The most bytes of a regex that a pattern makes.
const MOST_BYTES: usize = 1 << 20;

fn predefined() -> &'static HashMap<&'static str, &'static str> {
    static TABLE: OnceLock<HashMap<&'static str, &'static str>> = OnceLock::new();
    TABLE.get_or_init(|| {
        PREDEFINED
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(' '))
            .collect()
    })
}

/// The names of the predefined patterns.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    predefined().keys().copied()
}

/// The regex of a pattern: `%{NAME}` and `%{NAME:token}` are put in.
///
/// # Errors
/// The name of a pattern that is not known, or why it can't be made.
pub(super) fn expand(pattern: &str) -> Result<String, String> {
    let mut out = String::new();
    put(pattern, 0, &mut out)?;
    Ok(out)
}

fn put(pattern: &str, depth: usize, out: &mut String) -> Result<(), String> {
    if depth > DEEPEST || out.len() > MOST_BYTES {
        return Err("it is too large".into());
    }
    let mut rest = pattern;
    while let Some(start) = rest.find("%{") {
        let Some(length) = rest[start..].find('}') else { break };
        let inside = &rest[start + 2..start + length];
        let (name, token) = inside.split_once(':').map_or((inside, None), |(name, token)| {
            (name, Some(token.trim_start_matches(':')).filter(|token| !token.is_empty()))
        });
        let Some(known) = predefined().get(name) else {
            return Err(format!("grok has no pattern `{name}`"));
        };
        out.push_str(&rest[..start]);
        match token {
            Some(token) => {
                out.push_str("(?P<");
                out.push_str(token);
                out.push('>');
            }
            None => out.push_str("(?:"),
        }
        put(known, depth + 1, out)?;
        out.push(')');
        rest = &rest[start + length + 1..];
    }
    out.push_str(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cbn::re2::{Groups, translate};

    #[test]
    fn every_predefined_pattern_compiles() {
        let mut count = 0;
        for name in names() {
            let expanded = expand(&format!("%{{{name}:x}}")).unwrap();
            let translated = translate(&expanded, Groups::Named).unwrap_or_else(|e| panic!("{name}: {e}"));
            regex::Regex::new(&translated.pattern).unwrap_or_else(|e| panic!("{name}: {e}"));
            count += 1;
        }
        assert_eq!(count, PREDEFINED.lines().filter(|line| !line.starts_with('#')).count());
    }

    #[test]
    fn names_are_put_in() {
        assert_eq!(expand("a %{INT:n} %{INT::m}%{INT}").unwrap(), {
            let int = "(?:[+-]?(?:[0-9]+))";
            format!("a (?P<n>{int}) (?P<m>{int})(?:{int})")
        });
        assert!(expand("%{NOPE}").is_err());
        assert_eq!(expand("100%{").unwrap(), "100%{");
    }
}
