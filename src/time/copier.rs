//! The common forms of times, converted without a calendar library; all others by [`super::read()`].

use super::read::{Reading, read};

/// The longest output: `2023-03-21T22:34:49.123456789`, in a whole block.
pub(crate) const TIME_BYTES: usize = 32;

/// The length of a time without a fraction: `2023-03-21T22:34:49`.
pub(crate) const SECONDS_BYTES: usize = 19;

/// The common forms of a time, told by its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeForm {
    /// Any; nothing about the text is known.
    Any(Reading),
    /// Ten digits without a leading zero.
    Seconds,
    /// As [`iso_form`] says, without a fraction or with one of six digits.
    Iso { fraction: bool },
}

impl TimeForm {
    /// The form of texts like this one: numbers of as many digits, or times of one [`iso_form`].
    pub(crate) fn of_texts_like(self, text: &[u8]) -> TimeForm {
        match self {
            TimeForm::Any(Reading::EpochSeconds)
                if text.len() == 10 && text.iter().all(u8::is_ascii_digit) =>
            {
                TimeForm::Seconds
            }
            TimeForm::Any(Reading::Iso8601) if iso_form(text).is_some() => {
                TimeForm::Iso { fraction: text.len() > 25 }
            }
            form => form,
        }
    }
}

/// The form that a time of ISO 8601 has, if it is a common one: a digit is the most that one in its
/// place may be, and everything else is as it is there.
pub(crate) fn iso_form(text: &[u8]) -> Option<&'static [u8]> {
    let form: &[u8] = match text.len() {
        20 => b"9999-19-39T29:59:59Z",
        25 => b"9999-19-39T29:59:59+00:00",
        27 => b"9999-19-39T29:59:59.999999Z",
        32 => b"9999-19-39T29:59:59.999999+00:00",
        _ => return None,
    };
    let fits = |(byte, most): (&u8, &u8)| match most {
        b'0'..=b'9' => (b'0'..=*most).contains(byte),
        _ => byte == most,
    };
    text.iter().zip(form).all(fits).then_some(form)
}

/// Converts times, to texts without their last letter, `Z`. Remembers the last day, because logs have
/// many records of one day.
#[derive(Debug, Clone)]
pub(crate) struct TimestampCopier {
    /// The day's first second since 1970, and its text at midnight, in numbers of eight bytes.
    day: (u64, [u64; 2]),
    /// The last date that was found to be in the calendar.
    date: [u8; 10],
}

impl TimestampCopier {
    pub(crate) fn new() -> TimestampCopier {
        TimestampCopier { day: (0, midnight(0)), date: *b"1970-01-01" }
    }

    /// Writes the time that `text` says to `out`; its length. Nothing if it is not a time.
    #[inline(always)]
    pub(crate) fn convert(
        &mut self,
        text: &[u8],
        reading: Reading,
        out: &mut [u8; TIME_BYTES],
    ) -> Option<usize> {
        let known = match reading {
            Reading::EpochSeconds => self.epoch(text, out),
            Reading::Iso8601 => self.iso(text, out),
            Reading::EpochMilliseconds | Reading::EpochMicroseconds | Reading::EpochNanoseconds => None,
        };
        if known.is_some() { known } else { self.unusual(text, reading, out) }
    }

    /// How much of a text, with which `block` begins, is the time, if it has one of the forms
    /// [`TimeForm::Iso`].
    #[inline(always)]
    pub(crate) fn iso_known(&mut self, block: &[u8; TIME_BYTES], fraction: bool) -> Option<usize> {
        let date: &[u8; 10] = block.first_chunk()?;
        if u16::from_be_bytes([block[11], block[12]]) > u16::from_be_bytes(*b"23") {
            return None;
        }
        if *date != self.date {
            self.date = in_calendar(date)?;
        }
        Some(if fraction { fraction_end(block[18..].first_chunk()?) } else { 19 })
    }

