//! Where a sink's bytes go in the end: an open file, or stdout.

use std::fs::File;
use std::io::{self, Write};

#[cfg(unix)]
type Handle = File;
#[cfg(not(unix))]
type Handle = Box<dyn Stored>;

/// An open file or stdout, without a buffer.
pub(super) struct Out {
    handle: Handle,
    closed: bool,
}

impl Out {
    /// Takes no more bytes.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }
}

#[cfg(unix)]
impl Out {
    pub(super) fn new(handle: File) -> Out {
        Out { handle, closed: false }
    }

    /// stdout as a file: `io::Stdout` would look for line ends in every block.
    pub(super) fn stdout() -> io::Result<Out> {
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
        if self.closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
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
        Out { handle: Box::new(handle), closed: false }
    }

    pub(super) fn stdout() -> io::Result<Out> {
        Ok(Out { handle: Box::new(io::stdout()), closed: false })
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.handle.sync()
    }
}
