//! Whether UDM events are valid: against the schema, and by the rules beyond it.
//!
//! ```
//! use udmap::check::validate::Validator;
//!
//! let event = br#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00Z","event_type":"STATUS_UPDATE"},
//!     "principal":{"ip":"10.0.0.1"}}"#;
//! let mut findings = Vec::new();
//! let events = Validator::default().check(event, &mut |finding| findings.push(finding));
//! assert_eq!(events, 1);
//! assert_eq!((findings[0].code.name(), findings[0].path.as_str()), ("list-expected", "principal.ip"));
//! ```

mod codes;
mod config;
mod finding;
mod formats;
#[cfg(feature = "cli")]
mod inputs;
mod known;
mod needs;
mod severities;
mod severity;
#[cfg(test)]
mod tests;
mod validator;
mod walk;

pub use codes::{About, Code};
#[cfg(feature = "cli")]
pub(crate) use config::Config;
pub use finding::{Finding, Placed};
#[cfg(feature = "cli")]
pub(crate) use inputs::check_inputs;
pub use severities::Severities;
pub use severity::Severity;
pub use validator::Validator;
