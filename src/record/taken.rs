//! Which fields of records are put somewhere, as a tree. What is not in it is the rest.

use super::path::{FieldPath, ListStep};
use std::collections::HashMap;

/// What of a value is taken: the value, or some of what is in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taken {
    /// All of it, whatever it is.
    pub(crate) whole: bool,
    /// A text in it is read as JSON.
    pub(crate) is_json: bool,
    /// Of such a text, one that is not an object is taken.
    pub(crate) text: bool,
    pub(crate) keys: HashMap<String, Taken>,
    pub(crate) lists: Vec<(ListStep, Taken)>,
}

impl Taken {
    /// The text at `path` is read as JSON.
    pub(crate) fn embed(&mut self, path: &FieldPath) {
        self.at(path).is_json = true;
    }

    /// What is at `path` is taken; of a text that is read as JSON, what is not an object.
    pub(crate) fn take(&mut self, path: &FieldPath) {
        let end = self.at(path);
        match end.is_json {
            true => end.text = true,
            false => end.whole = true,
        }
    }

    /// All that is at `path` counts as taken.
    pub(crate) fn leave_out(&mut self, path: &FieldPath) {
        self.at(path).whole = true;
    }

    fn at(&mut self, path: &FieldPath) -> &mut Taken {
        path.keys().iter().enumerate().fold(self, |at, (place, key)| {
            let below = at.keys.entry(key.clone()).or_default();
            let Some(step) = path.list(place) else { return below };
            let at = below.lists.iter().position(|(other, _)| *other == step).unwrap_or_else(|| {
                below.lists.push((step, Taken::default()));
                below.lists.len() - 1
            });
            &mut below.lists[at].1
        })
    }

    /// Whether what is at `path` is taken, or counts as taken.
    pub(crate) fn has(&self, path: &FieldPath) -> bool {
        let mut at = vec![self];
        for (place, key) in path.keys().iter().enumerate() {
            at = at.iter().filter_map(|taken| taken.keys.get(key)).collect();
            if let Some(step) = path.list(place) {
                let number = if let ListStep::At(number) = step { number } else { 0 };
                at = at.iter().flat_map(|taken| taken.element(number)).collect();
            }
            if at.iter().any(|taken| taken.whole) {
                return true;
            }
        }
        at.iter().any(|taken| taken.text)
    }

    /// What is taken of an element of this list, by its number.
    pub(crate) fn element(&self, number: usize) -> impl Iterator<Item = &Taken> {
        let is = move |step: &ListStep| match step {
            ListStep::Each => true,
            ListStep::At(n) => *n == number,
        };
        self.lists.iter().filter(move |(step, _)| is(step)).map(|(_, below)| below)
    }
}
