//! How bad a finding is.

use std::fmt;
use std::str::FromStr;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Not reported.
    Off,
    /// Worth knowing.
    Info,
    /// May be lost or unusable in SecOps.
    Warning,
    /// SecOps refuses it, as far as is known.
    Error,
}

impl Severity {
    /// Every severity by its name.
    pub const ALL: [(&'static str, Severity); 4] = [
        ("error", Severity::Error),
        ("warning", Severity::Warning),
        ("info", Severity::Info),
        ("off", Severity::Off),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Severity::ALL.iter().find(|(_, severity)| *severity == self).map_or("", |(name, _)| name)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Severity {
    type Err = String;

    /// The severity of this name, or a sentence that lists them.
    fn from_str(name: &str) -> Result<Severity, String> {
        let severity = Severity::ALL.iter().find(|(known, _)| *known == name).map(|(_, severity)| *severity);
        severity.ok_or_else(|| {
            let known = Severity::ALL.map(|(known, _)| known).join(", ");
            format!("`{name}` is not a severity; expected one of: {known}")
        })
    }
}
