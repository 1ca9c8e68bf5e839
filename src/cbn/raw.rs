//! What can't be a log, whatever the parser.

/// The longest log, in bytes: SecOps takes no longer ones.
pub const MAX_LOG_BYTES: usize = 1 << 20;

/// Why a log of more than [`MAX_LOG_BYTES`] fails.
pub const TOO_LONG: &str = "the log is longer than 1 MiB, which SecOps does not take";

/// The text of a log.
///
/// # Errors
/// Why it can't be parsed: it is longer than [`MAX_LOG_BYTES`], or not UTF-8.
pub fn log_text(log: &[u8]) -> Result<&str, &'static str> {
    if log.len() > MAX_LOG_BYTES {
        return Err(TOO_LONG);
    }
    std::str::from_utf8(log).map_err(|_| "the log is not UTF-8")
}
