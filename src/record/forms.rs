//! The forms in which records arrive inside one unit, and the records found there.
//!
//! A unit is a line, or a JSON value. It holds a bare record, an array of records, an envelope
//! around records, JSON behind a header like syslog's, CEF, or key="value" pairs; of these perhaps
//! several. Which envelopes there are, and what names the fields of the text forms get, is data.

use super::exact::{self, Members};
use super::own::Own;
use super::parts::{self, Part};
use super::{Fault, FieldPath, Fields, Reason, Wanted, key_value, shown};
use crate::time::{self, Instant, Reading};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// How many texts may lie in each other.
const MOST_TEXTS: usize = 4;
/// White space around a unit.
const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

/// The forms that a mapping knows besides bare JSON records and arrays of them.
#[derive(Debug, Clone, Default)]
pub struct Forms {
    /// Objects that hold records; the first that fits counts.
    pub envelopes: Vec<Envelope>,
    /// CEF lines, if they are read.
    pub cef: Option<Cef>,
    /// Lines of key="value" pairs, if they are read.
    pub key_value: Option<KeyValue>,
    /// Which records are the mapping's own.
    pub own: Own,
}

impl Forms {
    /// Keys at the top of an object that say more than a wanted value does: one of them is in every
    /// envelope, and in every record that may belong to another log by a field that is not wanted.
    pub(crate) fn marks(&self, wanted: &Wanted) -> Vec<String> {
        let mark = |envelope: &Envelope| {
            let first = envelope.when.iter().map(|(path, _)| path).chain(&envelope.present).next();
            first.and_then(|path| path.keys().first()).cloned()
        };
        let told = self.own.fields.iter().filter(|(path, _)| wanted.slot(path).is_none());
        let told = told.filter_map(|(path, _)| path.keys().first().cloned());
        self.envelopes.iter().filter_map(mark).chain(told).collect()
    }
}

/// An object that holds records, or an error in their place.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// What to call it in a message.
    pub name: String,
    /// Fields that must hold these texts, the case of ASCII letters aside.
    pub when: Vec<(FieldPath, String)>,
    /// Fields that must be there, with whatever value.
    pub present: Vec<FieldPath>,
    /// What it holds.
    pub holds: Holds,
    /// Whether a text in the place of records is read for the records in it: JSON, or lines as
    /// those of a file.
    pub text: bool,
}

/// What an [`Envelope`] holds.
#[derive(Debug, Clone)]
pub enum Holds {
    /// Records: at the first of these fields that holds an array (its elements) or an object (that
    /// one). An object without any of them is no such envelope.
    Records(Vec<FieldPath>),
    /// An error, in the texts at these fields, as far as they are there: code, message, detail.
    Error(Vec<FieldPath>),
}

/// How the fields of a CEF line (ArcSight's Common Event Format) become a record.
#[derive(Debug, Clone, Default)]
pub struct Cef {
    /// Names in CEF (labels where there are labels) and what the record calls them.
    pub rename: Vec<(String, String)>,
    /// Names in CEF whose values are milliseconds since 1970 and become seconds, each with the
    /// earliest time that is one: what lies before looks like seconds.
    pub milliseconds: Vec<(String, Option<Instant>)>,
    /// Values that stand for "nothing".
    pub absent: Vec<String>,
}

/// How a line of key="value" pairs becomes a record.
#[derive(Debug, Clone, Default)]
pub struct KeyValue {
    /// The field that a bare number before the first pair is.
    pub lead: Option<String>,
}

/// The form in which a record was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// An object of its own.
    Bare,
    /// An element of an array.
    Array,
    /// Inside an envelope.
    Envelope,
    /// A CEF line.
    Cef,
    /// A line of key="value" pairs.
    KeyValue,
}

impl Form {
    /// Every form.
    pub const ALL: [Form; 5] = [Form::Bare, Form::Array, Form::Envelope, Form::Cef, Form::KeyValue];

