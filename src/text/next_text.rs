//! A reader that holds several texts, one after another: the members of an archive.

use std::error;
use std::fmt;
use std::io;

/// What a reader returns as an error where one text has ended and another one begins.
///
/// It comes before the first text, too. Reading on gives the text. Lines and bytes of each text count for themselves,
/// and a record never reaches from one into another. A reader that nobody has told to will not return it.
#[derive(Debug)]
pub(crate) struct NextText {
    /// The name of the text that begins.
    pub(crate) name: String,
    /// Why the text before could not be read to its end.
    pub(crate) failed: Option<io::Error>,
}

impl NextText {
    /// The next text, where an error says that there is one; else the error.
    pub(crate) fn of(error: io::Error) -> Result<NextText, io::Error> {
        error.downcast()
    }
}

impl From<NextText> for io::Error {
    fn from(next: NextText) -> io::Error {
        io::Error::other(next)
    }
}

impl fmt::Display for NextText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the text `{}` begins", crate::text::shown(&self.name))
    }
}

impl error::Error for NextText {}
