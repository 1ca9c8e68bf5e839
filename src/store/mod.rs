//! Bytes in from files, folders, globs, stdin and objects of buckets, compressed or not; bytes out, whole or not at all.
//!
//! [`list()`] turns what a user names into [`Source`]s in a fixed order, [`Source::open`] gives a
//! source's decompressed bytes as an [`Input`], and a [`Output`] takes bytes and puts them under
//! their final name when they are complete. Nothing here knows what the bytes mean.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::sync::{Arc, atomic::{AtomicBool, AtomicU64}};
//! use udmap::store;
//!
//! # let folder = tempfile::tempdir()?;
//! # let name = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
//! let mut output = store::Output::create(&name("a.ndjson.gz"))?;
//! output.write_all(b"{}\n")?;
//! output.finish()?;
//!
//! let mut text = String::new();
//! for source in store::list(&[name("*.gz")], &[])?.sources {
//!     let (read_bytes, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
//!     source.open(read_bytes, stop)?.read_to_string(&mut text)?;
//! }
//! assert_eq!(text, "{}\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod atomic;
mod codec;
mod compress;
mod compression;
mod counting;
mod deflate;
mod encode;
mod error;
mod file;
mod filter;
mod layers;
mod list;
#[cfg(feature = "bucket")]
pub mod objects;
mod open;
mod out;
mod output;
#[cfg(feature = "bucket")]
mod read_ahead;
#[cfg(feature = "bucket")]
mod remote;
#[cfg(feature = "bucket")]
mod service;
mod sniff;
pub mod sort;
mod stop;
mod tar;
mod walk;
mod wide;

#[cfg(feature = "cli")]
pub(crate) use atomic::{AtomicFile, in_scratch, nameless, remove_temporaries};
pub use compression::Compression;
pub use encode::BlockCompressor;
#[cfg(feature = "cli")]
pub(crate) use error::store_error;
pub use error::{Error, ErrorKind};
pub use filter::PathFilter;
#[cfg(feature = "bucket")]
pub(crate) use filter::fits;
#[cfg(feature = "lambda")]
pub(crate) use list::object;
pub use list::{ListOptions, Listing, Source, list, list_with};
pub use open::Input;
#[cfg(feature = "cli")]
pub(crate) use out::{look_at_stdout, stdout_is_open};
pub use output::Output;
#[cfg(feature = "cli")]
pub(crate) use output::is_stdout;
#[cfg(feature = "cli")]
pub(crate) use remote::{is_url, path_of};
#[cfg(feature = "bucket")]
pub(crate) use service::{http_client, why_no_answer};
pub use stop::is_stopped;
#[cfg(feature = "cli")]
pub(crate) use walk::expand;
#[cfg(feature = "bucket")]
pub(crate) use walk::{Resolver, is_pattern, matches_file};

/// How stdin and stdout are named on a command line.
const STANDARD: &str = "-";
