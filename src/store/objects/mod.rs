//! Objects under keys, in a folder, a bucket or memory: one [`Store`], with one contract.
//!
//! An object is created only if there is none, replaced and deleted only if it is unchanged, and read as one version of
//! it. [`Location`] takes a URL or path apart, [`StorePath`] is a place in a store.
//!
//! The store is async, because a bucket is. Readers and writers that belong to threads and decoders use it through
//! [`BlockingStore`], which adds what only they need: listings and objects as streams, and files that get their names
//! together.

mod blocking;
mod bucket;
mod folder;
mod location;
mod object;
mod order;
mod parts;
mod path;
mod staging;
mod store;

pub(super) use blocking::Fetched;
pub(crate) use blocking::OwnThread;
pub use blocking::{Access, BlockingStore, Objects, ReadEnd, Reader, Stored, Upload};
#[cfg(all(feature = "cli", feature = "send"))]
pub(super) use folder::file_version;
pub use location::Location;
pub use object::{Created, Deleted, Object, ObjectMeta, Replaced, Version};
pub use path::StorePath;
pub use staging::StagedFile;
pub use store::Store;
