//! The fields that a mapping reads, as a tree of keys with a slot at each end.

use super::path::{FieldPath, ListStep};
use super::taken::Taken;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Deref;

/// The values that a mapping reads from one record, by slot of its [`Projection`].
///
/// `None` is an absent field: missing, `null` or `""`. A string is its unescaped value, a number
/// its own source text, `true` and `false` are those words. Of a list this is the first element, and
/// [`Fields::all`] gives every one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields<'a> {
    texts: Vec<Option<Cow<'a, str>>>,
    /// The further elements of lists, by slot.
    more: Vec<(usize, Vec<Cow<'a, str>>)>,
    /// The slots whose field holds what can't be taken, where that is noted and not an error.
    bad: Vec<usize>,
    /// The fields that are put nowhere, each with its path, if they are asked for.
    rest: Vec<(String, String)>,
}

impl<'a> Fields<'a> {
    /// This many absent fields.
    pub(crate) fn absent(slots: usize) -> Fields<'a> {
        Fields { texts: vec![None; slots], ..Fields::default() }
    }

    /// Adds a value to those of a slot.
    pub(crate) fn push(&mut self, slot: usize, text: Cow<'a, str>) {
        if self.texts[slot].is_none() {
            self.texts[slot] = Some(text);
            return;
        }
        match self.more.iter_mut().find(|(other, _)| *other == slot) {
            Some((_, more)) => more.push(text),
            None => self.more.push((slot, vec![text])),
        }
    }

    /// Adds the values of others, which have the same slots.
    pub(crate) fn take(&mut self, others: Fields<'a>) {
        let texts = others.texts.into_iter().enumerate();
        texts.for_each(|(slot, text)| text.into_iter().for_each(|text| self.push(slot, text)));
        let more = others.more.into_iter();
        more.for_each(|(slot, texts)| texts.into_iter().for_each(|text| self.push(slot, text)));
        others.bad.into_iter().for_each(|slot| self.note_bad(slot));
    }

    /// Notes that a slot's field holds what can't be taken.
    pub(crate) fn note_bad(&mut self, slot: usize) {
        if !self.bad.contains(&slot) {
            self.bad.push(slot);
        }
    }

    /// The slots whose field holds what can't be taken.
    pub(crate) fn bad(&self) -> &[usize] {
        &self.bad
    }

    /// Gives it the fields that are put nowhere.
    pub(super) fn set_rest(&mut self, rest: Vec<(String, String)>) {
        self.rest = rest;
    }

    /// The fields that are put nowhere, each with its path, if they are asked for.
    pub(crate) fn rest(&self) -> &[(String, String)] {
        &self.rest
    }

    /// The one of a slot's values with this number.
    pub(crate) fn nth(&self, slot: usize, nth: usize) -> Option<&Cow<'a, str>> {
        match nth.checked_sub(1) {
            None => self.texts[slot].as_ref(),
            Some(nth) => self.more.iter().find(|(other, _)| *other == slot)?.1.get(nth),
        }
    }

    /// How many values a slot has.
    pub(crate) fn count(&self, slot: usize) -> usize {
        let more = self.more.iter().find(|(other, _)| *other == slot).map_or(0, |(_, more)| more.len());
        usize::from(self.texts[slot].is_some()) + more
    }

    /// All values of a slot.
    pub fn all(&self, slot: usize) -> impl Iterator<Item = &Cow<'a, str>> {
        let more = self.more.iter().filter(move |(other, _)| *other == slot);
        self.texts[slot].iter().chain(more.flat_map(|(_, more)| more))
    }

    /// The values of lists that are not among those that come first: how many, by slot.
    pub(crate) fn more(&self) -> impl Iterator<Item = (usize, usize)> {
        self.more.iter().map(|(slot, more)| (*slot, more.len()))
    }

    /// The same, followed by slots that are absent; texts are borrowed.
    pub(crate) fn extended(&'a self, slots: usize) -> Fields<'a> {
        let borrowed = |text: &'a Cow<'_, str>| Cow::Borrowed(&**text);
        let texts = self.texts.iter().map(|text| text.as_ref().map(borrowed));
        let more = self.more.iter().map(|(slot, more)| (*slot, more.iter().map(borrowed).collect()));
        Fields {
            texts: texts.chain((0..slots).map(|_| None)).collect(),
            more: more.collect(),
            bad: self.bad.clone(),
            rest: self.rest.clone(),
        }
    }

    /// The same with texts of their own.
    pub(crate) fn into_owned(self) -> Fields<'static> {
        self.with(|text| text)
    }

    /// The same with what `change` makes of the texts.
    pub(crate) fn with(self, change: impl Fn(Cow<'a, str>) -> Cow<'a, str>) -> Fields<'static> {
        let owned = |text: Cow<'a, str>| Cow::Owned(change(text).into_owned());
        let texts = self.texts.into_iter().map(|text| text.map(&owned)).collect();
        let more = self.more.into_iter().map(|(slot, more)| (slot, more.into_iter().map(&owned).collect()));
        Fields { texts, more: more.collect(), bad: self.bad, rest: self.rest }
    }
}

