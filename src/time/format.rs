//! Times in a form of their own: `%d/%b/%Y %H:%M:%S`.

use super::instant::Instant;
use super::read::{self, Reading, TimeError};
use crate::text::shown;
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime};
use std::fmt;

/// How a field's text is read as a time: in one of the usual ways, or by a format.
#[derive(Debug, Clone)]
pub enum TimeReading {
    /// One that has a name.
    Named(Reading),
    /// By a format.
    Format(TimeFormat),
}

/// A form of times.
#[derive(Debug, Clone)]
pub struct TimeFormat {
    format: String,
    items: Vec<Item<'static>>,
    /// The offset of texts that do not say theirs.
    zone: FixedOffset,
}

impl TimeReading {
    /// Reads `text`.
    ///
    /// # Errors
    /// A [`TimeError`].
    pub fn read(&self, text: &str) -> Result<Instant, TimeError> {
        match self {
            TimeReading::Named(reading) => read::read(text, *reading),
            TimeReading::Format(format) => format.read(text),
        }
    }

    /// The usual way, if it is one.
    pub(crate) fn named(&self) -> Option<Reading> {
        match self {
            TimeReading::Named(reading) => Some(*reading),
            TimeReading::Format(_) => None,
        }
    }
}

impl fmt::Display for TimeReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TimeReading::Named(reading) => f.write_str(reading.name()),
            TimeReading::Format(TimeFormat { format, zone, .. }) => {
                write!(f, "`{}` ({zone})", shown(format))
            }
        }
    }
}

impl TimeFormat {
    /// The form that `format` describes, in strftime's signs; texts without an offset are in `zone`.
    ///
    /// # Errors
    /// If it has unknown signs, or does not say the whole date.
    pub fn new(format: &str, zone: &str) -> Result<TimeFormat, String> {
        let zone = offset(zone)?;
        let items = StrftimeItems::new(format)
            .parse_to_owned()
            .map_err(|_| format!("`{}` has signs that no format of times has", shown(format)))?;
        let format = TimeFormat { format: format.to_owned(), items, zone };
        // Written and read again, a date must be the same.
        let date = NaiveDate::from_ymd_opt(2023, 11, 28).unwrap_or_default();
        let sample = date.and_time(NaiveTime::MIN).and_local_timezone(format.zone).single();
        let text = sample.map(|time| time.format_with_items(format.items.iter()).to_string());
        match (text.as_deref().map(|text| format.read(text)), sample) {
            (Some(Ok(instant)), Some(sample)) if instant.seconds() == sample.timestamp() => Ok(format),
            _ => Err(format!("`{}` does not say the whole date", shown(&format.format))),
        }
    }

    fn read(&self, text: &str) -> Result<Instant, TimeError> {
        let fail =
            || TimeError::NotATime(format!("`{}` is not a time like `{}`", shown(text), shown(&self.format)));
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.items.iter()).map_err(|_| fail())?;
        // A leap second is none of protobuf's Timestamp.
        if parsed.second() == Some(60) {
            return Err(fail());
        }
        let time: DateTime<FixedOffset> = match parsed.to_datetime() {
            Ok(time) => time,
            Err(_) if parsed.offset().is_some() => return Err(fail()),
            Err(_) => {
                let date = parsed.to_naive_date();
                let time = match parsed.to_naive_time() {
                    // A form without a time of day means the beginning of the day.
                    Err(_) if parsed.hour_mod_12().is_none() && parsed.minute().is_none() => {
                        Ok(NaiveTime::MIN)
                    }
                    time => time,
                };
                let naive = date.and_then(|date| Ok(date.and_time(time?))).map_err(|_| fail())?;
                naive.and_local_timezone(self.zone).single().ok_or_else(fail)?
            }
        };
        let out_of_range = || TimeError::OutOfRange(format!("`{}` is", shown(text)));
        Instant::of(time.to_utc()).ok_or_else(out_of_range)
    }
}

/// An offset from UTC: `UTC`, `+02:00`.
fn offset(zone: &str) -> Result<FixedOffset, String> {
    let digits = zone.strip_prefix(['+', '-']).and_then(|rest| rest.split_once(':'));
    let number = |text: &str| {
        (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
    };
    let seconds = match digits.map(|(hours, minutes)| (number(hours), number(minutes))) {
        Some((Some(hours @ 0..=23), Some(minutes @ 0..=59))) => {
            let seconds: i32 = hours * 3600 + minutes * 60;
            Some(if zone.starts_with('-') { -seconds } else { seconds })
        }
        _ if matches!(zone, "UTC" | "Z") => Some(0),
        _ => None,
    };
    seconds.and_then(FixedOffset::east_opt).ok_or_else(|| {
        format!(
            "expected `UTC` or an offset such as `+02:00`, found `{}`; names of zones are not known",
            shown(zone)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_by_their_form() {
        for (format, zone, text, expected) in [
            ("%d/%b/%Y:%H:%M:%S %z", "UTC", "28/Nov/2023:10:00:01 +0100", Some("2023-11-28T09:00:01Z")),
            ("%Y-%m-%d %H:%M:%S%.f", "+02:00", "2023-11-28 01:00:00.25", Some("2023-11-27T23:00:00.250Z")),
            ("%m/%d/%Y %I:%M %p", "UTC", "11/28/2023 01:05 PM", Some("2023-11-28T13:05:00Z")),
            ("%Y%m%d", "-05:00", "20231128", Some("2023-11-28T05:00:00Z")),
            ("%s", "UTC", "1701165600", Some("2023-11-28T10:00:00Z")),
            ("%Y-%m-%d %H:%M:%S", "UTC", "2023-11-28 23:59:60", None),
            ("%Y-%m-%d %H:%M:%S", "UTC", "2023-02-30 00:00:00", None),
            ("%Y-%m-%d %H:%M:%S", "UTC", "2023-11-28 00:00:00 x", None),
            ("%Y-%m-%d", "UTC", "", None),
        ] {
            let format = TimeFormat::new(format, zone).unwrap();
            let read = format.read(text).ok().map(Instant::to_rfc3339);
            assert_eq!(read.as_deref(), expected, "{text}");
        }
        for (format, zone) in [
            ("%b %d %H:%M:%S", "UTC"),
            ("%H:%M", "UTC"),
            ("%Q", "UTC"),
            ("x", "UTC"),
            ("%Y", "UTC"),
            ("%Y-%m-%d", "CET"),
            ("%Y-%m-%d", "+2"),
        ] {
            assert!(TimeFormat::new(format, zone).is_err(), "{format} {zone}");
        }
    }
}
