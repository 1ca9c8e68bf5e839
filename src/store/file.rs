//! An open file, pipe or stdin: its bytes are counted, and it must stay what it was.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::SystemTime;

use super::stop::StopRequested;

/// An open object whose bytes are counted as they are taken.
pub(super) struct Counted {
    opened: Opened,
    /// What is to be read of a regular file; of everything else, all that comes.
    file: Option<Regular>,
    read_bytes: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

/// A regular file when it was opened. Files that have no size there, as in /proc, do not count as regular.
struct Regular {
    size: u64,
    written: Option<SystemTime>,
    /// Bytes from where reading began to the end, and how many of them are left.
    total: u64,
    left: u64,
}

impl Counted {
    /// Counts what is taken of `opened`, from where it is.
    pub(super) fn new(
        opened: Opened,
        read_bytes: Arc<AtomicU64>,
        stop: Arc<AtomicBool>,
    ) -> io::Result<Counted> {
        let file = match &opened.metadata {
            Some(metadata) if metadata.is_file() && metadata.len() > 0 => {
                let total = metadata.len().saturating_sub(position(&opened.handle)?);
                let written = metadata.modified().ok();
                Some(Regular { size: metadata.len(), written, total, left: total })
            }
            _ => None,
        };
        Ok(Counted { opened, file, read_bytes, stop })
    }

    /// How many bytes there are to be read, if that is known.
    pub(super) fn size(&self) -> Option<u64> {
        self.file.as_ref().map(|file| file.total)
    }
}

impl Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = match &self.file {
            Some(Regular { left: 0, .. }) => return self.end().map(|()| 0),
            Some(file) => usize::try_from(file.left).unwrap_or(usize::MAX).min(out.len()),
            None => out.len(),
        };
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(StopRequested.into());
            }
            if self.opened.waits && !is_ready(&self.opened.handle)? {
                continue;
            }
            match self.opened.handle.read(&mut out[..most]) {
                Ok(0) if most > 0 => return self.end().map(|()| 0),
                Ok(read) => {
                    self.read_bytes.fetch_add(read as u64, Ordering::Relaxed);
                    if let Some(file) = &mut self.file {
                        file.left -= read as u64;
                    }
                    return Ok(read);
                }
                // A signal, or a pipe that another reader emptied after all.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.opened.waits && error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Counted {
    /// At the end: whether the file is still what it was.
    fn end(&self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let now = self.opened.now()?;
        let size = now.as_ref().map_or(file.size, fs::Metadata::len);
        if file.left > 0 || size < file.size {
            return Err(io::Error::other(format!(
                "it became shorter while it was read: it had {} bytes, of which {} were read, and has {size} now",
                file.size,
                file.total - file.left
            )));
        }
        // What only grew may have been appended to; of the same length, it was written anew.
        let rewritten = now.is_some_and(|now| now.modified().ok() != file.written);
        if size == file.size && rewritten {
            return Err(io::Error::other("it was changed while it was read"));
        }
        Ok(())
    }
}

/// An open file or pipe.
pub(super) struct Opened {
    handle: Handle,
    /// Nothing where that is not known.
    metadata: Option<fs::Metadata>,
    /// A read may wait without end: it is not a regular file.
    waits: bool,
}

impl Opened {
    fn new(handle: Handle, metadata: Option<fs::Metadata>) -> Opened {
        let waits = !metadata.as_ref().is_some_and(fs::Metadata::is_file);
        Opened { handle, metadata, waits }
    }
}

#[cfg(unix)]
type Handle = File;

/// stdin as a file: `io::Stdin` would buffer what `poll` then doesn't see.
#[cfg(unix)]
pub(super) fn stdin() -> io::Result<Opened> {
    use std::os::fd::AsFd;
    let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let metadata = file.metadata()?;
    Ok(Opened::new(file, Some(metadata)))
}

#[cfg(unix)]
pub(super) fn open_path(path: &Path) -> io::Result<Opened> {
    use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
    let mut options = File::options();
    options.read(true);
    if fs::metadata(path)?.file_type().is_fifo() {
        // Opening would wait for a writer, deaf to a stop; waiting is for poll.
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32);
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    Ok(Opened::new(file, Some(metadata)))
}

/// Where in a file reading begins: stdin may have been read from before.
#[cfg(unix)]
fn position(file: &Handle) -> io::Result<u64> {
    use std::io::Seek as _;
    (&*file).stream_position()
}

