//! Mapping tables: what of a raw record goes where in a UDM event, kept as data.
//!
//! A table is a TOML file ([`Mapping::load`]). Its format is described in `docs/mapping.md`. It is
//! checked against UDM's schema when it is loaded, and then compiled into a [`Plan`] that the
//! converter runs. Nothing here knows a log type.

mod builtin;
mod canonical;
mod check;
mod condition;
mod derived;
mod document;
mod event_tree;
#[cfg(feature = "files")]
pub mod files;
mod own;
mod own_test;
mod plan;
mod problem;
mod read;
mod rest;
mod scalar;
mod set;
mod shippers;
mod table;
mod taken;
mod template;
mod transform;
mod value_map;
mod watched;

pub use builtin::{builtin_mappings, builtin_text};
pub use condition::Condition;
pub(crate) use derived::{Derived, DerivedText, Joined};
pub(crate) use event_tree::{Choice, EventMember, EventNode, EventValue, ValueSource};
pub use own_test::{OwnTest, TestOutcome};
pub use plan::Plan;
pub(crate) use plan::{EventStyle, Time};
pub use problem::{MappingError, Problem};
#[cfg(feature = "cli")]
pub(crate) use rest::BAD_FIELDS_AT;
pub use rest::RestRule;
pub(crate) use scalar::{TextKind, json_text};
pub use table::{
    Case, Change, Content, EmbeddedText, KnownValues, Mapping, Rule, SetTable, Shape, TableSet, When,
};
pub use template::{Template, TemplatePart};
pub use transform::Transform;
pub use value_map::ValueMap;
pub use watched::WatchedFields;

impl Mapping {
    /// Reads the table in `text`. `file` is its name in messages; `base` gives the text of the
    /// table that this one builds on, by the name that `extends` holds, and of the files that `map_file` names.
    ///
    /// # Errors
    /// A [`MappingError`] that lists everything that is wrong, each with file, line and column.
    pub fn load(
        file: &str,
        text: &str,
        base: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Mapping, MappingError> {
        let mut mapping = read::read(file, text, base)?;
        for table in mapping.tables_mut() {
            check::check(table)?;
            shippers::add(table)?;
        }
        Ok(mapping)
    }
}
