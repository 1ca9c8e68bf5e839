//! Every field of a record, wanted or not, with the bytes that it stands in.

use super::FieldPath;
use super::forms::{self, Form, Forms};
use crate::json::{Kind, Tree, Value};
use std::ops::Range;

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawField {
    /// Where it stands. Lists are one field, whatever is in them.
    pub path: FieldPath,
    /// Its value: a text's own characters, anything else as it is written.
    pub value: String,
    /// What it is.
    pub kind: Kind,
    /// The value's bytes in the record, with a text's quotes; nothing where that can't be said.
    pub at: Option<Range<usize>>,
}

/// The fields of the record in `raw`, in order. Of two with one name both are there.
pub fn leaves(raw: &[u8], form: Form, forms: &Forms) -> Vec<RawField> {
    let mut fields = Vec::new();
    if matches!(form, Form::Cef | Form::KeyValue) {
        for (name, value) in forms::pairs(raw, forms).unwrap_or_default() {
            let at = within(raw, value.as_bytes());
            let path = FieldPath::of(vec![name.into_owned()]);
            fields.push(RawField { path, value: value.into_owned(), kind: Kind::Text, at });
        }
    } else {
        let mut tree = Tree::default();
        if let Ok(root) = tree.read(raw) {
            below(root, &mut Vec::new(), &mut fields);
        }
    }
    fields
}

/// Where in `raw` a text lies that was taken out of it, if it was not made anew.
fn within(raw: &[u8], text: &[u8]) -> Option<Range<usize>> {
    let start = (text.as_ptr() as usize).checked_sub(raw.as_ptr() as usize)?;
    (start + text.len() <= raw.len()).then(|| start..start + text.len())
}

fn below(value: Value<'_>, keys: &mut Vec<String>, fields: &mut Vec<RawField>) {
    for member in value.children() {
        keys.push(member.key().into_owned());
        if member.kind() == Kind::Object && !member.is_empty() {
            below(member, keys, fields);
        } else {
            fields.push(RawField {
                path: FieldPath::of(keys.clone()),
                value: member.text().into_owned(),
                kind: member.kind(),
                at: Some(member.start()..member.start() + member.raw().len()),
            });
        }
        keys.pop();
    }
}
