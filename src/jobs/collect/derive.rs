//! What else is made of the records that are delivered: the door through which conversion comes in.

use crate::store::objects::StorePath;
use std::fmt;
use std::sync::Arc;

/// Something made of the records of one raw object.
#[derive(Debug, Clone)]
pub struct Derived {
    /// The name of the target it goes to, see [`Places::derived`](super::Places::derived).
    pub target: &'static str,
    /// The content, NDJSON. If it is empty no object is written.
    pub bytes: Vec<u8>,
    /// How many lines it has.
    pub lines: u64,
}

/// Makes other objects of a raw one. It must give the same bytes for the same input: it is asked
/// again after a crash.
pub trait Derive: fmt::Debug + Send + Sync {
    /// Derives from `raw`, the lines of the object called `name`.
    ///
    /// # Errors
    /// Why it could not be done, in a sentence. The run ends there, with the state before the
    /// object: the next run tries again.
    fn derive(&self, name: &str, raw: &[u8]) -> Result<Vec<Derived>, String>;
}

/// A derivation, and where its objects go: under the same name below each target's place.
#[derive(Debug, Clone)]
pub(super) struct Derivation {
    /// Makes the objects.
    pub derive: Arc<dyn Derive>,
    /// Targets by name.
    pub targets: Vec<(&'static str, StorePath)>,
}
