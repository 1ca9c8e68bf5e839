//! Memory shared by all that is under way: who wants some waits until there is enough.

use crate::sync::{lock, wait};
use std::sync::{Condvar, Mutex};

/// What an object takes besides its text: buffers of the decoder and of the network.
const LEAST: u64 = 2 << 20;
/// What a byte as it is stored may become while it is converted, if it is compressed.
const FACTOR: u64 = 32;
/// More than this a single thread's object never takes: what is written beyond goes out in parts.
const MOST: u64 = 32 << 20;

/// An amount of memory in bytes, of which parts are taken and given back.
#[derive(Debug)]
pub(super) struct Budget {
    whole: u64,
    left: Mutex<u64>,
    more: Condvar,
}

/// A part of a [`Budget`]; it is given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    pub(super) fn new(bytes: u64) -> Budget {
        let whole = bytes.max(2 * MOST);
        Budget { whole, left: Mutex::new(whole), more: Condvar::new() }
    }

    /// Takes what an object of this size needs; half of everything if it is converted on all
    /// threads.
    pub(super) fn take(&self, size: u64, large: bool) -> Share<'_> {
        let small = LEAST.saturating_add(size.saturating_mul(FACTOR)).min(MOST);
        let bytes = if large { self.whole / 2 } else { small };
        let mut left = lock(&self.left);
        while *left < bytes {
            left = wait(&self.more, left);
        }
        *left -= bytes;
        Share { budget: self, bytes }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *lock(&self.budget.left) += self.bytes;
        self.budget.more.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    #[test]
    fn no_more_at_once_than_fits() {
        let budget = Budget::new(4 * MOST);
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for n in 0..16u64 {
                let (budget, now, most) = (&budget, &now, &most);
                scope.spawn(move || {
                    let _share = budget.take(u64::MAX / 2, n % 8 == 0);
                    most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                    std::thread::sleep(std::time::Duration::from_millis(5));
                    now.fetch_sub(1, SeqCst);
                });
            }
        });
        let most = most.load(SeqCst);
        assert!((1..=4).contains(&most), "{most}");
        assert_eq!(*budget.left.lock().unwrap(), budget.whole);
    }
}
