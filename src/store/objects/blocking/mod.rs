//! A store as threads use it: calls block, large objects come and go as streams.
//!
//! The runtime that carries the requests stays inside of [`Access`]. Nothing is ever written over here: an [`Upload`]
//! makes an object that was not there, or finds that the same bytes are there already.

mod folders;
mod list;
mod read;
mod store;
mod write;

pub use list::Objects;
pub(in crate::store) use read::Fetched;
pub use read::{ReadEnd, Reader};
pub(crate) use store::OwnThread;
pub use store::{Access, BlockingStore};
pub use write::{Stored, Upload};
