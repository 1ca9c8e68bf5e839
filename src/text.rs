//! Text that comes from outside (logs, keys, file names, answers of servers), made fit to be shown.
//!
//! Whatever udmap prints, writes to a report or hands to a log goes through [`escaped`] or [`shown`] first, so that no
//! input can move a cursor, set a colour, reorder a line, start a new one, or give a command to a CI service.

use std::borrow::Cow;
use std::fmt::Write;

/// The most characters of foreign text that [`shown`] keeps.
const MOST: usize = 60;

/// `text` on one line, with every character that a terminal or a page could act on as its escape (`\n`, `\u{1b}`).
///
/// Escaped are the control characters (C0, DEL, C1), line and paragraph separators, and the invisible ones that change
/// the direction or the look of a text (Unicode's bidirectional controls, zero-width characters, tags). Text without
/// any of them is returned as it is.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(acts) else { return Cow::Borrowed(text) };
    let mut safe = String::with_capacity(text.len() + 16);
    safe.push_str(&text[..first]);
    for c in text[first..].chars() {
        if acts(c) {
            let _ = write!(safe, "{}", c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// The first 60 characters of `text`, escaped as by [`escaped`], for use inside a message.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", escaped(&text[..end])),
        None => escaped(text).into_owned(),
    }
}

/// `text` without what stands before an `@` in URLs in it: names and passwords.
pub(crate) fn without_userinfo(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        made.push_str(before);
        let end = after.find(['/', '?', '#', ' ', '`', '"', '\'', ')', ',']).unwrap_or(after.len());
        // A password may hold a slash that should have been escaped: up to the last `@` of the word.
        let word = after.find([' ', '`', '"', '\'', ')']).unwrap_or(after.len());
        match after[..end]
            .rfind('@')
            .or_else(|| after[..word].rfind('@').filter(|_| after[..end].contains(':')))
        {
            Some(at) => {
                made.push('…');
                rest = &after[at..];
            }
            None => rest = after,
        }
    }
    made.push_str(rest);
    made
}

/// Whether a terminal, an editor or a page could do something with `c` instead of showing it.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::{escaped, shown, without_userinfo};

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
    fn long_text_is_cut() {
        assert_eq!(shown(&"x".repeat(61)), format!("{}…", "x".repeat(60)));
        assert_eq!(shown(&"x".repeat(60)), "x".repeat(60));
    }

    #[test]
    fn passwords_in_urls_are_left_out() {
        for (text, shown) in [
            ("a https://user:pw@h/x b", "a https://…@h/x b"),
            ("s3://KEY:se/cret@b/k", "s3://…@b/k"),
            ("s3://b/k@x", "s3://b/k@x"),
            ("http://h:1/a@b", "http://…@b"),
            ("`http://u@h` and `http://v:w@i`", "`http://…@h` and `http://…@i`"),
            ("no url", "no url"),
        ] {
            assert_eq!(without_userinfo(text), shown);
        }
    }
}
