//! Files that are read as a whole: settings, cases. Anything else (a device, a log named by mistake) must not fill
//! the memory.

use crate::store::{self, Source};
use crate::text::escaped;
use anyhow::{Context as _, bail};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// The bytes of a file, at most `most`.
pub(crate) fn read(file: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let name = file.to_string_lossy();
    let open = || -> io::Result<Option<Vec<u8>>> { up_to(&mut File::open(file)?, most) };
    match open().with_context(|| format!("cannot read `{}`", escaped(&name)))? {
        Some(bytes) => Ok(bytes),
        None => bail!("`{}` is longer than {most} bytes", escaped(&name)),
    }
}

/// The text of a file, at most `most` bytes.
pub(crate) fn read_text(file: &Path, most: u64) -> anyhow::Result<String> {
    let name = file.to_string_lossy();
    String::from_utf8(read(file, most)?).with_context(|| format!("`{}` is not UTF-8", escaped(&name)))
}

/// The decompressed bytes of a file, at most `most`.
pub(crate) fn read_log(file: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let name = file.to_string_lossy().into_owned();
    let mut all = Vec::new();
    let sources: Vec<Source> = store::list(std::slice::from_ref(&name), &[])?.sources;
    for source in sources {
        all.extend(read_source(&source, most - all.len() as u64)?);
    }
    Ok(all)
}

/// The decompressed bytes of a source, at most `most`.
pub(crate) fn read_source(source: &Source, most: u64) -> anyhow::Result<Vec<u8>> {
    let mut input = source.open(Arc::default(), Arc::default())?;
    match up_to(&mut input, most).map_err(crate::store::store_error)? {
        Some(bytes) => Ok(bytes),
        None => bail!("`{}` is longer than {most} bytes after decompression", escaped(source.name())),
    }
}

/// Everything that comes out of `input`; nothing, if that is more than `most` bytes.
fn up_to(input: &mut dyn Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    input.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}
