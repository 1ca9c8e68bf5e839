//! Locks that stay usable after a panic.
//!
//! In the command a panic ends the process (see [`crate::panics`]). In Lambda and in other languages the process goes
//! on, and what a lock guards here is never left half done: so a lock that a panicking thread held is taken as it is.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// How long a thread looks for a lock to become free before it sleeps. To sleep and to be woken takes about as long.
const BEFORE_SLEEP: Duration = Duration::from_micros(50);

/// Locks `mutex`, waiting for the thread that holds it.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks `mutex`, which is held for some microseconds by threads that are busy all the time. Looks for some more whether
/// it is free, and only then sleeps.
pub(crate) fn lock_busy<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    let mut since = None;
    loop {
        match mutex.try_lock() {
            Ok(guard) => return guard,
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {}
        }
        if since.get_or_insert_with(Instant::now).elapsed() > BEFORE_SLEEP {
            return lock(mutex);
        }
        (0..32).for_each(|_| std::hint::spin_loop());
    }
}

/// Gives the lock back until `condvar` is notified.
pub(crate) fn wait<'m, T>(condvar: &Condvar, guard: MutexGuard<'m, T>) -> MutexGuard<'m, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// What `mutex` guarded.
pub(crate) fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}
