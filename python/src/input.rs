//! What is converted or checked: bytes, or files.

use std::io::Cursor;
use std::sync::Arc;
use udmap::store::{self, Input};

/// Bytes, perhaps compressed, under a name for messages.
pub(crate) fn of_bytes(bytes: &[u8], name: &str) -> Input {
    let size = bytes.len() as u64;
    Input::of(Cursor::new(bytes.to_vec()), size, name, Arc::default())
}

/// Files as on the command line, each with its name.
pub(crate) fn of_path(path: &str) -> Result<Vec<(String, Input)>, store::Error> {
    let listing = store::list(&[path.to_owned()], &[])?;
    listing
        .sources
        .iter()
        .map(|source| Ok((source.name().to_owned(), source.open(Arc::default(), Arc::default())?)))
        .collect()
}