    #[cold]
    #[inline(never)]
    fn unusual(&mut self, text: &[u8], reading: Reading, out: &mut [u8; TIME_BYTES]) -> Option<usize> {
        let utc = if reading == Reading::Iso8601 { self.any_utc(text, out) } else { None };
        utc.or_else(|| general(text, reading, out))
    }

    /// Any spelling of a time in UTC.
    fn any_utc(&mut self, text: &[u8], out: &mut [u8; TIME_BYTES]) -> Option<usize> {
        let (date, rest) = text.split_first_chunk::<10>()?;
        let (separator, rest) = rest.split_first()?;
        let (time, mut rest) = rest.split_first_chunk::<8>()?;
        if !matches!(separator, b'T' | b't' | b' ') || !is_time_of_day(time) {
            return None;
        }
        if *date != self.date {
            self.date = in_calendar(date)?;
        }
        out[..10].copy_from_slice(date);
        out[10] = b'T';
        out[11..19].copy_from_slice(time);
        let mut len = 19;
        if let [b'.' | b',', fraction @ ..] = rest {
            let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            rest = &fraction[digits..];
            let kept = digits.min(9);
            out[19] = b'.';
            out[20..29].fill(b'0');
            out[20..20 + kept].copy_from_slice(&fraction[..kept]);
            // As few thirds as hold the fraction.
            let last = out[20..29].iter().rposition(|digit| *digit != b'0');
            len = last.map_or(19, |last| 20 + last / 3 * 3 + 3);
        }
        if !matches!(rest, b"" | b"Z" | b"z" | b"+00:00" | b"-00:00" | b"+0000" | b"-0000" | b"+00" | b"-00")
        {
            return None;
        }
        Some(len)
    }

    /// Ten digits without a leading zero: 2001-09-09 to 2286-11-20.
    #[inline(always)]
    fn epoch(&mut self, text: &[u8], out: &mut [u8; TIME_BYTES]) -> Option<usize> {
        let text: &[u8; 10] = text.try_into().ok()?;
        let (first, last): (&[u8; 8], &[u8; 8]) = (text.first_chunk()?, text.last_chunk()?);
        if text[0] == b'0' || !(fits(first, b"99999999") && fits(last, b"99999999")) {
            return None;
        }
        for (out, number) in out.as_chunks_mut().0.iter_mut().zip(self.seconds(text)) {
            *out = number.to_le_bytes();
        }
        Some(SECONDS_BYTES)
    }

    /// The same for ten bytes that are digits, as numbers of eight bytes; [`SECONDS_BYTES`] of them are
    /// the time.
    #[inline(always)]
    pub(crate) fn seconds(&mut self, text: &[u8; 10]) -> [u64; 4] {
        let [first @ .., tens, ones] = text;
        let seconds = number(first) * 100 + u64::from(*tens & 15) * 10 + u64::from(*ones & 15);
        let mut second = seconds.wrapping_sub(self.day.0);
        if second >= DAY {
            let day = seconds / DAY;
            self.day = (day * DAY, midnight(day));
            second = seconds % DAY;
        }
        let second = second as u32;
        let [date, hours] = self.day.1;
        let hours = hours + (two(second / 3600) << 24) + (two(second / 60 % 60) << 48);
        [date, hours, 0x0030_303a + (two(second % 60) << 8), 0]
    }

    /// `2023-03-21T22:34:49`, then nothing or a fraction of six digits, then `Z` or `+00:00`.
    #[inline(always)]
    fn iso(&mut self, text: &[u8], out: &mut [u8; TIME_BYTES]) -> Option<usize> {
        let fraction = match text.len() {
            20 | 25 => false,
            27 | 32 => true,
            _ => return None,
        };
        let zulu = text.len() == 20 || text.len() == 27;
        if if zulu { text.last() != Some(&b'Z') } else { text.last_chunk() != Some(b"+00:00") } {
            return None;
        }
        let date: &[u8; 10] = text.first_chunk()?;
        let time: &[u8; 8] = text[11..].first_chunk()?;
        if text[10] != b'T' || !is_time_of_day(time) {
            return None;
        }
        if *date != self.date {
            self.date = in_calendar(date)?;
        }
        out[..16].copy_from_slice(&text[..16]);
        let mut len = 19;
        if fraction {
            let digits: &[u8; 8] = text[18..].first_chunk()?;
            if !fits(digits, b"9.999999") {
                return None;
            }
            out[16..24].copy_from_slice(&text[16..24]);
            out[18..26].copy_from_slice(digits);
            len = fraction_end(digits);
        } else {
            out[11..19].copy_from_slice(time);
        }
        Some(len)
    }
}

