//! Text that comes from outside (logs, keys, file names, answers of servers), made fit to be shown.
//!
//! Whatever udmap prints, writes to a report or hands to a log goes through [`escaped`], [`shown`] or their like first,
//! so that no input can move a cursor, set a colour, reorder a line, start a new one, give a command to a CI service,
//! or tell a password. What a format asks for beyond that (XML, HTML, Markdown) its writer adds on top.

#[cfg(feature = "bucket")]
mod encode;
mod line_index;
mod next_text;

#[cfg(feature = "cli")]
pub(crate) use encode::percent_encoded_path;
#[cfg(feature = "bucket")]
pub(crate) use encode::{hex, percent_encoded, unhex};
pub(crate) use line_index::LineIndex;
pub(crate) use next_text::NextText;

use std::borrow::Cow;
#[cfg(feature = "bucket")]
use std::cmp::Ordering;
use std::fmt::Write;

/// The most characters of foreign text that [`shown`] keeps.
const MOST: usize = 60;
/// The most characters of a name in a path.
const LONGEST_NAME: usize = 200;

/// `text` on one line, with every character that a terminal or a page could act on as its escape (`\n`, `\u{1b}`).
///
/// Escaped are the control characters (C0, DEL, C1), line and paragraph separators, and the invisible ones that change
/// the direction or the look of a text (Unicode's bidirectional controls, zero-width characters, tags). So are the
/// beginnings of what CI services take for commands in a log: `##[`, `##vso[` and `##teamcity[` anywhere, `::name` at
/// the start, where white space does not count. Passwords in URLs are left out ([`without_passwords`]). Text without
/// any of these is returned as it is; to escape a text twice is to escape it once.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    let text = without_passwords(text);
    let command = begins_command(&text);
    if command.is_none() && !text.contains("##") && !text.contains(acts) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if acts(c) {
            // Writing to a string can't fail.
            let _ = write!(safe, "{}", c.escape_default());
        } else if command == Some(at) || (before == '#' && c == '#' && is_marker(&text[at + 1..])) {
            let _ = write!(safe, "{}", c.escape_unicode());
        } else {
            safe.push(c);
        }
        before = c;
    }
    Cow::Owned(safe)
}

/// The order of paths part by part, as folders are listed: that of their bytes, were `/` the least of them.
#[cfg(feature = "bucket")]
pub(crate) fn by_parts(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let rank = |text: &[u8], at: usize| {
        text.get(at).map(|byte| if *byte == b'/' { 0 } else { 1 + u16::from(*byte) })
    };
    let at = a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
    rank(a, at).cmp(&rank(b, at))
}

/// The first 60 characters of `text`, escaped as by [`escaped`], for use inside a message.
pub(crate) fn shown(text: &str) -> String {
    shown_up_to(text, MOST)
}

/// The first `most` characters of `text`, escaped as by [`escaped`].
pub(crate) fn shown_up_to(text: &str, most: usize) -> String {
    if text.len() <= most {
        return escaped(text).into_owned();
    }
    // A password may begin before the cut and end behind it.
    escaped(&cut(&without_passwords(text), most)).into_owned()
}

/// The first `most` characters of `text` as they are, and a mark if there are more.
pub(crate) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) if text.len() > most => Cow::Owned(format!("{}…", &text[..end])),
        _ => Cow::Borrowed(text),
    }
}

/// A text as one word of a shell: as it is, or in quotes.
#[cfg(feature = "bucket")]
pub(crate) fn shell_word(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=@%+,".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
}

/// `text` with each of its lines as by [`escaped`]: for messages that are meant to have several.
#[cfg(feature = "cli")]
pub(crate) fn escaped_lines(text: &str) -> String {
    text.split('\n').map(escaped).collect::<Vec<_>>().join("\n")
}

