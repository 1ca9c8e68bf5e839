//! Reads small objects before their turn comes: asking for one takes longer than its bytes do.

use super::error::Error;
use super::objects::{BlockingStore, Fetched, ObjectMeta, ReadEnd, Reader};
use crate::sync::lock;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, OnceLock};

/// How many objects are read ahead, and how many bytes each of them may have: together they bound the memory.
const AHEAD: usize = 16;
const MOST_BYTES: u64 = 1 << 20;

/// The objects of a listing, in its order. Once two of them have been opened one after the other, the next ones are read
/// ahead.
#[derive(Default)]
pub(super) struct ReadAhead {
    objects: OnceLock<Vec<(BlockingStore, ObjectMeta)>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: Option<usize>,
    fetched: BTreeMap<usize, Fetched>,
}

impl ReadAhead {
    /// To be called once, when everything has been listed.
    pub(super) fn set(&self, objects: Vec<(BlockingStore, ObjectMeta)>) {
        // It is called once.
        let _ = self.objects.set(objects);
    }

    /// The version of the object of this number.
    #[cfg(feature = "send")]
    pub(super) fn etag(&self, number: usize) -> Option<&str> {
        self.objects.get()?.get(number).map(|(_, meta)| meta.etag.as_str())
    }

    /// Opens the object of this number.
    pub(super) fn open(
        &self,
        number: usize,
        read_bytes: Arc<AtomicU64>,
        stop: Arc<AtomicBool>,
        end: &ReadEnd,
    ) -> Result<Reader, Error> {
        let objects = self.objects.get().map_or(&[][..], Vec::as_slice);
        let Some((store, meta)) = objects.get(number) else { return Err(Error::stopped()) };
        let fetched = {
            let mut state = lock(&self.state);
            let in_order = state.last.is_some_and(|last| last + 1 == number);
            state.last = Some(number);
            let fetched = state.fetched.remove(&number);
            // What is out of reach is given up.
            state.fetched.retain(|other, _| (number..=number + AHEAD).contains(other));
            let ahead = if in_order { AHEAD } else { 0 };
            for (other, (store, meta)) in objects.iter().enumerate().skip(number + 1).take(ahead) {
                if meta.size <= MOST_BYTES {
                    state.fetched.entry(other).or_insert_with(|| store.fetch(meta, MOST_BYTES));
                }
            }
            fetched
        };
        let store = store.clone().with_stop(stop);
        match fetched.and_then(|fetched| store.fetched(fetched)) {
            Some(bytes) => Ok(store.read_fetched(meta, bytes, read_bytes, end)),
            // It is asked for again, and what is wrong with it is reported.
            None => store.read_as_listed(meta, read_bytes, end),
        }
    }
}

impl fmt::Debug for ReadAhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadAhead")
            .field("objects", &self.objects.get().map(Vec::len))
            .finish_non_exhaustive()
    }
}
