//! Settings as texts: what the environment holds, and how each text becomes a value.
//!
//! The command and the functions for AWS Lambda read the same settings by the same functions, so that a text means the
//! same everywhere. A function's error says what it expected; the caller names the setting.

use crate::store::Compression;
use crate::text::shown;
#[cfg(feature = "cli")]
use crate::time::Instant;
use crate::time::duration;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// Gives the text of a setting by its name in the environment, if it is set.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Settings by their names in the environment. A blank one counts as not set.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'a>(pub(crate) Lookup<'a>);

impl Environment<'_> {
    /// The text of a setting.
    pub(crate) fn text(self, name: &str) -> Option<String> {
        (self.0)(name).filter(|text| !text.trim().is_empty())
    }

    /// A setting's value.
    ///
    /// # Errors
    /// A sentence that names the setting, if `parse` refuses its text.
    pub(crate) fn value<T>(
        self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        let parse =
            |text: String| parse(&text).map_err(|why| format!("`{}` ({name}): {why}", shown(text.trim())));
        self.text(name).map(parse).transpose()
    }

    /// The values of a setting that is a list of words.
    ///
    /// # Errors
    /// As of [`value`](Self::value).
    #[cfg(feature = "lambda")]
    pub(crate) fn values<T>(
        self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let values = |text: &str| text.split_whitespace().map(&parse).collect();
        Ok(self.value(name, values)?.unwrap_or_default())
    }
}

/// A setting's names for a message: `` `--page-size` (UDMAP_PAGE_SIZE) ``.
pub(crate) fn named(name: &str) -> String {
    match name.strip_prefix("UDMAP_") {
        Some(rest) => format!("`--{}` ({name})", rest.to_ascii_lowercase().replace('_', "-")),
        None => name.to_owned(),
    }
}

/// A point in time, fixed or before the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Milliseconds before the run.
    Ago(i64),
    /// At a time, in milliseconds since 1970.
    At(i64),
}

impl When {
    /// In milliseconds since 1970, for a run at `now`.
    pub(crate) fn at(self, now: i64) -> i64 {
        match self {
            When::Ago(ago) => now.saturating_sub(ago),
            When::At(at) => at,
        }
    }
}

/// `true` or `false`, and other words for them.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("expected true or false".into()),
    }
}

/// One of several names, in any case.
pub(crate) fn one_of<T: Copy>(text: &str, all: &[(&'static str, T)]) -> Result<T, String> {
    let found = all.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim())).map(|(_, value)| *value);
    let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    found.ok_or_else(|| format!("expected one of: {}", names.join(", ")))
}

/// How outputs are compressed.
pub(crate) fn compression(text: &str) -> Result<Compression, String> {
    text.parse()
}

/// A whole number within limits.
pub(crate) fn whole(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let number = text.trim().parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| match most {
        u64::MAX => format!("expected a whole number, at least {least}"),
        _ => format!("expected a whole number from {least} to {most}"),
    })
}

/// A number of bytes with a unit: `500000`, `64MB`, `1GiB`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let expected = || "expected a number of bytes such as `500000`, `64MB` or `1GiB`".to_owned();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit: u64 = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err(expected()),
    };
    let number: u64 = text[..digits].parse().map_err(|_| expected())?;
    let bytes = number.checked_mul(unit).ok_or("is larger than any memory or disk")?;
    if bytes == 0 { Err("must be greater than zero".into()) } else { Ok(bytes) }
}

/// A length of time: `90s`, `1h30m`.
pub(crate) fn time(text: &str) -> Result<std::time::Duration, String> {
    duration(text.trim())
}

/// A time (`2026-03-10`, `2026-03-10T12:00:00Z`), or how long ago (`36h`).
pub(crate) fn when(text: &str) -> Result<When, String> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(When::At(time.timestamp_millis()));
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok(When::At(day.and_time(NaiveTime::MIN).and_utc().timestamp_millis()));
    }
    let ago = duration(text)
        .map_err(|_| "expected a time such as `2026-03-10T12:00:00Z`, or how long ago, such as `36h`")?;
    Ok(When::Ago(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX / 4)))
}

