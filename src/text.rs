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

/// Whether a terminal, an editor or a page could do something with `c` instead of showing it.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::{escaped, shown};

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
}
