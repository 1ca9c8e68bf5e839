//! What of a record a table takes, and which fields it can't do without.

use super::rest::{BAD_FIELDS, RestRule};
use super::table::{Mapping, REQUIRED, Rule};
use crate::record::{FieldPath, Taken};
use crate::udm;
use std::collections::HashSet;

impl Mapping {
    /// What the rules take, and what is left out of the rest.
    pub(super) fn taken(&self, rest: &RestRule) -> Taken {
        let mut taken = Taken::default();
        self.embedded().iter().for_each(|text| taken.embed(&text.from));
        self.rules().iter().flat_map(Rule::taken).for_each(|path| taken.take(path));
        rest.except.iter().for_each(|path| taken.leave_out(path));
        taken
    }

    /// The names that the rules give to what they put at `target`, and the one of bad fields.
    pub(super) fn names_in(&self, target: &udm::Path) -> HashSet<String> {
        let steps = target.segments.len();
        let inside = |rule: &&Rule| {
            rule.target.segments.len() == steps + 1 && rule.target.segments[..steps] == target.segments
        };
        let own = self.rules().iter().filter(inside);
        let names = own.filter_map(|rule| Some(rule.target.segments.last()?.name.clone()));
        names.chain(self.notes_bad_fields().then(|| BAD_FIELDS.to_owned())).collect()
    }

    /// The fields that must be ones that can be taken: an event needs its time and its type, and it must be known whose
    /// record it is.
    pub(super) fn required_fields(&self) -> Vec<&FieldPath> {
        let is_required = |rule: &&Rule| {
            let target = rule.target.to_string();
            REQUIRED.contains(&target.as_str())
        };
        let read = self.rules().iter().filter(is_required).flat_map(Rule::fields);
        read.chain(self.formats().own.fields.iter().map(|(path, _)| path)).collect()
    }
}
