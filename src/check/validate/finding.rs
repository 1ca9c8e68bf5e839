//! A finding, and where findings go.

use super::codes::Code;
use super::severities::Severities;
use super::severity::Severity;
use twox_hash::XxHash3_128;

/// For how many unknown names of one text the nearest known name is looked up.
const MOST_SUGGESTIONS: usize = 200;

/// Something that is wrong with an event, or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// Where in the event: names as the proto has them, elements counted from 0, such as
    /// `security_result[0].summary`; empty for the event as a whole. Names come from the event, cut at 200 characters.
    pub path: String,
    /// What was found, in a sentence without a full stop.
    pub message: String,
    /// The byte of the text that it is about, from 0.
    pub at: usize,
    /// Which event of the text it is in, from 0.
    pub event: u64,
    /// A digest of the text, number or key that it is about, of which the message may have only the beginning; 0 for an
    /// object or a list.
    pub(crate) about: u128,
}

/// A finding with its place in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// What was found.
    pub finding: Finding,
    /// The line, from 1.
    pub line: u64,
    /// Where on the line, in characters from 1. Where a line holds several values, what is before the value counts in
    /// bytes.
    pub column: u64,
    /// The byte, from 0, after decompression.
    pub byte: u64,
    /// Which event it is in, from 1.
    pub event: u64,
}

/// A finding that every text like this one has, severity apart.
#[derive(Debug, Clone)]
pub(super) struct FixedFinding {
    pub(super) event: u64,
    pub(super) code: Code,
    pub(super) path: String,
    pub(super) message: String,
    pub(super) at: usize,
    /// Whether it is about an object or a list, and not about a scalar value or a key.
    pub(super) about_container: bool,
}

/// Takes findings of one text, and leaves out those that are off.
pub(super) struct Reporter<'a> {
    severities: &'a Severities,
    text: &'a [u8],
    pub(super) event: u64,
    suggestions: usize,
    /// All that was found, also what is off; if somebody learns from it.
    pub(super) kept: Option<Vec<FixedFinding>>,
    found: &'a mut dyn FnMut(Finding),
}

impl<'a> Reporter<'a> {
    /// For findings in `text`.
    pub(super) fn new(
        severities: &'a Severities,
        text: &'a [u8],
        found: &'a mut dyn FnMut(Finding),
    ) -> Reporter<'a> {
        Reporter { severities, text, event: 0, suggestions: 0, kept: None, found }
    }

    /// Whether one more unknown name is looked up; counts it.
    pub(super) fn suggests(&mut self) -> bool {
        self.suggestions += 1;
        self.suggestions <= MOST_SUGGESTIONS
    }

    pub(super) fn add(&mut self, code: Code, path: String, message: String, at: usize) {
        let severity = self.severities.of(code, &path);
        if let Some(kept) = &mut self.kept {
            let (event, path, message) = (self.event, path.clone(), message.clone());
            let about_container = scalar_at(self.text, at).is_empty();
            kept.push(FixedFinding { event, code, path, message, at, about_container });
        }
        if severity != Severity::Off {
            let about = digest(scalar_at(self.text, at));
            (self.found)(Finding { code, severity, path, message, at, event: self.event, about });
        }
    }
}

fn digest(text: &[u8]) -> u128 {
    if text.is_empty() { 0 } else { XxHash3_128::oneshot(text) }
}

/// The text, number, word or key that begins at this byte of JSON; nothing of an object or a list.
fn scalar_at(json: &[u8], at: usize) -> &[u8] {
    let rest = json.get(at..).unwrap_or_default();
    let end = match rest.first() {
        None | Some(b'{' | b'[') => 0,
        Some(b'"') => {
            let mut end = 1;
            loop {
                match memchr::memchr2(b'"', b'\\', &rest[end.min(rest.len())..]) {
                    None => break rest.len(),
                    Some(found) if rest[end + found] == b'"' => break end + found + 1,
                    Some(found) => end += found + 2,
                }
            }
        }
        Some(_) => {
            let is_end = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b':') || byte.is_ascii_whitespace();
            rest.iter().position(is_end).unwrap_or(rest.len())
        }
    };
    &rest[..end]
}

#[cfg(test)]
mod tests {
    use super::scalar_at;

    #[test]
    fn scalars_end_where_they_end() {
        let json = br#"{"a\"":[1.5e3,true ,"x\\"],"b":"cut"#;
        for (at, scalar) in [
            (0, ""),
            (1, r#""a\"""#),
            (7, ""),
            (8, "1.5e3"),
            (14, "true"),
            (20, r#""x\\""#),
            (31, "\"cut"),
            (99, ""),
        ] {
            assert_eq!(String::from_utf8_lossy(scalar_at(json, at)), scalar, "{at}");
        }
        assert_eq!(scalar_at(b"\"\\", 0), b"\"\\");
    }
}
