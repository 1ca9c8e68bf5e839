//! What loggers and shippers write before a record on its line: syslog's headers (RFC 3164, RFC 5424),
//! or a time and a few words.

use crate::record::boundaries::{BYTE_ORDER_MARK, gap};

/// The most words behind the time: a host, a name, an id, a level and the like.
const MOST_WORDS: usize = 8;
/// The most bytes of one word.
const MOST_BYTES: usize = 512;

/// Where behind a header the line's body begins; nothing if the line does not begin with a header
/// that has a body. `begins` says whether the body begins with this text.
pub(super) fn body(line: &str, begins: &dyn Fn(&str) -> bool) -> Option<usize> {
    let text = line.as_bytes();
    let mut at = start(text)?;
    for words in 0.. {
        at = behind_blanks(text, at);
        at += if text[at..].starts_with(BYTE_ORDER_MARK) { 3 } else { 0 };
        let rest = line.get(at..)?;
        if begins(rest) {
            return Some(at);
        }
        if rest.is_empty() || words == MOST_WORDS {
            return None;
        }
        // A name that ends in a colon may have the body right behind it.
        let name = rest.bytes().take(MOST_BYTES).take_while(|byte| !b" \t\"{".contains(byte)).count();
        let colon = memchr::memchr_iter(b':', &text[at..at + name]).map(|colon| at + colon + 1);
        if let Some(body) = colon.into_iter().find(|colon| line.get(*colon..).is_some_and(begins)) {
            return Some(body);
        }
        at += word(&text[at..])?;
    }
    None
}

/// Whether JSON begins here that may be a record, or a list of records.
pub(super) fn begins_json(text: &str) -> bool {
    match text.as_bytes() {
        [b'{', ..] => true,
        // Anything else in brackets is a name, or syslog's structured data.
        [b'[', rest @ ..] => matches!(rest.get(gap(rest)), Some(b'{' | b'[' | b']')),
        _ => false,
    }
}

/// Whether `line` begins like syslog: with a priority or a time.
pub(crate) fn is_begun(line: &[u8]) -> bool {
    start(line).is_some()
}

/// Where a header begins that ends with `line`: behind it comes the next record of a line. A time that
/// may be a value of the record before is none.
pub(super) fn start_of_last(line: &str) -> Option<usize> {
    let text = line.as_bytes();
    if !matches!(text.last(), Some(b' ' | b'\t')) {
        return None;
    }
    let lowest = text.len().saturating_sub(MOST_BYTES);
    // The last time, and the text before it.
    let at = (lowest..text.len()).rev().find(|at| time(&text[*at..]).is_some())?;
    let ends = |rest: &str| rest.is_empty();
    body(line.get(at..)?, &ends).filter(|length| *length == text.len() - at)?;
    let before = text[..at].strip_suffix(b" ").unwrap_or(&text[..at]);
    let before = before.strip_suffix(b"1").unwrap_or(before);
    let priority = before
        .iter()
        .rposition(|byte| *byte == b'<')
        .filter(|open| priority(&text[*open..]) == Some(before.len() - open));
    let start = priority.unwrap_or(at);
    (start > 0 && text[start - 1] != b'=').then_some(start)
}

/// The length of a header up to its words: of a count of bytes (RFC 6587), a priority and a version,
/// and a time. One of priority and time is there.
fn start(text: &[u8]) -> Option<usize> {
    let counted = digits(text);
    let mut at = match text.get(counted..) {
        Some([b' ', b'<', ..]) if counted > 0 => counted + 1,
        _ => 0,
    };
    if let Some(length) = priority(&text[at..]) {
        at += length;
        let version = digits(&text[at..]);
        if version > 0 && text.get(at + version) == Some(&b' ') {
            at += version + 1;
        }
        return Some(at + time(&text[at..]).unwrap_or(0));
    }
    if at > 0 { None } else { time(text) }
}

/// The length of `<PRI>`.
fn priority(text: &[u8]) -> Option<usize> {
    let length = digits(text.strip_prefix(b"<")?);
    ((1..=3).contains(&length) && text.get(1 + length) == Some(&b'>')).then_some(length + 2)
}

/// The length of a time: `2023-04-18T17:21:32.003Z`, `2023-04-18 17:21:32`, `Apr 18 17:21:32`,
/// `Apr 18 2023 17:21:32`, perhaps in brackets, perhaps with a colon.
fn time(text: &[u8]) -> Option<usize> {
    let bracket = usize::from(text.first() == Some(&b'['));
    let mut at = bracket;
    at += date(&text[at..])?;
    at += like(&text[at..], b"00:00:00")?;
    if let Some([b'.' | b',', rest @ ..]) = text.get(at..)
        && digits(rest) > 0
    {
        at += 1 + digits(rest);
    }
    at += match text.get(at..) {
        Some([b'Z' | b'z', ..]) => 1,
        Some(rest @ [b'+' | b'-', ..]) => {
            let formats: [&[u8]; 3] = [b"00:00", b"0000", b"00"];
            1 + formats.iter().find_map(|form| like(&rest[1..], form))?
        }
        _ => 0,
    };
    if bracket > 0 {
        at += like(&text[at..], b"]")?;
    }
    at += usize::from(text.get(at) == Some(&b':'));
    // It is a whole word.
    matches!(text.get(at), None | Some(b' ' | b'\t' | b'{' | b'[')).then_some(at)
}

