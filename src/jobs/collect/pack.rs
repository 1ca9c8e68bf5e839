//! An object's bytes: lines, compressed or not, the same bytes for the same lines.

use crate::store::Compression;
use std::borrow::Cow;
use std::io::{self, Read as _, Write as _};

impl Compression {
    /// Compresses `lines`. No time or name goes into it.
    pub(super) fn pack(self, lines: Cow<'_, [u8]>) -> io::Result<Vec<u8>> {
        match self {
            Compression::None => Ok(lines.into_owned()),
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
                encoder.write_all(&lines)?;
                encoder.finish()
            }
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(Vec::new(), 3)?;
                encoder.include_checksum(true)?;
                encoder.write_all(&lines)?;
                encoder.finish()
            }
        }
    }

    /// The lines of an object; at most `most` bytes of them.
    pub(super) fn unpack(self, bytes: &[u8], most: usize) -> io::Result<Vec<u8>> {
        let mut lines = Vec::new();
        let most = most as u64 + 1;
        match self {
            Compression::None => lines.extend_from_slice(bytes),
            Compression::Gzip => {
                flate2::read::MultiGzDecoder::new(bytes).take(most).read_to_end(&mut lines)?;
            }
            Compression::Zstd => {
                zstd::Decoder::new(bytes)?.take(most).read_to_end(&mut lines)?;
            }
        }
        if lines.len() as u64 >= most {
            return Err(io::Error::other("it is larger than any page"));
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_and_back() {
        let lines = b"{\"a\":1}\n".repeat(1000);
        for (_, compression) in Compression::ALL {
            let packed = compression.pack(Cow::Borrowed(&lines)).unwrap();
            assert_eq!(packed, compression.pack(Cow::Borrowed(&lines)).unwrap());
            assert_eq!(compression.unpack(&packed, lines.len()).unwrap(), lines);
            assert!(compression == Compression::None || packed.len() < lines.len() / 10);
            assert!(compression.unpack(&packed, lines.len() - 1).is_err());
            assert_eq!(Compression::of(compression.extension()), Some(compression));
        }
        assert!(Compression::Gzip.unpack(b"{}", 10).is_err());
    }
}
