//! Opens a source and reads it: counted, decompressed, and never waiting beyond a stop.

use std::error;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::codec::Fault;
use super::compress::{Decoder, Stopped};
use super::error::{Doing, Error, ErrorKind, Object};
use super::list::{Place, Source};
use super::raw::{BUFFER, Raw};

impl Source {
    /// Opens the source for reading from its start.
    ///
    /// `read_bytes` grows by the bytes taken from the object as it is stored (compressed, if it
    /// is), for comparison with [`Source::size`]. When `stop` is true, the next read returns an
    /// error that [`is_stopped`] knows; a read that waits for a pipe notices within 100 ms.
    ///
    /// # Errors
    /// If the file can't be opened. Whether it can be read shows later, see [`Input`].
    pub fn open(&self, read_bytes: Arc<AtomicU64>, stop: Arc<AtomicBool>) -> Result<Input, Error> {
        let (handle, object) = match self.place() {
            Place::Stdin => (stdin(), Object::Stdin),
            Place::Path(path) => (open_path(path), Object::Named(self.name().to_owned())),
        };
        let (handle, metadata) = match handle {
            Ok(opened) => opened,
            Err(error) => return Err(Error::io(object, Doing::Open, error)),
        };
        let regular = metadata.as_ref().is_some_and(fs::Metadata::is_file);
        // Small files need no large buffer; a file in /proc has content, but no size.
        let size = metadata.filter(|_| regular).map_or(BUFFER as u64, |it| it.len().max(4096) + 1);
        let counted = Counted { handle, waits: !regular, read_bytes, stop: stop.clone() };
        let raw = Raw::new(Box::new(counted), size.min(BUFFER as u64) as usize);
        Ok(Input { decoder: Decoder::new(raw), object, stop, failed: None })
    }
}

/// The decompressed bytes of a source.
///
/// Reading is best done in large pieces (32 KiB or more): then a file that is not compressed is
/// read straight into them.
///
/// # Errors
/// Every [`io::Error`] but that of a stop holds an [`Error`] that names the source, see
/// [`Error::from_io`]. All bytes before the place of the error have been given before it; reading
/// on returns it again.
pub struct Input {
    decoder: Decoder,
    object: Object,
    stop: Arc<AtomicBool>,
    /// The kind and the text of an earlier error.
    failed: Option<(ErrorKind, String)>,
}

impl Input {
    /// The compressed format that was recognised (`gzip`, `zstd`, `bzip2`, `xz`, `lz4`, `snappy`):
    /// `None` before the first read, and for an object that is not compressed.
    pub fn compression(&self) -> Option<&'static str> {
        self.decoder.format().map(|format| format.name())
    }
}

impl Read for Input {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other(StopRequested));
        }
        if let Some((kind, why)) = &self.failed {
            return Err(Error::new(self.object.clone(), Doing::Read, *kind, why).into());
        }
        self.decoder.read(out).map_err(|Stopped { fault, format, offset, given }| {
            let new = |kind, why| Error::new(self.object.clone(), Doing::Read, kind, why);
            let name = format.map_or("", |format| format.name());
            let damaged = |why: &str| {
                new(
                    ErrorKind::Damaged,
                    format!(
                        "the {name} stream is corrupt or cut short at byte {offset} \
                         (after {given} bytes of text): {why}"
                    ),
                )
            };
            let error = match fault {
                Fault::Object(error) if is_stopped(&error) => return error,
                Fault::Object(error) => Error::io(self.object.clone(), Doing::Read, error),
                Fault::CutShort => damaged("unexpected end of file")
                    .with_source(io::Error::new(io::ErrorKind::UnexpectedEof, "unexpected end of file")),
                Fault::Corrupt(why) => {
                    damaged(&why).with_source(io::Error::new(io::ErrorKind::InvalidData, why))
                }
                Fault::TooBig(mebibytes) => new(
                    ErrorKind::TooBig,
                    format!(
                        "the {name} stream at byte {offset} (after {given} bytes of text) \
                         needs more than {mebibytes} MiB of memory to decompress"
                    ),
                ),
            };
            self.failed = Some((error.kind(), error.why()));
            error.into()
        })
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("object", &self.object).finish_non_exhaustive()
    }
}

impl Input {
    /// The decompressed bytes of what `reader` gives, about `size` of them as they are stored,
    /// called `name` in errors.
    pub fn of(reader: impl Read + Send + 'static, size: u64, name: &str, stop: Arc<AtomicBool>) -> Input {
        let raw = Raw::new(Box::new(reader), (size.max(4096) + 1).min(BUFFER as u64) as usize);
        Input { decoder: Decoder::new(raw), object: Object::Named(name.to_owned()), stop, failed: None }
    }
}

/// The error of a read that was told to stop.
#[cfg(feature = "objects")]
pub(super) fn stopped() -> io::Error {
    io::Error::other(StopRequested)
}

/// Whether a read returned this error because it was told to stop.
pub fn is_stopped(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<StopRequested>())
}

#[derive(Debug)]
struct StopRequested;

impl fmt::Display for StopRequested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("reading was stopped")
    }
}

impl error::Error for StopRequested {}

