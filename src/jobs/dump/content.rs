//! Reads an output, and compares it with what a manifest says: its digest, and what is where in it.

use super::entry::OutputObject;
use crate::store::objects::{BlockingStore, ObjectMeta, ReadEnd};
use crate::store::{self, Error};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A part of an output that one input became: in bytes after decompression, or in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Piece {
    pub(super) offset: u64,
    /// Nothing if it is all of the output.
    pub(super) length: Option<u64>,
    /// Events or rejects in it.
    pub(super) lines: u64,
}

/// Holds the object `found` against `output`, which consists of `pieces` in their order.
///
/// # Errors
/// What differs, or why it could not be found out.
pub(super) fn check(
    store: &BlockingStore,
    found: &ObjectMeta,
    output: &OutputObject,
    pieces: &[Piece],
    stop: &Arc<AtomicBool>,
) -> Result<(), Error> {
    let differs = |why: String| Error::damaged(&output.url, why);
    if found.size != output.size {
        return Err(differs(format!("it has {} bytes, not {}", found.size, output.size)));
    }
    let outcome = ReadEnd::default();
    let mut reader = store.read(found, Arc::default(), &outcome)?;
    let counted = if output.key.ends_with(".parquet") {
        rows(&mut reader, pieces)
    } else {
        let input = store::Input::of(reader, found.size, &output.url, Arc::clone(stop));
        lines(input, pieces)
    };
    let counted = match counted {
        Ok(counted) => counted,
        Err(error) if store::is_stopped(&error) => return Err(Error::stopped()),
        Err(error) => {
            if let Some(error) = outcome.take_error() {
                return Err(error);
            }
            // What can't be decoded has another digest, most likely: that says more.
            Err(format!("it can't be read: {error}"))
        }
    };
    let (size, sha256) = match outcome.whole() {
        Some(whole) => whole,
        None => store.digest(found)?,
    };
    if sha256 != output.sha256 {
        return Err(differs("its digest is another one".to_owned()));
    }
    if size != output.size {
        return Err(differs(format!("{size} bytes of it were read, not {}", output.size)));
    }
    counted.map_err(differs)
}

/// Counts lines piece by piece; what is wrong with them.
fn lines(mut input: impl Read, pieces: &[Piece]) -> std::io::Result<Result<(), String>> {
    let mut buffer = vec![0; 1 << 18];
    let mut wrong = tiles(pieces).err();
    let mut pieces = pieces.iter();
    let mut piece = pieces.next();
    // Bytes so far, lines of the piece so far, and whether the last byte ended one.
    let (mut at, mut count, mut ended) = (0u64, 0u64, true);
    loop {
        let read = input.read(&mut buffer)?;
        let mut rest = &buffer[..read];
        // Also those pieces end here that begin where the bytes end.
        while let Some(now) = piece {
            let left = now.length.map(|length| now.offset.saturating_add(length).saturating_sub(at));
            let take =
                left.map_or(rest.len(), |left| usize::try_from(left).unwrap_or(usize::MAX).min(rest.len()));
            let (mine, others) = rest.split_at(take);
            count += memchr::memchr_iter(b'\n', mine).count() as u64;
            ended = mine.last().map_or(ended, |byte| *byte == b'\n');
            at += take as u64;
            rest = others;
            let whole = match left {
                Some(left) => take as u64 == left,
                None => read == 0,
            };
            if !whole && read > 0 {
                break;
            }
            if wrong.is_none() {
                wrong = ends(now, whole, count, ended);
            }
            count = 0;
            piece = pieces.next();
        }
        at += rest.len() as u64;
        if !rest.is_empty() && wrong.is_none() {
            wrong = Some("it holds more than the manifest says is in it".to_owned());
        }
        if read == 0 {
            return Ok(wrong.map_or(Ok(()), Err));
        }
    }
}

fn ends(piece: &Piece, whole: bool, count: u64, ended: bool) -> Option<String> {
    let Piece { offset, length, lines } = *piece;
    let at = length.map_or(String::new(), |length| format!(" in the {length} bytes from {offset} on"));
    if !whole {
        Some(format!("it ends before what the manifest says is in it{at}"))
    } else if count != lines || !ended {
        Some(format!("it holds {count} lines, not {lines}{at}"))
    } else {
        None
    }
}

