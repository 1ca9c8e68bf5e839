//! Turns Duo logs into Google SecOps UDM events, by mapping tables kept as data.
//!
//! This is the library under the command `udmap`. It converts a record, a reader, or any number of inputs on all
//! cores; every record becomes exactly one event or one reject. It also checks events. The programs below are those
//! in `examples/`.
//!
//! # One record
//!
//! ```
#![doc = include_str!("../examples/record.rs")]
//! ```
//!
//! [`Converter::convert`](convert::Converter::convert) takes any number of records at once, in any of the forms in
//! which Duo's logs arrive, and gives a [`Batch`](convert::Batch): events, rejects, and counts.
//!
//! # A reader
//!
//! ```
#![doc = include_str!("../examples/reader.rs")]
//! ```
//!
//! With the feature `files`, `store::list` finds files, and reads them decompressed whatever they are compressed with. With
//! the feature `bucket`, it finds objects, too.
//!
//! # All cores
//!
//! ```
#![doc = include_str!("../examples/all_cores.rs")]
//! ```
//!
//! Memory stays bounded whatever the input: a slow receiver stops the workers, and no chunk is read far ahead.
//!
//! # A table of one's own
//!
//! ```
#![doc = include_str!("../examples/own_table.rs")]
//! ```
//!
//! `docs/mapping.md` describes the format of tables.
//!
//! # Checking events
//!
//! ```
#![doc = include_str!("../examples/validate.rs")]
//! ```
//!
//! # Rooms
//!
//! | module | what it does | feature |
//! |---|---|---|
//! | [`convert`] | records to events or rejects, by a mapping | |
//! | [`mapping`] | mapping tables: read, checked, compiled | |
//! | [`check`] | whether events are valid, and how two sets of them differ | |
//! | [`record`] | records in bytes: where they begin and end, and their fields | |
//! | [`udm`] | UDM's schema as facts | |
//! | [`json`] | a JSON text as a tree that knows its places | |
//! | [`time`] | times read and written | |
//! | [`cbn`] | Google SecOps' parsers, checked and run | `parser` |
//! | [`columns`] | events as the columns of a table, as Arrow and as Parquet | `arrow`, `parquet` |
//! | `store` | files and objects, compressed or not; complete files or none | `files`, `bucket` |
//! | `jobs` | whole dumps converted exactly once; the collector of Duo's logs; events sent into SecOps | `bucket`, `send` |
//! | `lab` | synthetic logs | `cli` |
//!
//! The first nine know no file, network, clock or terminal.
//!
//! # Features
//!
//! | feature | what it adds | by default |
//! |---|---|---|
//! | `cli` | the command `udmap` | yes |
//! | `arrow` | events as Arrow arrays | with `parquet` |
//! | `parquet` | events as Parquet files | yes |
//! | `gcs`, `azure` | objects in Google Cloud Storage, in Azure Blob Storage | yes |
//! | `bucket` | objects in S3, whole dumps, the collector | with `cli`, `gcs`, `azure`, `send` |
//! | `send` | events and raw logs sent into Google SecOps | yes; with `lambda` |
//! | `serve` | the local page of `udmap serve` | yes |
//! | `parser` | Google SecOps' parsers, checked and run | yes |
//! | `files` | files, folders, patterns, compression | with `bucket`, `parquet` |
//! | `lambda` | the AWS Lambda functions: the program `bootstrap` | no |
//!
//! To embed the conversion alone, take `default-features = false`.

#[cfg(feature = "parser")]
pub mod cbn;
pub mod check;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod columns;
pub mod convert;
#[cfg(feature = "bucket")]
pub mod jobs;
pub mod json;
#[cfg(feature = "cli")]
pub mod lab;
#[cfg(feature = "lambda")]
#[doc(hidden)]
pub mod lambda;
pub mod mapping;
mod panics;
pub mod record;
#[cfg(feature = "cli")]
mod report;
#[cfg(feature = "serve")]
mod serve;
mod simd;
#[cfg(feature = "files")]
pub mod store;
mod sync;
mod text;
pub mod time;
pub mod udm;

/// The programs in the documents compile, and run.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/library.md")]
    struct Library;
}