impl<'a> FromIterator<Option<Cow<'a, str>>> for Fields<'a> {
    fn from_iter<I: IntoIterator<Item = Option<Cow<'a, str>>>>(texts: I) -> Fields<'a> {
        Fields { texts: texts.into_iter().collect(), ..Fields::default() }
    }
}

impl<'a> Deref for Fields<'a> {
    type Target = [Option<Cow<'a, str>>];

    fn deref(&self) -> &Self::Target {
        &self.texts
    }
}

/// The fields that a mapping reads, each with a slot number, counted from 0 in order of first
/// mention.
#[derive(Debug, Clone, Default)]
pub struct Projection {
    paths: Vec<FieldPath>,
    slots: HashMap<FieldPath, usize>,
    /// What is at each place on the way to a field, and at the field.
    roles: HashMap<FieldPath, Role>,
    root: Vec<Branch>,
    /// Whether more is read than values at keys of objects.
    #[cfg(any(feature = "cli", test))]
    is_extended: bool,
    /// Whether texts are read as JSON.
    #[cfg(feature = "cli")]
    opens_texts: bool,
    /// What is put somewhere, if the rest of a record is asked for.
    rest: Option<Taken>,
    /// The slots whose field must be one that can be taken, if of others it is noted that they are not.
    required: Option<HashSet<usize>>,
}

/// What is read at a place in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Value,
    Object,
    List,
    /// A text: its value, unless it is JSON with an object, whose fields are read. If so, it may be an object itself.
    Json(bool),
}

/// A key, and what is read at it.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) key: String,
    pub(crate) below: BranchTarget,
}

/// What is read of a value.
#[derive(Debug, Clone)]
pub(crate) enum BranchTarget {
    /// The value itself.
    Slot(usize),
    /// What is at the keys of an object.
    Keys(Vec<Branch>),
    /// What is read of the elements of a list.
    List(Vec<(ListStep, BranchTarget)>),
    /// What is at the keys of the object that a text holds as JSON; of any other text the value.
    Json {
        slot: usize,
        keys: Vec<Branch>,
        /// Whether it may be an object itself.
        objects: bool,
    },
}

/// Two fields that can't both be read: what one needs as a value, the other needs as something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` and `{1}` can't both be read: a field is a value, an object or a list")]
pub struct Overlap(pub FieldPath, pub FieldPath);

impl Projection {
    /// The texts at `paths` are read as JSON, where fields below them are read. Each says whether it may be an object
    /// itself.
    pub(crate) fn with_json<'p>(paths: impl IntoIterator<Item = (&'p FieldPath, bool)>) -> Projection {
        let mut projection = Projection::default();
        let roles = paths.into_iter().map(|(path, objects)| (path.clone(), Role::Json(objects)));
        projection.roles.extend(roles);
        projection
    }

    /// The slot for `path`, a new one if it has none yet.
    ///
    /// # Errors
    /// When `path` lies inside a field that is read, or such a field lies inside `path`.
    pub fn add(&mut self, path: &FieldPath) -> Result<usize, Overlap> {
        if let Some(slot) = self.slot(path) {
            return Ok(slot);
        }
        if let Some(overlap) = self.overlap(path) {
            return Err(overlap);
        }
        // A text that is read as JSON is read in any case.
        let way = (1..path.keys().len()).map(|keys| path.first(keys, true));
        let is_json = |at: &FieldPath| matches!(self.roles.get(at), Some(Role::Json(_)));
        for text in way.filter(is_json).collect::<Vec<_>>() {
            self.add(&text)?;
        }
        for (place, role) in places(path) {
            self.roles.entry(place).or_insert(role);
        }
        let slot = self.paths.len();
        self.paths.push(path.clone());
        self.slots.insert(path.clone(), slot);
        let end = match self.roles.get(path) {
            Some(Role::Json(objects)) => BranchTarget::Json { slot, keys: Vec::new(), objects: *objects },
            _ => BranchTarget::Slot(slot),
        };
        #[cfg(any(feature = "cli", test))]
        {
            self.is_extended |= path.has_lists() || matches!(end, BranchTarget::Json { .. });
        }
        #[cfg(feature = "cli")]
        {
            self.opens_texts |= matches!(end, BranchTarget::Json { .. });
        }
        insert(&mut self.root, path, 0, end);
        Ok(slot)
    }

    /// The field that can't be read together with `path`, if there is one.
    pub(crate) fn overlap(&self, path: &FieldPath) -> Option<Overlap> {
        let (place, _) = places(path).find(|(place, role)| match (self.roles.get(place), role) {
            (None, _) | (Some(Role::Json(_)), Role::Value | Role::Object) => false,
            (Some(other), role) => other != role,
        })?;
        let through = |other: &&FieldPath| *other != path && places(other).any(|(other, _)| other == place);
        Some(Overlap(self.paths.iter().find(through).unwrap_or(&place).clone(), path.clone()))
    }

    /// The slot of `path`, if it is read.
    pub fn slot(&self, path: &FieldPath) -> Option<usize> {
        self.slots.get(path).copied()
    }

    /// Whether more is read than values at keys of objects: lists, JSON in texts, or all that is left.
    #[cfg(any(feature = "cli", test))]
    pub(crate) fn is_extended(&self) -> bool {
        self.is_extended || self.rest.is_some()
    }

    /// Whether what a record gives is more than its values at their places: texts are read as JSON, or all that is left.
    #[cfg(feature = "cli")]
    pub(crate) fn is_more_than_values(&self) -> bool {
        self.opens_texts || self.rest.is_some()
    }

    /// Asks for all of a record that is not taken.
    pub(crate) fn ask_for_rest(&mut self, taken: Taken) {
        self.rest = Some(taken);
    }

    /// What is taken of a record, if the rest of it is asked for.
    pub(crate) fn rest(&self) -> Option<&Taken> {
        self.rest.as_ref()
    }

    /// Has it noted, instead of being an error, that a field can't be taken; but not of these slots.
    pub(crate) fn note_bad_fields(&mut self, required: HashSet<usize>) {
        self.required = Some(required);
    }

    /// Whether it is noted, and not an error, that the field of a slot can't be taken.
    pub(crate) fn notes(&self, slot: usize) -> bool {
        self.required.as_ref().is_some_and(|required| !required.contains(&slot))
    }

    /// The fields, by slot.
    pub fn paths(&self) -> &[FieldPath] {
        &self.paths
    }

    pub(crate) fn root(&self) -> &[Branch] {
        &self.root
    }
}

