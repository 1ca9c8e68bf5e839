//! Forms of dates: `yyyy-MM-dd HH:mm:ss.SSS`, read as Go's `time.Parse` reads them.

use super::zone::Zone;
use chrono::{Datelike as _, Days, NaiveDate, NaiveDateTime, Timelike as _};

/// How a text is read as a date.
#[derive(Debug)]
pub(super) enum DateFormat {
    /// A number of seconds, or of their thousandth, ... parts since 1970.
    Unix(crate::time::Reading),
    /// ISO 8601 in any of its usual forms.
    Iso,
    Items(Vec<Item>),
    /// Never fits.
    Never,
}

/// A part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Year,
    ShortYear,
    /// Numbers: of exactly two digits, or of one or two.
    Month {
        is_fixed: bool,
    },
    Day {
        is_fixed: bool,
    },
    Hour12 {
        is_fixed: bool,
    },
    Minute {
        is_fixed: bool,
    },
    Second {
        is_fixed: bool,
    },
    Hour,
    MonthName,
    LongMonthName,
    HalfOfDay,
    Weekday,
    LongWeekday,
    /// This many digits of a second's fraction.
    Fraction(usize),
    /// `Z`, `+0100`, `+01:00`.
    Offset,
    /// A name, which does not shift.
    ZoneName,
    Literal(char),
    /// Blanks fit any number of blanks.
    Blanks,
}

/// A date that was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ReadDate {
    pub(super) local: NaiveDateTime,
    /// Whether the text says its year.
    pub(super) has_year: bool,
    /// The offset in seconds, if the text says one.
    pub(super) offset: Option<i32>,
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl DateFormat {
    pub(super) fn new(text: &str) -> DateFormat {
        use crate::time::Reading;
        match text {
            "UNIX" => DateFormat::Unix(Reading::EpochSeconds),
            "UNIX_MS" => DateFormat::Unix(Reading::EpochMilliseconds),
            "UNIX_US" => DateFormat::Unix(Reading::EpochMicroseconds),
            "UNIX_NS" => DateFormat::Unix(Reading::EpochNanoseconds),
            "ISO8601" | "RFC3339" | "TIMESTAMP_ISO8601" => DateFormat::Iso,
            "LDAP" | "TAI64N" => DateFormat::Never,
            "SYSLOGTIMESTAMP" => DateFormat::Items(items("MMM d HH:mm:ss")),
            text => DateFormat::Items(items(text)),
        }
    }

    /// Whether texts of this form say their year.
    pub(super) fn has_year(&self) -> bool {
        match self {
            DateFormat::Items(items) => items.iter().any(|item| matches!(item, Item::Year | Item::ShortYear)),
            _ => true,
        }
    }

    /// A part that the form has twice, so that the second one counts alone.
    pub(super) fn twice(&self) -> Option<&'static str> {
        let DateFormat::Items(items) = self else { return None };
        let count = |is: fn(&Item) -> bool| items.iter().filter(|item| is(item)).count();
        [
            ("hour", count(|item| matches!(item, Item::Hour | Item::Hour12 { .. }))),
            ("minute", count(|item| matches!(item, Item::Minute { .. }))),
            ("second", count(|item| matches!(item, Item::Second { .. }))),
            ("day", count(|item| matches!(item, Item::Day { .. }))),
            (
                "month",
                count(|item| matches!(item, Item::Month { .. } | Item::MonthName | Item::LongMonthName)),
            ),
        ]
        .into_iter()
        .find(|(_, count)| *count > 1)
        .map(|(name, _)| name)
    }

    /// Reads a text of another form than a number's.
    pub(super) fn read(&self, text: &str) -> Option<ReadDate> {
        match self {
            DateFormat::Unix(_) | DateFormat::Never => None,
            DateFormat::Iso => iso(text),
            DateFormat::Items(items) => read(items, text),
        }
    }
}

/// ISO 8601. Without an offset the local time is what is read.
fn iso(text: &str) -> Option<ReadDate> {
    let instant = crate::time::read(text, crate::time::Reading::Iso8601).ok()?;
    let utc = chrono::DateTime::from_timestamp(instant.seconds(), instant.nanos())?.naive_utc();
    let has_offset = text.get(11..).is_some_and(|rest| rest.contains(['Z', 'z', '+', '-']));
    // What was read is in UTC already, whatever the offset was.
    Some(ReadDate { local: utc, has_year: true, offset: has_offset.then_some(0) })
}

