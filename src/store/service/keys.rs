//! Keys that the object_store crate has no name for, under names that it has.
//!
//! S3 takes any key; the crate's paths have no empty part, no `.` or `..`, no control characters,
//! and neither `/` nor white space at the ends. Parts of such keys are written in hexadecimal inside
//! ([`encode_key`]), and get their own names back on the wire.

use crate::text::{hex, percent_encoded, unhex};
use std::borrow::Cow;

/// Stands at the beginning of a part that is spelled in hexadecimal. No text has this character for
/// a purpose of its own: it is the last one, and no character at that.
pub(super) const MARK: char = '\u{10FFFF}';

/// [`MARK`] in a URL.
const MARK_IN_URL: &str = "%F4%8F%BF%BF";

/// The crate's path for a key. A key that has one is its own.
pub(crate) fn encode_key(key: &str) -> Cow<'_, str> {
    let first = key.chars().next().is_some_and(char::is_whitespace);
    let last = key.chars().next_back().is_some_and(char::is_whitespace);
    let unusual =
        |part: &str| matches!(part, "" | "." | "..") || part.chars().any(|c| c.is_control() || c == MARK);
    if !first && !last && !key.split('/').any(unusual) {
        return Cow::Borrowed(key);
    }
    let count = key.split('/').count();
    let parts = key.split('/').enumerate().map(|(at, part)| {
        if unusual(part) || first && at == 0 || last && at + 1 == count {
            Cow::Owned(format!("{MARK}{}", hex(part.as_bytes())))
        } else {
            Cow::Borrowed(part)
        }
    });
    Cow::Owned(parts.collect::<Vec<_>>().join("/"))
}

/// The key that a path stands for.
pub(crate) fn decode_key(path: &str) -> Cow<'_, str> {
    if !path.contains(MARK) {
        return Cow::Borrowed(path);
    }
    let parts = path.split('/').map(|part| match part.strip_prefix(MARK) {
        None => part.to_owned(),
        Some(hex) => String::from_utf8_lossy(&unhex(hex)).into_owned(),
    });
    Cow::Owned(parts.collect::<Vec<_>>().join("/"))
}

/// Whether a URL's path has a part that is written in hexadecimal.
pub(super) fn is_encoded(path: &str) -> bool {
    path.contains(MARK_IN_URL)
}

/// A URL's path with all parts as they are.
pub(super) fn decode_path(path: &str) -> String {
    let parts = path.split('/').map(|part| match part.strip_prefix(MARK_IN_URL) {
        None => part.to_owned(),
        Some(hex) => percent_encoded(&unhex(hex)),
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::path::Path;

    #[test]
    fn every_key_has_a_path_of_its_own() {
        let plain = ["a", "a/b c/ü#%/x&y.gz", "a..b/...", "%2E%2E/x", "~/$"];
        let unusual = ["a/../b", "..", "a//b", "/a", "a/", "a/./b", "a\u{1}b", " a", "a/b ", "\u{10FFFF}2e"];
        for key in plain {
            assert_eq!(encode_key(key), key);
        }
        for key in plain.into_iter().chain(unusual) {
            let path = encode_key(key).into_owned();
            assert_eq!(Path::parse(&path).unwrap().as_ref(), path, "{key:?}");
            assert_eq!(decode_key(&path), key);
        }
        let all: std::collections::HashSet<_> =
            plain.iter().chain(&unusual).map(|key| encode_key(key)).collect();
        assert_eq!(all.len(), plain.len() + unusual.len());
    }

    #[test]
    fn own_names_in_urls() {
        assert_eq!(decode_path("/b/a/%F4%8F%BF%BF2e2e/c%20d/%F4%8F%BF%BF"), "/b/a/../c%20d/");
        assert_eq!(decode_path("/b/%F4%8F%BF%BF2061"), "/b/%20a");
    }
}
