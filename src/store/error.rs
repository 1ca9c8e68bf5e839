//! What went wrong with which file: the one error type of this module.

use crate::text::escaped;
use std::error;
use std::fmt;
use std::io;

/// A file, folder, pattern or stream could not be listed, opened, read or written.
///
/// The text is whole: it names the object, what was being done and why it failed, the operating
/// system's words included. It is one line without control characters and without a URL's password. [`source`](error::Error::source) therefore does not repeat them; a
/// program finds them with [`Error::io_error`].
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    object: Object,
    doing: Doing,
    kind: ErrorKind,
    /// Why, if the io::Error does not say it (well enough).
    why: Option<String>,
    hint: Option<String>,
    source: Option<io::Error>,
}

/// What a user has to do about an [`Error`] depends on this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system said no; [`Error::io_error`] has its words.
    Io,
    /// An input path names nothing.
    NotFound,
    /// An input pattern matches nothing.
    NoMatch,
    /// An input pattern is not a pattern.
    BadPattern,
    /// stdin is given more than once.
    Twice,
    /// An input is an output of the same run.
    InputIsOutput,
    /// An output path is a folder.
    IsFolder,
    /// An output path lies in no existing folder.
    NoFolder,
    /// A compressed stream is corrupt or cut short.
    Damaged,
    /// A compressed stream asks for more memory than is allowed.
    TooBig,
    /// It holds no log as text: an archive, another sort of file, binary data.
    NotLog,
    /// A URL of an object store is none, or does not fit the environment.
    BadUrl,
    /// Credentials or a policy don't allow it.
    Denied,
    /// There is no such bucket.
    NoBucket,
    /// An object store failed or did not answer.
    Service,
    /// An object is no longer the one that was listed.
    Changed,
    /// Another object is where one is to be written.
    Taken,
    /// udmap itself failed.
    Crashed,
}

/// What the error is about, as a user would write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Object {
    Stdin,
    Stdout,
    Named(String),
}

impl Object {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Object::Stdin => "stdin",
            Object::Stdout => "stdout",
            Object::Named(name) => name,
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Without backticks, so that it differs from a file of this name.
            Object::Stdin | Object::Stdout => f.write_str(self.as_str()),
            Object::Named(name) => write!(f, "`{}`", escaped(name)),
        }
    }
}

/// What was being done, in the words of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    List,
    Open,
    Read,
    Create,
    /// A temporary file in this folder.
    Scratch,
    Write,
    Rename,
    #[cfg_attr(not(feature = "bucket"), allow(dead_code))]
    Remove,
    #[cfg(feature = "bucket")]
    Convert,
    #[cfg(feature = "bucket")]
    Verify,
}

impl Doing {
    fn as_str(self) -> &'static str {
        match self {
            Doing::List => "list",
            Doing::Open => "open",
            Doing::Read => "read",
            Doing::Create => "create",
            Doing::Scratch => "keep a temporary file in",
            Doing::Write => "write",
            Doing::Rename => "rename a finished file to",
            Doing::Remove => "delete",
            #[cfg(feature = "bucket")]
            Doing::Convert => "convert",
            #[cfg(feature = "bucket")]
            Doing::Verify => "verify",
        }
    }
}

impl Error {
    /// An error of our own finding.
    pub(super) fn new(object: Object, doing: Doing, kind: ErrorKind, why: impl Into<String>) -> Error {
        Error(Box::new(Inner { object, doing, kind, why: Some(why.into()), hint: None, source: None }))
    }

    /// An error of the operating system.
    pub(super) fn io(object: Object, doing: Doing, source: io::Error) -> Error {
        let (kind, why) = (ErrorKind::Io, None);
        Error(Box::new(Inner { object, doing, kind, why, hint: None, source: Some(source) }))
    }

