//! Bytes as text that any key, URL or signature takes.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// All but RFC 3986's unreserved characters: what signatures ask for.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same in a path, whose slashes stay.
#[cfg(feature = "cli")]
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    let mut text = Vec::with_capacity(2 * bytes.len());
    bytes.iter().for_each(|byte| text.extend_from_slice(&digits(byte)));
    String::from_utf8(text).unwrap_or_default()
}

/// The bytes that hexadecimal digits stand for; anything else is left out.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let byte = |at: usize| text.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
    (0..text.len()).step_by(2).filter_map(byte).collect()
}

/// With everything but unreserved characters percent-encoded, in upper case.
pub(crate) fn percent_encoded(bytes: &[u8]) -> String {
    percent_encode(bytes, RESERVED).to_string()
}

/// The same for a path: `/` stays.
#[cfg(feature = "cli")]
pub(crate) fn percent_encoded_path(path: &str) -> String {
    percent_encode(path.as_bytes(), RESERVED_IN_PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_encoded() {
        assert_eq!(hex(b"\x00\x9f\xff"), "009fff");
        assert_eq!(unhex("009fFF"), b"\x00\x9f\xff");
        assert_eq!(unhex("0x0"), b"");
        assert_eq!(percent_encoded(b"/\n\xff~-._%+"), "%2F%0A%FF~-._%25%2B");
        #[cfg(feature = "cli")]
        assert_eq!(percent_encoded_path("a b/\u{e9}"), "a%20b/%C3%A9");
    }
}
