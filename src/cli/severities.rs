//! How bad findings are: the options, and the small file.

use super::small;
use crate::check::validate::{Code, Severities, Severity};
use crate::udm::nearest;
use anyhow::{anyhow, bail};
use serde::Deserialize;
use std::collections::BTreeMap;

/// How many bytes the configuration may have.
const MOST: u64 = 1 << 20;

/// How bad findings are.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// A TOML file with severities and allowed paths (see docs/checks.md).
    #[arg(long, value_name = "FILE")]
    config: Option<String>,

    /// Set the severity of a code: LEVEL is error, warning, info or off. May be given several times.
    #[arg(long = "severity", value_name = "CODE=LEVEL", value_parser = severity)]
    severities: Vec<(Code, Severity)>,

    /// Count every warning as an error.
    #[arg(long)]
    strict: bool,
}

/// The file.
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

impl Options {
    /// The file of `--config`.
    pub(super) fn file(&self) -> Option<&str> {
        self.config.as_deref()
    }

    /// The severities: the file's, then those of the options.
    pub(super) fn read(&self) -> anyhow::Result<Severities> {
        let mut severities = Severities::default();
        if let Some(file) = &self.config {
            let text = small::read_text(file.as_ref(), MOST)?;
            let config: Config =
                toml::from_str(&text).map_err(|error| anyhow!("`{file}` is no configuration\n\n{error}"))?;
            let in_file = |error: String| anyhow!("`{file}`: {error}");
            for (name, level) in &config.severity {
                severities.set(code(name).map_err(in_file)?, level_of(level).map_err(in_file)?);
            }
            for allow in &config.allow {
                if allow.path.is_empty() {
                    bail!(
                        "`{file}`: `allow` needs a `path`; to leave out a code as a whole, set its severity to `off`"
                    );
                }
                severities.allow(code(&allow.code).map_err(in_file)?, &allow.path);
            }
        }
        for (code, severity) in &self.severities {
            severities.set(*code, *severity);
        }
        if self.strict {
            severities.strict();
        }
        Ok(severities)
    }
}

fn severity(text: &str) -> Result<(Code, Severity), String> {
    let (name, level) = text.split_once('=').ok_or("a severity is CODE=LEVEL")?;
    Ok((code(name)?, level_of(level)?))
}

/// The code of this name.
pub(super) fn code(name: &str) -> Result<Code, String> {
    Code::named(name).ok_or_else(|| {
        let near = nearest(name, Code::all().map(Code::name));
        let near = near.map_or("`udmap validate --explain all` lists them".to_owned(), |near| {
            format!("did you mean `{near}`?")
        });
        format!("there is no code `{name}`; {near}")
    })
}

fn level_of(name: &str) -> Result<Severity, String> {
    let level = Severity::ALL.iter().find(|(known, _)| *known == name);
    level
        .map(|(_, level)| *level)
        .ok_or_else(|| format!("`{name}` is no severity: known are error, warning, info, off"))
}
