//! Writes bytes to a file that appears under its name when it is whole, or to stdout or a device.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::STANDARD;
use super::atomic::{AtomicFile, folder_of, follow};
use super::compression::Compression;
use super::encode::BlockCompressor;
use super::error::{Doing, Error, ErrorKind, Object};
use super::out::Out;

/// Takes bytes for a target. Until [`Output::finish`], a file under the target's name stays as it
/// was; an output that is dropped before leaves nothing behind.
///
/// What goes to stdout, a pipe or a device is there at once, of course. Nothing is buffered here
/// but by compression, which works on a MiB at a time: write large pieces.
///
/// # Errors
/// Every [`io::Error`] holds an [`Error`] that names the target, see [`Error::from_io`].
pub struct Output {
    target: String,
    object: Object,
    /// There until `finish`.
    body: Option<OutputBody>,
    /// Declared after the body: closed before it is removed.
    temporary: Option<AtomicFile>,
    failed: bool,
}

enum OutputBody {
    Plain(Out),
    Compressed(BlockCompressor<Out>),
}

impl Output {
    /// Opens `target` for writing: `-` is stdout, anything else a path. A name that ends in `.gz`
    /// or `.zst` compresses.
    ///
    /// A file is written under a hidden name next to the target (`.NAME.XXXXXX.tmp`), with the owner
    /// and the permissions of the file that it will replace, or else those of any new file. What a
    /// killed process has left under such a name is removed. The target may
    /// be a link: the file it leads to is replaced. What is not a regular file (a device, a pipe,
    /// `/dev/stdout`) is written to as it is; opening a named pipe waits for its reader.
    ///
    /// # Errors
    /// If the target is a folder or lies in none, or if it can't be created or replaced.
    pub fn create(target: &str) -> Result<Output, Error> {
        let object = match is_stdout(target) {
            true => Object::Stdout,
            false => Object::Named(target.to_owned()),
        };
        let fail = |doing| {
            let object = object.clone();
            move |error| Error::io(object, doing, error)
        };
        let (out, temporary) = if object == Object::Stdout {
            (Out::stdout()?, None)
        } else {
            match look(target, &object)? {
                OutputTarget::Special => {
                    let open = File::options().append(true).open(target);
                    (Out::new(open.map_err(fail(Doing::Open))?), None)
                }
                OutputTarget::File { path, replaced } => {
                    if replaced.is_some() {
                        // Renaming would replace a write-protected file; ask first, as `>` does.
                        File::options().write(true).open(&path).map_err(fail(Doing::Open))?;
                    }
                    let (file, temporary) =
                        AtomicFile::create(&path, replaced.as_ref()).map_err(fail(Doing::Create))?;
                    (Out::new(file), Some(temporary))
                }
            }
        };
        let body = match Output::compression(target) {
            Compression::None => OutputBody::Plain(out),
            compression => OutputBody::Compressed(BlockCompressor::new(out, compression, 1)),
        };
        Ok(Output { target: target.to_owned(), object, body: Some(body), temporary, failed: false })
    }

    /// How a target of this name is compressed.
    pub fn compression(target: &str) -> Compression {
        match target.rsplit_once('.') {
            Some((_, "gz")) => Compression::Gzip,
            Some((_, "zst")) => Compression::ZSTD,
            _ => Compression::None,
        }
    }

    /// The same, compressed on this many threads. The bytes don't depend on them.
    #[must_use]
    pub fn on_threads(mut self, threads: usize) -> Output {
        if let Some(OutputBody::Compressed(blocks)) = &mut self.body {
            blocks.on_threads(threads);
        }
        self
    }

    /// The same, compressed at the level of `compression`, if that is of the kind that the target's name says.
    #[must_use]
    pub fn at_level(mut self, compression: Compression) -> Output {
        if let Some(OutputBody::Compressed(blocks)) = &mut self.body
            && Output::compression(&self.target).levels().contains(&compression)
        {
            blocks.at_level(compression);
        }
        self
    }