/// Whether pieces cover everything once.
fn tiles(pieces: &[Piece]) -> Result<(), String> {
    let mut next = 0u64;
    for piece in pieces {
        if piece.offset != next {
            return Err(format!(
                "its parts don't follow one another: the manifest says that one is at {}, not {next}",
                piece.offset
            ));
        }
        next = match piece.length.map(|length| next.checked_add(length)) {
            Some(None) => return Err("its parts are longer than anything".to_owned()),
            Some(Some(next)) => next,
            None => next,
        };
    }
    Ok(())
}

/// Counts the rows of a Parquet file.
#[cfg(feature = "parquet")]
fn rows(reader: &mut impl Read, pieces: &[Piece]) -> std::io::Result<Result<(), String>> {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    // Its end says where everything is, so it is read from a file.
    let mut file = tempfile::tempfile()?;
    std::io::copy(reader, &mut file)?;
    let table = SerializedFileReader::new(file).map_err(std::io::Error::other)?;
    let rows = table.metadata().file_metadata().num_rows();
    let rows = u64::try_from(rows).unwrap_or_default();
    Ok(tiles(pieces).and_then(|()| {
        let wrong = pieces.iter().find(|piece| piece.length.is_some_and(|length| length != piece.lines));
        if let Some(Piece { offset, length, lines }) = wrong {
            let length = length.unwrap_or_default();
            return Err(format!("{lines} events can't be {length} rows from {offset} on"));
        }
        let says = pieces.iter().fold(0u64, |sum, piece| sum.saturating_add(piece.lines));
        if says == rows { Ok(()) } else { Err(format!("it holds {rows} rows, not {says}")) }
    }))
}

#[cfg(not(feature = "parquet"))]
fn rows(reader: &mut impl Read, _: &[Piece]) -> std::io::Result<Result<(), String>> {
    std::io::copy(reader, &mut std::io::sink())?;
    Ok(Err("its rows can't be counted: this udmap is built without the feature `parquet`".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte or two at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let n = self.1.min(self.0.len()).min(out.len());
            out[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[test]
    fn pieces_must_cover_everything_once() {
        let piece = |offset, length, lines| Piece { offset, length: Some(length), lines };
        let text = b"a\nbb\nccc\n";
        let right: [&[Piece]; 4] = [
            &[piece(0, 9, 3)],
            &[piece(0, 0, 0), piece(0, 2, 1), piece(2, 0, 0), piece(2, 7, 2), piece(9, 0, 0)],
            &[Piece { offset: 0, length: None, lines: 3 }],
            &[piece(0, 5, 2), piece(5, 4, 1)],
        ];
        let wrong: [&[Piece]; 12] = [
            &[],
            &[piece(0, 9, 2)],
            &[piece(0, 8, 3)],
            &[piece(0, 10, 3)],
            &[piece(1, 8, 3)],
            &[piece(0, 3, 1), piece(3, 6, 2)],
            &[piece(0, 2, 1), piece(2, 3, 1)],
            &[piece(0, 2, 1), piece(0, 2, 1), piece(2, 7, 2)],
            &[piece(0, 2, 1), piece(5, 4, 1)],
            &[piece(0, 9, 3), piece(9, 0, 1)],
            &[piece(0, u64::MAX, 3), piece(u64::MAX, 2, 0)],
            &[Piece { offset: 0, length: None, lines: 4 }],
        ];
        for step in [1, 2, 100] {
            for pieces in right {
                assert_eq!(lines(Slow(text, step), pieces).unwrap(), Ok(()), "{pieces:?}");
            }
            for pieces in wrong {
                assert!(lines(Slow(text, step), pieces).unwrap().is_err(), "{pieces:?}");
            }
            assert_eq!(lines(Slow(b"", step), &[piece(0, 0, 0)]).unwrap(), Ok(()));
            assert!(lines(Slow(b"a", step), &[piece(0, 1, 0)]).unwrap().is_err(), "a line without its end");
        }
    }
}