    /// The form's name in summaries.
    pub fn name(self) -> &'static str {
        match self {
            Form::Bare => "bare",
            Form::Array => "array",
            Form::Envelope => "envelope",
            Form::Cef => "cef",
            Form::KeyValue => "key-value",
        }
    }
}

/// A record, or what should have been one.
#[derive(Debug)]
pub struct Found<'a> {
    /// Its bytes, as a range of the unit.
    pub range: Range<usize>,
    /// How it was wrapped.
    pub form: Form,
    /// Its wanted fields, or why they can't be had.
    pub fields: Result<Fields<'a>, Fault>,
}

/// Finds the records in `unit`, which has no white space around it and is not empty, and hands
/// each to `found`, in order.
pub fn records<'a>(unit: &'a [u8], forms: &Forms, wanted: &Wanted, found: &mut dyn FnMut(Found<'a>)) {
    records_in(unit, forms, wanted, 0, found);
}

/// The same for a unit that lies inside so many texts.
fn records_in<'a>(
    unit: &'a [u8],
    forms: &Forms,
    wanted: &Wanted,
    texts: usize,
    found: &mut dyn FnMut(Found<'a>),
) {
    let walk = Walk { unit, forms, wanted, texts };
    let text = if matches!(unit[0], b'{' | b'[') { None } else { std::str::from_utf8(unit).ok() };
    let Some(text) = text else { return walk.json(0..unit.len(), found) };
    match parts::cut(text, forms) {
        Err(fault) => found(Found { range: 0..unit.len(), form: Form::Bare, fields: Err(fault) }),
        Ok(parts) => parts.into_iter().for_each(|part| match part {
            Part::Json(range) => walk.json(range, found),
            Part::Text(range) => match text_forms(&text[range.clone()], forms, wanted) {
                Some((form, fields)) => found(Found { range, form, fields }),
                None => walk.json(range, found),
            },
        }),
    }
}

/// What does not change on the way down into envelopes.
struct Walk<'a, 'f> {
    unit: &'a [u8],
    forms: &'f Forms,
    wanted: &'f Wanted,
    /// How many texts are around the unit.
    texts: usize,
}

