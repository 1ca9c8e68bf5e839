//! Texts kept in a temporary file, which is made with the first of them.

use crate::store::{in_scratch, nameless};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

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

    /// A text that was kept.
    pub(super) fn get(&mut self, (at, length): (u64, u32)) -> io::Result<Vec<u8>> {
        let file = self.flush()?;
        file.seek(SeekFrom::Start(at)).map_err(in_scratch)?;
        let mut text = vec![0; length as usize];
        file.read_exact(&mut text).map_err(in_scratch)?;
        Ok(text)
    }
}
