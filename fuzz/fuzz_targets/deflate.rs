//! Any text comes back from gzip, and is hardly longer than it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::{Read, Write};
use udmap::store::{BlockCompressor, Compression};

// A byte says how often the rest is repeated, so that the fuzzer gets past the border of a block.
fuzz_target!(|data: &[u8]| {
    let Some((times, piece)) = data.split_first() else { return };
    let text = piece.repeat(usize::from(*times).pow(2) / 16 + 1);
    let mut blocks = BlockCompressor::new(Vec::new(), Compression::Gzip, 1);
    blocks.write_all(&text).expect("memory takes all");
    let bytes = blocks.finish().expect("memory takes all");
    assert!(bytes.len() <= text.len() + text.len() / 1000 + 100, "{} bytes of {}", bytes.len(), text.len());
    let mut back = Vec::new();
    let mut decoder = flate2::bufread::GzDecoder::new(&bytes[..]);
    decoder.read_to_end(&mut back).expect("it is gzip");
    assert!(back == text && decoder.into_inner().is_empty());
});