    /// The same error with advice.
    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hint = Some(escaped(&hint.into()).into_owned());
        self
    }

    /// The same error as one of another kind.
    #[cfg(feature = "bucket")]
    pub(super) fn of_kind(mut self, kind: ErrorKind) -> Error {
        self.0.kind = kind;
        self
    }

    /// The same error with its cause.
    pub(super) fn with_source(mut self, source: io::Error) -> Error {
        self.0.source = Some(source);
        self
    }

    /// An output folder that is something else.
    #[cfg(feature = "bucket")]
    pub(crate) fn not_a_folder(text: &str) -> Error {
        let named = Object::Named(text.to_owned());
        Error::new(named, Doing::Create, ErrorKind::NoFolder, "it is not a folder")
    }

    /// An object that is another one by now.
    #[cfg(feature = "bucket")]
    pub(super) fn changed(name: &str) -> Error {
        let named = Object::Named(name.to_owned());
        Error::new(named, Doing::Read, ErrorKind::Changed, "it is no longer the one that was listed")
    }

    /// Something that can't be opened.
    #[cfg(feature = "bucket")]
    pub(crate) fn cannot_open(text: &str, error: io::Error) -> Error {
        Error::io(Object::Named(text.to_owned()), Doing::Open, error).of_kind(ErrorKind::NotFound)
    }

    /// No error of an object: the work was told to stop.
    #[cfg(feature = "bucket")]
    pub(crate) fn stopped() -> Error {
        Error::io(Object::Named(String::new()), Doing::Convert, super::stop::stopped())
    }

    /// Whether the work was told to stop.
    #[cfg(feature = "bucket")]
    pub(crate) fn is_stopped(&self) -> bool {
        self.io_error().is_some_and(super::is_stopped)
    }

    /// Something that can't be written.
    #[cfg(feature = "bucket")]
    pub(crate) fn cannot_write(text: &str, error: io::Error) -> Error {
        Error::io(Object::Named(text.to_owned()), Doing::Write, error)
    }

    /// The error of writing to something called `text`, whatever it was.
    #[cfg(feature = "bucket")]
    pub(crate) fn of_writing(text: &str, error: io::Error) -> Error {
        Error::from_io(error).unwrap_or_else(|error| Error::cannot_write(text, error))
    }

    /// An input that is an output of the same run.
    #[cfg(feature = "bucket")]
    pub(crate) fn input_is_output(text: &str) -> Error {
        let named = Object::Named(text.to_owned());
        Error::new(named, Doing::Read, ErrorKind::InputIsOutput, "it is both input and output")
    }

    /// A place for two kinds of outputs.
    #[cfg(feature = "bucket")]
    pub(crate) fn same_target(name: &str) -> Error {
        let named = Object::Named(name.to_owned());
        let why = "events, rejects and the manifest would be mixed there";
        Error::new(named, Doing::Create, ErrorKind::InputIsOutput, why)
            .with_hint("give `--output`, `--rejects` and `--manifest` places of their own")
    }

    /// A pattern in the URL of an input, where there is nothing of that name.
    #[cfg(feature = "bucket")]
    pub(crate) fn pattern_in_url(text: &str) -> Error {
        let wild = text.find(['*', '?', '[']).unwrap_or(text.len());
        let (prefix, pattern) = text.split_at(text[..wild].rfind('/').map_or(0, |at| at + 1));
        let pattern = if pattern.ends_with('/') { format!("{pattern}*") } else { pattern.to_owned() };
        let why = "there is nothing of this name, and a URL is not a pattern";
        Error::new(Object::Named(text.to_owned()), Doing::List, ErrorKind::BadPattern, why)
            .with_hint(format!("give the prefix, and the pattern apart: {prefix} --include '{pattern}'"))
    }

    /// An object that lies below no input.
    #[cfg(feature = "bucket")]
    pub(crate) fn no_input(name: &str) -> Error {
        let named = Object::Named(name.to_owned());
        Error::new(named, Doing::Read, ErrorKind::BadUrl, "it lies below none of the inputs")
    }

    /// An output that did not get its name.
    #[cfg(feature = "bucket")]
    pub(crate) fn not_settled(name: &str) -> Error {
        let named = Object::Named(name.to_owned());
        Error::new(named, Doing::Read, ErrorKind::Io, "its output could not be put in place")
    }

    /// An object whose conversion panicked.
    #[cfg(feature = "bucket")]
    pub(crate) fn crashed(name: &str, message: &str) -> Error {
        let why = format!("udmap failed inside: {message}");
        let error = Error::new(Object::Named(name.to_owned()), Doing::Convert, ErrorKind::Crashed, why);
        error.with_hint("a fault of udmap: please report it, with the object if you can")
    }

    /// An object that is not what a manifest says, or that could not be checked.
    #[cfg(feature = "bucket")]
    pub(crate) fn unverified(name: &str, why: impl Into<String>) -> Error {
        Error::new(Object::Named(name.to_owned()), Doing::Verify, ErrorKind::Io, why)
    }

    /// The same error with advice.
    #[cfg(feature = "bucket")]
    pub(crate) fn with_advice(self, hint: &str) -> Error {
        self.with_hint(hint)
    }

    /// What an object holds is not what it should be.
    #[cfg(feature = "bucket")]
    pub(crate) fn damaged(name: &str, why: impl Into<String>) -> Error {
        Error::new(Object::Named(name.to_owned()), Doing::Read, ErrorKind::Damaged, why)
    }

    /// An object that was to be a reject file.
    #[cfg(feature = "bucket")]
    pub(crate) fn not_rejects(name: &str, why: impl Into<String>) -> Error {
        Error::new(Object::Named(name.to_owned()), Doing::Convert, ErrorKind::NotLog, why)
            .with_hint("`--from-rejects` takes reject files alone: leave others out with `--exclude`")
    }

    /// Why, without the object.
    pub(super) fn why(&self) -> String {
        match (&self.0.why, &self.0.source) {
            (Some(why), _) => why.clone(),
            (None, Some(source)) => source.to_string(),
            (None, None) => String::new(),
        }
    }

    /// What it is about.
    pub(super) fn named(&self) -> &Object {
        &self.0.object
    }

    /// The path or pattern as given, or `stdin` or `stdout`.
    pub fn object(&self) -> &str {
        self.0.object.as_str()
    }

    /// What sort of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the user could do about it: one line, lower-case, without a full stop.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref().or(match self.0.kind {
            ErrorKind::NoMatch => Some("`**` reaches into subfolders; a leading dot must be written out"),
            ErrorKind::Twice => Some("stdin can be read only once"),
            ErrorKind::InputIsOutput => Some("write to another file"),
            ErrorKind::IsFolder => Some("name a file in it"),
            ErrorKind::Taken => Some("see what it is, and move or remove it, or write to another prefix"),
            ErrorKind::Damaged => Some("everything before the damage was read; get the object again"),
            _ => None,
        })
    }

    /// The error of the operating system or of the decompressor, if there is one.
    pub fn io_error(&self) -> Option<&io::Error> {
        self.0.source.as_ref()
    }

    /// Whether it says that nobody reads stdout any more, as in `... | head`.
    pub fn is_broken_pipe(&self) -> bool {
        self.0.object == Object::Stdout
            && self.io_error().is_some_and(|source| source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The error inside an [`io::Error`] that an [`Input`](super::Input) or a
    /// [`Output`](super::Output) returned.
    pub fn in_io(error: &io::Error) -> Option<&Error> {
        error.get_ref()?.downcast_ref()
    }

    /// Takes the error out of an [`io::Error`] that an [`Input`](super::Input) or a
    /// [`Output`](super::Output) returned.
    ///
    /// # Errors
    /// The `io::Error` itself, if it holds none.
    pub fn from_io(error: io::Error) -> Result<Error, io::Error> {
        error.downcast()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { object, doing, .. } = &*self.0;
        write!(f, "cannot {} {object}: {}", doing.as_str(), escaped(&self.why()))
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        // The io::Error is in the text already: what follows is what caused it.
        self.0.source.as_ref()?.source()
    }
}

impl From<Error> for io::Error {
    /// Keeps the kind of the inner [`io::Error`]; [`Error::from_io`] gets the error back.
    fn from(error: Error) -> io::Error {
        let kind = match (&error.0.source, error.kind()) {
            // std's helpers would try again without end.
            (Some(source), _) if source.kind() == io::ErrorKind::Interrupted => io::ErrorKind::Other,
            (Some(source), _) => source.kind(),
            (None, ErrorKind::NotFound | ErrorKind::NoMatch | ErrorKind::NoFolder) => io::ErrorKind::NotFound,
            (None, ErrorKind::IsFolder) => io::ErrorKind::IsADirectory,
            (None, ErrorKind::Damaged) => io::ErrorKind::InvalidData,
            (None, _) => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

/// The store's error inside an error of reading or writing, where there is one.
#[cfg(feature = "cli")]
pub(crate) fn store_error(error: io::Error) -> anyhow::Error {
    match Error::from_io(error) {
        Ok(error) => error.into(),
        Err(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let file = || Object::Named("out.ndjson".into());
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let table = [
            (Error::io(file(), Doing::Write, full()), "cannot write `out.ndjson`: no storage space"),
            (Error::io(Object::Stdout, Doing::Write, full()), "cannot write stdout: no storage space"),
            (
                Error::io(file(), Doing::Rename, full()),
                "cannot rename a finished file to `out.ndjson`: no storage space",
            ),
            (
                Error::new(Object::Stdin, Doing::Read, ErrorKind::Damaged, "the end").with_source(full()),
                "cannot read stdin: the end",
            ),
        ];
        for (error, text) in table {
            assert_eq!(error.to_string(), text);
            assert!(error::Error::source(&error).is_none(), "the text would be printed twice");
        }
    }

    #[test]
    fn what_a_terminal_could_act_on_and_passwords_are_not_shown() {
        let file = Object::Named("s3://KEY:pass@b/a\n::error\u{1b}[31m".into());
        let error = Error::new(file, Doing::Read, ErrorKind::Service, "said \u{9b}x").with_hint("a\nb");
        assert_eq!(error.to_string(), "cannot read `s3://KEY:***@b/a\\n::error\\u{1b}[31m`: said \\u{9b}x");
        assert_eq!(error.hint(), Some("a\\nb"));
    }

    #[test]
    fn through_an_io_error_and_back() {
        let pipe = Error::io(Object::Stdout, Doing::Write, io::ErrorKind::BrokenPipe.into());
        assert!(pipe.is_broken_pipe());
        let error = io::Error::from(pipe);
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(Error::in_io(&error).unwrap().object(), "stdout");
        assert!(Error::from_io(error).unwrap().is_broken_pipe());
        assert!(Error::from_io(io::ErrorKind::NotFound.into()).is_err());
    }
}
