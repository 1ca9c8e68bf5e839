//! Grok's predefined patterns, and what a pattern that names them is as a regex.

use std::collections::HashMap;
use std::sync::OnceLock;

/// A number from 0 to 255.
macro_rules! octet {
    () => {
        "(?:2(?:[0-4][0-9]?|5[0-5]?|[6-9])?|[01](?:[0-9][0-9]?)?|[3-9][0-9]?)"
    };
}

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

/// A pattern as a regex.
#[derive(Debug)]
pub(super) struct Expanded {
    pub(super) regex: String,
    /// The token that gets the rest of the line behind what the regex finds.
    pub(super) rest: Option<String>,
    /// A far smaller regex that finds the same in texts without [`may_have_ipv6`]; the same groups have names.
    pub(super) without_ipv6: Option<String>,
}

/// The regex of a pattern: `%{NAME}` and `%{NAME:token}` are put in.
///
/// # Errors
/// The name of a pattern that is not known, or why it can't be made.
pub(super) fn expand(pattern: &str) -> Result<Expanded, String> {
    let (pattern, rest) = without_rest(pattern);
    let mut regex = String::new();
    put(pattern, 0, &|_, known| known, &mut regex)?;
    let mut without = String::new();
    let simpler = |name: &str, known| match name {
        "IPV6" => NEVER,
        "IPV4" => IPV4,
        _ => known,
    };
    put(pattern, 0, &simpler, &mut without)?;
    let without_ipv6 = Some(without).filter(|without| *without != regex);
    Ok(Expanded { regex, rest: rest.map(str::to_owned), without_ipv6 })
}

/// A pattern without the `%{GREEDYDATA:token}` at its end, and that token. It takes the rest of the line, whatever that
/// is, so no regex has to look for it; without a token it does nothing at all.
fn without_rest(pattern: &str) -> (&str, Option<&str>) {
    let whole = (pattern, None);
    let Some((before, last)) = pattern.rsplit_once("%{GREEDYDATA") else { return whole };
    let Some(token) = last.strip_suffix('}') else { return whole };
    let token = match token.strip_prefix(':').map(|token| token.trim_start_matches(':')) {
        Some(token) if !token.is_empty() => Some(token),
        _ if token.trim_start_matches(':').is_empty() => None,
        _ => return whole,
    };
    if is_whole(before) { (before, token) } else { whole }
}

/// Whether what follows a pattern comes after all of it: not in a group, a class or an escape, not as one of
/// alternatives, and with no flags set.
fn is_whole(pattern: &str) -> bool {
    let (mut depth, mut in_class) = (0, false);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => match rest.chars().next() {
                None | Some('Q') => return false,
                Some(escaped) => rest = &rest[escaped.len_utf8()..],
            },
            // The name of a class, or a bracket as the first of its members.
            '[' if in_class => return false,
            '[' if rest.starts_with(']') || rest.starts_with("^]") => return false,
            '[' => in_class = true,
            ']' => in_class = false,
            _ if in_class => {}
            '(' if rest.starts_with('?')
                && !["?:", "?P<", "?<"].iter().any(|start| rest.starts_with(start)) =>
            {
                return false;
            }
            '(' => depth += 1,
            ')' => depth -= 1,
            '|' if depth == 0 => return false,
            _ => {}
        }
    }
    depth == 0 && !in_class
}

/// A regex that matches nothing.
const NEVER: &str = r"[^\x00-\x{10FFFF}]";

/// What the pattern `IPV4` finds, and in the same order, longest first. Here the next character always says how it goes
/// on, so the crate `regex` needs no backtracking.
const IPV4: &str = concat!(octet!(), "[.]", octet!(), "[.]", octet!(), "[.]", octet!());

/// Whether the pattern `IPV6` may match somewhere in a text: all that it matches begins with hexadecimal digits, colons
/// and dots, two colons at least.
pub(super) fn may_have_ipv6(text: &str) -> bool {
    let mut colons = 0;
    for byte in text.bytes() {
        match byte {
            b':' if colons == 1 => return true,
            b':' => colons = 1,
            b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b'.' => {}
            _ => colons = 0,
        }
    }
    false
}

