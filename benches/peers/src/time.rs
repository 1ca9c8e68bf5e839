//! Times as the rules want them: epoch seconds and ISO 8601 in, UTC with 0, 3, 6 or 9 digits out.
//!
//! The forms that logs are full of are read straight; the others take the long way.

/// A year's first second to 9999's last.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// Writes the time of epoch seconds in any JSON number's form.
pub fn epoch(text: &str, out: &mut Vec<u8>) -> Option<()> {
    if text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return seconds(text.parse().ok()?, out);
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let Some(first) = digits.find(|digit| digit != '0') else { return seconds(0, out) };
    // An exponent that is too long for an integer is as good as the greatest, or the least.
    let most = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
    let point = whole.len() as i64 + exponent.parse::<i64>().unwrap_or(most).clamp(-1 << 40, 1 << 40);
    if point - first as i64 > 12 {
        return None;
    }
    let kept = usize::try_from(point + 9).unwrap_or(0);
    let digit = |at| i128::from(digits.as_bytes().get(at).map_or(0, |digit| digit - b'0'));
    let nanos = (0..kept).fold(0, |sum, at| sum * 10 + digit(at));
    let finer = digits.bytes().skip(kept).any(|digit| digit != b'0');
    let nanos = if negative { -nanos - i128::from(finer) } else { nanos };
    let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
    write(seconds, nanos.rem_euclid(1_000_000_000) as u32, out)
}

/// Writes the time of whole epoch seconds.
pub fn seconds(seconds: i64, out: &mut Vec<u8>) -> Option<()> {
    write(seconds, 0, out)
}

/// Writes the time of an ISO 8601 text.
pub fn iso(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| {
        bytes.get(from..to)?.iter().try_fold(0, |number: u32, byte| {
            byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0'))
        })
    };
    let at = |place: usize, wanted: &[u8]| bytes.get(place).is_some_and(|byte| wanted.contains(byte));
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let signs = at(4, b"-") && at(7, b"-") && at(10, b"Tt ") && at(13, b":") && at(16, b":");
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = [31, 28 + u32::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let last = *days.get(month.wrapping_sub(1) as usize)?;
    if !signs || !(1..=last).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut end = 19;
    if at(19, b".,") {
        end += 1 + bytes[20..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if end == 20 {
            return None;
        }
    }
    let mut nanos = 0;
    for place in 0..9 {
        nanos = nanos * 10 + if 20 + place < end { u32::from(bytes[20 + place] - b'0') } else { 0 };
    }
    let offset = match &bytes[end..] {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let minutes = match rest.len() {
                2 => 0,
                4 => number(end + 3, end + 5)?,
                5 if at(end + 3, b":") => number(end + 4, end + 6)?,
                _ => return None,
            };
            let offset = i64::from(number(end + 1, end + 3)? * 3600 + minutes * 60);
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    if offset == 0 && bytes[10] == b'T' && year > 0 {
        out.extend_from_slice(&bytes[..19]);
        fraction(nanos, out);
        return Some(());
    }
    let of_day = i64::from(hour * 3600 + minute * 60 + second);
    write(days_before(year, month, day) * 86400 + of_day - offset, nanos, out)
}

/// The days from 1970-01-01, by Howard Hinnant's `days_from_civil`.
fn days_before(year: u32, month: u32, day: u32) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = i64::from((153 * ((month + 9) % 12) + 2) / 5 + day - 1);
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn write(seconds: i64, nanos: u32, out: &mut Vec<u8>) -> Option<()> {
    if !RANGE.contains(&seconds) {
        return None;
    }
    // `civil_from_days`, the other way round; from the year 0 on no number below is negative.
    let days = (seconds.div_euclid(86_400) + 719_468) as u32;
    let of_day = seconds.rem_euclid(86_400) as u32;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u32::from(month <= 2);

    let mut text = *b"0000-00-00T00:00:00";
    let mut two = |at: usize, number: u32| {
        text[at] += (number / 10) as u8;
        text[at + 1] += (number % 10) as u8;
    };
    two(0, year / 100);
    two(2, year % 100);
    two(5, month);
    two(8, day);
    two(11, of_day / 3600);
    two(14, of_day / 60 % 60);
    two(17, of_day % 60);
    out.extend_from_slice(&text);
    fraction(nanos, out);
    Some(())
}

/// Writes the fraction with the fewest digits that hold it, and the `Z`.
fn fraction(nanos: u32, out: &mut Vec<u8>) {
    let (mut number, digits) = match nanos {
        0 => return out.push(b'Z'),
        nanos if nanos % 1_000_000 == 0 => (nanos / 1_000_000, 3),
        nanos if nanos % 1000 == 0 => (nanos / 1000, 6),
        nanos => (nanos, 9),
    };
    let mut text = *b".000000000Z";
    for at in (1..=digits).rev() {
        text[at] += (number % 10) as u8;
        number /= 10;
    }
    text[digits + 1] = b'Z';
    out.extend_from_slice(&text[..digits + 2]);
}