/// The same as an instant, for a run that begins now.
pub(crate) fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text.trim()) {
        return Ok(time.to_utc());
    }
    let now = Utc::now();
    match when(text)? {
        When::At(at) => DateTime::from_timestamp_millis(at),
        When::Ago(ago) => now.checked_sub_signed(TimeDelta::milliseconds(ago)),
    }
    .ok_or_else(|| "is longer ago than time goes back".to_owned())
}

/// A time as records have it, and whether it was counted back from now.
#[cfg(feature = "cli")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) at: Instant,
    pub(crate) relative: bool,
}

/// The same forms as those of [`instant`], within the years that records may have.
#[cfg(feature = "cli")]
pub(crate) fn moment(text: &str) -> Result<Moment, String> {
    let relative = matches!(when(text)?, When::Ago(_));
    let at = Instant::of(instant(text)?).ok_or("expected a time within the years 1 to 9999")?;
    Ok(Moment { at, relative })
}

/// A pattern of keys.
pub(crate) fn pattern(text: &str) -> Result<glob::Pattern, String> {
    glob::Pattern::new(text).map_err(|error| format!("expected a pattern: {error}"))
}

/// A label: `KEY=VALUE`.
pub(crate) fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, neither of them empty".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times() {
        let table = [("1", 1), ("64MB", 64_000_000), ("1GiB", 1 << 30), ("5 kib", 5120)];
        for (text, bytes) in table {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MB", "0", "1.5GB", "-1", "99999999999999999999", "18446744073709551615GB", "1é"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert_eq!(when("2026-03-10"), when(" 2026-03-10T00:00:00Z\n"));
        assert_eq!(when("2026-03-10T01:00:00+01:00"), Ok(When::At(1_773_100_800_000)));
        assert_eq!(when("36h"), Ok(When::Ago(129_600_000)));
        assert_eq!(instant("2026-03-10"), instant("2026-03-10T01:00:00+01:00"));
        assert!(instant("36h").unwrap() < Utc::now());
        #[cfg(feature = "cli")]
        {
            let at = |text: &str| moment(text).map(|moment| (moment.at.to_rfc3339(), moment.relative));
            assert_eq!(at("2026-03-10"), Ok(("2026-03-10T00:00:00Z".into(), false)));
            let fine = "2026-03-10T01:00:00.123456789+01:00";
            assert_eq!(at(fine), Ok(("2026-03-10T00:00:00.123456789Z".into(), false)));
            assert!(
                moment("36h").unwrap().relative && moment("0000-01-01").is_err() && moment("soon").is_err()
            );
        }
        assert!(instant("yesterday").is_err() && instant("99999999w").is_err());
    }

    #[test]
    fn what_is_blank_is_not_set_and_what_is_wrong_is_named() {
        let lookup = |name: &str| match name {
            "UDMAP_BLANK" => Some(" \n".to_owned()),
            "UDMAP_PAGE_SIZE" => Some(" 1001\u{1b}[31m".to_owned()),
            "UDMAP_LIST" => Some(" a=b  c=d ".to_owned()),
            _ => None,
        };
        let environment = Environment(&lookup);
        assert_eq!(environment.value("UDMAP_BLANK", switch), Ok(None));
        let error = environment.value("UDMAP_PAGE_SIZE", |text| whole(text, 1, 1000)).unwrap_err();
        assert_eq!(error, r"`1001\u{1b}[31m` (UDMAP_PAGE_SIZE): expected a whole number from 1 to 1000");
        #[cfg(feature = "lambda")]
        assert_eq!(environment.values("UDMAP_LIST", label).map(|labels| labels.len()), Ok(2));
    }
}
