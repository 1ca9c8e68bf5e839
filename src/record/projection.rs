//! Which fields of a record are wanted, as a tree of keys with a slot at each leaf.

use super::path::FieldPath;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// The values that a mapping reads from one record, by slot of its [`Projection`].
///
/// `None` is an absent field: missing, `null` or `""`. A string is its unescaped value, a number
/// its own source text, `true` and `false` are those words.
pub type Fields<'a> = Vec<Option<Cow<'a, str>>>;

/// The fields that a mapping reads, each with a slot number, counted from 0 in order of first
/// mention.
#[derive(Debug, Clone, Default)]
pub struct Projection {
    paths: Vec<FieldPath>,
    slots: HashMap<Vec<String>, usize>,
    /// The keys of the objects on the way to them.
    inner: HashSet<Vec<String>>,
    root: Vec<Branch>,
}

/// A key, and what is wanted at it: its value, or keys below it.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) key: String,
    pub(crate) below: Below,
}

#[derive(Debug, Clone)]
pub(crate) enum Below {
    Slot(usize),
    Keys(Vec<Branch>),
}

/// Two wanted fields that can't both be there: one is read as a value, the other lies inside it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` and `{1}` can't both be read: a field is either a value or an object")]
pub struct Overlap(pub FieldPath, pub FieldPath);

impl Projection {
    /// The slot for `path`, a new one if it was not wanted yet.
    ///
    /// # Errors
    /// When `path` lies inside a wanted field, or a wanted field lies inside `path`.
    pub fn add(&mut self, path: &FieldPath) -> Result<usize, Overlap> {
        if let Some(slot) = self.slot(path) {
            return Ok(slot);
        }
        if let Some(overlap) = self.overlap(path) {
            return Err(overlap);
        }
        let slot = self.paths.len();
        self.paths.push(path.clone());
        self.slots.insert(path.keys().to_vec(), slot);
        self.inner.extend(outer(path).map(<[String]>::to_vec));
        insert(&mut self.root, path.keys(), slot);
        Ok(slot)
    }

    /// The wanted field that lies inside `path`, or that `path` lies inside of, if there is one.
    pub(crate) fn overlap(&self, path: &FieldPath) -> Option<Overlap> {
        let around = outer(path).any(|outer| self.slots.contains_key(outer));
        if !around && !self.inner.contains(path.keys()) {
            return None;
        }
        let inside =
            |a: &FieldPath, b: &FieldPath| a.keys().starts_with(b.keys()) || b.keys().starts_with(a.keys());
        let other = self.paths.iter().find(|other| *other != path && inside(other, path))?;
        Some(Overlap(other.clone(), path.clone()))
    }

    /// The slot of `path`, if it is wanted.
    pub fn slot(&self, path: &FieldPath) -> Option<usize> {
        self.slots.get(path.keys()).copied()
    }

    /// The wanted fields, by slot.
    pub fn paths(&self) -> &[FieldPath] {
        &self.paths
    }

    pub(crate) fn root(&self) -> &[Branch] {
        &self.root
    }

    /// The fields of a record that is a flat list of names and values; of two with one name the
    /// last counts.
    pub(crate) fn pick<'a>(&self, pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>) -> Fields<'a> {
        let mut fields: Fields<'a> = vec![None; self.paths.len()];
        for (name, value) in pairs {
            let branch = self.root.iter().find(|branch| branch.key == name);
            if let Some(Branch { below: Below::Slot(slot), .. }) = branch {
                fields[*slot] = if value.is_empty() { None } else { Some(value) };
            }
        }
        fields
    }
}

/// The keys of the objects around a field.
fn outer(path: &FieldPath) -> impl Iterator<Item = &[String]> {
    (1..path.keys().len()).map(|end| &path.keys()[..end])
}

fn insert(branches: &mut Vec<Branch>, keys: &[String], slot: usize) {
    let Some((key, rest)) = keys.split_first() else { return };
    if rest.is_empty() {
        branches.push(Branch { key: key.clone(), below: Below::Slot(slot) });
        return;
    }
    if let Some(Branch { below: Below::Keys(below), .. }) = branches.iter_mut().find(|b| b.key == *key) {
        return insert(below, rest, slot);
    }
    let mut below = Vec::new();
    insert(&mut below, rest, slot);
    branches.push(Branch { key: key.clone(), below: Below::Keys(below) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_follow_first_mention_and_overlaps_are_refused() {
        let path = |text| FieldPath::parse(text).unwrap();
        let mut projection = Projection::default();
        for (text, slot) in [("a", 0), ("b.c", 1), ("a", 0), ("b.d", 2)] {
            assert_eq!(projection.add(&path(text)), Ok(slot), "{text}");
        }
        for text in ["b", "a.x", "b.c.d"] {
            assert!(projection.add(&path(text)).is_err(), "{text}");
        }
        assert_eq!(projection.paths().len(), 3);
    }
}
