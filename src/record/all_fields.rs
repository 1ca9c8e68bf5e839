//! Every field of a record, whether the mapping reads it or not, with its bytes.

use super::FieldPath;
use super::formats::{self, Format, Formats};
use crate::json::{Kind, Tree, Value};
use crate::text::cut;
use std::borrow::Cow;
use std::ops::Range;

/// How many characters of a key [`Leaf::path`] has.
const LONGEST_KEY: usize = 200;

/// A field of a record that holds no other field. Lists are one field, whatever is in them.
#[derive(Debug, Clone)]
pub struct Leaf<'l> {
    /// The keys that lead to it, from the root.
    pub keys: &'l [Cow<'l, str>],
    /// Its value: a text's own characters, anything else as it is written.
    pub value: Cow<'l, str>,
    /// What it is.
    pub kind: Kind,
    /// The value's bytes in the record, with a text's quotes; nothing where that can't be said.
    pub at: Option<Range<usize>>,
}

impl Leaf<'_> {
    /// Its path, as a mapping table writes it. Of long keys only the first 200 characters are in it.
    pub fn path(&self) -> String {
        FieldPath::of(self.keys.iter().map(|key| cut(key, LONGEST_KEY).into_owned()).collect()).to_string()
    }
}

/// Hands the fields of the record in `raw` to `each`, in order. Of two with one name both are there.
pub fn each_leaf(raw: &[u8], format: Format, formats: &Formats, each: &mut dyn FnMut(&Leaf<'_>)) {
    if matches!(format, Format::Cef | Format::KeyValue) {
        for (name, value) in formats::all_pairs(raw, formats).unwrap_or_default() {
            let at = within(raw, value.as_bytes());
            each(&Leaf { keys: &[name], value, kind: Kind::Text, at });
        }
    } else {
        let mut tree = Tree::default();
        if let Ok(root) = tree.read(raw) {
            below(root, &mut Vec::new(), each);
        }
    }
}

/// Where in `raw` a text lies that was taken out of it, if it was not made anew.
fn within(raw: &[u8], text: &[u8]) -> Option<Range<usize>> {
    let start = (text.as_ptr() as usize).checked_sub(raw.as_ptr() as usize)?;
    (start + text.len() <= raw.len()).then(|| start..start + text.len())
}

fn below<'v>(value: Value<'v>, keys: &mut Vec<Cow<'v, str>>, each: &mut dyn FnMut(&Leaf<'_>)) {
    for member in value.children() {
        keys.push(member.key());
        if member.kind() == Kind::Object && !member.is_empty() {
            below(member, keys, each);
        } else {
            each(&Leaf {
                keys,
                value: member.text(),
                kind: member.kind(),
                at: Some(member.start()..member.start() + member.raw().len()),
            });
        }
        keys.pop();
    }
}