impl<'a> Walk<'a, '_> {
    /// The records in a part of the unit that should be a JSON text.
    fn json(&self, range: Range<usize>, found: &mut dyn FnMut(Found<'a>)) {
        match exact::check(&self.unit[range.clone()]) {
            Ok(value) => match exact::elements(value) {
                Some(elements) => elements.into_iter().for_each(|e| self.value(e, Form::Array, found)),
                None => self.value(value, Form::Bare, found),
            },
            Err(fault) => found(Found { range, form: Form::Bare, fields: Err(fault) }),
        }
    }

    fn value(&self, value: &'a RawValue, form: Form, found: &mut dyn FnMut(Found<'a>)) {
        let Some(members) = exact::members(value) else {
            let message = format!("the record is {}, not an object", exact::kind(value));
            return self.found(value, form, Err(Fault::new(Reason::NotObject, message)), found);
        };
        let own = &self.forms.own;
        for envelope in self.forms.envelopes.iter().filter(|envelope| fits(envelope, &members)) {
            match &envelope.holds {
                Holds::Error(parts) => {
                    return self.found(value, form, Err(reported(envelope, parts, &members)), found);
                }
                Holds::Records(places) => {
                    for place in places.iter().filter_map(|path| exact::find(&members, path)) {
                        let is_text = |value: &RawValue| self.opens(envelope, value);
                        if (place.get().starts_with(['{', '[']) || is_text(place))
                            && let Some(fault) = own.says_other(&members, self.wanted)
                        {
                            return self.found(value, form, Err(fault), found);
                        }
                        if let Some(elements) = exact::elements(place) {
                            return elements.into_iter().for_each(|element| match is_text(element) {
                                true => self.text(element, element, found),
                                false => self.value(element, Form::Envelope, found),
                            });
                        }
                        if is_text(place) {
                            return self.text(value, place, found);
                        }
                        if place.get().starts_with('{') {
                            return self.value(place, Form::Envelope, found);
                        }
                    }
                }
            }
        }
        let fields = match own.refuses(&members, self.wanted) {
            Some(fault) => Err(fault),
            None => exact::fields(&members, self.wanted),
        };
        self.found(value, form, fields, found);
    }

    /// Whether `value` is a text that is read for the records in it.
    fn opens(&self, envelope: &Envelope, value: &RawValue) -> bool {
        envelope.text && value.get().starts_with('"') && self.texts < MOST_TEXTS
    }

    /// The records in a text: one JSON value, or lines. Their place is that of the object around
    /// the text, from which the record can be had again, or that of the text if it holds several.
    fn text(&self, around: &'a RawValue, text: &'a RawValue, found: &mut dyn FnMut(Found<'a>)) {
        let inner = exact::string(text.get());
        let whole = inner.trim_matches(BLANK);
        let is_one = !whole.contains('\n') || exact::check(whole.as_bytes()).is_ok();
        let units: Vec<&str> = if is_one { vec![whole] } else { whole.split('\n').collect() };
        let mut all = Vec::new();
        for unit in units.iter().map(|unit| unit.trim_matches(BLANK)).filter(|unit| !unit.is_empty()) {
            // The unit is a part of the text, so the difference of the addresses is its offset.
            let start = unit.as_ptr() as usize - inner.as_ptr() as usize;
            records_in(unit.as_bytes(), self.forms, self.wanted, self.texts + 1, &mut |record| {
                all.push(match record.fields {
                    Ok(fields) => {
                        Ok(fields.into_iter().map(|field| Some(Cow::Owned(field?.into_owned()))).collect())
                    }
                    Err(fault) => {
                        let at = start + record.range.start + 1;
                        Err(Fault::new(
                            fault.reason,
                            format!("{} (from byte {at} of the text on)", fault.message),
                        ))
                    }
                });
            });
        }
        let place = if all.len() == 1 { around } else { text };
        all.into_iter().for_each(|fields| self.found(place, Form::Envelope, fields, found));
    }

    fn found(
        &self,
        value: &'a RawValue,
        form: Form,
        fields: Result<Fields<'a>, Fault>,
        found: &mut dyn FnMut(Found<'a>),
    ) {
        let text = value.get();
        // The value is a part of the unit, so the difference of the addresses is its offset.
        let start = text.as_ptr() as usize - self.unit.as_ptr() as usize;
        found(Found { range: start..start + text.len(), form, fields });
    }
}

fn fits(envelope: &Envelope, members: &Members<'_>) -> bool {
    envelope.present.iter().all(|path| exact::find(members, path).is_some())
        && envelope
            .when
            .iter()
            .all(|(path, text)| exact::find_text(members, path).is_some_and(|t| t.eq_ignore_ascii_case(text)))
}

fn reported(envelope: &Envelope, parts: &[FieldPath], members: &Members<'_>) -> Fault {
    let texts: Vec<String> =
        parts.iter().filter_map(|path| exact::find_text(members, path)).map(|text| shown(&text)).collect();
    let said = if texts.is_empty() { "nothing more".to_owned() } else { texts.join(": ") };
    Fault::new(Reason::ApiError, format!("{} reports an error: {said}", envelope.name))
}

/// A record that is not JSON but one of the text forms.
fn text_forms<'a>(
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
    let (pairs, wrong) = cef_pairs(line, cef)?;
    let other = forms.own.refuses_header(&cef_header(line)).or_else(|| forms.own.refuses_pairs(&pairs));
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
pub(crate) fn pairs<'a>(unit: &'a [u8], forms: &Forms) -> Option<Pairs<'a>> {
    let text = std::str::from_utf8(unit).ok()?;
    match cef_of(text, forms) {
        Some((cef, at)) => cef_pairs(&text[at..], cef).ok().map(|(pairs, _)| pairs),
        None => key_value_pairs(text, forms),
    }
}

