//! From bytes to records: where a record begins and ends, and the fields of it that a mapping reads.
//!
//! Three layers, each ignorant of the one above:
//! 1. [`frame`] cuts a stream into chunks of whole units (a line, or a JSON value);
//! 2. [`forms`] finds the records in a unit: a bare record, the elements of an array or of an
//!    envelope, JSON behind a header like syslog's, CEF, key="value" pairs;
//! 3. [`exact`] reads a record's wanted fields with serde_json, strictly.
//!
//! Nothing here knows UDM, a file, a clock or a thread. Which keys matter, which envelopes there
//! are and what they are called is data, given from outside.

pub mod exact;
pub mod forms;
pub mod frame;
mod header;
mod key_value;
mod leaves;
mod looks;
pub(crate) mod notation;
pub mod own;
mod parts;
mod path;
pub(crate) mod scan;
mod split;
pub(crate) mod syntax;
mod wanted;

use std::borrow::Cow;
use std::fmt;

pub use leaves::{Leaf, each_leaf};
pub use path::{FieldPath, FieldPathError};
pub use wanted::{Overlap, Wanted};

/// The values that a mapping reads from one record, by slot of its [`Wanted`].
///
/// `None` is an absent field: missing, `null` or `""`. A string is its unescaped value, a number
/// its own source text, `true` and `false` are those words.
pub type Fields<'a> = Vec<Option<Cow<'a, str>>>;

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
    /// `not-object`: JSON, but no object.
    NotObject,
    /// `api-error`: an envelope that reports an error instead of records.
    ApiError,
    /// `other-log`: a record that is not the mapping's own.
    OtherLog,
    /// `field-type`: a mapped field holds something that its rule can't take.
    FieldType,
    /// `no-timestamp`: none of the fields that give the event's time is there.
    NoTimestamp,
    /// `bad-timestamp`: the field that gives the event's time is no time.
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
    /// ([`frame::Item::place`]).
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

pub(crate) use crate::text::shown;
