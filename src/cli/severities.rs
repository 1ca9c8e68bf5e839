//! How bad findings are: the options, and the small file.

use crate::check::validate::{Code, Severities, Severity};
use crate::check::whole_file;
use anyhow::anyhow;

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

impl Options {
    /// The file of `--config`.
    pub(super) fn file(&self) -> Option<&str> {
        self.config.as_deref()
    }

    /// The severities: the file's, then those of the options.
    pub(super) fn read(&self) -> anyhow::Result<Severities> {
        let mut severities = Severities::default();
        if let Some(file) = &self.config {
            let text = whole_file::read_text(file.as_ref(), MOST)?;
            severities.configure(&text).map_err(|error| anyhow!("`{file}`: {error}"))?;
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
    let (name, level) = text.split_once('=').ok_or("expected CODE=LEVEL")?;
    Ok((name.parse()?, level.parse()?))
}