/// The pairs of a text that is one record of key="value" pairs.
fn key_value_pairs<'a>(text: &'a str, forms: &Forms) -> Option<Pairs<'a>> {
    key_value::records(text, forms.key_value.as_ref()?)?.ok()?.into_iter().next().map(|record| record.pairs)
}

/// Where CEF begins in a text that is one record.
fn cef_of<'f>(text: &str, forms: &'f Forms) -> Option<(&'f Cef, usize)> {
    Some((forms.cef.as_ref()?, *cef_starts(text.as_bytes()).first()?))
}

/// Where `CEF:<digits>|` begins.
pub(super) fn cef_starts(unit: &[u8]) -> Vec<usize> {
    let is_start = |at: &usize| {
        let rest = &unit[at + 4..];
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        digits > 0 && rest.get(digits) == Some(&b'|')
    };
    memchr::memmem::find_iter(unit, b"CEF:").filter(is_start).collect()
}

pub(super) type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The parts of a CEF line's header, from `CEF:0` on.
fn cef_header(line: &str) -> Vec<Cow<'_, str>> {
    let mut start = 0;
    let parts = unescaped(line.as_bytes(), b'|').take(7).map(|end| {
        let part = cef_unescape(&line[start..end]);
        start = end + 1;
        part
    });
    parts.collect()
}

/// The fields of a CEF line's extension, under the names that `cef` gives them, and those of them
/// that are not the times that they should be.
fn cef_pairs<'a>(line: &'a str, cef: &Cef) -> Result<(Pairs<'a>, Vec<(usize, Fault)>), Fault> {
    let bytes = line.as_bytes();
    let mut pipes = unescaped(bytes, b'|');
    let Some(end) = pipes.nth(6) else {
        let why = "a CEF header has seven parts, each ended by `|`, before the extension";
        return Err(Fault::new(Reason::InvalidJson, format!("neither JSON nor CEF: {why}")));
    };
    let extension = &line[end + 1..];
    // A key is a word before an unescaped `=`, at the start or after a space; its value runs to
    // the space before the next key.
    let bytes = extension.as_bytes();
    let mut keys: Vec<(usize, usize)> = Vec::new();
    for equals in unescaped(bytes, b'=') {
        let word =
            bytes[..equals].iter().rev().take_while(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b));
        let start = equals - word.count();
        if start < equals && (start == 0 || bytes[start - 1] == b' ') {
            keys.push((start, equals));
        }
    }
    let ends = keys.iter().skip(1).map(|(start, _)| *start).chain([extension.len() + 1]);
    let values: Vec<(&str, &str)> = keys
        .iter()
        .zip(ends)
        .map(|((start, equals), end)| {
            let value = &extension[*equals + 1..(end - 1).max(*equals + 1)];
            (&extension[*start..*equals], value.trim_end_matches(' '))
        })
        .collect();
    // Of two equal keys the last counts.
    let by_key: HashMap<&str, &str> = values.iter().copied().collect();
    let labels = values.iter().filter_map(|(key, _)| key.strip_suffix("Label"));
    let labels: HashMap<&str, &str> =
        labels.filter_map(|key| Some((key, *by_key.get(format!("{key}Label").as_str())?))).collect();
    let label = |key: &str| labels.get(key).copied();
    let is_label = |key: &str| key.strip_suffix("Label").is_some_and(|key| by_key.contains_key(key));
    let mut pairs = Pairs::new();
    let mut wrong = Vec::new();
    for (key, value) in &values {
        if is_label(key) {
            continue;
        }
        let name = label(key).unwrap_or(key);
        let mut value = cef_unescape(value);
        if cef.absent.iter().any(|a| *a == value) {
            value = Cow::Borrowed("");
        } else if let Some((_, earliest)) = cef.milliseconds.iter().find(|(m, _)| m == name)
            && !value.is_empty()
        {
            match seconds(name, &value, *earliest) {
                Ok(seconds) => value = Cow::Owned(seconds),
                Err(fault) => wrong.push((pairs.len(), fault)),
            }
        }
        let name = match cef.rename.iter().find(|(from, _)| from == name) {
            Some((_, to)) => Cow::Owned(to.clone()),
            None => cef_unescape(name),
        };
        pairs.push((name, value));
    }
    Ok((pairs, wrong))
}