#[cfg(unix)]
impl Opened {
    /// What it is now.
    fn now(&self) -> io::Result<Option<fs::Metadata>> {
        self.handle.metadata().map(Some)
    }
}

/// Waits up to 100 ms for something to read, or for the end.
#[cfg(unix)]
fn is_ready(file: &File) -> io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let step = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    match poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&step)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
type Handle = Box<dyn Read + Send>;

#[cfg(not(unix))]
pub(super) fn stdin() -> io::Result<Opened> {
    Ok(Opened::new(Box::new(io::stdin()), None))
}

#[cfg(not(unix))]
pub(super) fn open_path(path: &Path) -> io::Result<Opened> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    Ok(Opened::new(Box::new(file), Some(metadata)))
}

#[cfg(not(unix))]
fn position(_: &Handle) -> io::Result<u64> {
    Ok(0)
}

#[cfg(not(unix))]
impl Opened {
    fn now(&self) -> io::Result<Option<fs::Metadata>> {
        Ok(None)
    }
}

/// Without poll a read waits as long as it takes.
#[cfg(not(unix))]
fn is_ready(_: &Handle) -> io::Result<bool> {
    Ok(true)
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{Read, Write};
    use std::sync::Arc;

    use super::*;
    use crate::store::{Error, list};

    /// Reads a file of which something is done in the middle.
    fn read(bytes: usize, change: impl FnOnce(&Path)) -> (usize, Result<(), String>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), b"{\"a\":1}\n".repeat(bytes / 8)).unwrap();
        let name = file.path().to_str().unwrap().to_owned();
        let source = list(std::slice::from_ref(&name), &[]).unwrap().sources.remove(0);
        let mut input = source.open(Arc::default(), Arc::default()).unwrap();
        let mut piece = vec![0; 64 * 1024];
        let mut total = input.read(&mut piece).unwrap();
        change(file.path());
        let end = loop {
            match input.read(&mut piece) {
                Ok(0) => break Ok(()),
                Ok(read) => total += read,
                Err(error) => break Err(Error::from_io(error).unwrap().to_string().replace(&name, "FILE")),
            }
        };
        (total, end)
    }

    const SIZE: usize = 4 << 20;

    fn open(path: &Path) -> File {
        File::options().write(true).open(path).unwrap()
    }

    #[test]
    fn a_file_that_gets_shorter_is_an_error() {
        let (total, end) = read(SIZE, |path| open(path).set_len(1 << 20).unwrap());
        assert_eq!(total, 1 << 20);
        let why = format!("it had {SIZE} bytes, of which {total} were read, and has {total} now");
        assert_eq!(
            end.unwrap_err(),
            format!("cannot read `FILE`: it became shorter while it was read: {why}")
        );
        // Emptied, as `copytruncate` does, when all of it was read but not yet seen to end.
        let (total, end) = read(4096, |path| open(path).set_len(0).unwrap());
        assert_eq!(total, 4096);
        assert!(end.unwrap_err().contains("it became shorter while it was read"));
    }

    #[test]
    fn a_file_that_was_written_anew_is_an_error() {
        let (_, end) = read(SIZE, |path| {
            let before = path.metadata().unwrap().modified().unwrap();
            let mut file = open(path);
            file.write_all(b"{\"b\":2}\n").unwrap();
            file.set_modified(before + std::time::Duration::from_secs(1)).unwrap();
        });
        assert_eq!(end.unwrap_err(), "cannot read `FILE`: it was changed while it was read");
    }

    #[test]
    fn a_file_that_grows_is_read_as_far_as_it_reached() {
        let (total, end) = read(SIZE, |path| {
            File::options().append(true).open(path).unwrap().write_all(b"{\"b\":2}\n").unwrap();
        });
        assert_eq!((total, end), (SIZE, Ok(())));
        // Renamed and replaced, the open file is still the one that was meant.
        let (total, end) = read(SIZE, |path| {
            fs::rename(path, path.with_extension("1")).unwrap();
            fs::write(path, b"new\n").unwrap();
            fs::remove_file(path.with_extension("1")).unwrap();
        });
        assert_eq!((total, end), (SIZE, Ok(())));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_without_a_size_is_read_to_its_end() {
        let source = list(&["/proc/self/status".to_owned()], &[]).unwrap().sources.remove(0);
        let mut text = String::new();
        source.open(Arc::default(), Arc::default()).unwrap().read_to_string(&mut text).unwrap();
        assert!(text.contains("VmHWM"));
    }
}
