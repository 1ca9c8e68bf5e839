//! Regexes in RE2's dialect, which parsers are written in, made into those of the crate `regex`.
//!
//! Both are linear in the text. They differ in what `\d`, `\s`, `\w` and `\b` mean (ASCII alone in RE2), in which escapes
//! there are, and in what a bracket holds. What RE2 does not have (lookaround, back references, atomic groups, possessive
//! repetition) is refused, as Google refuses it.

use std::fmt::Write as _;

/// Which groups are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Groups {
    /// All, by number and name: replacements name them.
    All,
    /// Those with a name.
    Named,
    None,
}

/// A regex as the crate `regex` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Translated {
    pub(super) pattern: String,
    /// The names of the groups from 1 on.
    pub(super) names: Vec<Option<String>>,
}

/// The classes that have names.
const CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// RE2's limit of a counted repetition, and of repetitions in one another.
const MOST_REPEATED: u32 = 1000;

/// Translates a regex.
///
/// # Errors
/// Why RE2 does not take it.
pub(super) fn translate(pattern: &str, groups: Groups) -> Result<Translated, String> {
    let mut translator = Translator { rest: pattern, groups, out: String::new(), names: Vec::new() };
    translator.all()?;
    Ok(Translated { pattern: translator.out, names: translator.names })
}

struct Translator<'t> {
    rest: &'t str,
    groups: Groups,
    out: String,
    names: Vec<Option<String>>,
}

/// What a class of Perl's has, in the brackets of a class.
fn perl_class(c: char) -> Option<&'static str> {
    Some(match c {
        'd' => "0-9",
        's' => r"\t\n\x0c\r ",
        'w' => "0-9A-Za-z_",
        'D' => "[^0-9]",
        'S' => r"[^\t\n\x0c\r ]",
        'W' => "[^0-9A-Za-z_]",
        _ => return None,
    })
}