/// JSON made by serde_json, with what [`escaped`] would escape as JSON's own escapes: the same values, harmless on a
/// terminal.
#[cfg(feature = "cli")]
pub(crate) fn escaped_json(json: String) -> String {
    // Line ends stand between values; inside of texts serde_json has escaped them.
    let is_inside = |c: char| c >= '\u{7f}' && acts(c);
    if !json.contains(is_inside) && !json.contains("##") {
        return json;
    }
    let mut safe = String::with_capacity(json.len() + 64);
    let mut before = ' ';
    for (at, c) in json.char_indices() {
        if is_inside(c) || (before == '#' && c == '#' && is_marker(&json[at + 1..])) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string can't fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
        before = c;
    }
    safe
}

/// `text` with `***` for the password of every URL in it: `s3://key:***@host/`.
///
/// A password that holds a `/`, as only a mistake writes it, ends at the last `@` of the word.
pub(crate) fn without_passwords(text: &str) -> Cow<'_, str> {
    let mut safe = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(at) = text[from..].find("://") {
        let start = from + at + 3;
        from = start;
        let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
        // A word ends where the next URL begins at the latest, so that the work stays linear.
        let word = &text[start..];
        let word = &word[..word.find("://").unwrap_or(word.len())];
        let word = &word[..word.find(is_end).unwrap_or(word.len())];
        let authority = &word[..word.find(['/', '?', '#']).unwrap_or(word.len())];
        let Some((_, password)) = authority.split_once(':').filter(|(user, _)| !user.starts_with('[')) else {
            continue;
        };
        let end = match authority.rfind('@') {
            Some(end) => end,
            // `host:80/a@b` has a port.
            None if password.bytes().all(|b| b.is_ascii_digit()) => continue,
            None => match word.rfind('@') {
                Some(end) => end,
                None => continue,
            },
        };
        let colon = authority.len() - password.len();
        if end <= colon {
            continue;
        }
        safe.push_str(&text[copied..start + colon]);
        safe.push_str("***");
        copied = start + end;
        from = copied;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    safe.push_str(&text[copied..]);
    Cow::Owned(safe)
}

/// Adds one more step to a path. Long names are cut, and what comes behind 2,000 bytes is one `…`: a path stays small,
/// however long the keys of a log are and however deep it nests.
pub(crate) fn add_to_path(path: &mut String, step: std::fmt::Arguments<'_>) {
    const LONGEST: usize = 2_000;
    struct Room<'p>(&'p mut String);
    impl Write for Room<'_> {
        fn write_str(&mut self, part: &str) -> std::fmt::Result {
            if self.0.len() >= LONGEST {
                return Ok(());
            }
            self.0.push_str(&cut(part, LONGEST_NAME));
            if self.0.len() >= LONGEST && !self.0.ends_with('…') {
                self.0.push('…');
            }
            Ok(())
        }
    }
    // Writing to a string can't fail.
    let _ = Room(path).write_fmt(step);
}

