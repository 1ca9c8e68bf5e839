//! Records that are not JSON: CEF, and key="value" pairs.

use super::cef;
use super::format::{Cef, Format, Formats};
use super::pairs::{self, Pairs};
use crate::record::{Fields, Projection, RecordError, exact, rest};

/// A record that is not JSON but in one of the text formats.
pub(super) fn record<'a>(
    text: &'a str,
    formats: &Formats,
    projection: &Projection,
) -> Option<(Format, Result<Fields<'a>, RecordError>)> {
    if let Some((cef, at)) = cef_of(text, formats) {
        return Some((Format::Cef, cef_fields(&text[at..], cef, formats, projection)));
    }
    let pairs = key_value_pairs(text, formats)?;
    let fields = match formats.own.refuses_pairs(&pairs) {
        Some(error) => Err(error),
        None => fields(pairs, projection),
    };
    Some((Format::KeyValue, fields))
}

/// The mapped fields of a CEF line.
fn cef_fields<'a>(
    line: &'a str,
    cef: &Cef,
    formats: &Formats,
    projection: &Projection,
) -> Result<Fields<'a>, RecordError> {
    let (mut pairs, wrong) = cef::pairs(line, cef)?;
    let other = formats.own.refuses_header(&cef::header(line)).or_else(|| formats.own.refuses_pairs(&pairs));
    if let Some(error) = other {
        return Err(error);
    }
    let mut bad = Vec::new();
    for (at, error) in wrong {
        let (name, _) = &pairs[at];
        let slot = projection.paths().iter().position(|path| matches!(path.keys(), [key] if key == name));
        // Of two fields with one name the last counts, and only those that are read.
        let is_last = !pairs[at + 1..].iter().any(|(later, _)| later == name);
        let Some(slot) = slot.filter(|_| is_last) else { continue };
        if !projection.notes(slot) {
            return Err(error);
        }
        bad.push(slot);
        pairs[at].1 = "".into();
    }
    let mut fields = fields(pairs, projection)?;
    bad.into_iter().for_each(|slot| fields.note_bad(slot));
    Ok(fields)
}

/// The mapped fields of a record with these pairs, and the rest, if it is asked for.
fn fields<'a>(pairs: Pairs<'a>, projection: &Projection) -> Result<Fields<'a>, RecordError> {
    let fields = exact::fields_of_pairs(&pairs, projection)?;
    Ok(rest::with_rest_of_pairs(fields, &pairs, projection))
}

/// All names and values of a record that is not JSON but in one of the text formats.
pub(crate) fn all_pairs<'a>(unit: &'a [u8], formats: &Formats) -> Option<Pairs<'a>> {
    let text = std::str::from_utf8(unit).ok()?;
    match cef_of(text, formats) {
        Some((cef, at)) => cef::pairs(&text[at..], cef).ok().map(|(pairs, _)| pairs),
        None => key_value_pairs(text, formats),
    }
}

/// The pairs of a text that is one record of key="value" pairs.
fn key_value_pairs<'a>(text: &'a str, formats: &Formats) -> Option<Pairs<'a>> {
    pairs::records(text, formats.key_value.as_ref()?)?.ok()?.into_iter().next().map(|record| record.pairs)
}

/// Where CEF begins in a text that is one record.
fn cef_of<'f>(text: &str, formats: &'f Formats) -> Option<(&'f Cef, usize)> {
    Some((formats.cef.as_ref()?, *cef::starts(text.as_bytes()).first()?))
}