/// Where a time ends, without `Z`, of which these are the last digit of the seconds, the point, and
/// a fraction: as few digits as hold that, six, three or none.
#[inline(always)]
fn fraction_end(digits: &[u8; 8]) -> usize {
    let digits = u64::from_le_bytes(*digits);
    if digits >> 40 != 0x30_3030 {
        26
    } else if digits >> 16 != 0x3030_3030_3030 {
        23
    } else {
        19
    }
}

fn general(text: &[u8], reading: Reading, out: &mut [u8; TIME_BYTES]) -> Option<usize> {
    let time = read(std::str::from_utf8(text).ok()?, reading).ok()?.to_rfc3339();
    let time = time.strip_suffix('Z')?;
    out[..time.len()].copy_from_slice(time.as_bytes());
    Some(time.len())
}

/// Whether `text` is `template`, with any digit up to its own for each of the template's.
#[inline(always)]
fn fits(text: &[u8; 8], template: &[u8; 8]) -> bool {
    let (mut literal, mut most) = (0u64, 0u64);
    for (i, byte) in template.iter().enumerate() {
        let (byte, limit) = if byte.is_ascii_digit() { (b'0', byte - b'0') } else { (*byte, 0) };
        literal |= u64::from(byte) << (8 * i);
        most |= u64::from(0x7f - limit) << (8 * i);
    }
    // Digits become 0 to 9, the template's other characters 0, and nothing else does.
    let rest = u64::from_le_bytes(*text) ^ literal;
    // A byte over its limit carries into its top bit; one of 0x80 and above has it already.
    (((rest & 0x7f7f_7f7f_7f7f_7f7f) + most) | rest) & 0x8080_8080_8080_8080 == 0
}

/// Whether `text` is from `00:00:00` to `23:59:59`.
#[inline(always)]
fn is_time_of_day(text: &[u8; 8]) -> bool {
    fits(text, b"29:59:59") && (text[0] != b'2' || text[1] <= b'3')
}

/// The number that eight digits are.
#[inline(always)]
fn number(digits: &[u8; 8]) -> u64 {
    // Neighbours are joined, then their neighbours: the first digit is in the lowest byte.
    let ones = u64::from_le_bytes(*digits) & 0x0f0f_0f0f_0f0f_0f0f;
    let twos = (ones.wrapping_mul(10 * 256 + 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos.wrapping_mul(100 * 65_536 + 1) >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000 * (1 << 32) + 1) >> 32
}

/// `date`, if it is one of the calendar, of the years 1 to 9999.
fn in_calendar(date: &[u8; 10]) -> Option<[u8; 10]> {
    let (first, last): (&[u8; 8], &[u8; 8]) = (date.first_chunk()?, date.last_chunk()?);
    if !(fits(first, b"9999-19-") && fits(last, b"99-19-39")) {
        return None;
    }
    let number = |at: usize| u32::from(date[at] - b'0') * 10 + u32::from(date[at + 1] - b'0');
    let (year, month, day) = (number(0) * 100 + number(2), number(5), number(8));
    let right = year > 0 && (1..=12).contains(&month) && (1..=days(year, month)).contains(&day);
    right.then_some(*date)
}

/// How many seconds a day has.
const DAY: u64 = 86_400;

/// A day since 1970 at midnight, `2023-03-21T00:00`.
#[cold]
fn midnight(day: u64) -> [u64; 2] {
    let date = date(day);
    let mut text = *b"1970-01-01T00:00";
    text[..10].copy_from_slice(&date);
    let (words, _) = text.as_chunks::<8>();
    [u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1])]
}

