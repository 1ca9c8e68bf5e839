//! Severities from a file.

use super::codes::Code;
use super::severities::Severities;
use super::severity::Severity;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    severity: BTreeMap<String, String>,
    #[serde(default)]
    allow: Vec<Allow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Allow {
    code: String,
    path: String,
}

impl Severities {
    /// Sets what a configuration says, which is TOML: the table `severity` and the list `allow`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn configure(&mut self, toml: &str) -> Result<(), String> {
        let config: Config =
            toml::from_str(toml).map_err(|error| format!("not a configuration of severities\n\n{error}"))?;
        for (name, level) in &config.severity {
            self.set(name.parse::<Code>()?, level.parse::<Severity>()?);
        }
        for allow in &config.allow {
            if allow.path.is_empty() {
                return Err(
                    "`allow` needs a `path`; to leave out a code everywhere, set its severity to `off`"
                        .into(),
                );
            }
            self.allow(allow.code.parse()?, &allow.path);
        }
        Ok(())
    }
}
