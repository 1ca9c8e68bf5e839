//! Events as a table: flat columns for the fields that people ask for, beside the whole event as JSON.
//!
//! A column is called by its UDM path, with `_` for `.`; of a repeated field it holds the first value.
//! What an event does not have is null. [`COLUMNS`] lists them. [`Reader`] takes them out of events;
//! the Parquet writer and the Python package make columns of what it gives.

mod learnt;
#[cfg(feature = "parquet")]
mod parquet;
mod read;

#[cfg(feature = "parquet")]
pub use parquet::Table;
pub use read::{Reader, Row};

/// The UDM fields that have a column of their own, all texts. Before them stands [`TIME`],
/// microseconds in UTC.
pub const COLUMNS: [&str; 20] = [
    "metadata.event_type",
    "metadata.product_event_type",
    "metadata.product_log_id",
    "metadata.log_type",
    "metadata.product_name",
    "metadata.vendor_name",
    "metadata.description",
    "principal.hostname",
    "principal.ip",
    "principal.namespace",
    "principal.asset.ip",
    "principal.user.userid",
    "principal.user.phone_numbers",
    "target.hostname",
    "target.ip",
    "target.user.userid",
    "security_result.summary",
    "security_result.action",
    "security_result.severity",
    "extensions.auth.mechanism",
];
/// The field of the timestamp.
pub const TIME: &str = "metadata.event_timestamp";

/// The column of a UDM field.
pub fn name(path: &str) -> String {
    path.replace('.', "_")
}
