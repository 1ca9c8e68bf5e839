//! How bad findings are: the options.

use super::config::Configuration;
use crate::check::validate::{Code, Severities, Severity};

/// How bad findings are.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Set the severity of a code: LEVEL is error, warning, info or off. May be given several times.
    #[arg(long = "severity", value_name = "CODE=LEVEL", value_parser = severity)]
    severities: Vec<(Code, Severity)>,

    /// Count every warning as an error.
    #[arg(long)]
    strict: bool,
}

impl Options {
    /// The severities: the configuration's, then those of the options.
    pub(super) fn read(&self, configuration: &Configuration) -> anyhow::Result<Severities> {
        let mut severities = Severities::default();
        let applied = configuration.config.apply(configuration.folder(), &mut severities);
        applied.map_err(|error| configuration.wrong(&error))?;
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