impl<'t> Translator<'t> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn all(&mut self) -> Result<(), String> {
        // Whether a repetition came just before.
        let mut repeated = false;
        // How often what came just before repeats what is in it at most, and the same of each open group.
        let mut times = 1;
        let mut open = vec![1];
        while let Some(c) = self.next() {
            let again = std::mem::take(&mut repeated);
            let before = std::mem::replace(&mut times, 1);
            match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => {
                    if self.group()? {
                        open.push(1);
                    }
                }
                ')' => {
                    self.out.push(c);
                    times = if open.len() > 1 { open.pop().unwrap_or(1) } else { 1 };
                }
                '*' | '+' | '?' => {
                    if again {
                        return Err("a repetition follows a repetition".into());
                    }
                    self.out.push(c);
                    self.lazy();
                    (repeated, times) = (true, before);
                }
                '{' => match self.counted()? {
                    Some(_) if again => return Err("a repetition follows a repetition".into()),
                    Some((count, most)) => {
                        times = before * most.max(1);
                        if times > MOST_REPEATED {
                            return Err(format!("nested repetitions of more than {MOST_REPEATED} times"));
                        }
                        self.out.push_str(count);
                        self.lazy();
                        repeated = true;
                    }
                    None => self.out.push_str(r"\{"),
                },
                '}' | ']' => {
                    self.out.push('\\');
                    self.out.push(c);
                }
                c => self.out.push(c),
            }
            if let Some(group) = open.last_mut() {
                *group = times.max(*group);
            }
        }
        Ok(())
    }

    fn lazy(&mut self) {
        if self.take("?") {
            self.out.push('?');
        }
    }

    /// `{2}`, `{2,}`, `{2,3}` behind the bracket, and the larger of the numbers; anything else is text.
    fn counted(&mut self) -> Result<Option<(&'t str, u32)>, String> {
        let Some(end) = self.rest.find('}') else { return Ok(None) };
        let inside = &self.rest[..end];
        let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if least.is_empty() || !digits(least) || !digits(most) {
            return Ok(None);
        }
        let too_many = |text: &str| !text.is_empty() && text.parse().map_or(true, |n: u32| n > MOST_REPEATED);
        if too_many(least) || too_many(most) {
            return Err(format!("a repetition of more than {MOST_REPEATED} times"));
        }
        let most = if most.is_empty() { least } else { most }.parse().unwrap_or(1);
        // With its brackets, both of which are one byte before and behind what is here.
        let counted = &self.rest[..=end];
        self.rest = &self.rest[end + 1..];
        self.out.push('{');
        Ok(Some((counted, most)))
    }

    /// Reads what is behind the bracket of a group; whether that opens one, as flags alone do not.
    fn group(&mut self) -> Result<bool, String> {
        if !self.take("?") {
            match self.groups {
                Groups::All => {
                    self.names.push(None);
                    self.out.push('(');
                }
                Groups::Named | Groups::None => self.out.push_str("(?:"),
            }
            return Ok(true);
        }
        for (sign, what) in [
            ("=", "a lookahead"),
            ("!", "a lookahead"),
            ("<=", "a lookbehind"),
            ("<!", "a lookbehind"),
            (">", "an atomic group"),
            ("P=", "a back reference"),
            ("P>", "a recursion"),
            ("#", "a comment"),
            ("|", "a branch reset"),
        ] {
            if self.rest.starts_with(sign) {
                return Err(format!("`(?{sign}` is {what}, which RE2 does not have"));
            }
        }
        if self.take("P<") || self.take("<") {
            let Some((name, rest)) = self.rest.split_once('>') else {
                return Err("the name of a group does not end".into());
            };
            if name.is_empty() || name.contains(['(', ')', '<']) {
                return Err("a group has no name where one is expected".into());
            }
            self.rest = rest;
            if self.groups == Groups::None {
                self.out.push_str("(?:");
            } else {
                self.names.push(Some(name.to_owned()));
                self.out.push('(');
            }
            return Ok(true);
        }
        let end = self.rest.find([':', ')']).ok_or("a group does not end")?;
        let flags = &self.rest[..end];
        if !flags.chars().all(|c| matches!(c, 'i' | 'm' | 's' | 'U' | '-')) {
            return Err(format!("`(?{flags}` is not a group that RE2 has"));
        }
        // The sign behind the flags is a byte.
        let _ = write!(self.out, "(?{}", &self.rest[..=end]);
        let opens = self.rest[end..].starts_with(':');
        self.rest = &self.rest[end + 1..];
        Ok(opens)
    }

    fn escape(&mut self) -> Result<(), String> {
        let c = self.next().ok_or("a backslash at the end")?;
        if let Some(class) = perl_class(c) {
            let _ = match class.strip_prefix('[') {
                Some(_) => write!(self.out, "{class}"),
                None => write!(self.out, "[{class}]"),
            };
            return Ok(());
        }
        match c {
            'b' => self.out.push_str(r"(?-u:\b)"),
            'B' => self.out.push_str(r"(?-u:\B)"),
            'A' | 'z' => {
                self.out.push('\\');
                self.out.push(c);
            }
            'Q' => {
                let (literal, rest) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
                self.rest = rest;
                literal.chars().for_each(|c| self.literal(c));
            }
            'p' | 'P' => self.property(c)?,
            _ => {
                let c = self.escaped(c)?;
                self.literal(c);
            }
        }
        Ok(())
    }

    /// The character that an escape means.
    fn escaped(&mut self, c: char) -> Result<char, String> {
        Ok(match c {
            'a' => '\x07',
            'f' => '\x0c',
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'v' => '\x0b',
            '1'..='7' if !self.peek().is_some_and(|next| next.is_digit(8)) => {
                return Err(format!("`\\{c}` is a back reference, which RE2 does not have"));
            }
            '0'..='7' => {
                let mut code = c.to_digit(8).unwrap_or_default();
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(|next| next.to_digit(8)) else { break };
                    self.next();
                    code = code * 8 + digit;
                }
                char::from_u32(code).ok_or("an escape is not a character")?
            }
            'x' => {
                let digits = if self.take("{") {
                    let (digits, rest) = self.rest.split_once('}').ok_or("an escape does not end")?;
                    self.rest = rest;
                    digits
                } else {
                    let digits = self.rest.get(..2).ok_or("an escape does not end")?;
                    self.rest = &self.rest[2..];
                    digits
                };
                let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                code.ok_or_else(|| format!("`\\x{{{digits}}}` is not a character"))?
            }
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
            c => return Err(format!("`\\{c}` is not an escape that RE2 has")),
        })
    }

    fn property(&mut self, sign: char) -> Result<(), String> {
        let name = if self.take("{") {
            let (name, rest) = self.rest.split_once('}').ok_or("a class does not end")?;
            self.rest = rest;
            name
        } else {
            let c = self.peek().ok_or("a class has no name")?;
            let name = &self.rest[..c.len_utf8()];
            self.rest = &self.rest[c.len_utf8()..];
            name
        };
        let (sign, name) = match name.strip_prefix('^') {
            Some(name) => (if sign == 'p' { 'P' } else { 'p' }, name),
            None => (sign, name),
        };
        let _ = write!(self.out, "\\{sign}{{{name}}}");
        Ok(())
    }

    /// A character that means itself.
    fn literal(&mut self, c: char) {
        if c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii() {
            self.out.push(c);
        } else {
            let _ = write!(self.out, "\\x{{{:x}}}", u32::from(c));
        }
    }

    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.take("^") {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            let c = self.next().ok_or("a bracket does not end")?;
            if c == ']' && !is_first {
                break;
            }
            is_first = false;
            if c == '[' && self.rest.starts_with(':') {
                let end = self.rest.find(":]");
                let name = end.map(|end| &self.rest[1..end]);
                let is_name = |name: &str| name.chars().all(|c| c == '^' || c.is_ascii_lowercase());
                if let Some(name) = name.filter(|name| !name.is_empty() && is_name(name)) {
                    if !CLASSES.contains(&name.trim_start_matches('^')) {
                        return Err(format!("RE2 has no class `[:{name}:]`"));
                    }
                    let _ = write!(self.out, "[:{name}:]");
                    self.rest = &self.rest[name.len() + 3..];
                    continue;
                }
            }
            if c == '\\' {
                if let Some(class) = self.peek().and_then(perl_class) {
                    self.next();
                    self.out.push_str(class);
                    continue;
                }
                if let Some(sign @ ('p' | 'P')) = self.peek() {
                    self.next();
                    self.property(sign)?;
                    continue;
                }
            }
            let low = self.class_char(c)?;
            self.literal(low);
            let is_range = self.rest.starts_with('-') && !self.rest.starts_with("-]") && self.rest.len() > 1;
            if is_range {
                self.next();
                let c = self.next().ok_or("a bracket does not end")?;
                let high = self.class_char(c)?;
                if high < low {
                    return Err(format!("the range `{low}-{high}` is empty"));
                }
                self.out.push('-');
                self.literal(high);
            }
        }
        self.out.push(']');
        Ok(())
    }

    fn class_char(&mut self, c: char) -> Result<char, String> {
        if c != '\\' {
            return Ok(c);
        }
        let c = self.next().ok_or("a backslash at the end")?;
        self.escaped(c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    fn finds(pattern: &str, text: &str) -> Option<String> {
        let translated = translate(pattern, Groups::All).unwrap();
        let regex = Regex::new(&translated.pattern).unwrap_or_else(|e| panic!("{pattern}: {e}"));
        regex.find(text).map(|found| found.as_str().to_owned())
    }

    #[test]
    fn signs_mean_what_they_mean_in_re2() {
        for (pattern, text, expected) in [
            (r"\d+", "٣4", Some("4")),
            (r"\w+", "é_a1", Some("_a1")),
            (r"\s", "\u{a0}", None),
            (r"[\w-.]+", "a-b.c d", Some("a-b.c")),
            (r"[^\s\]]+", "ab]c", Some("ab")),
            (r"[]a]+", "x]a]", Some("]a]")),
            (r"[[a]+", "x[a[", Some("[a[")),
            (r"[a&&b]+", "x&&ab", Some("&&ab")),
            (r"a{", "a{", Some("a{")),
            (r"{a}", "{a}", Some("{a}")),
            (r"a{,2}", "a{,2}", Some("a{,2}")),
            (r"a{2}", "aaa", Some("aa")),
            (r"a{1,2}?", "aaa", Some("a")),
            (r"\<x\>", "<x>", Some("<x>")),
            (r#"\"\/\_\-"#, "\"/_-", Some("\"/_-")),
            (r"\Qa.b\E.", "a.bc", Some("a.bc")),
            (r"\x41\x{42}\103", "ABC", Some("ABC")),
            (r"(?i)abc", "ABC", Some("ABC")),
            (r"(?P<a.b>x)|y", "y", Some("y")),
            (r"(?<x>a)(b)", "ab", Some("ab")),
            (r"[[:alpha:]]+", "1ab", Some("ab")),
            (r"\bfoo\b", "éfoo", Some("foo")),
            (r".*$", "a\nb", Some("b")),
            (r"[\d-x]+", "1-x", Some("1-x")),
            (r"[+--]", "-", Some("-")),
            (r"\p{Greek}\pL", "αb", Some("αb")),
            (r"\p{^Greek}+", "αb", Some("b")),
            (r"(?:(?:a{10}){10}b{10}){2}|c", "c", Some("c")),
            (r"(?i)(a{500}){2}|c{1000}d{1000}|(?i:e)", "E", Some("E")),
        ] {
            assert_eq!(finds(pattern, text).as_deref(), expected, "{pattern}");
        }
    }

    #[test]
    fn what_re2_does_not_have_is_refused() {
        for pattern in [
            "(?=a)",
            "(?!a)",
            "(?<=a)",
            "(?<!a)",
            "(?>a)",
            r"(a)\1",
            "a**",
            "a+*",
            r"\Z",
            r"\y",
            "(?x)a",
            "a{1001}",
            "(a{100}){11}",
            r"(?:\w{0,500}x){3}",
            "((a{100})*b){11}",
            "(?i)(a{20}b{2,}){51}",
            "[[:foo:]]",
            r"[z-a]",
            "(?P=x)",
            r"\8",
            "[a",
            "(?#x)",
            "a\\",
        ] {
            assert!(translate(pattern, Groups::All).is_err(), "{pattern}");
        }
    }

    #[test]
    fn groups_are_kept_as_asked() {
        let names = |groups| translate("(a)(?P<n>b)(c)", groups).unwrap();
        assert_eq!(names(Groups::All).names, [None, Some("n".into()), None]);
        assert_eq!(names(Groups::Named).names, [Some("n".to_owned())]);
        assert_eq!(names(Groups::Named).pattern, "(?:a)(b)(?:c)");
        assert_eq!(names(Groups::None).pattern, "(?:a)(?:b)(?:c)");
    }
}
