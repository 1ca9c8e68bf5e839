//! Mapping tables: what of a raw record goes where in a UDM event, kept as data.
//!
//! A table is a TOML file ([`Mapping::load`]). Its format is described in `docs/mapping.md`. It is
//! checked against UDM's schema when it is loaded, and then compiled into a [`Plan`] that the
//! converter runs. Nothing here knows a log type.

mod builtin;
mod canonical;
mod check;
mod document;
#[cfg(feature = "files")]
pub mod files;
mod own;
mod plan;
mod problem;
mod table;

pub use builtin::{builtin_mappings, builtin_text};
pub use plan::Plan;
pub(crate) use plan::{Choice, Kind, Leaf, Member, Node, Spelling, Time, Value, json_text};
pub use problem::{MappingError, Problem};
pub use table::{Case, Content, Known, Rule, Shape, When};

use crate::record::forms::Forms;

/// A mapping table that has been read and checked.
#[derive(Debug, Clone)]
pub struct Mapping {
    name: String,
    log_type: String,
    description: String,
    extends: Option<String>,
    rules: Vec<Rule>,
    shapes: Vec<Shape>,
    known: Vec<Known>,
    forms: Forms,
}

impl Mapping {
    /// Reads the table in `text`. `file` is its name in messages; `base` gives the text of the
    /// table that this one builds on, by the name that `extends` holds.
    ///
    /// # Errors
    /// A [`MappingError`] that lists everything that is wrong, each with file, line and column.
    pub fn load(
        file: &str,
        text: &str,
        base: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Mapping, MappingError> {
        let mapping = table::read(file, text, base)?;
        check::check(&mapping)?;
        Ok(mapping)
    }

    /// The table's own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The SecOps log type that it reads, such as `DUO_TELEPHONY`.
    pub fn log_type(&self) -> &str {
        &self.log_type
    }

    /// A line on what it does.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The table that it builds on.
    pub fn extends(&self) -> Option<&str> {
        self.extends.as_deref()
    }

    /// Its rules, those of the table that it builds on first.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The shapes of record that reports tell apart.
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// The values that are documented for raw fields.
    pub fn known(&self) -> &[Known] {
        &self.known
    }

    /// The forms in which its records arrive.
    pub fn forms(&self) -> &Forms {
        &self.forms
    }
}
