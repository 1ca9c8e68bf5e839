//! How a table says what becomes of other fields: `[rest]` puts those somewhere that no rule takes, and `on_bad_field`
//! notes those that can't be taken.

use super::document::TomlTable;
use super::problem::TextPlace;
use crate::record::FieldPath;
use crate::udm;
use std::borrow::Cow;
use std::collections::HashSet;

/// The name in `additional` of the fields that can't be taken.
pub(crate) const BAD_FIELDS: &str = "udmap.bad_fields";

/// The same as a path.
#[cfg(feature = "cli")]
pub(crate) const BAD_FIELDS_AT: &str = "additional.\"udmap.bad_fields\"";

/// Where the fields go that no rule takes.
#[derive(Debug, Clone)]
pub struct RestRule {
    /// The UDM field: one that holds texts by any name, or one for labels.
    pub target: udm::Path,
    /// What each name begins with.
    pub prefix: String,
    /// Fields that are left out, with all that is in them.
    pub except: Vec<FieldPath>,
    pub(crate) at: TextPlace,
}

impl RestRule {
    /// The table file that holds the section.
    pub fn file(&self) -> &str {
        &self.at.source.name
    }

    /// The line of its `udm` key, from 1.
    pub fn line(&self) -> usize {
        self.at.line()
    }
}

/// Reads the section.
pub(super) fn read(keys: &TomlTable<'_>) -> Option<RestRule> {
    keys.only(&["udm", "prefix", "except"]);
    let text = keys.required("udm");
    let at = keys.get("udm").map_or_else(|| keys.at(), |item| item.at());
    let prefix = keys.text("prefix").unwrap_or_default();
    let except = keys.fields_in_lists("except");
    if text.is_empty() {
        return None;
    }
    match udm::Path::parse(&text) {
        Ok(target) => Some(RestRule { target, prefix, except, at }),
        Err(error) => {
            keys.report(at.problem(error.to_string()));
            None
        }
    }
}

/// Reads `on_bad_field`: whether such fields are noted.
pub(super) fn read_on_bad_field(head: &TomlTable<'_>) -> Option<bool> {
    let item = head.get("on_bad_field")?;
    let text = item.text()?;
    match text.as_str() {
        "note" => Some(true),
        "reject" => Some(false),
        _ => {
            let message = format!("expected `reject` or `note`, found `{}`", crate::text::shown(&text));
            head.report(item.at().problem(message).nearest(&text, ["reject", "note"]));
            None
        }
    }
}

/// The name of a field that no rule takes. One that is not its own has its last key in quotes, which names the same
/// field.
pub(super) fn name<'n>(prefix: &str, path: &'n str, others: &HashSet<String>) -> Cow<'n, str> {
    let name = if prefix.is_empty() { Cow::Borrowed(path) } else { Cow::Owned(format!("{prefix}{path}")) };
    if !others.contains(&*name) {
        return name;
    }
    // No name of a rule has quotes.
    let (before, last) = path.rfind('.').map_or(("", path), |at| path.split_at(at + 1));
    Cow::Owned(format!("{prefix}{before}\"{last}\""))
}
