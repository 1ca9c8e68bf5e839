//! What the platform adds to what a parser makes.

/// What is known of a log besides its text, and added to its events.
#[derive(Debug, Clone, Copy)]
pub(in crate::cbn) struct Platform<'l> {
    /// The log type; without one that of the parser stays.
    pub(in crate::cbn) log_type: Option<&'l str>,
    /// What an event without a time gets, in seconds and nanoseconds since 1970.
    pub(in crate::cbn) time: (i64, u32),
}

/// The nouns whose names and addresses are copied into their asset.
pub(super) const NOUNS: [&str; 4] = ["principal", "src", "target", "observer"];

/// What is copied.
pub(super) const COPIED: [&str; 4] = ["ip", "hostname", "mac", "asset_id"];
