//! Framing, for every way to cut and to read a stream.

use super::*;
use std::io::{self, Read};

/// Gives its bytes in pieces of a fixed size.
struct Dribble<'a>(&'a [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.1.min(to.len()).min(self.0.len());
        to[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

/// Every unit of `text` as `line:offset+length state bytes`, blank lines counted at the end.
fn framed(text: &[u8], limit: usize, target: usize, span: usize) -> Vec<String> {
    let mut input = Dribble(text, span);
    units(text, limit, target, &mut |framer, buffer| framer.next(&mut input, buffer).unwrap())
}

/// The same, with the lines taken from where they are.
fn framed_in(text: &[u8], limit: usize, target: usize) -> Vec<String> {
    units(text, limit, target, &mut |framer, buffer| {
        let start = framer.position() as usize;
        if let Some(body) = framer.lines_in(text) {
            return Some(Chunk { bytes: text[start..].to_vec(), body });
        }
        framer.next(&mut &text[framer.bytes_read() as usize..], buffer).unwrap()
    })
}

fn units(
    text: &[u8],
    limit: usize,
    target: usize,
    next: &mut dyn FnMut(&mut Framer, Vec<u8>) -> Option<Chunk>,
) -> Vec<String> {
    let mut framer = Framer::new(limit, target);
    let (mut units, mut blanks) = (Vec::new(), 0);
    while let Some(chunk) = next(&mut framer, Vec::new()) {
        chunk.body.units(
            &chunk.bytes,
            limit,
            &mut |unit: &Unit, bytes: &[u8]| {
                let state = match unit.state {
                    UnitState::Whole => "",
                    UnitState::TooLong => "too-long ",
                    UnitState::TooDeep => "too-deep ",
                    UnitState::Broken(_) => "broken ",
                };
                let bytes = String::from_utf8_lossy(bytes);
                units.push(format!("{}:{}+{} {state}{bytes}", unit.line, unit.offset, unit.length));
            },
            &mut blanks,
        );
    }
    assert_eq!(framer.bytes_read(), text.len() as u64);
    if blanks > 0 {
        units.push(format!("{blanks} blank"));
    }
    units
}

fn all_ways(text: &str, expected: &[&str]) {
    for target in [1, 2, 3, 7, 16, 1000] {
        for span in [1, 2, 5, 1000] {
            assert_eq!(framed(text.as_bytes(), 16, target, span), expected, "{text:?} by {target}, {span}");
        }
        assert_eq!(framed_in(text.as_bytes(), 16, target), expected, "{text:?} by {target}, in place");
    }
}

#[test]
fn lines() {
    all_ways("", &[]);
    all_ways("\n", &["1 blank"]);
    all_ways("{}\n{}\n", &["1:0+2 {}", "2:3+2 {}"]);
    all_ways("\u{feff}{}\r\n \t{} \r\n\r\n{}", &["1:3+2 {}", "2:9+2 {}", "4:16+2 {}", "1 blank"]);
    all_ways("{\"a\":1,\n{\"b\":2}\n}", &["1:0+7 {\"a\":1,", "2:8+7 {\"b\":2}", "3:16+1 }"]);
    all_ways("x\n[{},\n", &["1:0+1 x", "2:2+4 [{},"]);
    // What could be the start of something longer but is not.
    all_ways("{\"a\":\n{\"b\":2}\n", &["1:0+5 {\"a\":", "2:6+7 {\"b\":2}"]);
    all_ways("[\n{}\n{}\n", &["1:0+1 [", "2:2+2 {}", "3:5+2 {}"]);
    all_ways("[{},\n{}\n{}\n", &["1:0+4 [{},", "2:5+2 {}", "3:8+2 {}"]);
    all_ways("[{}]\n{}\n", &["1:0+4 [{}]", "2:5+2 {}"]);
    all_ways("{} {}\n{}", &["1:0+2 {}", "1:3+2 {}", "2:6+2 {}"]);
}

#[test]
fn long_lines() {
    all_ways("0123456789abcdef\r\n{}", &["1:0+16 0123456789abcdef", "2:18+2 {}"]);
    all_ways("  0123456789abcdefg\n{}", &["1:2+17 too-long 0123456789abcdefg", "2:20+2 {}"]);
    all_ways("0123456789abcdefg\r\n{}", &["1:0+17 too-long 0123456789abcdefg", "2:19+2 {}"]);
    all_ways("                         \n{}", &["2:26+2 {}", "1 blank"]);
    all_ways(
        "[{\"a\":1},{\"b\":2}, 7]\n{}",
        &["1:1+7 {\"a\":1}", "1:9+7 {\"b\":2}", "1:18+1 7", "2:21+2 {}"],
    );
    all_ways(
        "[{\"a\":1},{\"b\":2}, 7 \n{}",
        &["1:1+7 {\"a\":1}", "1:9+7 {\"b\":2}", "1:18+1 7", "1:20+0 broken ", "2:21+2 {}"],
    );
    all_ways(
        "[{\"a\":1},{\"b\":2}, 7 \r\n{}",
        &["1:1+7 {\"a\":1}", "1:9+7 {\"b\":2}", "1:18+1 7", "1:21+0 broken ", "2:22+2 {}"],
    );
    all_ways(
        "[{\"a\":1},\r{\"b\":2},\r\r7]\r\n{}",
        &["1:1+7 {\"a\":1}", "1:10+7 {\"b\":2}", "1:20+1 7", "2:24+2 {}"],
    );
    all_ways(
        "[{\"a\":1},{\"b\":,2},{}]\n{}",
        &["1:1+7 {\"a\":1}", "1:9+12 broken {\"b\":,2},{}]", "2:22+2 {}"],
    );
    // The end is read along with a long line's, and is not lost.
    let end = "{}\n".repeat(40);
    let numbered: Vec<String> = (0..40).map(|i| format!("{}:{}+2 {{}}", i + 2, 18 + 3 * i)).collect();
    let expected = [vec!["1:0+17 too-long 0123456789abcdefg"], numbered.iter().map(String::as_str).collect()];
    all_ways(&format!("0123456789abcdefg\n{end}"), &expected.concat());
    let long = format!("x{}\n{{}}\n", "y".repeat(3 * HEAD));
    for target in [1, 100, 100_000] {
        let units = framed(long.as_bytes(), 16, target, 4000);
        assert_eq!(units[0], format!("1:0+{} too-long x{}", 3 * HEAD + 1, "y".repeat(HEAD - 1)));
        assert_eq!(units[1], format!("2:{}+2 {{}}", 3 * HEAD + 2));
    }
}

#[test]
fn values_over_lines() {
    all_ways("{\n\"a\":1}\n{}", &["1:0+8 {\n\"a\":1}", "3:9+2 {}"]);
    all_ways("\n\n[\n{},\n{}\n]\n{}", &["4:4+2 {}", "5:8+2 {}", "7:13+2 {}"]);
    all_ways("[{},\n{}]", &["1:1+2 {}", "2:5+2 {}"]);
    all_ways("[{},{}\n]", &["1:1+2 {}", "1:4+2 {}"]);
    all_ways("[\n{},\n", &["2:2+2 {}", "3:6+0 broken "]);
    all_ways("[\n{},\n{\"a", &["2:2+2 {}", "3:6+3 broken {\"a"]);
    all_ways("[\n]", &[]);
    all_ways(
        "{\n\"a\":\"0123456789abcdef\"}\n{}",
        &["1:0+25 too-long {\n\"a\":\"0123456789abcdef\"}", "3:26+2 {}"],
    );
}

#[test]
fn what_was_read_before_an_error_is_given_out_first() {
    struct Fails<'a>(&'a [u8]);
    impl Read for Fails<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            match self.0.read(to) {
                Ok(0) => Err(io::Error::other("gone")),
                other => other,
            }
        }
    }
    for text in ["{}\n{\"a\"", "[\n{},\n{\"a\"", "{}\n0123456789abcdefghijklmnop"] {
        let mut framer = Framer::new(16, 4);
        let mut input = Fails(text.as_bytes());
        let mut units = 0;
        let error = loop {
            match framer.next(&mut input, Vec::new()) {
                Ok(Some(chunk)) => {
                    chunk.body.units(&chunk.bytes, 16, &mut |_, _| units += 1, &mut 0);
                }
                Ok(None) => panic!("the error is lost"),
                Err(error) => break error,
            }
        };
        assert_eq!((units, error.to_string().as_str()), (2, "gone"), "{text}");
        assert!(framer.next(&mut input, Vec::new()).unwrap().is_none());
    }
}

#[test]
fn what_follows_a_long_broken_value_on_its_line() {
    let junk = "y".repeat(5000);
    for next in [r#"{"b":1}"#, r#"[{"c":2},{"d":3},{"e":4}]"#, r#"[ {"c":2} {"d":3}"#] {
        for blanks in [0, 1, 60, 70] {
            let text = format!("{{\"a\" x{junk}}} [{}{next}\n", " ".repeat(blanks)).replace("[[", "[");
            let text = text.as_bytes();
            for limit in [16, 5100] {
                let whole = framed(text, limit, 1 << 20, 1 << 20);
                for (target, span) in [(1, 1), (3, 2), (64, 7), (4096, 1000), (5010, 5010)] {
                    let found = framed(text, limit, target, span);
                    assert_eq!(found, whole, "{next:?} behind {blanks}, {limit}, by {target}, {span}");
                }
                assert_eq!(framed_in(text, limit, 64), whole);
            }
        }
    }
}
