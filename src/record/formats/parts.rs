//! Where the records are on a line that does not begin with JSON: mostly there is one, and it is all
//! of the line.

use super::format::KeyValue;
use super::{cef, header, pairs};
use crate::record::boundaries::{Automaton, ByteStep, gap, trim};
use crate::record::{Reason, RecordError};
use std::ops::Range;

/// A part of a line.
pub(super) enum LinePart {
    /// A JSON text, or what should be one.
    Json(Range<usize>),
    /// Anything else.
    Text(Range<usize>),
}

/// The parts of `line`, each with one record.
///
/// # Errors
/// A [`RecordError`] if there is more than one record, and no way to say where each ends.
pub(super) fn cut(
    line: &str,
    reads_cef: bool,
    key_value: Option<&KeyValue>,
) -> Result<Vec<LinePart>, RecordError> {
    if let Some(at) = header::body(line, &header::begins_json) {
        return Ok(json(line, at));
    }
    if reads_cef {
        let starts = cef::starts(line.as_bytes());
        if !starts.is_empty() {
            return cef_records(line, &starts);
        }
    }
    if let Some(form) = key_value {
        let at = header::body(line, &|rest| pairs::is_begun(rest, form)).unwrap_or(0);
        if let Some(records) = pairs::records(&line[at..], form) {
            let range = |range: &Range<usize>| at + range.start..at + range.end;
            return Ok(records?.iter().map(|record| LinePart::Text(range(&record.range))).collect());
        }
    }
    Ok(vec![LinePart::Text(0..line.len())])
}

/// JSON from here on, with or without headers between.
fn json(line: &str, mut at: usize) -> Vec<LinePart> {
    let mut parts = Vec::new();
    loop {
        let next = value_end(&line.as_bytes()[at..]).and_then(|length| {
            let end = at + length;
            let behind = end + gap(&line.as_bytes()[end..]);
            let rest = &line[behind..];
            if rest.is_empty() || rest.starts_with(['{', '[']) {
                return Some((end, behind));
            }
            header::body(rest, &header::begins_json).map(|body| (end, behind + body))
        });
        match next {
            // Whatever else follows a value makes it a broken one.
            None => {
                parts.push(LinePart::Json(at..line.len()));
                return parts;
            }
            Some((end, next)) => {
                parts.push(LinePart::Json(at..end));
                if next == line.len() {
                    return parts;
                }
                at = next;
            }
        }
    }
}

/// Where the object or array ends that the text begins with.
fn value_end(text: &[u8]) -> Option<usize> {
    let mut automaton = Automaton::new();
    let mut last = ByteStep::More;
    let end = text.iter().position(|byte| {
        last = automaton.push(*byte);
        last != ByteStep::More
    })?;
    (last == ByteStep::End).then_some(end + 1)
}

/// CEF records one after the other.
fn cef_records(line: &str, starts: &[usize]) -> Result<Vec<LinePart>, RecordError> {
    let before = &line[..starts[0]];
    let is_header = header::body(before, &str::is_empty).is_some();
    if !is_header && before.contains(['=', '{', '|']) {
        return Err(mixed("something else comes before it"));
    }
    let mut cuts = vec![0];
    for pair in starts.windows(2) {
        let between = &line[pair[0]..pair[1]];
        let cut = if let Some(at) = header::start_of_last(between) {
            pair[0] + at
        } else if trim(before.as_bytes()).is_empty() {
            pair[1]
        } else if between.ends_with(before) {
            pair[1] - before.len()
        } else {
            return Err(mixed("where the second begins can't be told"));
        };
        cuts.push(cut);
    }
    cuts.push(line.len());
    let mut parts = Vec::new();
    for cut in cuts.windows(2) {
        let part = &line[cut[0]..cut[1]];
        // Where that is not so, `CEF:0|` is part of a value.
        let is_whole = memchr::memchr_iter(b'|', part.as_bytes()).nth(6).is_some();
        if starts.len() > 1 && !is_whole {
            return Err(mixed("one has no whole header"));
        }
        if let Some(at) = json_behind(part) {
            let what = if at { "JSON" } else { "a line of key=\"value\" pairs" };
            return Err(mixed(&format!("{what} follows in one of its values")));
        }
        let end = part.trim_end().len() + cut[0];
        parts.push(LinePart::Text(cut[0]..end));
    }
    Ok(parts)
}

fn mixed(why: &str) -> RecordError {
    RecordError::new(Reason::InvalidJson, format!("more than one record on a CEF line: {why}"))
}

/// Whether a record of another form was appended to a CEF line: an object that ends with the line
/// (`true`), or pairs behind a number (`false`). A value that is JSON from its beginning is fine.
fn json_behind(part: &str) -> Option<bool> {
    let bytes = part.as_bytes();
    if let Some(at) = memchr::memmem::find_iter(bytes, "{\"").find(|at| *at > 0 && bytes[at - 1] != b'=')
        && value_end(&bytes[at..]).is_some_and(|length| trim(&bytes[at + length..]).is_empty())
    {
        return Some(true);
    }
    let pairs = memchr::memmem::find_iter(bytes, "=\"").any(|at| {
        let word = bytes[..at]
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        let before = bytes[..at - word].trim_ascii_end();
        word > 0 && matches!(before, [.., number, b','] if number.is_ascii_digit())
    });
    pairs.then_some(false)
}
