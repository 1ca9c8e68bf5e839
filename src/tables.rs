//! Mapping tables by the names that users give: a built-in one's, or a file's.

use crate::mapping::{Mapping, MappingError};
use crate::{builtin_mappings, builtin_text, udm};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// A table with the texts that it was made of, so that it can be made again elsewhere.
#[derive(Debug, Clone)]
pub struct Table {
    /// The mapping.
    pub mapping: Mapping,
    /// The name by which it was asked for.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The texts of files that it builds on, by the names that `extends` holds.
    pub bases: BTreeMap<String, String>,
}

/// Why a table can't be had.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is none of this name.
    #[error("`{name}` is no built-in mapping table ({known}) and no file{near}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names of the built-in tables.
        known: String,
        /// The nearest of them, in words.
        near: String,
    },
    /// Its file can't be read.
    #[error("cannot read the mapping table `{name}`")]
    Unreadable {
        /// The file.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// It is faulty.
    #[error("the mapping table `{name}` has {what}\n\n{error}")]
    Faulty {
        /// What was asked for.
        name: String,
        /// How many problems, in words.
        what: String,
        /// The problems.
        error: MappingError,
    },
}

/// The table called `name`: built-in, or in a file. What it builds on is built-in, or a file beside
/// it.
///
/// # Errors
/// A [`LoadError`] that says what is wrong and where.
pub fn load(name: &str) -> Result<Table, LoadError> {
    let folder = Path::new(name).parent().unwrap_or(Path::new(""));
    make(name, read(name)?, &|base| {
        std::fs::read_to_string(folder.join(base))
            .map_err(|error| format!("it is no built-in table, and as a file: {error}"))
    })
}

/// A table made again of its texts, see [`Table`].
///
/// # Errors
/// [`LoadError::Faulty`].
pub fn reload(name: &str, text: &str, bases: &BTreeMap<String, String>) -> Result<Table, LoadError> {
    let missing = || "it is no built-in table, and its text is missing".to_owned();
    make(name, text.to_owned(), &|base| bases.get(base).cloned().ok_or_else(missing))
}

fn make(name: &str, text: String, file: &dyn Fn(&str) -> Result<String, String>) -> Result<Table, LoadError> {
    let bases = std::cell::RefCell::new(BTreeMap::new());
    let base = |base: &str| match builtin_text(base) {
        Some(text) => Ok(text.to_owned()),
        None => {
            let text = file(base)?;
            bases.borrow_mut().insert(base.to_owned(), text.clone());
            Ok(text)
        }
    };
    let mapping = Mapping::load(name, &text, &base).map_err(|error| {
        let problems = error.problems().len();
        let what = if problems == 1 { "a problem".to_owned() } else { format!("{problems} problems") };
        LoadError::Faulty { name: name.to_owned(), what, error }
    })?;
    Ok(Table { mapping, name: name.to_owned(), text, bases: bases.into_inner() })
}

/// The text of the table called `name`.
///
/// # Errors
/// If there is none, or if it can't be read.
pub fn read(name: &str) -> Result<String, LoadError> {
    if let Some(text) = builtin_text(name) {
        return Ok(text.to_owned());
    }
    if !Path::new(name).exists() {
        let names: Vec<&str> = builtin_mappings().collect();
        let near = udm::nearest(name, names.iter().copied());
        let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        return Err(LoadError::Unknown { name: name.to_owned(), known: names.join(", "), near });
    }
    std::fs::read_to_string(name).map_err(|source| LoadError::Unreadable { name: name.to_owned(), source })
}
