//! What is said on a terminal: as wide as it is, broken between words, and above a bar that is shown there.

use crate::sync::lock;
use indicatif::ProgressBar;
use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;
use std::sync::Mutex;
use terminal_size::terminal_size_of;
use unicode_width::UnicodeWidthChar as _;

/// The bar on stderr, if one is shown.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// How much further in the rest of a line is.
const HANGING: usize = 4;

/// How wide the terminal on stdout is, if it is one.
pub(super) fn stdout_width() -> Option<usize> {
    terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0))
}

/// How wide the terminal on stderr is, if it is one.
pub(super) fn stderr_width() -> Option<usize> {
    terminal_size_of(std::io::stderr()).map(|(width, _)| usize::from(width.0))
}

/// Says something on stderr; see `say!`.
pub(super) fn say(text: fmt::Arguments<'_>) {
    say_text(&format!("{text}\n"));
}

/// Says whole lines on stderr, broken between words where they are too long.
pub(super) fn say_text(text: &str) {
    match stderr_width() {
        Some(width) => say_data(&wrapped(text, width)),
        None => say_data(text),
    }
}

/// Writes whole lines to stderr as they are.
pub(super) fn say_data(text: &str) {
    let write = || drop(anstream::stderr().write_all(text.as_bytes()));
    let bar = lock(&BAR).clone();
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// From now on this bar is shown.
pub(super) fn show(bar: &ProgressBar) {
    *lock(&BAR) = Some(bar.clone());
}

/// Takes away the bar that is shown.
pub(super) fn clear() {
    if let Some(bar) = lock(&BAR).take() {
        bar.finish_and_clear();
    }
}

/// Whole lines for stdout, broken between words if it is a terminal where they are too long.
pub(super) fn for_stdout(text: &str) -> Cow<'_, str> {
    match stdout_width() {
        Some(width) => Cow::Owned(wrapped(text, width)),
        None => Cow::Borrowed(text),
    }
}

/// Whole lines, broken between words where they have more columns than `width`. A word that is longer stays as it is.
pub(super) fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match columns(line) <= width {
            true => out.push_str(line),
            false => wrap(line, width, &mut out),
        }
    }
    out
}

fn wrap(line: &str, width: usize, out: &mut String) {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let hanging = (indent + HANGING).min(width / 2);
    let (mut at, mut is_new) = (0, false);
    for part in line.split_inclusive(' ') {
        let word = part.trim_end_matches(' ');
        let wide = columns(word);
        // There is nothing to be won where a line has no word yet.
        if at + wide > width && at > hanging {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', hanging));
            (at, is_new) = (hanging, true);
        }
        // A line that was broken continues with a word.
        if is_new && word.is_empty() {
            continue;
        }
        is_new = false;
        out.push_str(part);
        at += columns(part);
    }
}

/// How many columns a text takes, without colours and the end of its line.
fn columns(text: &str) -> usize {
    let (mut columns, mut chars) = (0, text.chars());
    while let Some(c) = chars.next() {
        match c {
            // Colours are the only ones that udmap writes.
            '\u{1b}' => drop(chars.by_ref().find(|c| c.is_ascii_alphabetic())),
            c => columns += c.width().unwrap_or(0),
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        for (text, width, want) in [
            ("short\n", 10, "short\n"),
            ("one two three four\n", 9, "one two\n    three\n    four\n"),
            ("  in one two\n", 8, "  in one\n    two\n"),
            ("exactly 10\nand so on it\n", 10, "exactly 10\nand so on\n    it\n"),
            ("averylongwordindeed is one\n", 8, "averylongwordindeed\n    is\n    one\n"),
            ("no newline at its end", 12, "no newline\n    at its\n    end"),
            ("日本語 日本語 日本語", 14, "日本語 日本語\n    日本語"),
            ("a  b    cc\n", 5, "a  b\n  cc\n"),
        ] {
            assert_eq!(wrapped(text, width), want, "{text:?} {width}");
        }
        let coloured = "\u{1b}[1;31merror\u{1b}[0m: it is so";
        assert_eq!(wrapped(coloured, 12), "\u{1b}[1;31merror\u{1b}[0m: it is\n    so");
    }
}
