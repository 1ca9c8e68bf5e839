//! From records to UDM events: a mapping's plan applied to whatever arrives.
//!
//! | from | by | gives |
//! |---|---|---|
//! | a record, or a slice of many | [`Converter::convert`] | a [`Batch`] |
//! | a reader | [`Converter::records`] | an iterator over events and [`Reject`]s |
//! | any number of inputs, on all cores | [`Converter::run`] | [`Batch`]es, in the order of the input |
//! | rows of a table | [`Converter::convert_rows`] | events and rejects with the numbers of their rows |
//!
//! All give the same events and rejects for the same bytes. Nothing here opens a file or looks at a clock.

#[cfg(feature = "bucket")]
mod again;
mod batch;
mod converter;
mod counts;
mod event;
mod exact;
mod fast;
mod inputs;
mod lineage;
mod made;
mod options;
pub(crate) mod pipeline;
mod program;
mod queue;
mod range;
mod records;
mod reject;
#[cfg(feature = "bucket")]
mod reject_sources;
mod rows;
mod run;
mod trace;

#[cfg(feature = "bucket")]
pub(crate) use again::{NotRejects, RejectAt};
pub use batch::Batch;
pub use converter::Converter;
pub use counts::{Counts, EventTypeCount, TableCount};
pub use inputs::Input;
#[cfg(feature = "cli")]
pub(crate) use lineage::Lineage;
pub use options::{CHUNK_BYTES, Engine, Envelope, FieldNames, MAX_RECORD_BYTES, Options};
#[cfg(feature = "cli")]
pub(crate) use range::TimeRange;
pub use records::Records;
pub use reject::Reject;
#[cfg(feature = "bucket")]
pub use reject_sources::{RejectPlace, RejectSource, RejectSources};
pub use run::Piece;
pub(crate) use trace::Traced;