/// The places on the way to a field, and its own, with what is read there.
fn places(path: &FieldPath) -> impl Iterator<Item = (FieldPath, Role)> {
    (0..path.keys().len()).flat_map(move |key| {
        let last = if key + 1 == path.keys().len() { Role::Value } else { Role::Object };
        let is_list = path.list(key).is_some();
        let place = (path.first(key + 1, false), if is_list { Role::List } else { last });
        [Some(place), is_list.then(|| (path.first(key + 1, true), last))].into_iter().flatten()
    })
}

/// Adds what is at the end of `path` to the branches at its key with this number.
fn insert(branches: &mut Vec<Branch>, path: &FieldPath, key: usize, end: BranchTarget) {
    let name = &path.keys()[key];
    let is_last = key + 1 == path.keys().len();
    let start =
        |is_list: bool| if is_list { BranchTarget::List(Vec::new()) } else { BranchTarget::Keys(Vec::new()) };
    let list = path.list(key);
    if is_last && list.is_none() {
        return branches.push(Branch { key: name.clone(), below: end });
    }
    let at = branches.iter().position(|branch| branch.key == *name).unwrap_or_else(|| {
        branches.push(Branch { key: name.clone(), below: start(list.is_some()) });
        branches.len() - 1
    });
    match (&mut branches[at].below, list) {
        (BranchTarget::List(steps), Some(step)) if is_last => steps.push((step, end)),
        (BranchTarget::List(steps), Some(step)) => {
            let at = steps.iter().position(|(other, _)| *other == step).unwrap_or_else(|| {
                steps.push((step, start(false)));
                steps.len() - 1
            });
            insert_below(&mut steps[at].1, path, key, end);
        }
        (below, _) => insert_below(below, path, key, end),
    }
}

/// The same for what is below the key.
fn insert_below(below: &mut BranchTarget, path: &FieldPath, key: usize, end: BranchTarget) {
    if let BranchTarget::Keys(keys) | BranchTarget::Json { keys, .. } = below {
        insert(keys, path, key + 1, end);
    }
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

    #[test]
    fn a_place_is_a_value_an_object_or_a_list() {
        let path = |text| FieldPath::parse_in_lists(text).unwrap();
        let mut projection = Projection::with_json([(&path("d"), false)]);
        // The text of `d` has a slot as soon as something in it is read.
        for (text, slot) in
            [("a[].k", 0), ("a[0].k", 1), ("a[].l", 2), ("b[]", 3), ("d.x", 5), ("d", 4), ("d.y[]", 6)]
        {
            assert_eq!(projection.add(&path(text)), Ok(slot), "{text}");
        }
        for text in ["a", "a.k", "a[]", "a[0]", "b", "b.c", "b[].c", "d.x.z", "d.y", "d[]", "d[0]"] {
            assert!(projection.add(&path(text)).is_err(), "{text}");
        }
        assert!(projection.is_extended());
    }
}
