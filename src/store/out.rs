//! Where an output's bytes go in the end: an open file, or stdout.

use std::fs::File;
use std::io::{self, Write};
#[cfg(feature = "cli")]
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(feature = "cli")]
use super::error::ErrorKind;
use super::error::{Doing, Error, Object};

#[cfg(unix)]
type Handle = File;
#[cfg(not(unix))]
type Handle = Box<dyn Stored>;

/// Whether the process was started with stdout closed.
#[cfg(feature = "cli")]
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Looks whether stdout is open. To be called before `main`: std's runtime opens /dev/null where it is not, and what is
/// written would be lost without an error.
#[cfg(feature = "cli")]
pub(crate) fn look_at_stdout() {
    #[cfg(unix)]
    CLOSED.store(rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err(), Ordering::Relaxed);
}

/// Whether what is written to stdout goes somewhere.
///
/// # Errors
/// If the process was started with stdout closed.
pub(crate) fn stdout_is_open() -> Result<(), Error> {
    #[cfg(feature = "cli")]
    if CLOSED.load(Ordering::Relaxed) {
        let error = Error::new(Object::Stdout, Doing::Open, ErrorKind::Io, "it is closed");
        return Err(
            error.with_hint("write to a file with `-o FILE` where there is that option, or to /dev/null")
        );
    }
    Ok(())
}

/// An open file or stdout, without a buffer.
pub(super) struct Out {
    handle: Handle,
}

#[cfg(unix)]
impl Out {
    pub(super) fn new(handle: File) -> Out {
        Out { handle }
    }

    /// stdout as a file: `io::Stdout` would look for line ends in every block.
    pub(super) fn stdout() -> Result<Out, Error> {
        stdout_is_open()?;
        Out::dup().map_err(|error| Error::io(Object::Stdout, Doing::Open, error))
    }

    fn dup() -> io::Result<Out> {
        use std::os::fd::AsFd;
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        // Fewer turns between the two ends of a pipe; only if it is one, and as far as allowed.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = rustix::pipe::fcntl_setpipe_size(&file, 1 << 20);
        Ok(Out::new(file))
    }

    /// Brings what was written to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.handle.sync_all()
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.handle.write(bytes) {
                // Another process may have set a shared terminal or pipe to non-blocking.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && await_room(&self.handle) => {}
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.handle.flush()
    }
}

/// Waits until something can be written; false where that is not possible.
#[cfg(unix)]
fn await_room(file: &File) -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    // Interrupted or not, writing is tried again.
    let _ = poll(&mut [PollFd::new(file, PollFlags::OUT)], None);
    true
}

#[cfg(not(unix))]
fn await_room(_: &Handle) -> bool {
    false
}

#[cfg(not(unix))]
trait Stored: Write + Send {
    fn sync(&self) -> io::Result<()>;
}

#[cfg(not(unix))]
impl Stored for File {
    fn sync(&self) -> io::Result<()> {
        self.sync_all()
    }
}

#[cfg(not(unix))]
impl Stored for io::Stdout {
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(not(unix))]
impl Out {
    pub(super) fn new(handle: File) -> Out {
        Out { handle: Box::new(handle) }
    }

    pub(super) fn stdout() -> Result<Out, Error> {
        Ok(Out { handle: Box::new(io::stdout()) })
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.handle.sync()
    }
}
