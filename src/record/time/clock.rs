//! The common forms of times, converted without a calendar library; all others by [`super::read`].

use super::{Reading, read};

/// The longest output: `2023-03-21T22:34:49.123456789Z`, in a whole block.
pub(crate) const TIME_BYTES: usize = 32;

/// Converts times. Remembers the last day, because logs have many records of one day.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// Days since 1970, and the day's text.
    day: (u64, [u8; 10]),
    /// The last date that was found to be in the calendar.
    date: [u8; 10],
}

impl Clock {
    pub(crate) fn new() -> Clock {
        Clock { day: (0, *b"1970-01-01"), date: *b"1970-01-01" }
    }

    /// Writes the time that `text` says to `out`, and its length. Nothing if it is no time.
    #[inline]
    pub(crate) fn convert(
        &mut self,
        text: &[u8],
        reading: Reading,
        out: &mut [u8; TIME_BYTES],
    ) -> Option<usize> {
        let known = match reading {
            Reading::EpochSeconds => self.epoch(text, out),
            Reading::Iso8601 => self.iso(text, out),
            Reading::EpochMilliseconds => None,
        };
        known.or_else(|| general(text, reading, out))
    }

    /// Ten digits without a leading zero: 2001-09-09 to 2286-11-20.
    #[inline]
    fn epoch(&mut self, text: &[u8], out: &mut [u8; TIME_BYTES]) -> Option<usize> {
        let text: &[u8; 10] = text.try_into().ok()?;
        if text[0] == b'0' {
            return None;
        }
        let mut seconds = 0u64;
        for digit in text {
            let digit = digit.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            seconds = seconds * 10 + u64::from(digit);
        }
        let (day, second) = (seconds / 86_400, (seconds % 86_400) as u32);
        if day != self.day.0 {
            self.day = (day, date(day));
        }
        out[..10].copy_from_slice(&self.day.1);
        out[10] = b'T';
        out[11..13].copy_from_slice(&two(second / 3600));
        out[13] = b':';
        out[14..16].copy_from_slice(&two(second / 60 % 60));
        out[16] = b':';
        out[17..19].copy_from_slice(&two(second % 60));
        out[19] = b'Z';
        Some(20)
    }

    /// `2023-03-21T22:34:49`, then nothing or a fraction of six digits, then `Z` or `+00:00`.
    #[inline]
    fn iso(&mut self, text: &[u8], out: &mut [u8; TIME_BYTES]) -> Option<usize> {
        let (fraction, zone) = match text.len() {
            20 => (false, &text[19..]),
            25 => (false, &text[19..]),
            27 => (true, &text[26..]),
            32 => (true, &text[26..]),
            _ => return None,
        };
        if zone != b"Z" && zone != b"+00:00" {
            return None;
        }
        let first: &[u8; 8] = text.first_chunk()?;
        let second: &[u8; 8] = text[8..].first_chunk()?;
        let third: &[u8; 8] = text[11..].first_chunk()?;
        if !(fits(first, b"0000-00-") && fits(second, b"00T00:00") && fits(third, b"00:00:00")) {
            return None;
        }
        let number = |at: usize| u32::from(text[at] - b'0') * 10 + u32::from(text[at + 1] - b'0');
        if number(11) > 23 || number(14) > 59 || number(17) > 59 {
            return None;
        }
        if text[..10] != self.date {
            let year = number(0) * 100 + number(2);
            if year == 0
                || !(1..=12).contains(&number(5))
                || number(8) == 0
                || number(8) > days(year, number(5))
            {
                return None;
            }
            self.date.copy_from_slice(&text[..10]);
        }
        out[..19].copy_from_slice(&text[..19]);
        if !fraction {
            out[19] = b'Z';
            return Some(20);
        }
        let digits: &[u8; 8] = text[18..].first_chunk()?;
        if !fits(digits, b"0.000000") {
            return None;
        }
        out[19..26].copy_from_slice(&text[19..26]);
        let len = match (&text[20..23], &text[23..26]) {
            (b"000", b"000") => 19,
            (_, b"000") => 23,
            _ => 26,
        };
        out[len] = b'Z';
        Some(len + 1)
    }
}