/// An open object whose bytes are counted as they are taken.
struct Counted {
    handle: Handle,
    /// A read may wait for ever: not a regular file.
    waits: bool,
    read_bytes: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::Error::other(StopRequested));
            }
            if self.waits && !is_ready(&self.handle)? {
                continue;
            }
            match self.handle.read(out) {
                Ok(read) => {
                    self.read_bytes.fetch_add(read as u64, Ordering::Relaxed);
                    return Ok(read);
                }
                // A signal, or a pipe that another reader emptied after all.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.waits && error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(unix)]
type Handle = File;

/// stdin as a file: `io::Stdin` would buffer what `poll` then doesn't see.
#[cfg(unix)]
fn stdin() -> io::Result<(Handle, Option<fs::Metadata>)> {
    use std::os::fd::AsFd;
    let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let metadata = file.metadata()?;
    Ok((file, Some(metadata)))
}

#[cfg(unix)]
fn open_path(path: &std::path::Path) -> io::Result<(Handle, Option<fs::Metadata>)> {
    use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
    let mut options = File::options();
    options.read(true);
    if fs::metadata(path)?.file_type().is_fifo() {
        // Opening would wait for a writer, deaf to a stop; waiting is for poll.
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32);
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    Ok((file, Some(metadata)))
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
fn stdin() -> io::Result<(Handle, Option<fs::Metadata>)> {
    Ok((Box::new(io::stdin()), None))
}

#[cfg(not(unix))]
fn open_path(path: &std::path::Path) -> io::Result<(Handle, Option<fs::Metadata>)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    Ok((Box::new(file), Some(metadata)))
}

/// Without poll a read waits as long as it takes.
#[cfg(not(unix))]
fn is_ready(_: &Handle) -> io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::store::list;

    /// The one source of this name, and what comes out of it.
    fn read(name: &str, stop: &Arc<AtomicBool>) -> (Vec<u8>, io::Result<usize>, u64) {
        let count = Arc::new(AtomicU64::new(0));
        let listing = list(&[name.to_owned()], &[]).unwrap();
        let mut input = listing.sources[0].open(count.clone(), stop.clone()).unwrap();
        let mut text = Vec::new();
        let end = input.read_to_end(&mut text);
        if let Err(first) = &end {
            let again = input.read(&mut [0; 10]).unwrap_err();
            assert_eq!(first.to_string(), again.to_string());
        }
        (text, end, count.load(Ordering::Relaxed))
    }

    #[test]
    fn counts_compressed_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let text = b"{}\n".repeat(500_000);
        for name in ["a", "a.gz", "a.zst"] {
            let path = folder.path().join(name);
            let name = path.to_str().unwrap();
            let mut sink = crate::store::Sink::create(name).unwrap();
            io::Write::write_all(&mut sink, &text).unwrap();
            sink.finish().unwrap();
            let (got, end, count) = read(name, &Arc::default());
            assert!(got == text && end.is_ok());
            assert_eq!(count, fs::metadata(path).unwrap().len());
        }
    }

    #[test]
    fn errors_name_the_source() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ndjson");
        let name = path.to_str().unwrap();
        let mut object = zstd::encode_all(&b"{}\n".repeat(100_000)[..], 1).unwrap();
        object.truncate(object.len() - 1);
        fs::write(&path, &object).unwrap();
        let (text, end, _) = read(name, &Arc::default());
        let error = Error::from_io(end.unwrap_err()).unwrap();
        let want = format!(
            "cannot read `{name}`: the zstd stream is corrupt or cut short at byte {} \
             (after {} bytes of text): unexpected end of file",
            object.len(),
            text.len()
        );
        assert_eq!(error.to_string(), want);
        assert_eq!((error.object(), error.kind()), (name, ErrorKind::Damaged));
        assert_eq!(error.io_error().unwrap().kind(), io::ErrorKind::UnexpectedEof);

        let source = list(&[name.to_owned()], &[]).unwrap().sources.remove(0);
        fs::remove_file(&path).unwrap();
        let error = source.open(Arc::default(), Arc::default()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot open `{name}`: ")), "{error}");
    }

    #[test]
    fn stops() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (_, end, _) = read(file.path().to_str().unwrap(), &Arc::new(AtomicBool::new(true)));
        assert!(is_stopped(&end.unwrap_err()));
        assert!(!is_stopped(&io::ErrorKind::Other.into()));
    }

    /// Linux: elsewhere a pipe that nobody has opened for writing looks ended.
    #[cfg(target_os = "linux")]
    #[test]
    fn pipes_wait_but_stop() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let name = path.to_str().unwrap();

        let stop = Arc::new(AtomicBool::new(false));
        let (sooner, start) = (stop.clone(), Instant::now());
        let stopper = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(150));
            sooner.store(true, Ordering::Relaxed);
        });
        assert!(is_stopped(&read(name, &stop).1.unwrap_err()));
        assert!(start.elapsed() < Duration::from_secs(2));
        stopper.join().unwrap();

        let to = path.clone();
        let writer = std::thread::spawn(move || {
            let mut pipe = File::options().write(true).open(to).unwrap();
            for piece in ["B", "Z", "h\n", "two\n"] {
                pipe.write_all(piece.as_bytes()).unwrap();
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let (text, end, count) = read(name, &Arc::default());
        assert_eq!((text.as_slice(), end.unwrap(), count), (&b"BZh\ntwo\n"[..], 8, 8));
        writer.join().unwrap();
    }
}