fn items(text: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let count = chars[at..].iter().take_while(|next| **next == c).count();
        let is_fixed = count > 1;
        let item = match c {
            'y' if count == 2 => Item::ShortYear,
            'y' => Item::Year,
            'M' if count == 3 => Item::MonthName,
            'M' if count > 3 => Item::LongMonthName,
            'M' => Item::Month { is_fixed },
            'd' | 'D' => Item::Day { is_fixed },
            'H' => Item::Hour,
            'h' => Item::Hour12 { is_fixed },
            'm' => Item::Minute { is_fixed },
            's' => Item::Second { is_fixed },
            'S' => Item::Fraction(count),
            'a' | 'A' => Item::HalfOfDay,
            'E' if count > 3 => Item::LongWeekday,
            'E' => Item::Weekday,
            'Z' if count > 2 => Item::ZoneName,
            'Z' => Item::Offset,
            '\'' => {
                at += 1;
                if chars.get(at) == Some(&'\'') {
                    items.push(Item::Literal('\''));
                    at += 1;
                    continue;
                }
                while let Some(c) = chars.get(at) {
                    at += 1;
                    if *c == '\'' {
                        break;
                    }
                    items.push(Item::Literal(*c));
                }
                continue;
            }
            ' ' => Item::Blanks,
            c => {
                items.push(Item::Literal(c));
                at += 1;
                continue;
            }
        };
        items.push(item);
        at += count;
    }
    items
}

/// What has been read of a date.
#[derive(Default)]
struct Parts {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanos: u32,
    is_afternoon: Option<bool>,
    offset: Option<i32>,
}

fn read(items: &[Item], text: &str) -> Option<ReadDate> {
    let mut parts = Parts::default();
    let mut rest = text;
    for (at, item) in items.iter().enumerate() {
        rest = part(item, &items[at + 1..], rest, &mut parts)?;
    }
    if !rest.is_empty() {
        return None;
    }
    let hour = match parts.is_afternoon {
        Some(true) if parts.hour < 12 => parts.hour + 12,
        Some(false) if parts.hour == 12 => 0,
        _ => parts.hour,
    };
    // As in Go, what is not said is the first of January of the year 0.
    let date =
        NaiveDate::from_ymd_opt(parts.year.unwrap_or(0), parts.month.unwrap_or(1), parts.day.unwrap_or(1))?;
    let local = date.and_hms_nano_opt(hour, parts.minute, parts.second, parts.nanos)?;
    Some(ReadDate { local, has_year: parts.year.is_some(), offset: parts.offset })
}

/// Reads a part; what is behind it.
fn part<'t>(item: &Item, next: &[Item], text: &'t str, parts: &mut Parts) -> Option<&'t str> {
    match item {
        Item::Year => {
            let (year, rest) = digits(text, 4, 4)?;
            parts.year = Some(year as i32);
            Some(rest)
        }
        Item::ShortYear => {
            let (year, rest) = digits(text, 2, 2)?;
            parts.year = Some(if year >= 69 { 1900 + year as i32 } else { 2000 + year as i32 });
            Some(rest)
        }
        Item::Month { is_fixed } => {
            let (month, rest) = two(text, *is_fixed)?;
            parts.month = Some(month);
            Some(rest)
        }
        Item::Day { is_fixed } => {
            let (day, rest) = two(text, *is_fixed)?;
            parts.day = Some(day);
            Some(rest)
        }
        Item::Hour => {
            let (hour, rest) = two(text, false)?;
            parts.hour = hour;
            Some(rest)
        }
        Item::Hour12 { is_fixed } => {
            let (hour, rest) = two(text, *is_fixed)?;
            parts.hour = hour;
            (hour <= 12).then_some(rest)
        }
        Item::Minute { is_fixed } => {
            let (minute, rest) = two(text, *is_fixed)?;
            parts.minute = minute;
            Some(rest)
        }
        Item::Second { is_fixed } => {
            let (second, rest) = two(text, *is_fixed)?;
            parts.second = second;
            // A fraction is read even where the form has none.
            let has_own = matches!(next, [Item::Literal('.' | ','), Item::Fraction(_), ..]);
            match rest.strip_prefix(['.', ',']) {
                Some(behind) if !has_own && behind.starts_with(|c: char| c.is_ascii_digit()) => {
                    let count = behind.bytes().take_while(u8::is_ascii_digit).count();
                    parts.nanos = fraction(&behind[..count]);
                    Some(&behind[count..])
                }
                _ => Some(rest),
            }
        }
        Item::Fraction(count) => {
            let found = text.get(..*count)?;
            parts.nanos = found.bytes().all(|byte| byte.is_ascii_digit()).then(|| fraction(found))?;
            Some(&text[*count..])
        }
        Item::MonthName | Item::LongMonthName => {
            let names = MONTHS.iter().map(|name| if *item == Item::MonthName { &name[..3] } else { name });
            let (month, rest) = name(text, names)?;
            parts.month = Some(month as u32 + 1);
            Some(rest)
        }
        Item::Weekday => name(text, DAYS.iter().map(|name| &name[..3])).map(|(_, rest)| rest),
        Item::LongWeekday => name(text, DAYS.iter().copied()).map(|(_, rest)| rest),
        Item::HalfOfDay => {
            let (half, rest) = name(text, ["am", "pm"].into_iter())?;
            parts.is_afternoon = Some(half == 1);
            Some(rest)
        }
        Item::Offset => {
            let (offset, rest) = super::zone::offset_ahead(text)?;
            parts.offset = Some(offset);
            Some(rest)
        }
        Item::ZoneName => {
            let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
            let signed = text[end..].strip_prefix(['+', '-']);
            let count = signed.map_or(0, |signed| signed.bytes().take_while(u8::is_ascii_digit).count());
            let end = end + if count > 0 { count + 1 } else { 0 };
            (end > 0).then(|| &text[end..])
        }
        // Before a fraction either sign fits.
        Item::Literal('.' | ',') if matches!(next, [Item::Fraction(_), ..]) => text.strip_prefix(['.', ',']),
        Item::Literal(c) => text.strip_prefix(*c),
        Item::Blanks => {
            let rest = text.trim_start_matches(' ');
            // At the end of a text they may be missing.
            (rest.len() < text.len() || (text.is_empty() && next.is_empty())).then_some(rest)
        }
    }
}