/// Puts the named patterns in; of each, what `choose` makes of its name and regex.
fn put(
    pattern: &str,
    depth: usize,
    choose: &dyn Fn(&str, &'static str) -> &'static str,
    out: &mut String,
) -> Result<(), String> {
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
        put(choose(name, known), depth + 1, choose, out)?;
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
            for regex in [Some(expanded.regex), expanded.without_ipv6].into_iter().flatten() {
                let translated = translate(&regex, Groups::Named).unwrap_or_else(|e| panic!("{name}: {e}"));
                regex::Regex::new(&translated.pattern).unwrap_or_else(|e| panic!("{name}: {e}"));
            }
            count += 1;
        }
        assert_eq!(count, PREDEFINED.lines().filter(|line| !line.starts_with('#')).count());
    }

    #[test]
    fn names_are_put_in() {
        assert_eq!(expand("a %{INT:n} %{INT::m}%{INT}").unwrap().regex, {
            let int = "(?:[+-]?(?:[0-9]+))";
            format!("a (?P<n>{int}) (?P<m>{int})(?:{int})")
        });
        assert!(expand("%{NOPE}").is_err());
        assert_eq!(expand("100%{").unwrap().regex, "100%{");
    }

    #[test]
    fn the_rest_of_a_line_is_left_to_no_regex() {
        let rest = |pattern: &str| {
            let expanded = expand(pattern).unwrap();
            (!expanded.regex.contains(".*"), expanded.rest)
        };
        for (pattern, token) in [
            ("a %{GREEDYDATA:b}", Some("b")),
            ("a %{GREEDYDATA}", None),
            ("%{GREEDYDATA::b}", Some("b")),
            (r"\[[^\]]+(a|b)\\ (?P<c>.)%{GREEDYDATA:b}", Some("b")),
        ] {
            assert_eq!(rest(pattern), (true, token.map(str::to_owned)), "{pattern}");
        }
        for pattern in [
            "a|%{GREEDYDATA:b}",
            "(?s)a%{GREEDYDATA:b}",
            "(a %{GREEDYDATA:b})",
            "a %{GREEDYDATA:b}$",
            r"a\Q[%{GREEDYDATA:b}",
            "[]|]%{GREEDYDATA:b}",
            "[[:alpha:]]%{GREEDYDATA:b}",
        ] {
            assert_eq!(rest(pattern), (false, None), "{pattern}");
        }
    }

    #[test]
    fn without_ipv6_the_same_is_found() {
        let expanded = expand("%{IPORHOST:host}(?::%{INT:port})?").unwrap();
        let (whole, without) = (compiled(&expanded.regex), compiled(&expanded.without_ipv6.unwrap()));
        let ipv6 = compiled(&expand("%{IPV6:ip}").unwrap().regex);
        let mut rest = 1_u64;
        let (mut with, mut compared) = (0, 0);
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..14 {
                rest = rest.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push(['a', 'F', '1', '9', ':', ':', '.', 'z', '%', 'é'][(rest >> 33) as usize % 10]);
            }
            if may_have_ipv6(&text) {
                with += usize::from(ipv6.is_match(&text));
                continue;
            }
            compared += 1;
            assert!(!ipv6.is_match(&text), "{text}");
            assert_eq!(groups(&whole, &text), groups(&without, &text), "{text}");
        }
        assert!(with > 1_000 && compared > 1_000, "{with}, {compared}");
    }

    fn compiled(regex: &str) -> regex::Regex {
        regex::Regex::new(&translate(regex, Groups::Named).unwrap().pattern).unwrap()
    }

    fn groups(regex: &regex::Regex, text: &str) -> Option<[Option<std::ops::Range<usize>>; 2]> {
        let found = regex.captures(text)?;
        Some([1, 2].map(|group| found.get(group).map(|found| found.range())))
    }

    #[test]
    fn addresses_are_found_in_the_same_order() {
        // What follows may take digits of the last number, so that all its lengths are tried.
        for pattern in
            ["%{IPV4:a}(?P<b>.)", "%{IPV4:a}(?P<b>[0-9]{2})", "%{IPV4:a}(?P<b>$)", "(?P<b>[0-9])%{IPV4:a}"]
        {
            let expanded = expand(pattern).unwrap();
            let (whole, simpler) = (compiled(&expanded.regex), compiled(&expanded.without_ipv6.unwrap()));
            for last in 0..10_000_u32 {
                for text in
                    [format!("{last}.1.02.99"), format!("8.255.0.{last}"), format!("1.{last:03}.7.256x")]
                {
                    assert_eq!(groups(&whole, &text), groups(&simpler, &text), "{pattern}: {text}");
                }
            }
        }
    }
}
