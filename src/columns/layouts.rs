//! Which layout each event of a batch has.

use super::layout::Layout;
use super::names::Names;
use std::collections::HashMap;
use std::sync::LazyLock;

/// How many layouts are kept from batch to batch.
const MOST: usize = 1024;

static NAMES: LazyLock<Names> = LazyLock::new(Names::new);

/// Which layout each event of a batch has: so the columns' values are found without parsing the events.
#[derive(Debug, Clone, Default)]
pub struct Layouts {
    /// The layouts; nothing for what can't be read.
    known: Vec<Option<Layout>>,
    by_fields: HashMap<Box<[u64]>, usize, foldhash::fast::FixedState>,
    events: Vec<EventLayout>,
}

/// An event among others.
#[derive(Debug, Clone, Copy)]
pub(super) struct EventLayout {
    /// The number of its layout.
    pub(super) layout: usize,
    /// Where it ends, its newline included.
    pub(super) end: usize,
}

/// An event with `0` for each of its values, and where these are.
pub(crate) struct Sample {
    pub(crate) text: Vec<u8>,
    pub(crate) values: Vec<usize>,
}

impl Layouts {
    /// Adds an event, which ends at `end` of the batch's events. Events with the same `fields` (some bits that say what
    /// is in them) have the same layout; of the first one there is a sample.
    #[inline]
    pub(crate) fn add(&mut self, fields: &[u64], end: usize, sample: impl FnOnce() -> Sample) {
        let layout = match self.by_fields.get(fields) {
            Some(layout) => *layout,
            None => self.learn(fields, sample()),
        };
        self.events.push(EventLayout { layout, end });
    }

    #[cold]
    fn learn(&mut self, fields: &[u64], sample: Sample) -> usize {
        self.known.push(Layout::new(&NAMES, &sample.text, &sample.values));
        self.by_fields.insert(fields.into(), self.known.len() - 1);
        self.known.len() - 1
    }

    /// Forgets the events.
    pub(crate) fn clear(&mut self) {
        self.events.clear();
        if self.known.len() > MOST {
            self.known.clear();
            self.by_fields.clear();
        }
    }

    /// The events, in order.
    pub(super) fn events(&self) -> &[EventLayout] {
        &self.events
    }

    /// The layouts by their numbers.
    pub(super) fn known(&self) -> &[Option<Layout>] {
        &self.known
    }
}