/// A number of this many digits.
fn digits(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count < least {
        return None;
    }
    Some((text[..count].parse().ok()?, &text[count..]))
}

fn two(text: &str, is_fixed: bool) -> Option<(u32, &str)> {
    digits(text, if is_fixed { 2 } else { 1 }, 2)
}

/// Digits of a fraction as nanoseconds.
fn fraction(digits: &str) -> u32 {
    let nanos = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
    nanos.fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0'))
}

/// Which of the names comes next, in any case.
fn name(text: &str, names: impl Iterator<Item = &'static str>) -> Option<(usize, &str)> {
    let is_next = |name: &&str| text.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
    let (at, name) = names.enumerate().find(|(_, name)| is_next(name))?;
    Some((at, &text[name.len()..]))
}

impl ReadDate {
    /// The date as seconds and nanoseconds since 1970. One without an offset is in `zone`.
    pub(super) fn instant(&self, zone: &Zone) -> (i64, u32) {
        let offset = self.offset.unwrap_or_else(|| zone.offset_at(self.local));
        let utc = self.local.and_utc();
        (utc.timestamp() - i64::from(offset), self.local.nanosecond().min(999_999_999))
    }

    /// The date in the year of `received`, or in the year before if it would be more than a day ahead.
    pub(super) fn rebased(&self, received: (i64, u32), zone: &Zone) -> ReadDate {
        let year = chrono::DateTime::from_timestamp(received.0, 0).map_or(1970, |time| time.year());
        let in_year = |year| {
            // 29 February of another year is the day behind 28 February.
            let local = self.local.with_year(year);
            let local =
                local.or_else(|| self.local.with_day(28)?.with_year(year)?.checked_add_days(Days::new(1)));
            ReadDate { local: local.unwrap_or(self.local), ..*self }
        };
        let this_year = in_year(year);
        if this_year.instant(zone).0 > received.0 + 86_400 { in_year(year - 1) } else { this_year }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &str, text: &str) -> Option<String> {
        let date = DateFormat::new(format).read(text)?;
        let (seconds, nanos) = date.instant(&Zone::utc());
        let time = chrono::DateTime::from_timestamp(seconds, nanos)?;
        Some(time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }

    #[test]
    fn forms_are_read_as_go_reads_them() {
        for (format, text, expected) in [
            ("yyyy-MM-dd HH:mm:ss", "2024-05-06 07:08:09", Some("2024-05-06T07:08:09Z")),
            ("yyyy-MM-dd HH:mm:ss", "2024-05-06 7:08:09", Some("2024-05-06T07:08:09Z")),
            ("yyyy-MM-dd HH:mm:ss", "2024-5-06 07:08:09", None),
            ("yyyy-MM-dd HH:mm:ss", "2024-05-06 07:08:09.25", Some("2024-05-06T07:08:09.250Z")),
            ("yyyy-MM-dd HH:mm:ss", "2024-05-06 07:08:09 ", None),
            ("yyyy-MM-dd HH:mm:ss.SSS", "2024-05-06 07:08:09.2", None),
            ("yyyy-MM-dd HH:mm:ss.SSS", "2024-05-06 07:08:09.2501", None),
            ("yyyy-MM-dd HH:mm:ss.SSS", "2024-05-06 07:08:09,250", Some("2024-05-06T07:08:09.250Z")),
            ("yyyy-MM-dd HH:mm:ss,SSS", "2024-05-06 07:08:09.250", Some("2024-05-06T07:08:09.250Z")),
            ("yyyy-MM-dd HH:mm:ss,SSS", "2024-05-06 07:08:09,250", Some("2024-05-06T07:08:09.250Z")),
            ("yyyy-MM-ddTHH:mm:ssZ", "2024-05-06T07:08:09+0130", Some("2024-05-06T05:38:09Z")),
            ("yyyy-MM-ddTHH:mm:ssZZ", "2024-05-06T07:08:09-01:30", Some("2024-05-06T08:38:09Z")),
            ("yyyy-MM-dd'T'HH:mm:ss'Z'", "2024-05-06T07:08:09Z", Some("2024-05-06T07:08:09Z")),
            ("MMM dd HH:mm:ss ZZZ yyyy", "may 06 07:08:09 CEST 2024", Some("2024-05-06T07:08:09Z")),
            ("EEE MMM  d HH:mm:ss yyyy ZZZ", "Mon May 6 07:08:09 2024 GMT+2", Some("2024-05-06T07:08:09Z")),
            ("EEE, dd MMM yyyy HH:mm:ss Z", "Mon, 06 May 2024 07:08:09 +0000", Some("2024-05-06T07:08:09Z")),
            ("MMM dd yyyy h:mma", "May 06 2024 12:08AM", Some("2024-05-06T00:08:00Z")),
            ("MM/dd/yyyy HH:mm:ss A", "05/06/2024 07:08:09 PM", Some("2024-05-06T19:08:09Z")),
            ("M/d/yyyy h:mm:ss a", "5/6/2024 13:08:09 PM", None),
            ("dd/MM/yy HH:mm:ss", "06/05/24 07:08:09", Some("2024-05-06T07:08:09Z")),
            ("dd/MM/yy HH:mm:ss", "06/05/70 07:08:09", Some("1970-05-06T07:08:09Z")),
            ("MMM  DD HH:mm:ss", "May 06 07:08:09", Some("0000-05-06T07:08:09Z")),
            ("MMM d HH:mm:ss ", "May 6 07:08:09", Some("0000-05-06T07:08:09Z")),
            ("SYSLOGTIMESTAMP", "May  6 07:08:09", Some("0000-05-06T07:08:09Z")),
            ("yyyyMMddHHmmss", "20240506070809", Some("2024-05-06T07:08:09Z")),
            ("yyyy-MM-dd", "2023-02-29", None),
            ("yyyy-MM-dd HH:mm", "2024-05-06 24:00", None),
            ("ISO8601", "2024-05-06 07:08:09,5", Some("2024-05-06T07:08:09.500Z")),
            ("RFC3339", "2024-05-06T07:08:09.123456789-02", Some("2024-05-06T09:08:09.123456789Z")),
            ("TAI64N", "@4000000037c219bf2ef02e94", None),
            ("dd/MMM/yyyy:HH:mm:ss. Z", "06/May/2024:07:08:09. +0000", Some("2024-05-06T07:08:09Z")),
        ] {
            assert_eq!(read(format, text).as_deref(), expected, "{format} {text}");
        }
    }

    #[test]
    fn a_day_without_a_year_is_of_the_year_of_receipt_or_before() {
        let day = DateFormat::new("MMM d HH:mm:ss");
        let rebased = |text: &str, received: &str| {
            let received = chrono::DateTime::parse_from_rfc3339(received).unwrap();
            let date = day.read(text).unwrap().rebased((received.timestamp(), 0), &Zone::utc());
            date.local.to_string()
        };
        assert_eq!(rebased("May 6 07:08:09", "2024-08-13T12:00:00Z"), "2024-05-06 07:08:09");
        assert_eq!(rebased("Dec 31 23:59:59", "2024-01-01T00:00:01Z"), "2023-12-31 23:59:59");
        assert_eq!(rebased("Jan 1 00:00:01", "2023-12-31T23:59:59Z"), "2023-01-01 00:00:01");
        assert_eq!(rebased("Feb 29 00:00:00", "2023-08-13T12:00:00Z"), "2023-03-01 00:00:00");
    }
}