/// What is to be added to `00` to give a number below 100, as bytes from the lowest on.
#[inline(always)]
fn two(n: u32) -> u64 {
    u64::from(n / 10 + ((n % 10) << 8))
}

/// The two digits of a number below 100.
fn digits(n: u32) -> [u8; 2] {
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
    let [a, b] = digits(year / 100);
    let [c, d] = digits(year % 100);
    let ([e, f], [g, h]) = (digits(month), digits(rest + 1));
    [a, b, c, d, b'-', e, f, b'-', g, h]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agree(copier: &mut TimestampCopier, text: &str, reading: Reading) {
        let mut out = [0; TIME_BYTES];
        let fast = copier.convert(text.as_bytes(), reading, &mut out).map(|len| out[..len].to_vec());
        let exact = read(text, reading).ok().map(|time| time.to_rfc3339().into_bytes());
        let exact = exact.map(|text| text.strip_suffix(b"Z").unwrap().to_vec());
        assert_eq!(fast, exact, "{text}");
        let mut block = [b'?'; TIME_BYTES];
        match TimeForm::Any(reading).of_texts_like(text.as_bytes()) {
            TimeForm::Seconds if !text.starts_with('0') => {
                let numbers = copier.seconds(text.as_bytes().first_chunk().unwrap());
                let time = numbers.map(u64::to_le_bytes).concat();
                assert_eq!(Some(&time[..SECONDS_BYTES]), exact.as_deref(), "{text}");
            }
            TimeForm::Iso { fraction } => {
                block[..text.len()].copy_from_slice(text.as_bytes());
                let len = copier.iso_known(&block, fraction);
                assert_eq!(len.map(|len| &block[..len]), exact.as_deref(), "{text}");
            }
            _ => {}
        }
    }

    #[test]
    fn days_are_the_calendars() {
        let mut copier = TimestampCopier::new();
        for day in (11_574u64..115_741).step_by(3) {
            agree(&mut copier, &(day * 86_400 + day % 86_400).to_string(), Reading::EpochSeconds);
        }
        for (year, month, day) in
            (0..=10_000).step_by(7).flat_map(|y| (0..14).map(move |m| (y, m, (y + m) % 34)))
        {
            agree(&mut copier, &format!("{year:04}-{month:02}-{day:02}T00:00:00Z"), Reading::Iso8601);
            agree(&mut copier, &format!("{year:04}-02-29T00:00:00.500000+00:00"), Reading::Iso8601);
        }
    }

    #[test]
    fn forms_are_told_apart() {
        let mut copier = TimestampCopier::new();
        let forms = [
            "2023-03-21T22:34:49Z",
            "2023-03-21T22:34:49+00:00",
            "2023-03-21T22:34:49.070000Z",
            "2023-03-21T22:34:49.466370+00:00",
            "2023-03-21T22:34:49.000000+00:00",
            "2023-03-21T22:34:49.1+00:00",
            "2023-03-21T22:34:49.12+00:00",
            "2023-03-21T22:34:49",
            "2023-03-21 22:34:49,1234567899999z",
            "2023-03-21t22:34:49.100000000-0000",
            "2023-03-21t22:34:49.000100+0000",
            "2023-03-21t22:34:49.0010000000000+05:30",
            "2023-03-21 22:34:49.46637+00",
            "2023-03-21T22:34:49-00",
            "2023-03-21T22:34:49+05",
        ];
        for form in forms {
            for at in 0..form.len() {
                for byte in (0x20..0x7f).chain([0x80, 0xb0, 0xff]) {
                    let mut text = form.as_bytes().to_vec();
                    text[at] = byte;
                    if let Ok(text) = String::from_utf8(text) {
                        agree(&mut copier, &text, Reading::Iso8601);
                    }
                }
            }
        }
        for at in 0..10 {
            for byte in 0x20..0x7f {
                let mut text = *b"1683648435";
                text[at] = byte;
                agree(&mut copier, std::str::from_utf8(&text).unwrap(), Reading::EpochSeconds);
            }
        }
    }
}
