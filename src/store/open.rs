//! Opens a source and reads it: counted, as text, and never waiting beyond a stop.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::STANDARD;
use super::codec::Fault;
use super::compress::{Stopped, What};
use super::counting::{BUFFER, CountingReader};
use super::error::{Doing, Error, ErrorKind, Object};
use super::file::{self, Counted};
use super::layers::{Layers, Pause};
use super::list::{Place, Source};
#[cfg(feature = "bucket")]
use super::objects::ReadEnd;
use super::stop::{StopRequested, is_stopped};
use crate::text::NextText;
use crate::text::escaped;

impl Source {
    /// Opens the source for reading from its start.
    ///
    /// `read_bytes` grows by the bytes taken from the object as it is stored (compressed, if it
    /// is), for comparison with [`Source::size`]. When `stop` is true, the next read returns an
    /// error that [`is_stopped`] knows; a read that waits for a pipe notices within 100 ms.
    ///
    /// A regular file is read as far as it reached when it was opened: what is appended meanwhile is
    /// left for another time. That it got shorter, or was written anew, is an error.
    ///
    /// An object is read as the version that was listed, however often the connection breaks. That it is another one by
    /// now, or is gone, is an error of reading.
    ///
    /// # Errors
    /// If the file can't be opened. Whether it can be read shows later, see [`Input`].
    pub fn open(&self, read_bytes: Arc<AtomicU64>, stop: Arc<AtomicBool>) -> Result<Input, Error> {
        let handle = match self.place() {
            Place::Stdin => file::stdin(),
            Place::Path(path) => file::open_path(path),
            #[cfg(feature = "bucket")]
            Place::Object(objects, number) => {
                let end = ReadEnd::default();
                let reader = objects.open(*number, read_bytes, Arc::clone(&stop), &end)?;
                let size = self.size().unwrap_or(BUFFER as u64);
                return Ok(Input { end, ..Input::of(reader, size, self.name(), stop) });
            }
        };
        let object = self.object();
        let opened = handle.and_then(|handle| Counted::new(handle, read_bytes, Arc::clone(&stop)));
        match opened {
            Ok(counted) => {
                // Small files need no large buffer; a file in /proc has content, but no size.
                let size = counted.size().unwrap_or(BUFFER as u64);
                Ok(Input::new(counted, size, object, stop))
            }
            Err(error) => Err(Error::io(object, Doing::Open, error)),
        }
    }

    fn object(&self) -> Object {
        if self.name() == STANDARD { Object::Stdin } else { Object::Named(self.name().to_owned()) }
    }

    /// The bytes of stdin or of a pipe as they are stored, to be kept for [`Source::copied_to`]; nothing if the source can
    /// be read again.
    #[cfg(feature = "cli")]
    pub(crate) fn only_once(&self) -> Result<Option<impl Read + use<>>, Error> {
        let handle = match self.place() {
            Place::Stdin => file::stdin(),
            Place::Path(path) if self.size().is_none() => file::open_path(path),
            _ => return Ok(None),
        };
        let counted = handle.and_then(|handle| Counted::new(handle, Arc::default(), Arc::default()));
        let counted = counted.map_err(|error| Error::io(self.object(), Doing::Open, error))?;
        let object = self.object();
        Ok(Some(NamedReader { counted, object }))
    }
}

/// A reader whose errors name what is read.
#[cfg(feature = "cli")]
struct NamedReader {
    counted: Counted,
    object: Object,
}

#[cfg(feature = "cli")]
impl Read for NamedReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let named = |error| Error::io(self.object.clone(), Doing::Read, error).into();
        self.counted.read(out).map_err(named)
    }
}

/// The text of a source: decompressed, however often it was compressed (up to four times over), and in UTF-8.
///
/// UTF-16 and UTF-32 are read as UTF-8, without their byte order mark; offsets count bytes of that. Half of a
/// surrogate pair becomes three bytes that are not UTF-8. What is not a log (an archive, an image, binary data) is an error
/// that names it.
///
/// Reading is best done in large pieces (32 KiB or more): then a file that is not compressed is
/// read straight into them.
///
/// # Errors
/// Every [`io::Error`] but that of a stop holds an [`Error`] that names the source, see
/// [`Error::from_io`]. All bytes before the place of the error have been given before it; reading
/// on returns it again.
pub struct Input {
    layers: Layers,
    /// The object, and the archive's member in it that is being read.
    object: Object,
    member: Option<String>,
    /// Whether members of archives are read.
    members: bool,
    stop: Arc<AtomicBool>,
    /// The kind and the text of an earlier error.
    failed: Option<FailedReader>,
    /// How reading the object ended, which may be deep in a decoder.
    #[cfg(feature = "bucket")]
    end: ReadEnd,
}

/// An error that comes again.
struct FailedReader {
    object: Object,
    kind: ErrorKind,
    why: String,
    hint: Option<String>,
}

