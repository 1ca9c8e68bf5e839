//! How SIGINT and SIGTERM end a command: the first asks it to stop, a later one ends the process at once.

use super::FAILED;
use std::io;

/// Ends the process now, without what unfinished outputs have left.
pub(super) fn leave(status: u8) -> ! {
    super::terminal::clear();
    crate::store::remove_temporaries();
    std::process::exit(status.into())
}

#[cfg(unix)]
mod unix {
    use super::{FAILED, leave};
    use crate::sync::lock;
    use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
    use std::io;
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, Instant};

    /// Signals that follow the first one so closely are the same one: `timeout` sends it to the process and to its
    /// group.
    const TOGETHER: Duration = Duration::from_millis(200);

    /// What asks the command to stop, once it can be asked.
    static ASK: Mutex<Option<Box<dyn Fn() + Send>>> = Mutex::new(None);

    pub(in crate::cli) fn listen() -> io::Result<()> {
        // The default action would kill the process; the write that was too long returns an error then.
        signal_hook::flag::register(SIGXFSZ, Arc::default())?;
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            crate::panics::provoke("signals");
            let mut first: Option<Instant> = None;
            for signal in signals.forever() {
                match first {
                    Some(first) if first.elapsed() < TOGETHER => continue,
                    Some(_) => leave(u8::try_from(128 + signal).unwrap_or(FAILED)),
                    None => first = Some(Instant::now()),
                }
                match &*lock(&ASK) {
                    Some(ask) => ask(),
                    None => {
                        say!("interrupted: no unfinished file was left");
                        leave(FAILED)
                    }
                }
            }
        })?;
        Ok(())
    }

    pub(in crate::cli) fn ask_by(ask: impl Fn() + Send + 'static) {
        *lock(&ASK) = Some(Box::new(ask));
    }
}

/// Listens from now on, on a thread of its own. Until [`ask_by`], the first signal ends the process.
#[cfg(unix)]
pub(super) use unix::listen;

/// From now on the first signal calls `ask`, which stops the command in its own way.
#[cfg(unix)]
pub(super) use unix::ask_by;

#[cfg(not(unix))]
pub(super) fn listen() -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn ask_by(_: impl Fn() + Send + 'static) {}

/// From now on the first SIGINT or SIGTERM sets `stop`; a later one ends the process at once.
pub(super) fn heed(stop: &std::sync::Arc<std::sync::atomic::AtomicBool>) -> io::Result<()> {
    #[cfg(not(unix))]
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, FAILED.into(), std::sync::Arc::clone(stop))?;
        signal_hook::flag::register(signal, std::sync::Arc::clone(stop))?;
    }
    let stop = std::sync::Arc::clone(stop);
    ask_by(move || stop.store(true, std::sync::atomic::Ordering::Relaxed));
    Ok(())
}
