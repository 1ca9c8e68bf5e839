//! Mapping tables by the names that users give: a built-in one's, or a file's.

use super::builtin::builtin_file;
use super::{Mapping, MappingError, builtin_mappings, builtin_text};
use crate::text::escaped;
use crate::udm;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Component, Path};

/// A table with the texts that it was made of, so that it can be made again elsewhere.
#[derive(Debug, Clone)]
pub struct LoadedTable {
    /// The mapping.
    pub mapping: Mapping,
    /// The name by which it was asked for.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The texts of files that it builds on, by the names that `extends` and `map_file` hold.
    pub bases: BTreeMap<String, String>,
}

/// The most bytes of a table file.
pub(crate) const MOST_BYTES: u64 = 1 << 20;
/// The most files of a folder that are looked at for one with a name like a mistyped one.
const MOST_NEIGHBOURS: usize = 1000;

/// Why a table can't be had.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is none of this name.
    #[error("`{}` is neither a built-in mapping table ({known}) nor a file{near}", escaped(name))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names of the built-in tables.
        known: String,
        /// The nearest of them, or of the files in its folder, in words.
        near: String,
    },
    /// Its file can't be read.
    #[error("cannot read the mapping table `{}`", escaped(name))]
    Unreadable {
        /// The file.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// It is faulty.
    #[error("the mapping table `{}` has {what}\n\n{error}", escaped(name))]
    Faulty {
        /// What was asked for.
        name: String,
        /// How many problems, in words.
        what: String,
        /// The problems.
        error: MappingError,
    },
}

/// The table called `name`: built-in, or in a file. What it builds on is built-in, or a file next
/// to it.
///
/// # Errors
/// A [`LoadError`] that says what is wrong and where.
pub fn load(name: &str) -> Result<LoadedTable, LoadError> {
    load_text(name, read(name)?)
}

/// The table that is in `text`, as [`load`] would load it from a file called `name`.
///
/// # Errors
/// [`LoadError::Faulty`].
pub fn load_text(name: &str, text: String) -> Result<LoadedTable, LoadError> {
    let folder = Path::new(name).parent().unwrap_or(Path::new(""));
    make(name, text, &|base| {
        // Nothing else of the machine is opened for a table that came from elsewhere.
        if !is_file_name(base) {
            return Err("expected a built-in table's name, or that of a file in the same folder".to_owned());
        }
        let path = folder.join(base);
        if !path.exists() {
            let near = nearest(base, folder);
            return Err(format!(
                "there is no built-in table of that name, and no such file next to this one{near}"
            ));
        }
        bounded(&path).map_err(|error| format!("cannot read it: {error}"))
    })
}

/// Whether `name` is a file's name without a folder.
fn is_file_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let is_name = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    is_name && !name.contains(['/', '\\', '\0'])
}

/// What was meant by `name`: a built-in table, or a table in this folder.
fn nearest(name: &str, folder: &Path) -> String {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(here).into_iter().flatten().flatten().take(MOST_NEIGHBOURS);
    let files = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let files = files.filter(|name| name.ends_with(".toml"));
    let names: Vec<String> = builtin_mappings().map(str::to_owned).chain(files).collect();
    let near = udm::nearest(name, names.iter().map(String::as_str));
    near.map_or(String::new(), |near| format!("; did you mean `{}`?", escaped(near)))
}

/// The text of a table file, which is a plain file of a size that a table may have.
fn bounded(path: &Path) -> io::Result<String> {
    let refuse = |why: String| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    // A pipe or a device could keep the run waiting without end, when it is opened or when it is read.
    let kind = std::fs::metadata(path)?.file_type();
    if !kind.is_file() {
        let found = if kind.is_dir() { "a folder" } else { "a pipe or a device" };
        return refuse(format!("expected a file, found {found}"));
    }
    let mut text = Vec::new();
    std::fs::File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return refuse(format!("it has more than {MOST_BYTES} bytes, the limit for a table"));
    }
    match String::from_utf8(text) {
        Ok(text) => Ok(text),
        Err(error) => {
            let at = error.utf8_error().valid_up_to() + 1;
            refuse(format!("it is not a mapping table: byte {at} is not UTF-8"))
        }
    }
}

/// A table made again of its texts, see [`LoadedTable`].
///
/// # Errors
/// [`LoadError::Faulty`].
pub fn reload(name: &str, text: &str, bases: &BTreeMap<String, String>) -> Result<LoadedTable, LoadError> {
    let missing = || "it is not a built-in table, and its text is missing".to_owned();
    make(name, text.to_owned(), &|base| bases.get(base).cloned().ok_or_else(missing))
}

fn make(
    name: &str,
    text: String,
    file: &dyn Fn(&str) -> Result<String, String>,
) -> Result<LoadedTable, LoadError> {
    let bases = std::cell::RefCell::new(BTreeMap::new());
    let base = |base: &str| match builtin_file(base) {
        Some(text) => Ok(text.to_owned()),
        None => {
            let text = file(base)?;
            bases.borrow_mut().insert(base.to_owned(), text.clone());
            Ok(text)
        }
    };
    let mapping = Mapping::load(name, &text, &base).map_err(|error| {
        let what = match error.problems().len() {
            problems if error.has_more() => format!("more than {problems} problems"),
            1 => "a problem".to_owned(),
            problems => format!("{problems} problems"),
        };
        LoadError::Faulty { name: name.to_owned(), what, error }
    })?;
    Ok(LoadedTable { mapping, name: name.to_owned(), text, bases: bases.into_inner() })
}

/// The text of the table called `name`.
///
/// # Errors
/// If there is none, or if it can't be read.
pub fn read(name: &str) -> Result<String, LoadError> {
    if let Some(text) = builtin_text(name) {
        return Ok(text.to_owned());
    }
    let path = Path::new(name);
    if !path.exists() {
        let known = builtin_mappings().collect::<Vec<_>>().join(", ");
        let folder = path.parent().unwrap_or(Path::new(""));
        let file = path.file_name().map_or(Cow::Borrowed(name), |name| name.to_string_lossy());
        return Err(LoadError::Unknown { name: name.to_owned(), known, near: nearest(&file, folder) });
    }
    bounded(path).map_err(|source| LoadError::Unreadable { name: name.to_owned(), source })
}