impl Input {
    fn new(reader: impl Read + Send + 'static, size: u64, object: Object, stop: Arc<AtomicBool>) -> Input {
        let raw = CountingReader::new(Box::new(reader), (size.max(4096) + 1).min(BUFFER as u64) as usize);
        let layers = Layers::new(raw, Arc::clone(&stop));
        Input {
            layers,
            object,
            member: None,
            members: false,
            stop,
            failed: None,
            #[cfg(feature = "bucket")]
            end: ReadEnd::default(),
        }
    }

    /// The text of what `reader` gives, about `size` bytes of them as they are stored,
    /// called `name` in errors.
    pub fn of(reader: impl Read + Send + 'static, size: u64, name: &str, stop: Arc<AtomicBool>) -> Input {
        Input::new(reader, size, Object::Named(name.to_owned()), stop)
    }

    /// Reads the members of a tar archive, too, each as a text of its own with a name such as `logs.tar!july.ndjson`.
    /// Where one begins, a read returns an error that
    /// [`Converter::run`](crate::convert::Converter::run) understands.
    #[must_use]
    pub fn with_members(mut self) -> Input {
        self.members = true;
        self
    }

    /// The outermost compressed format that was recognised (`gzip`, `zstd`, `bzip2`, `xz`, `lz4`, `snappy`):
    /// `None` before the first read, and for an object that is not compressed.
    pub fn compression(&self) -> Option<&'static str> {
        match self.layers.format() {
            Some(What::Stream(format)) => Some(format.name()),
            _ => None,
        }
    }

    /// The object, or the member that is being read.
    fn current(&self) -> Object {
        match &self.member {
            None => self.object.clone(),
            Some(member) => Object::Named(self.name_of(member)),
        }
    }

    fn name_of(&self, member: &str) -> String {
        // An empty name stands for the archive itself.
        let mark = if member.is_empty() { "" } else { "!" };
        let archive = if self.object == Object::Stdin { STANDARD } else { self.object.as_str() };
        format!("{archive}{mark}{member}")
    }

    /// The error of a read; what it is about is in `self.current()`.
    fn error(&self, stopped: Stopped) -> io::Error {
        let object = match self.current() {
            Object::Named(name) if self.member.is_some() => Object::Named(escaped(&name).into_owned()),
            object => object,
        };
        // The object's own error says more than the decoder's, which only passed it on.
        #[cfg(feature = "bucket")]
        if let Some(error) = self.end.take_error() {
            return error.into();
        }
        let Stopped { fault, what, within, offset, given } = stopped;
        let new = |kind, why| Error::new(object.clone(), Doing::Read, kind, why);
        let within = within.map_or(String::new(), |within| format!(" inside a {within}"));
        let damaged = |why: &str| {
            new(
                ErrorKind::Damaged,
                format!(
                    "the {what}{within} is corrupt or cut short at byte {offset} (after {given} bytes of text): {why}"
                ),
            )
        };
        let error = match fault {
            Fault::Object(error) if is_stopped(&error) => return error,
            Fault::Object(error) => Error::io(object, Doing::Read, error),
            Fault::CutShort => damaged("unexpected end of file")
                .with_source(io::Error::new(io::ErrorKind::UnexpectedEof, "unexpected end of file")),
            Fault::Corrupt(why) => damaged(&why).with_source(io::Error::new(io::ErrorKind::InvalidData, why)),
            Fault::TooBig(mebibytes) => new(
                ErrorKind::TooBig,
                format!(
                    "the {what}{within} at byte {offset} (after {given} bytes of text) \
                     needs more than {mebibytes} MiB of memory to decompress"
                ),
            ),
            Fault::TooDeep(times) => {
                new(ErrorKind::NotLog, format!("it is compressed more than {times} times over"))
                    .with_hint("unpack it first")
            }
            Fault::Other(other) => {
                let error = new(ErrorKind::NotLog, format!("it is not a log: it is {}", other.name));
                match other.hint {
                    Some(hint) => error.with_hint(hint),
                    None => error,
                }
            }
        };
        error.into()
    }
}

impl Read for Input {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(StopRequested.into());
        }
        if let Some(FailedReader { object, kind, why, hint }) = &self.failed {
            let error = Error::new(object.clone(), Doing::Read, *kind, why);
            return Err(match hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            }
            .into());
        }
        if out.is_empty() {
            return Ok(0);
        }
        let error = match self.layers.read(out) {
            Ok(read) => return Ok(read),
            Err(Pause::Stopped(stopped)) => self.error(stopped),
            Err(Pause::Next { name, failed }) if self.members => {
                let failed = failed.map(|stopped| self.error(stopped));
                self.member = Some(name);
                return Err(NextText { name: self.current().as_str().to_owned(), failed }.into());
            }
            Err(Pause::Next { .. }) => {
                self.error(Stopped::new(Fault::Other(&super::sniff::TAR), What::Object, 0))
            }
        };
        if let Some(error) = Error::in_io(&error) {
            self.failed = Some(FailedReader {
                object: error.named().clone(),
                kind: error.kind(),
                why: error.why(),
                hint: error.hint().map(str::to_owned),
            });
        }
        Err(error)
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("object", &self.object).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
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
            let mut sink = crate::store::Output::create(name).unwrap();
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
