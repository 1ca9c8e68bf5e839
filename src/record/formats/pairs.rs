//! Lines of key="value" pairs.

use super::format::KeyValue;
use super::header;
use crate::record::{Fault, Reason};
use crate::text::shown;
use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

/// Names and values, in the order of the line.
pub(super) type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// A record, and where on its line it is.
pub(super) struct Record<'a> {
    pub(super) range: Range<usize>,
    has_lead: bool,
    pub(super) pairs: Pairs<'a>,
}

/// The records on a line: mostly one. The next begins with a bare number, with a header like
/// syslog's, or with the key that the first began with. Nothing if it is not such a line.
///
/// # Errors
/// A [`Fault`] if there seems to be more than one record, but not where the next begins.
pub(super) fn records<'a>(line: &'a str, form: &KeyValue) -> Option<Result<Vec<Record<'a>>, Fault>> {
    let mut records: Vec<Record<'a>> = Vec::new();
    let mut at = begun(line, form, &mut records, 0)?;
    // The keys of the last record.
    let mut keys = HashSet::new();
    loop {
        let (key, value) = opening(&line[at..])?;
        let value = at + value;
        if !keys.insert(key) {
            let record = records.last()?;
            // A record with a number before it begins with that.
            if record.pairs.first().is_none_or(|(first, _)| first != key) || record.has_lead {
                return Some(Err(more_than_one(key)));
            }
            records.push(Record { range: at..at, has_lead: false, pairs: Pairs::new() });
            keys = HashSet::from([key]);
        }
        let (end, next) = value_end(line, value, form)?;
        let text = &line[value..end];
        if let Some(inner) = inner_key(text) {
            return Some(Err(more_than_one(inner)));
        }
        let record = records.last_mut()?;
        record.pairs.push((Cow::Borrowed(key), Cow::Borrowed(text)));
        record.range.end = end + 1;
        match next {
            Next::End => return Some(Ok(records)),
            Next::Pair(next) => at = next,
            Next::Record(next) => {
                at = begun(line, form, &mut records, next)?;
                keys.clear();
            }
        }
    }
}

fn more_than_one(key: &str) -> Fault {
    let message = format!("`{}` is given twice: it may be two records on one line", shown(key));
    Fault::new(Reason::InvalidJson, message)
}

/// Begins a record at this place; where its first pair is.
fn begun<'a>(line: &'a str, form: &KeyValue, records: &mut Vec<Record<'a>>, at: usize) -> Option<usize> {
    let mut pairs = Pairs::new();
    let mut first = at;
    if let (Some(name), Some((number, length))) = (&form.lead, lead(&line[at..])) {
        pairs.push((Cow::Owned(name.clone()), Cow::Borrowed(number)));
        first += length;
    }
    records.push(Record { range: at..at, has_lead: first > at, pairs });
    Some(first)
}

/// What follows a value.
enum Next {
    End,
    Pair(usize),
    Record(usize),
}

/// Where the value ends that begins at `start`, and what follows: the format has no escapes, so a
/// value ends at the quote that something follows which can follow a value.
fn value_end(line: &str, start: usize, form: &KeyValue) -> Option<(usize, Next)> {
    memchr::memchr_iter(b'"', &line.as_bytes()[start..]).find_map(|quote| {
        let end = start + quote;
        let (next, comma) = separated(line, end + 1);
        let rest = &line[next..];
        if rest.is_empty() {
            return (!comma).then_some((end, Next::End));
        }
        if next > end + 1 && opening(rest).is_some() {
            return Some((end, Next::Pair(next)));
        }
        if begins(rest, form) {
            return Some((end, Next::Record(next)));
        }
        header::body(rest, &|rest| is_begun(rest, form)).map(|body| (end, Next::Record(next + body)))
    })
}

/// Whether a record may begin here.
pub(super) fn is_begun(text: &str, form: &KeyValue) -> bool {
    begins(text, form) || opening(text).is_some()
}

/// Whether a record begins here that has a bare number before its first pair.
fn begins(text: &str, form: &KeyValue) -> bool {
    form.lead.is_some() && lead(text).is_some()
}

/// A bare number before a pair, and where the pair begins.
fn lead(text: &str) -> Option<(&str, usize)> {
    let number = text.bytes().take_while(|b| b.is_ascii_digit() || b"+-.eE".contains(b)).count();
    let rest = text[number..].strip_prefix(',')?;
    let pair = text.len() - rest.trim_start_matches([' ', '\t']).len();
    (number > 0 && opening(&text[pair..]).is_some()).then_some((&text[..number], pair))
}

/// Behind what may stand between two pairs, a comma, blanks or tabs; and whether there was a comma.
fn separated(line: &str, at: usize) -> (usize, bool) {
    let blanks = |at: usize| line.len() - line[at..].trim_start_matches([' ', '\t']).len();
    let before = blanks(at);
    let comma = line[before..].starts_with(',');
    (if comma { blanks(before + 1) } else { before }, comma)
}

/// The key, and the length, of `key="`.
fn opening(text: &str) -> Option<(&str, usize)> {
    let first = text.bytes().next()?;
    let length = text.bytes().take_while(is_word).count();
    let opens = (first.is_ascii_alphabetic() || first == b'_') && text[length..].starts_with("=\"");
    opens.then(|| (&text[..length], length + 2))
}

fn is_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-".contains(byte)
}

/// The key of a pair inside of a value: there was something between two pairs that can't be.
fn inner_key(value: &str) -> Option<&str> {
    memchr::memmem::find_iter(value.as_bytes(), "=\"").find_map(|at| {
        let length = value[..at].bytes().rev().take_while(is_word).count();
        (length > 0).then(|| &value[at - length..at])
    })
}