    /// The target as given.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Ends the compression, makes the bytes permanent and gives the file its name.
    ///
    /// # Errors
    /// If that fails, or if a write failed before. The target is then as it was.
    pub fn finish(mut self) -> Result<(), Error> {
        let object = self.object.clone();
        let fail = move |doing| move |error| Error::io(object, doing, error);
        if self.failed {
            return Err(fail(Doing::Write)(io::Error::other("an earlier write failed")));
        }
        let out = match self.body.take() {
            Some(OutputBody::Plain(out)) => Ok(out),
            Some(OutputBody::Compressed(blocks)) => blocks.finish(),
            None => return Ok(()),
        };
        let mut out = out.map_err(fail.clone()(Doing::Write))?;
        out.flush().map_err(fail.clone()(Doing::Write))?;
        if let Some(temporary) = self.temporary.take() {
            out.sync().map_err(fail.clone()(Doing::Write))?;
            temporary.commit().map_err(fail(Doing::Rename))?;
        }
        Ok(())
    }

    /// Does something with the body; its error is wrapped and remembered.
    fn with<T>(&mut self, act: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
        let result = match &mut self.body {
            Some(OutputBody::Plain(out)) => act(out),
            Some(OutputBody::Compressed(blocks)) => act(blocks),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        result.map_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted {
                return error; // to be tried again, nothing was written
            }
            self.failed = true;
            Error::io(self.object.clone(), Doing::Write, error).into()
        })
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|body| body.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(|body| body.flush())
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Output { object, temporary, failed, .. } = self;
        f.debug_struct("Output")
            .field("object", object)
            .field("temporary", temporary)
            .field("failed", failed)
            .finish_non_exhaustive()
    }
}

/// `/dev/stdout` may be a file that others write to, too: opening it by that name would begin at
/// its start, and renaming replace it.
pub(crate) fn is_stdout(target: &str) -> bool {
    target == STANDARD || cfg!(unix) && matches!(target, "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1")
}

/// What is at the target.
enum OutputTarget {
    Special,
    File { path: PathBuf, replaced: Option<fs::Metadata> },
}

fn look(target: &str, object: &Object) -> Result<OutputTarget, Error> {
    let create = |kind, why: String| Error::new(object.clone(), Doing::Create, kind, why);
    // The same for the other open files of a process: they are nothing to be renamed.
    let open_file = cfg!(unix) && (target == "/dev/stderr" || target.starts_with("/dev/fd/"))
        || cfg!(target_os = "linux") && target.starts_with("/proc/");
    match fs::metadata(target) {
        Ok(metadata) if metadata.is_dir() => {
            return Err(create(ErrorKind::IsFolder, "it is a folder".into()));
        }
        Ok(metadata) if open_file || !metadata.is_file() => return Ok(OutputTarget::Special),
        Ok(metadata) => {
            let path =
                fs::canonicalize(target).map_err(|error| Error::io(object.clone(), Doing::Create, error))?;
            return Ok(OutputTarget::File { path, replaced: Some(metadata) });
        }
        Err(_) => {}
    }
    if target.is_empty() {
        return Err(create(ErrorKind::NoFolder, "it has no name".into()));
    }
    if target.ends_with(std::path::is_separator) {
        let why = format!("no such folder `{target}`");
        return Err(create(ErrorKind::NoFolder, why).with_hint(format!("create it: mkdir -p {target}")));
    }
    let path = follow(Path::new(target)).map_err(|error| Error::io(object.clone(), Doing::Create, error))?;
    let folder = folder_of(&path);
    match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(OutputTarget::File { path, replaced: None }),
        Ok(_) => Err(create(ErrorKind::NoFolder, format!("`{}` is not a folder", folder.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let why = format!("no such folder `{}`", folder.display());
            let hint = format!("create it: mkdir -p {}", folder.display());
            Err(create(ErrorKind::NoFolder, why).with_hint(hint))
        }
        Err(error) => Err(Error::io(object.clone(), Doing::Create, error)),
    }
}

#[cfg(test)]
mod tests;
