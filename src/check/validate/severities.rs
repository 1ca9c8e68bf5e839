//! How bad each kind of finding is.

use super::codes::Code;
use super::severity::Severity;
use crate::check::paths::bare;
use std::collections::HashMap;

/// The severities that differ from those by default.
#[derive(Debug, Clone, Default)]
pub struct Severities {
    set: HashMap<Code, Severity>,
    /// Findings of this code at this path (without indexes) are off.
    allowed: Vec<(Code, String)>,
    strict: bool,
}

impl Severities {
    /// Sets the severity of a code.
    pub fn set(&mut self, code: Code, severity: Severity) {
        self.set.insert(code, severity);
    }

    /// Leaves out findings of `code` at `path`, which is written without indexes
    /// (`network.http.parsed_user_agent`), and below it.
    pub fn allow(&mut self, code: Code, path: &str) {
        self.allowed.push((code, bare(path)));
    }

    /// Counts every warning as an error.
    pub fn strict(&mut self) {
        self.strict = true;
    }

    /// The severity of a finding.
    pub fn of(&self, code: Code, path: &str) -> Severity {
        let allowed = || {
            let path = bare(path);
            self.allowed.iter().any(|(allowed, below)| {
                *allowed == code
                    && path
                        .strip_prefix(below.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        if !self.allowed.is_empty() && allowed() {
            return Severity::Off;
        }
        let severity = self.set.get(&code).copied().unwrap_or(code.about().severity);
        if self.strict && severity == Severity::Warning { Severity::Error } else { severity }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_counts() {
        let mut severities = Severities::default();
        assert_eq!(severities.of(Code::UnknownField, "a"), Severity::Warning);
        severities.allow(Code::UnknownField, "network.http.parsed_user_agent");
        for (path, severity) in [
            ("network.http.parsedUserAgent", Severity::Off),
            ("network.http.parsed_user_agent[3].x", Severity::Off),
            ("network.http.parsed_user_agents", Severity::Warning),
            ("network.http", Severity::Warning),
        ] {
            assert_eq!(severities.of(Code::UnknownField, path), severity, "{path}");
        }
        severities.set(Code::InvalidIp, Severity::Info);
        severities.strict();
        assert_eq!(severities.of(Code::InvalidIp, ""), Severity::Info);
        assert_eq!(severities.of(Code::InvalidUrl, ""), Severity::Error);
    }
}
