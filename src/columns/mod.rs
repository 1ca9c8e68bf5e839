//! Events as a table: flat columns for the fields that people ask for, and the whole event as JSON.
//!
//! A column is called by its UDM path, with `_` for `.`; of a repeated field it holds the first value.
//! What an event does not have is null. [`COLUMNS`] lists them. A converter that was made
//! [with columns](crate::convert::Converter::with_columns) says in [`Layouts`] what each event looks like;
//! [`Builder`] makes Arrow arrays of that, and [`Table`] a Parquet file.

#[cfg(feature = "arrow")]
mod build;
// Without tables nobody reads them.
#[cfg_attr(not(feature = "arrow"), expect(dead_code))]
mod layout;
#[cfg_attr(not(feature = "arrow"), expect(dead_code))]
mod layouts;
mod names;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(all(test, feature = "arrow"))]
mod tests;
#[cfg(feature = "arrow")]
mod text_column;
#[cfg(feature = "arrow")]
mod times;

#[cfg(feature = "arrow")]
pub use build::Builder;
pub use layouts::Layouts;
pub(crate) use layouts::Sample;
#[cfg(feature = "parquet")]
pub use parquet::Table;

/// The UDM fields that have a column of their own, all texts. The column before them is [`TIME`],
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
