//! Why an invocation failed, as Lambda shows it.

use super::line::Run;
use crate::jobs::collect::Error;
use lambda_runtime::Diagnostic;

/// What is told of a panic, besides the line that it leaves itself.
pub(super) const FAULT: &str = "a fault of udmap itself: the log says where; please report it";

/// An error and what to do about it, in one text.
pub(super) fn with_hint(error: &impl std::fmt::Display, hint: Option<&str>) -> String {
    let hint = hint.map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
    format!("{error}{hint}")
}

/// Why an invocation failed.
#[derive(Debug)]
pub(super) struct Failed {
    kind: String,
    why: String,
}

impl Failed {
    pub(super) fn new(kind: &str, why: impl ToString) -> Failed {
        Failed { kind: kind.to_owned(), why: why.to_string() }
    }

    /// Of the runs that failed, the first one's kind, and what each says; nothing if none failed.
    pub(super) fn of(runs: Vec<Run>) -> Option<Failed> {
        let failed =
            runs.into_iter().filter_map(|(log, result)| Some((log, Failed::from(result.err()?.error))));
        let named = failed.map(|(log, failed)| match log {
            Some(log) => Failed { why: format!("{log}: {}", failed.why), ..failed },
            None => failed,
        });
        named.reduce(|all, next| Failed { why: format!("{}; {}", all.why, next.why), ..all })
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed { kind: format!("{:?}", error.kind()), why: with_hint(&error, error.hint()) }
    }
}

impl From<Failed> for Diagnostic {
    fn from(Failed { kind, why }: Failed) -> Diagnostic {
        Diagnostic { error_type: kind, error_message: why }
    }
}
