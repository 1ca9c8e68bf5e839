//! Texts kept in a temporary file, which is made with the first of them.

use crate::store::{in_scratch, nameless};
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};

/// How many bytes are written at once.
const BUFFER_BYTES: usize = 1 << 20;

/// Texts that are read again later.
#[derive(Debug, Default)]
pub(super) struct KeptTexts {
    file: Option<File>,
    /// What is not yet in the file.
    buffer: Vec<u8>,
    written: u64,
}

impl KeptTexts {
    /// Keeps a text; where it begins.
    pub(super) fn keep(&mut self, text: &[u8]) -> io::Result<u64> {
        let at = self.written + self.buffer.len() as u64;
        self.buffer.extend_from_slice(text);
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(at)
    }

    /// Puts what is in the buffer into the file.
    fn flush(&mut self) -> io::Result<&mut File> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(nameless()?),
        };
        if !self.buffer.is_empty() {
            file.seek(SeekFrom::Start(self.written)).map_err(in_scratch)?;
            file.write_all(&self.buffer).map_err(in_scratch)?;
            self.written += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(file)
    }

    /// Reads a text that was kept into `text`.
    pub(super) fn get(&mut self, (at, length): (u64, u32), text: &mut Vec<u8>) -> io::Result<()> {
        text.resize(length as usize, 0);
        // The last ones are not in the file yet.
        if let Some(start) = at.checked_sub(self.written) {
            let start = start as usize;
            if let Some(kept) = self.buffer.get(start..start + text.len()) {
                text.copy_from_slice(kept);
                return Ok(());
            }
        }
        read_at(self.flush()?, at, text).map_err(in_scratch)
    }
}

#[cfg(unix)]
fn read_at(file: &mut File, at: u64, text: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, text, at)
}

#[cfg(not(unix))]
fn read_at(file: &mut File, at: u64, text: &mut [u8]) -> io::Result<()> {
    use std::io::Read as _;
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(text)
}
