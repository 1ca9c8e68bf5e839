//! How much of what is found is kept.

/// How much of what is found can still be kept.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    items: usize,
    bytes: usize,
}

/// How many bytes of text findings may have in all: what comes from outside decides over the length of each.
const MOST_BYTES: usize = 32 << 20;

impl Room {
    /// Room for this many items.
    pub(crate) fn new(items: usize) -> Room {
        Room { items, bytes: MOST_BYTES }
    }

    /// Takes room for an item with so much text; whether there was enough. What does not fit is the end: the first are
    /// kept, not the shortest.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        match (self.items.checked_sub(1), self.bytes.checked_sub(bytes)) {
            (Some(items), Some(bytes)) => {
                *self = Room { items, bytes };
                true
            }
            _ => {
                self.items = 0;
                false
            }
        }
    }
}
