//! What a worker is given to do.

use super::Context;
use super::index::Before;
use crate::store::Error;
use crate::store::objects::ObjectMeta;

/// Something to be done by a worker.
#[derive(Debug)]
pub(super) enum Job {
    One {
        origin: usize,
        found: ObjectMeta,
        before: Before,
    },
    /// What an earlier run has converted, and is still there.
    Known {
        origin: usize,
        found: ObjectMeta,
        before: Before,
    },
    Pack {
        origin: usize,
        members: Vec<ObjectMeta>,
    },
}

impl Job {
    /// The name of what is to be done, and the sizes of its inputs.
    pub(super) fn what(&self, context: &Context<'_>) -> (String, Vec<u64>) {
        match self {
            Job::One { origin, found, .. } | Job::Known { origin, found, .. } => {
                (context.origins[*origin].store.name(&found.key), vec![found.size])
            }
            Job::Pack { origin, members } => {
                let store = &context.origins[*origin].store;
                let first = members.first().map(|found| store.name(&found.key)).unwrap_or_default();
                let name = format!("{first} and {} more", members.len().saturating_sub(1));
                (name, members.iter().map(|found| found.size).collect())
            }
        }
    }
}

/// Does something with the object called `name`; if it panics, that is the object's failure, and not
/// the end of the thread.
pub(super) fn guarded<T>(name: &str, work: impl FnOnce() -> T) -> Result<T, Error> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Error::crashed(name, text.as_deref().unwrap_or("it said no more"))
    })
}
