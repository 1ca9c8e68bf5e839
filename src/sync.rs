//! Locks that stay usable after a panic.
//!
//! In the command a panic ends the process (see [`crate::panics`]). In Lambda and in other languages the process goes
//! on, and what a lock guards here is never left half done: so a lock that a panicking thread held is taken as it is.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Locks `mutex`, waiting for the thread that holds it.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives the lock back until `condvar` is notified.
pub(crate) fn wait<'m, T>(condvar: &Condvar, guard: MutexGuard<'m, T>) -> MutexGuard<'m, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// What `mutex` guarded.
pub(crate) fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}
