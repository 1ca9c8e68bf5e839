//! Settings as texts: what an option, a variable, or an argument of another language holds.
//!
//! An error is a sentence that says what was expected; the caller names the setting.

use crate::convert::{Converter, Options};
use crate::jobs::settings::{size, time};
use crate::mapping::{Mapping, builtin_mappings};
use std::sync::Arc;
use std::time::Duration;

/// The most bytes of a request that SecOps takes.
const MOST_BYTES: u64 = 4_000_000;

/// Bytes a second, if there is a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(pub Option<u64>);

/// `5MB/s`, or `none`.
///
/// # Errors
/// A sentence, if it is neither.
pub fn rate(text: &str) -> Result<Rate, String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("none") {
        return Ok(Rate(None));
    }
    let bytes = size(text.strip_suffix("/s").unwrap_or(text));
    bytes
        .map(|bytes| Rate(Some(bytes)))
        .map_err(|_| "expected bytes a second such as `5MB/s`, or `none`".into())
}

/// The most bytes of a request, such as `2MB`.
///
/// # Errors
/// A sentence, if SecOps takes no such request.
pub fn batch_bytes(text: &str) -> Result<u64, String> {
    size(text)
        .and_then(|bytes| if bytes > MOST_BYTES { Err("SecOps takes 4MB at most".into()) } else { Ok(bytes) })
}

/// A length of time that is not zero, such as `150s`.
///
/// # Errors
/// A sentence, if it is none.
pub fn period(text: &str) -> Result<Duration, String> {
    time(text).and_then(
        |period| if period.is_zero() { Err("must be greater than zero".into()) } else { Ok(period) },
    )
}

/// What finds the times of raw logs of this type: the built-in table for it, if there is one.
pub fn times(log_type: &str) -> Option<Arc<Converter>> {
    let mut tables = builtin_mappings().filter_map(Mapping::builtin);
    let table = tables.find(|table| table.log_type() == log_type)?;
    Some(Arc::new(Converter::new(&table, &Options::default())))
}
