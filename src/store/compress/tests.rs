//! Every format, whole, cut and damaged anywhere, and read in pieces of any size.

use std::io::{Read, Write};

use super::*;

fn compress(format: Format, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match format {
        Format::Gzip => {
            let builder = flate2::GzBuilder::new().filename("a.ndjson").comment("a comment");
            let mut encoder = builder.write(out, flate2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Format::Zstd => {
            let mut encoder = zstd::Encoder::new(out, 1).unwrap();
            encoder.include_checksum(true).unwrap();
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Format::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(out, bzip2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Format::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(out, 1);
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Format::Lz4 => {
            use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
            let info = FrameInfo::new()
                .block_size(BlockSize::Max64KB)
                .block_mode(BlockMode::Linked)
                .block_checksums(true)
                .content_checksum(true);
            let mut encoder = FrameEncoder::with_frame_info(info, out);
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Format::Snappy => {
            // A whole stream is at least its identifier: the crate writes none for no text.
            out.extend_from_slice(if text.is_empty() { b"\xff\x06\0\0sNaPpY" } else { b"" });
            let mut encoder = snap::write::FrameEncoder::new(out);
            encoder.write_all(text).unwrap();
            encoder.into_inner().unwrap()
        }
    }
}

const FORMATS: [Format; 6] =
    [Format::Gzip, Format::Zstd, Format::Bzip2, Format::Xz, Format::Lz4, Format::Snappy];

/// Lines that compress like a log does, over several blocks of every format.
fn text(bytes: usize) -> Vec<u8> {
    let mut state = 1u32;
    let line = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("{{\"phone\":\"+1{}\",\"type\":\"sms\"}}\n", state >> 4).into_bytes()
    };
    let mut text: Vec<u8> = (0..bytes / 25).flat_map(line).collect();
    text.truncate(bytes);
    text
}

/// Hands out a byte at first and then ever more, as a pipe may.
struct Trickle(io::Cursor<Vec<u8>>, usize);

impl Read for Trickle {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.1 += 1;
        let most = out.len().min(self.1);
        self.0.read(&mut out[..most])
    }
}

/// What is delivered, and how it ended.
fn decompress(object: &[u8], buffer: usize, piece: usize) -> (Vec<u8>, Result<(), Stopped>) {
    let object = Trickle(io::Cursor::new(object.to_vec()), if buffer > 100 { 1 << 20 } else { 0 });
    let mut decoder = Decoder::new(CountingReader::new(Box::new(object), buffer), None);
    let (mut all, mut piece) = (Vec::new(), vec![0; piece]);
    loop {
        match decoder.read(&mut piece) {
            Ok(0) => return (all, Ok(())),
            Ok(read) => all.extend_from_slice(&piece[..read]),
            Err(stopped) => {
                assert!(!matches!(stopped.fault, Fault::Object(_)));
                return (all, Err(stopped));
            }
        }
    }
}

/// Buffers for objects, and pieces read: large, small, and neither a multiple of the other.
const SIZES: [(usize, usize); 4] = [(1 << 18, 1 << 20), (64, 1), (4096, 100_003), (99, 40_000)];

#[test]
fn whole_streams() {
    let long = text(700_000);
    for format in FORMATS {
        let member = |text: &[u8]| compress(format, text);
        let table: [(&str, Vec<u8>, Vec<u8>); 6] = [
            ("one member", member(&long), long.clone()),
            ("a byte", member(b"a"), b"a".to_vec()),
            ("empty", member(b""), vec![]),
            ("three members", [member(&long), member(b""), member(b"b")].concat(), [&*long, b"b"].concat()),
            ("many members", member(b"ab").repeat(300), b"ab".repeat(300)),
            ("empty members", member(b"").repeat(3), vec![]),
        ];
        for (name, object, text) in table {
            for (buffer, piece) in SIZES {
                let (got, end) = decompress(&object, buffer, piece);
                assert!(end.is_ok(), "{format:?}, {name}: {end:?}");
                assert!(got == text, "{format:?}, {name}: {} bytes", got.len());
            }
        }
    }
}

#[test]
fn between_members() {
    let skippable = b"\x5a\x2a\x4d\x18\x05\0\0\0hello".to_vec();
    let member = |format, text: &str| compress(format, text.as_bytes());
    let all = FORMATS.map(|format| member(format, "a")).concat();
    let table = [
        (all, Ok("aaaaaa")), // snappy, which has no end, is the last
        ([member(Format::Gzip, "a"), vec![0; 1000]].concat(), Ok("a")),
        ([member(Format::Xz, "a"), vec![0; 4], member(Format::Xz, "b")].concat(), Ok("ab")),
        ([&*skippable, &member(Format::Zstd, "a"), &skippable, &member(Format::Lz4, "b")].concat(), Ok("ab")),
        (skippable.clone(), Ok("")),
        (skippable[..9].to_vec(), Err(("", 9))),
        ([member(Format::Bzip2, "a"), b"plain\n".to_vec()].concat(), Err(("a", 37))),
        ([member(Format::Gzip, "a"), vec![0x1f]].concat(), Err(("a", 40))),
    ];
    for (object, want) in table {
        for (buffer, piece) in SIZES {
            let (got, end) = decompress(&object, buffer, piece);
            let got = String::from_utf8(got).unwrap();
            match want {
                Ok(text) => assert!(got == text && end.is_ok(), "{got:?} {end:?}"),
                Err((text, offset)) => assert_eq!((&*got, end.unwrap_err().offset), (text, offset)),
            }
        }
    }
}

#[test]
fn cut_anywhere() {
    let long = text(250_000);
    for format in FORMATS {
        let (first, second) = (compress(format, &long), compress(format, b"the second"));
        let mut whole_at = vec![0, first.len()];
        if format == Format::Snappy {
            // No end mark: whole after the identifier and after every chunk.
            whole_at.push(10);
            while whole_at[whole_at.len() - 1] < first.len() {
                let at = whole_at[whole_at.len() - 1];
                whole_at.push(at + 4 + first[at + 1] as usize + (first[at + 2] as usize) * 256);
            }
            whole_at.push(first.len() + 10);
        }
        let object = [first.clone(), second].concat();
        let edges = (ENOUGH..600).chain(first.len() - 300..object.len());
        let text = [&*long, b"the second"].concat();
        for cut in edges.chain((600..object.len()).step_by(1511)) {
            let mut least = usize::MAX;
            for (buffer, piece) in [SIZES[0], SIZES[2]] {
                let (got, end) = decompress(&object[..cut], buffer, piece);
                assert!(text.starts_with(&got), "{format:?} cut at {cut}: wrong bytes");
                assert_eq!(end.is_ok(), whole_at.contains(&cut), "{format:?} cut at {cut}: {end:?}");
                assert!(cut < first.len() || got.len() >= long.len(), "{format:?} cut at {cut}");
                if let Err(stopped) = end {
                    assert!(
                        matches!(stopped.fault, Fault::CutShort) || cut > first.len(),
                        "{format:?} cut at {cut}: {stopped:?}"
                    );
                    // Less than a magic number is something unknown, at its first byte.
                    let unknown = (first.len()..first.len() + ENOUGH).contains(&cut);
                    let offset = stopped.offset as usize;
                    assert!(offset == cut || unknown && offset == first.len(), "{format:?} {offset}");
                    assert_eq!(stopped.what, What::Stream(format));
                }
                // However it is read, the same comes out before the end.
                assert!(least == usize::MAX || least == got.len(), "{format:?} cut at {cut}");
                least = got.len();
            }
        }
    }
}

#[test]
fn flipped_anywhere() {
    let long = text(300_000);
    for format in FORMATS {
        let good = compress(format, &long);
        // Behind gzip's header, whose name and comment no checksum covers.
        let mut places: Vec<usize> = (64..good.len()).step_by(good.len() / 25).collect();
        if format == Format::Zstd {
            // Where the header of a block is wrong, the block before it must not suffer.
            let mut header = 6;
            loop {
                places.push(header);
                let [a, b, c] = good[header..header + 3] else { unreachable!() };
                if a & 1 == 1 {
                    break; // the last block
                }
                header += 3 + (u32::from_le_bytes([a, b, c, 0]) >> 3) as usize;
            }
        }
        for at in places {
            let mut object = good.clone();
            object[at] ^= 0x55;
            let (most, end) = decompress(&object, 64, 1);
            let end = end.expect_err("the damage must be seen");
            assert!(matches!(end.fault, Fault::Corrupt(_) | Fault::CutShort), "{format:?}: {end:?}");
            for (buffer, piece) in SIZES {
                let (got, end) = decompress(&object, buffer, piece);
                assert!(end.is_err());
                // A byte at a time shows all that there is before the damage.
                assert_eq!(got.len(), most.len(), "{format:?} flipped at {at}, read by {piece}");
                assert!(got == most);
            }
            if at > good.len() * 9 / 10 && format != Format::Xz {
                assert!(most.len() > 64 << 10, "{format:?} flipped at {at}: the good blocks are missing");
            }
        }
    }
}

#[test]
fn plain_text() {
    for plain in ["", "{}\n", "B", "BZh", "BZh9", "BZh9 is a name\n", "\u{1f}", "P*", "P*M", "\u{4}\"M"] {
        for (buffer, piece) in SIZES {
            let (got, end) = decompress(plain.as_bytes(), buffer, piece);
            let known = plain == "BZh9"; // the beginning of nothing else
            assert_eq!((got == plain.as_bytes(), end.is_ok()), (!known, !known), "{plain:?}");
        }
    }
    let long = text(600_000);
    for (buffer, piece) in SIZES {
        assert!(decompress(&long, buffer, piece).0 == long);
    }
}

#[test]
fn memory_is_limited() {
    // A window of 1 GiB.
    let zstd = b"\x28\xb5\x2f\xfd\x00\xa0\x01\x00\x00";
    let mut options = liblzma::stream::LzmaOptions::new_preset(0).unwrap();
    options.dict_size(512 << 20);
    let mut filters = liblzma::stream::Filters::new();
    filters.lzma2(&options);
    // The encoder would need gigabytes: take a small one's header and say more in it.
    let mut xz = compress(Format::Xz, b"a");
    // Stream header: 12 bytes; block header: size, flags, filter ID, length, dictionary size.
    assert_eq!(xz[14..16], [0x21, 1]);
    xz[16] = 36; // 2^30 bytes
    let crc = {
        let mut crc = flate2::Crc::new();
        crc.update(&xz[12..20]);
        crc.sum()
    };
    xz[20..24].copy_from_slice(&crc.to_le_bytes());
    for (object, most) in [(&zstd[..], 128), (&xz[..], 256)] {
        let end = decompress(object, 64, 100).1.unwrap_err();
        assert!(matches!(end.fault, Fault::TooBig(limit) if limit == most), "{end:?}");
    }
}

/// A million members of nothing are read as fast as they are long.
#[test]
fn many_members() {
    for format in FORMATS {
        // What a bzip2 decoder needs can't be used again.
        let members = if format == Format::Bzip2 { 20_000 } else { 200_000 };
        for text in ["", "a"] {
            let object = compress(format, text.as_bytes()).repeat(members);
            let start = std::time::Instant::now();
            let (got, end) = decompress(&object, 1 << 18, 1 << 16);
            assert!(end.is_ok() && got.len() == text.len() * members, "{format:?}: {end:?}");
            assert!(start.elapsed().as_secs() < 10, "{format:?}, {text:?}: {:?}", start.elapsed());
        }
    }
    let skippable = b"\x5a\x2a\x4d\x18\x00\0\0\0".repeat(200_000);
    let (got, end) = decompress(&skippable, 1 << 18, 1 << 16);
    assert!(end.is_ok() && got.is_empty());
}
