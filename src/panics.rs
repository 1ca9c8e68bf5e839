//! A panic is a fault of udmap itself. Whatever thread it happens on, nobody takes it for success.

#[cfg(any(feature = "cli", feature = "lambda"))]
use {
    crate::text::{escaped, shown_up_to},
    std::backtrace::{Backtrace, BacktraceStatus},
    std::io::Write as _,
    std::panic::PanicHookInfo,
    std::sync::atomic::{AtomicU64, Ordering},
};

/// The most characters of a panic's message that are shown.
#[cfg(any(feature = "cli", feature = "lambda"))]
const MOST: usize = 300;

/// How many there were.
#[cfg(any(feature = "cli", feature = "lambda"))]
static HAPPENED: AtomicU64 = AtomicU64::new(0);

/// From now on, a panic on any thread is counted, told on stderr in one line, and then `then` is called on that
/// thread.
#[cfg(any(feature = "cli", feature = "lambda"))]
pub(crate) fn watch(then: fn()) {
    std::panic::set_hook(Box::new(move |panic| {
        #[cfg(feature = "bucket")]
        if FOREIGN.get() {
            return;
        }
        HAPPENED.fetch_add(1, Ordering::SeqCst);
        // Not `eprintln!`: it panics where stderr can't be written, and waits for the thread that holds its lock.
        let mut stderr = unlocked();
        let _ = stderr.write_all(line(panic).as_bytes());
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            let _ = writeln!(stderr, "{backtrace}");
        }
        then();
    }));
}

/// How many panics there were since [`watch`] was called.
#[cfg(any(feature = "cli", feature = "lambda"))]
pub(crate) fn happened() -> u64 {
    HAPPENED.load(Ordering::SeqCst)
}

/// stderr as a file, which has no lock.
#[cfg(all(unix, any(feature = "cli", feature = "lambda")))]
fn unlocked() -> Box<dyn std::io::Write> {
    use std::os::fd::AsFd as _;
    match std::io::stderr().as_fd().try_clone_to_owned() {
        Ok(stderr) => Box::new(std::fs::File::from(stderr)),
        Err(_) => Box::new(std::io::sink()),
    }
}

#[cfg(all(not(unix), any(feature = "cli", feature = "lambda")))]
fn unlocked() -> Box<dyn std::io::Write> {
    Box::new(std::io::stderr())
}

/// What happened, where, and what to do about it.
#[cfg(any(feature = "cli", feature = "lambda"))]
fn line(panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let message = payload.downcast_ref::<&str>().copied();
    let message =
        message.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    // It may hold data.
    let message = shown_up_to(message, MOST);
    let place = panic.location().map_or("an unknown place".into(), ToString::to_string);
    let thread = std::thread::current();
    format!(
        "error: a fault of udmap itself at {} (thread `{}`): {}; no unfinished output was kept; please report this \
         line and the command\n",
        escaped(&place),
        escaped(thread.name().unwrap_or("unnamed")),
        message,
    )
}

#[cfg(feature = "bucket")]
thread_local! {
    /// Whether this thread is in somebody else's code, whose panics are answers.
    static FOREIGN: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs somebody else's code, which panics on what a server answers: that is an error then, and no fault of udmap's.
#[cfg(feature = "bucket")]
pub(crate) async fn foreign<F: Future>(work: F) -> std::thread::Result<F::Output> {
    use futures_util::FutureExt as _;

    struct Within;
    impl Drop for Within {
        fn drop(&mut self) {
            FOREIGN.set(false);
        }
    }

    let mut work = std::pin::pin!(std::panic::AssertUnwindSafe(work).catch_unwind());
    std::future::poll_fn(|context| {
        FOREIGN.set(true);
        let _within = Within;
        work.as_mut().poll(context)
    })
    .await
}

/// Panics where a test asks for it: `UDMAP_PANIC` names the place. Release builds don't look.
#[inline]
#[track_caller]
pub(crate) fn provoke(place: &str) {
    #[cfg(debug_assertions)]
    {
        static ASKED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
        let asked = ASKED.get_or_init(|| std::env::var("UDMAP_PANIC").ok());
        assert!(asked.as_deref() != Some(place), "a test asks for a panic: {place}");
    }
    #[cfg(not(debug_assertions))]
    let _ = place;
}
