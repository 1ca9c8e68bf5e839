//! Records that are not JSON: CEF, and key="value" pairs.

use super::cef;
use super::format::{Cef, Form, Forms};
use super::pairs::{self, Pairs};
use crate::record::{Fault, Fields, Wanted};

/// A record that is not JSON but one of the text forms.
pub(super) fn record<'a>(
    text: &'a str,
    forms: &Forms,
    wanted: &Wanted,
) -> Option<(Form, Result<Fields<'a>, Fault>)> {
    if let Some((cef, at)) = cef_of(text, forms) {
        return Some((Form::Cef, cef_fields(&text[at..], cef, forms, wanted)));
    }
    let pairs = key_value_pairs(text, forms)?;
    let fields = match forms.own.refuses_pairs(&pairs) {
        Some(fault) => Err(fault),
        None => Ok(wanted.pick(pairs)),
    };
    Some((Form::KeyValue, fields))
}

/// The wanted fields of a CEF line.
fn cef_fields<'a>(line: &'a str, cef: &Cef, forms: &Forms, wanted: &Wanted) -> Result<Fields<'a>, Fault> {
    let (pairs, wrong) = cef::pairs(line, cef)?;
    let other = forms.own.refuses_header(&cef::header(line)).or_else(|| forms.own.refuses_pairs(&pairs));
    if let Some(fault) = other {
        return Err(fault);
    }
    // Of two fields with one name the last counts, and only those that are read.
    let counts = |at: usize| {
        let (name, _) = &pairs[at];
        let is_read = wanted.paths().iter().any(|path| matches!(path.keys(), [key] if key == name));
        is_read && !pairs[at + 1..].iter().any(|(later, _)| later == name)
    };
    match wrong.into_iter().find(|(at, _)| counts(*at)) {
        Some((_, fault)) => Err(fault),
        None => Ok(wanted.pick(pairs)),
    }
}

/// All names and values of a record that is not JSON but one of the text forms.
pub(crate) fn all_pairs<'a>(unit: &'a [u8], forms: &Forms) -> Option<Pairs<'a>> {
    let text = std::str::from_utf8(unit).ok()?;
    match cef_of(text, forms) {
        Some((cef, at)) => cef::pairs(&text[at..], cef).ok().map(|(pairs, _)| pairs),
        None => key_value_pairs(text, forms),
    }
}

/// The pairs of a text that is one record of key="value" pairs.
fn key_value_pairs<'a>(text: &'a str, forms: &Forms) -> Option<Pairs<'a>> {
    pairs::records(text, forms.key_value.as_ref()?)?.ok()?.into_iter().next().map(|record| record.pairs)
}

/// Where CEF begins in a text that is one record.
fn cef_of<'f>(text: &str, forms: &'f Forms) -> Option<(&'f Cef, usize)> {
    Some((forms.cef.as_ref()?, *cef::starts(text.as_bytes()).first()?))
}