fn general(text: &[u8], reading: Reading, out: &mut [u8; TIME_BYTES]) -> Option<usize> {
    let time = read(std::str::from_utf8(text).ok()?, reading).ok()?.to_rfc3339();
    out[..time.len()].copy_from_slice(time.as_bytes());
    Some(time.len())
}

/// Whether `text` is `template`, with any digit for a `0`.
#[inline(always)]
fn fits(text: &[u8; 8], template: &[u8; 8]) -> bool {
    let template = u64::from_le_bytes(*template);
    // Digits become 0 to 9, the template's other characters 0, and nothing else does.
    let rest = u64::from_le_bytes(*text) ^ template;
    let mut least = 0u64;
    for i in 0..8 {
        let digit = (template >> (8 * i)) & 0xff == u64::from(b'0');
        least |= (if digit { 0x80 - 10 } else { 0x80 - 1 }) << (8 * i);
    }
    // A byte over its limit carries into its top bit; one of 0x80 and above has it already.
    (((rest & 0x7f7f_7f7f_7f7f_7f7f) + least) | rest) & 0x8080_8080_8080_8080 == 0
}

fn two(n: u32) -> [u8; 2] {
    // Below 100.
    [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8]
}

fn leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        2 => 28 + u32::from(leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The date of a day since 1970.
fn date(days_since: u64) -> [u8; 10] {
    // Below 2286: the years are few, and this runs once a day of the log.
    let mut rest = days_since as u32;
    let mut year = 1970;
    while rest >= 365 + u32::from(leap(year)) {
        rest -= 365 + u32::from(leap(year));
        year += 1;
    }
    let mut month = 1;
    while rest >= days(year, month) {
        rest -= days(year, month);
        month += 1;
    }
    let [a, b] = two(year / 100);
    let [c, d] = two(year % 100);
    let ([e, f], [g, h]) = (two(month), two(rest + 1));
    [a, b, c, d, b'-', e, f, b'-', g, h]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agree(clock: &mut Clock, text: &str, reading: Reading) {
        let mut out = [0; TIME_BYTES];
        let fast = clock.convert(text.as_bytes(), reading, &mut out).map(|len| out[..len].to_vec());
        let exact = read(text, reading).ok().map(|time| time.to_rfc3339().into_bytes());
        assert_eq!(fast, exact, "{text}");
    }

    #[test]
    fn days_are_the_calendars() {
        let mut clock = Clock::new();
        for day in (11_574u64..115_741).step_by(3) {
            agree(&mut clock, &(day * 86_400 + day % 86_400).to_string(), Reading::EpochSeconds);
        }
        for (year, month, day) in
            (0..=10_000).step_by(7).flat_map(|y| (0..14).map(move |m| (y, m, (y + m) % 34)))
        {
            agree(&mut clock, &format!("{year:04}-{month:02}-{day:02}T00:00:00Z"), Reading::Iso8601);
            agree(&mut clock, &format!("{year:04}-02-29T00:00:00.500000+00:00"), Reading::Iso8601);
        }
    }

    #[test]
    fn forms_are_told_apart() {
        let mut clock = Clock::new();
        let forms = [
            "2023-03-21T22:34:49Z",
            "2023-03-21T22:34:49+00:00",
            "2023-03-21T22:34:49.070000Z",
            "2023-03-21T22:34:49.466370+00:00",
            "2023-03-21T22:34:49.000000+00:00",
            "2023-03-21T22:34:49.1+00:00",
            "2023-03-21T22:34:49.12+00:00",
        ];
        for form in forms {
            for at in 0..form.len() {
                for byte in (0x20..0x7f).chain([0x80, 0xb0, 0xff]) {
                    let mut text = form.as_bytes().to_vec();
                    text[at] = byte;
                    if let Ok(text) = String::from_utf8(text) {
                        agree(&mut clock, &text, Reading::Iso8601);
                    }
                }
            }
        }
        for at in 0..10 {
            for byte in 0x20..0x7f {
                let mut text = *b"1683648435";
                text[at] = byte;
                agree(&mut clock, std::str::from_utf8(&text).unwrap(), Reading::EpochSeconds);
            }
        }
    }
}
