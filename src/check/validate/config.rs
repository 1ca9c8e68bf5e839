//! The file `udmap.toml`: what a repository says about its checks.

use super::codes::Code;
use super::severities::Severities;
use super::severity::Severity;
use crate::text::escaped;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// What the file says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The file of known findings, from the configuration's folder.
    #[cfg_attr(not(feature = "cli"), allow(dead_code))]
    pub(crate) baseline: Option<String>,
    #[serde(default)]
    strict: bool,
    #[serde(default)]
    severity: BTreeMap<String, String>,
    #[serde(default)]
    allow: Vec<Allow>,
}

/// Findings that are left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Allow {
    code: String,
    path: String,
    /// Only in files that match, by their paths from the configuration's folder.
    files: Option<String>,
    /// Why. It is for people.
    #[serde(rename = "reason")]
    _reason: Option<String>,
}

impl Config {
    /// Reads the file's text.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(crate) fn read(toml: &str) -> Result<Config, String> {
        toml::from_str(toml).map_err(|error| format!("not a configuration of checks\n\n{error}"))
    }

    /// Sets the severities that the file says. `folder` is where it is.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(crate) fn apply(&self, folder: &Path, severities: &mut Severities) -> Result<(), String> {
        for (name, level) in &self.severity {
            severities
                .set(name.parse::<Code>().map_err(on_a_line)?, level.parse::<Severity>().map_err(on_a_line)?);
        }
        for allow in &self.allow {
            if allow.path.is_empty() {
                return Err(
                    "`allow` needs a `path`; to leave out a code everywhere, set its severity to `off`"
                        .into(),
                );
            }
            let code = allow.code.parse().map_err(on_a_line)?;
            match &allow.files {
                None => severities.allow(code, &allow.path),
                Some(files) => {
                    severities.allow_in(code, &allow.path, folder, files).map_err(on_a_line)?;
                }
            }
        }
        if self.strict {
            severities.strict();
        }
        Ok(())
    }
}

/// A name of the file may hold line ends.
fn on_a_line(error: String) -> String {
    escaped(&error).into_owned()
}

impl Severities {
    /// Sets what a configuration says, which is TOML: `strict`, the table `severity` and the list `allow`. Its `files`
    /// count from the working folder.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn configure(&mut self, toml: &str) -> Result<(), String> {
        Config::read(toml)?.apply(Path::new(""), self)
    }
}