/// Where `wanted` stands without an odd number of backslashes before it.
fn unescaped(bytes: &[u8], wanted: u8) -> impl Iterator<Item = usize> {
    let mut escaped = false;
    bytes.iter().enumerate().filter_map(move |(i, b)| {
        let hit = *b == wanted && !escaped;
        escaped = *b == b'\\' && !escaped;
        hit.then_some(i)
    })
}

fn cef_unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some(next @ ('\\' | '=' | '|' | 'n' | 'r'))) => {
                chars.next();
                text.push(match next {
                    'n' => '\n',
                    'r' => '\r',
                    other => other,
                });
            }
            _ => text.push(c),
        }
    }
    Cow::Owned(text)
}

/// The milliseconds of the field `name` as seconds.
fn seconds(name: &str, text: &str, earliest: Option<Instant>) -> Result<String, Fault> {
    let wrong =
        |why: String| Fault::new(Reason::BadTimestamp, format!("`{}`: `{}` {why}", shown(name), shown(text)));
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong("is not a whole number of milliseconds since 1970-01-01T00:00:00Z".into()));
    }
    // The point moves three digits to the left.
    let padded = format!("{:0>4}", digits.trim_start_matches('0'));
    let (whole, milliseconds) = padded.split_at(padded.len() - 3);
    let seconds = format!("{sign}{whole}.{milliseconds}");
    let Some(earliest) = earliest else { return Ok(seconds) };
    let is_before = match time::read(&seconds, Reading::EpochSeconds) {
        Ok(instant) => instant < earliest,
        // What is too late for a time is said where times are read.
        Err(_) => sign == "-",
    };
    if is_before {
        let earliest = earliest.to_rfc3339();
        return Err(wrong(format!("as milliseconds is before {earliest}; it looks like seconds")));
    }
    Ok(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> FieldPath {
        FieldPath::parse(text).unwrap()
    }

    fn forms() -> Forms {
        let envelope = |when: &[(&str, &str)], present: &[&str], holds| Envelope {
            name: "the service".into(),
            when: when.iter().map(|(p, t)| (path(p), (*t).to_owned())).collect(),
            present: present.iter().map(|p| path(p)).collect(),
            holds,
            text: false,
        };
        Forms {
            envelopes: vec![
                envelope(&[("ok", "no")], &[], Holds::Error(vec![path("code"), path("why")])),
                envelope(&[("ok", "yes")], &[], Holds::Records(vec![path("r.items"), path("r")])),
                envelope(&[], &["page"], Holds::Records(vec![path("items")])),
                Envelope { text: true, ..envelope(&[], &["log"], Holds::Records(vec![path("log")])) },
            ],
            cef: Some(Cef {
                rename: vec![("rt".into(), "t".into())],
                milliseconds: vec![("rt".into(), None)],
                absent: vec!["None".into()],
            }),
            key_value: Some(KeyValue { lead: Some("t".into()) }),
            own: Own::default(),
        }
    }

    /// The records of a unit as `form bytes: t=.., a=..` or the fault's code.
    fn found(unit: &str) -> Vec<String> {
        let mut wanted = Wanted::default();
        wanted.want(&path("t")).unwrap();
        wanted.want(&path("a")).unwrap();
        let mut all = Vec::new();
        records(unit.as_bytes(), &forms(), &wanted, &mut |record| {
            let at = &unit[record.range.clone()];
            let what = match record.fields {
                Ok(fields) => {
                    fields.iter().map(|f| f.as_deref().unwrap_or("-")).collect::<Vec<_>>().join(" ")
                }
                Err(fault) => fault.to_string(),
            };
            let whole = if at == unit { "all" } else { at };
            all.push(format!("{} {whole} => {what}", record.form.name()));
        });
        all
    }

    #[test]
    fn json_forms() {
        for (unit, expected) in [
            (r#"{"t":1,"a":"x"}"#, vec!["bare all => 1 x"]),
            (r#"[]"#, vec![]),
            (r#"[{"t":1}, {"a":2}]"#, vec![r#"array {"t":1} => 1 -"#, r#"array {"a":2} => - 2"#]),
            (
                r#"[[{"t":1}],7]"#,
                vec![
                    r#"array [{"t":1}] => not-object: the record is an array, not an object"#,
                    "array 7 => not-object: the record is a number, not an object",
                ],
            ),
            (r#"{"ok":"yes","r":[{"t":1}]}"#, vec![r#"envelope {"t":1} => 1 -"#]),
            (r#"{"ok":"yes","r":{"items":[{"t":1}],"page":{}}}"#, vec![r#"envelope {"t":1} => 1 -"#]),
            (r#"{"ok":"yes","r":{"items":[]}}"#, vec![]),
            (r#"{"ok":"yes","r":{"t":1}}"#, vec![r#"envelope {"t":1} => 1 -"#]),
            (r#"{"ok":"yes","r":5,"t":3}"#, vec!["bare all => 3 -"]),
            (r#"{"ok":"yes"}"#, vec!["bare all => - -"]),
            (r#"{"items":[{"t":1}],"page":null}"#, vec![r#"envelope {"t":1} => 1 -"#]),
            (r#"{"items":[{"t":1}]}"#, vec!["bare all => - -"]),
            (
                r#"{"ok":"no","code":7,"why":"late"}"#,
                vec!["bare all => api-error: the service reports an error: 7: late"],
            ),
            (r#"{"ok":"no"}"#, vec!["bare all => api-error: the service reports an error: nothing more"]),
            (
                r#"[{"ok":"yes","r":[{"ok":"no"},{"t":1}]}]"#,
                vec![
                    r#"envelope {"ok":"no"} => api-error: the service reports an error: nothing more"#,
                    r#"envelope {"t":1} => 1 -"#,
                ],
            ),
            (r#"{"log":"{\"t\":1}\n"}"#, vec!["envelope all => 1 -"]),
            (
                r#"{"log":"{\"t\":1}\r\n\nno\n{\"t\":2}"}"#,
                vec![
                    r#"envelope "{\"t\":1}\r\n\nno\n{\"t\":2}" => 1 -"#,
                    r#"envelope "{\"t\":1}\r\n\nno\n{\"t\":2}" => invalid-json: not valid JSON: expected a value (from byte 11 of the text on)"#,
                    r#"envelope "{\"t\":1}\r\n\nno\n{\"t\":2}" => 2 -"#,
                ],
            ),
            (
                r#"{"log":["{\"t\":1}",{"t":2}]}"#,
                vec![r#"envelope "{\"t\":1}" => 1 -"#, r#"envelope {"t":2} => 2 -"#],
            ),
            (r#"{"log":"{\"log\":\"{\\\"t\\\":1}\"}"}"#, vec!["envelope all => 1 -"]),
            (r#"{"log":" \n"}"#, vec![]),
            (r#"{"log":7,"t":3}"#, vec!["bare all => 3 -"]),
            ("7", vec!["bare all => not-object: the record is a number, not an object"]),
            ("x", vec!["bare all => invalid-json: not valid JSON: expected a value"]),
        ] {
            assert_eq!(found(unit), expected, "{unit}");
        }
    }

    #[test]
    fn text_forms() {
        for (unit, expected) in [
            (
                "Nov 23 02:47:28 vm CEF:0|V|P|1|s|n|5|cs1Label=a cs1=two words rt=1683648435123",
                "cef all => 1683648435.123 two words",
            ),
            ("CEF:0|V|P|1|||5|rt=None cs1Label=a cs1=None", "cef all => - -"),
            (r"CEF:0|V\|W|P|1|||5|a=x\=y\\z\n b=1 rt=5", "cef all => 0.005 x=y\\z\n"),
            (
                "CEF:0|V|P|1|||5|rt=soon",
                "cef all => bad-timestamp: `rt`: `soon` is not a whole number of milliseconds since 1970-01-01T00:00:00Z",
            ),
            ("CEF:0|V|P|1|||5|rt=soon t=1", "cef all => 1 -"),
            ("CEF:0|V|P|1|||5|", "cef all => - -"),
            (
                "CEF:0|V|P|1|",
                "cef all => invalid-json: neither JSON nor CEF: a CEF header has seven parts, each ended by `|`, before the extension",
            ),
            (r#"1683648435,a="x", b="y""#, "key-value all => 1683648435 x"),
            (r#"a="x",t="5""#, "key-value all => 5 x"),
            (r#"a="say "hi", b", t="5""#, r#"key-value all => 5 say "hi", b"#),
            (
                r#"a="x", "#,
                "bare all => invalid-json: not valid JSON: expected a value; this looks like key=value pairs, whose values need quotes",
            ),
            (
                "5, nothing",
                "bare all => invalid-json: not valid JSON: something follows the end of the value",
            ),
            // Pairs with blanks and tabs between them.
            ("a=\"x\" t=\"5\"", "key-value all => 5 x"),
            ("a=\"x\"\tt=\"5\" ,\t b=\"\"", "key-value all => 5 x"),
        ] {
            assert_eq!(found(unit), vec![expected], "{unit}");
        }
    }

    #[test]
    fn behind_headers() {
        let time = "Apr 18 17:21:32 host duo: ";
        for (unit, expected) in [
            (r#"{"t":1}"#, vec![r#"bare {"t":1} => 1 -"#]),
            (r#"[{"t":1},{"a":2}]"#, vec![r#"array {"t":1} => 1 -"#, r#"array {"a":2} => - 2"#]),
            (
                r#"{"t":1}{"t":2} {"t":3}"#,
                vec![r#"bare {"t":1} => 1 -"#, r#"bare {"t":2} => 2 -"#, r#"bare {"t":3} => 3 -"#],
            ),
            (r#"{"t":1}<1>{"t":2}"#, vec![r#"bare {"t":1} => 1 -"#, r#"bare {"t":2} => 2 -"#]),
            (r#"{"t":1,"a":"CEF:0|x"}"#, vec![r#"bare {"t":1,"a":"CEF:0|x"} => 1 CEF:0|x"#]),
            (r#"t="5", a="x""#, vec![r#"key-value t="5", a="x" => 5 x"#]),
            (r#"5,a="x""#, vec![r#"key-value 5,a="x" => 5 x"#]),
            // Whatever else follows a value makes it a broken one.
            (
                r#"{"t":1} x"#,
                vec![
                    r#"bare {"t":1} x => invalid-json: not valid JSON: something follows the end of the value"#,
                ],
            ),
            (
                r#"{"t":1}CEF:0|V|P|1|||5|a=x"#,
                vec![
                    r#"bare {"t":1}CEF:0|V|P|1|||5|a=x => invalid-json: not valid JSON: something follows the end of the value"#,
                ],
            ),
        ] {
            assert_eq!(found(&format!("{time}{unit}")), expected, "{unit}");
        }
    }

    #[test]
    fn several_on_a_line() {
        let cef = "CEF:0|V|P|1|||5|rt=1000 cs1Label=a cs1=x";
        let one = |text: &str| format!("cef {text} => 1.000 x");
        let syslog = format!("Nov 23 02:47:28 vm {cef}");
        let strange = format!("vm1 {cef}");
        for (unit, expected) in [
            (format!("{cef}{cef}"), vec![one(cef), one(cef)]),
            (format!("{cef} {cef}"), vec![one(cef), one(cef)]),
            // A time that is a value is not the next record's.
            (
                format!("CEF:0|V|P|1|||5|a=2023-03-21T22:34:49Z {cef}"),
                vec![
                    "cef CEF:0|V|P|1|||5|a=2023-03-21T22:34:49Z => - 2023-03-21T22:34:49Z".to_owned(),
                    one(cef),
                ],
            ),
            (
                format!("CEF:0|V|P|1|||5|a=2023-03-21T22:34:49Z{cef}"),
                vec![
                    "cef CEF:0|V|P|1|||5|a=2023-03-21T22:34:49Z => - 2023-03-21T22:34:49Z".to_owned(),
                    one(cef),
                ],
            ),
            (format!("{syslog}{syslog}{syslog}"), vec![one(&syslog), one(&syslog), one(&syslog)]),
            (format!("{cef}<134>{syslog}"), vec![one(cef), one(&format!("<134>{syslog}"))]),
            (format!("{strange}{strange}"), vec![one(&strange), one(&strange)]),
            (
                r#"5,a="x"6,a="y" 7,a="z",b="""#.to_owned(),
                vec![
                    r#"key-value 5,a="x" => 5 x"#.to_owned(),
                    r#"key-value 6,a="y" => 6 y"#.to_owned(),
                    r#"key-value 7,a="z",b="" => 7 z"#.to_owned(),
                ],
            ),
            (
                r#"t="1" a="x" t="2" a="y""#.to_owned(),
                vec![
                    r#"key-value t="1" a="x" => 1 x"#.to_owned(),
                    r#"key-value t="2" a="y" => 2 y"#.to_owned(),
                ],
            ),
            (
                r#"<5>t="1" b="x"<5>host app: a="y""#.to_owned(),
                vec![r#"key-value t="1" b="x" => 1 -"#.to_owned(), r#"key-value a="y" => - y"#.to_owned()],
            ),
        ] {
            assert_eq!(found(&unit), expected, "{unit}");
        }
        // Where one ends and the next begins can't be told.
        for unit in [
            format!("{syslog} other {cef}"),
            format!("{cef} CEF:0|x"),
            format!("{cef}{{\"t\":1}}"),
            format!("{cef} {{\"t\":1,\"a\":2}}"),
            format!("{cef} 5,a=\"x\""),
            format!("a=\"x\" {cef}"),
            r#"t="1" a="x" a="y""#.to_owned(),
            r#"t="1"a="x" t="2""#.to_owned(),
            r#"t="1" {"a":"x"} , a="y""#.to_owned(),
            r#"5,t="1",a="x",t="2""#.to_owned(),
        ] {
            let found = found(&unit);
            assert!(found.len() == 1 && found[0].contains("all => invalid-json"), "{unit}: {found:?}");
        }
        // JSON may be a value.
        assert_eq!(found("CEF:0|V|P|1|||5|rt=1000 a={\"b\":1}"), ["cef all => 1.000 {\"b\":1}"]);
    }

    #[test]
    fn milliseconds() {
        let read = |text| seconds("rt", text, None).ok();
        for (given, expected) in [("1", "0.001"), ("1234", "1.234"), ("-5", "-0.005"), ("0001234", "1.234")] {
            assert_eq!(read(given).as_deref(), Some(expected));
        }
        for text in ["-", "1.5", "1e3", "soon", "+1", " 1"] {
            assert_eq!(read(text), None, "{text}");
        }
        let earliest = time::read("631152000", Reading::EpochSeconds).ok();
        for (given, is_right) in [
            ("631152000000", true),
            ("631151999999", false),
            ("1683648435", false),
            ("0", false),
            ("-5", false),
        ] {
            let read = seconds("rt", given, earliest);
            assert_eq!(read.is_ok(), is_right, "{given}");
            assert!(is_right || read.is_err_and(|fault| fault.message.ends_with("it looks like seconds")));
        }
    }
}
