//! Why a record can't be converted.

use std::fmt;

/// Why a record was not converted: the short code that reject files hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// `invalid-json`: not JSON by RFC 8259, nor another form that the mapping knows.
    InvalidJson,
    /// `invalid-utf8`: the bytes are not UTF-8.
    InvalidUtf8,
    /// `too-deep`: objects and arrays nested deeper than 127.
    TooDeep,
    /// `too-long`: longer than the limit on a record's bytes.
    TooLong,
    /// `not-object`: JSON, but not an object.
    NotObject,
    /// `api-error`: an envelope that reports an error instead of records.
    ApiError,
    /// `other-log`: a record that does not belong to the mapping's log.
    OtherLog,
    /// `field-type`: a mapped field holds something that its rule can't take.
    FieldType,
    /// `no-timestamp`: none of the fields that give the event's time is there.
    NoTimestamp,
    /// `bad-timestamp`: the field that gives the event's time is not a time.
    BadTimestamp,
    /// `timestamp-range`: a time outside the years 1 to 9999.
    TimestampRange,
}

impl Reason {
    /// Every reason, in the order of the checks.
    pub const ALL: [Reason; 11] = [
        Reason::TooLong,
        Reason::InvalidUtf8,
        Reason::InvalidJson,
        Reason::TooDeep,
        Reason::NotObject,
        Reason::ApiError,
        Reason::OtherLog,
        Reason::FieldType,
        Reason::NoTimestamp,
        Reason::BadTimestamp,
        Reason::TimestampRange,
    ];

    /// The code, as reject files and summaries spell it.
    pub fn code(self) -> &'static str {
        match self {
            Reason::InvalidJson => "invalid-json",
            Reason::InvalidUtf8 => "invalid-utf8",
            Reason::TooDeep => "too-deep",
            Reason::TooLong => "too-long",
            Reason::NotObject => "not-object",
            Reason::ApiError => "api-error",
            Reason::OtherLog => "other-log",
            Reason::FieldType => "field-type",
            Reason::NoTimestamp => "no-timestamp",
            Reason::BadTimestamp => "bad-timestamp",
            Reason::TimestampRange => "timestamp-range",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why one record can't be converted, in a code and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct Fault {
    /// The code.
    pub reason: Reason,
    /// One sentence for a person, without a full stop.
    pub message: String,
    /// The byte of the unit at which it was found, until somebody says where in the stream that is
    /// ([`crate::record::frame::Unit::place`]).
    pub(crate) at: Option<usize>,
}

impl Fault {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Fault {
        Fault { reason, message: message.into(), at: None }
    }

    pub(crate) fn too_deep() -> Fault {
        Fault::new(Reason::TooDeep, "objects and arrays nest deeper than 127")
    }
}