/// The length of a date, with what parts it from the time.
fn date(text: &[u8]) -> Option<usize> {
    let iso: [&[u8]; 2] = [b"0000-00-00", b"0000/00/00"];
    if let Some(length) = iso.iter().find_map(|form| like(text, form)) {
        return matches!(text.get(length), Some(b'T' | b't' | b' ')).then_some(length + 1);
    }
    const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = text.get(..3)?;
    let mut at = MONTHS.chunks(3).any(|name| name == month).then_some(3)?;
    at += like(&text[at..], b" ")?;
    at += like(&text[at..], b" ").unwrap_or(0);
    let day = digits(&text[at..]);
    at += (1..=2).contains(&day).then_some(day)?;
    at += like(&text[at..], b" 0000").filter(|length| text.get(at + length) == Some(&b' ')).unwrap_or(0);
    Some(at + like(&text[at..], b" ")?)
}

/// The length of `form` if the text begins like it: a `0` stands for a digit.
fn like(text: &[u8], form: &[u8]) -> Option<usize> {
    let fits = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    (text.len() >= form.len() && text.iter().zip(form).all(fits)).then_some(form.len())
}

fn digits(text: &[u8]) -> usize {
    text.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count()
}

fn behind_blanks(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// The length of the word that the text begins with; brackets with their content are one, with the quoted
/// texts in it (RFC 5424's structured data).
fn word(text: &[u8]) -> Option<usize> {
    let (mut brackets, mut quoted, mut escaped) = (text[0] == b'[', false, false);
    for (at, byte) in text.iter().take(MOST_BYTES).enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if brackets => quoted = !quoted,
            _ if quoted => {}
            b']' if brackets => brackets = text.get(at + 1) == Some(&b'['),
            b' ' | b'\t' if !brackets => return Some(at),
            // A record's own text is not a header.
            b'"' | b'{' | b'}' | b'|' => return None,
            _ => {}
        }
    }
    (text.len() <= MOST_BYTES && !brackets).then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        for header in [
            "2023-04-18T17:21:32+02:00 ",
            "2023-04-18 17:21:32,123 INFO [main] duo - ",
            "[2023-04-18 17:21:32] duo.INFO: ",
            "2023/04/18 17:21:32 ",
            "Apr 18 17:21:32 host duo: ",
            "Apr  8 17:21:32 host duo[123]: ",
            "Apr 18 2023 17:21:32 host duo:",
            "Apr 18 17:21:32.123: ",
            "<134>Apr 18 17:21:32 host duo: ",
            "<134>host duo: ",
            "<13>",
            "<134>1 2023-04-18T17:21:32.003Z host app - - - ",
            "<134>1 2023-04-18T17:21:32.003Z host app 12 id [a@1 k=\"v ] {\\\" w\" l=\"{\"][b@2 x=\"y\"] \u{feff}",
            "<134>1 - host app - - - ",
            "123 <134>1 2023-04-18T17:21:32.003Z host app - - - ",
            "2023-04-18T17:21:32.123456789Z stdout F ",
            "2023-04-18T17:21:32.123456789Z  host\tapp ",
        ] {
            for json in ["{\"a\":1}", "[{\"a\":1}]", "[]"] {
                let line = format!("{header}{json}");
                assert_eq!(body(&line, &begins_json), Some(header.len()), "{line}");
            }
            let line = format!("some text{header}");
            let is_found = !matches!(header, "<134>host duo: " | "<13>" | "<134>1 - host app - - - ")
                && header.ends_with(' ')
                && !header.starts_with("123 ")
                && !header.contains('"');
            if is_found {
                assert_eq!(start_of_last(&line), Some(9), "{line}");
            }
        }
        for line in [
            "",
            "x {}",
            "duo: {}",
            "1 {}",
            "12 <x>{}",
            "<1345>{}",
            "2023-04-18 {}",
            "2023-04-18T17:21 {}",
            "2023-04-18T17:21:32x {}",
            "Foo 18 17:21:32 {}",
            "Apr 18 17:21:32 host said \"x\" {}",
            "Apr 18 17:21:32 a b c d e f g h i {}",
            "Apr 18 17:21:32 host x=1|{}",
            "Apr 18 17:21:32 host",
            "Apr 18 17:21:32 host x{}",
            "Apr 18 17:21:32 [main {}",
            "Apr 18 17:21:32 [main]",
        ] {
            assert_eq!(body(line, &begins_json), None, "{line}");
        }
    }
}