/// Whether a terminal, an editor or a page could do something with `c` instead of showing it.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether this, behind `##`, makes a command of Azure Pipelines, TeamCity, or GitHub's older kind.
fn is_marker(rest: &str) -> bool {
    rest.starts_with('[') || rest.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Where the command begins that GitHub's runner would read in a line with this at its start: `::name::`, behind white
/// space. An IPv6 address (`::1`, `::ffff:10.0.0.1`) is none.
fn begins_command(text: &str) -> Option<usize> {
    let trimmed = text.trim_start_matches(|c: char| c.is_whitespace() || acts(c));
    let rest = trimmed.strip_prefix("::")?;
    let address = rest.trim_start_matches(|c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.'));
    let length = rest.len() - address.len();
    let is_address = length > 0
        && !rest[..length].contains("::")
        && !address.starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_');
    (!is_address).then(|| text.len() - trimmed.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "bucket")]
    #[test]
    fn paths_go_part_by_part() {
        let parts = ["", "/", "a", "a/", "a/b", "a.d", "a.d/b", "a\u{1}/b", "ab", "b//", "b/a", "é/a", "é.a"];
        for (a, b) in parts.iter().flat_map(|a| parts.map(|b| (*a, b))) {
            assert_eq!(by_parts(a, b), a.split('/').cmp(b.split('/')), "{a:?} {b:?}");
        }
    }

    #[test]
    fn what_a_terminal_could_act_on_is_escaped() {
        for (text, safe) in [
            ("plain é 😀 | ::error", "plain é 😀 | ::error"),
            ("a\nb\r\t", "a\\nb\\r\\t"),
            ("\u{1b}[31m\u{7}\u{7f}", "\\u{1b}[31m\\u{7}\\u{7f}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("abc\u{202e}def\u{2066}", "abc\\u{202e}def\\u{2066}"),
            ("\u{200b}\u{feff}\u{2028}", "\\u{200b}\\u{feff}\\u{2028}"),
        ] {
            assert_eq!(escaped(text), safe);
            assert_eq!(shown(text), safe);
        }
    }

    #[test]
    fn what_a_ci_service_could_run_is_escaped() {
        for (text, safe) in [
            ("::error::x", "\\u{3a}:error::x"),
            ("  ::add-mask::x", "  \\u{3a}:add-mask::x"),
            ("\u{85}::error::x", "\\u{85}\\u{3a}:error::x"),
            ("::abc::x", "\\u{3a}:abc::x"),
            ("::", "\\u{3a}:"),
            ("a ##[error]b", "a #\\u{23}[error]b"),
            ("##vso[task.setvariable]", "#\\u{23}vso[task.setvariable]"),
            ("###teamcity[x]", "##\\u{23}teamcity[x]"),
            // None of these is a command.
            ("::1", "::1"),
            ("::ffff:10.0.0.1 is", "::ffff:10.0.0.1 is"),
            ("## heading", "## heading"),
            ("a::error::b", "a::error::b"),
        ] {
            assert_eq!(escaped(text), safe);
            assert_eq!(escaped(safe), safe);
        }
        #[cfg(feature = "cli")]
        assert_eq!(escaped_lines("a\u{1b}\n ::error::x\n"), "a\\u{1b}\n \\u{3a}:error::x\n");
    }

    #[test]
    fn passwords_in_urls_are_left_out() {
        for (text, safe) in [
            ("cannot open `https://u:p@h/x`", "cannot open `https://u:***@h/x`"),
            ("a://u:p@h b://:q@h", "a://u:***@h b://:***@h"),
            ("https://u:p/a@s@h/x", "https://u:***@h/x"),
            ("https://u:@h", "https://u:@h"),
            ("http://h:80/a@b", "http://h:80/a@b"),
            ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
            ("s3://bucket/a@b", "s3://bucket/a@b"),
            ("://", "://"),
        ] {
            assert_eq!(escaped(text), safe);
            assert_eq!(escaped(safe), safe);
        }
        let long = format!("https://u:{}@h", "p".repeat(100));
        assert_eq!(shown(&long), "https://u:***@h");
    }

    #[cfg(feature = "cli")]
    #[test]
    fn json_keeps_its_values() {
        let value = serde_json::json!({"a\u{9b}": ["\u{202e}\u{e0041}\u{7f}", "##[x]", "\n##vso[\u{1b}"]});
        for json in [value.to_string(), format!("{value:#}")] {
            let safe = escaped_json(json);
            assert!(!safe.contains(|c| c != '\n' && acts(c)) && !safe.contains("##"), "{safe}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
        }
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(shown(&"x".repeat(61)), format!("{}…", "x".repeat(60)));
        assert_eq!(shown(&"x".repeat(60)), "x".repeat(60));
        assert_eq!(shown(&"é".repeat(60)), "é".repeat(60));
        let mut path = String::new();
        add_to_path(&mut path, format_args!("{}", "é".repeat(300)));
        assert_eq!(path.chars().count(), 201);
        for _ in 0..20 {
            add_to_path(&mut path, format_args!(".{}", "x".repeat(100)));
        }
        assert!(path.len() < 2_300 && path.ends_with('…'), "{path}");
    }
}
