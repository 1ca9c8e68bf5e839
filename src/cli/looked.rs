//! What a look before the first run found, on stdout.

use super::reports::print_all;
use super::{DONE, FAILED};
use crate::jobs::collect::{Finding, Level};

/// Prints findings, each behind what it is about; the exit status.
pub(super) fn print(all: &[(String, Finding)]) -> anyhow::Result<u8> {
    let (mut status, mut text) = (DONE, String::new());
    for (which, finding) in all {
        let word = match finding.level {
            Level::Good => "ok     ",
            Level::Warning => "warning",
            Level::Bad => {
                status = FAILED;
                "bad    "
            }
        };
        text.push_str(&format!("{word}  {which}{}\n", finding.what));
        if let Some(hint) = &finding.hint {
            text.push_str(&format!("         hint: {hint}\n"));
        }
    }
    print_all(&text)?;
    Ok(status)
}
