//! Texts kept in a temporary file, to be read again by where they are.

use super::line::Line;
use crate::sync::lock;
use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::Mutex;

/// Where a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    at: u64,
    length: u32,
}

impl Span {
    /// The size of [`Span::bytes`].
    pub(super) const BYTES: usize = 12;

    pub(super) fn bytes(self) -> [u8; Span::BYTES] {
        let mut bytes = [0; Span::BYTES];
        bytes[..8].copy_from_slice(&self.at.to_be_bytes());
        bytes[8..].copy_from_slice(&self.length.to_be_bytes());
        bytes
    }

    /// The span whose bytes these are, the first of them.
    pub(super) fn of(bytes: &[u8]) -> Span {
        let (mut at, mut length) = ([0; 8], [0; 4]);
        at.copy_from_slice(&bytes[..8]);
        length.copy_from_slice(&bytes[8..Span::BYTES]);
        Span { at: u64::from_be_bytes(at), length: u32::from_be_bytes(length) }
    }
}

/// Texts in a file that nobody else sees. First all are written, then they are read, by any thread.
#[derive(Debug)]
pub(super) struct Spool {
    file: Mutex<BufWriter<File>>,
    at: u64,
}

impl Spool {
    pub(super) fn new() -> io::Result<Spool> {
        Ok(Spool { file: Mutex::new(BufWriter::with_capacity(1 << 18, tempfile::tempfile()?)), at: 0 })
    }

    /// Keeps a text.
    pub(super) fn push(&mut self, text: &[u8]) -> io::Result<Span> {
        let span = Span { at: self.at, length: u32::try_from(text.len()).map_err(io::Error::other)? };
        lock(&self.file).write_all(text)?;
        self.at += text.len() as u64;
        Ok(span)
    }

    /// Must come between writing and reading.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        lock(&self.file).flush()
    }

    /// A text that was kept.
    pub(super) fn read(&self, span: Span) -> io::Result<Vec<u8>> {
        let mut text = vec![0; span.length as usize];
        let mut file = lock(&self.file);
        let file = file.get_mut();
        file.seek(SeekFrom::Start(span.at))?;
        file.read_exact(&mut text)?;
        Ok(text)
    }

    /// A line that was kept.
    pub(super) fn line(&self, span: Span) -> io::Result<Line> {
        Ok(serde_json::from_slice(&self.read(span)?)?)
    }
}

/// What stands for a name in records of a fixed size: of two names it is never the same.
pub(super) fn hash(name: &str) -> [u8; 16] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, name.as_bytes());
    let mut hash = [0; 16];
    hash.copy_from_slice(&digest.as_ref()[..16]);
    hash
}
