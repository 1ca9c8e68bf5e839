//! The texts of settings as values; an error says what is wanted.

use super::window::When;
use chrono::{DateTime, NaiveDate, NaiveTime};
use std::time::Duration;
use url::Url;

pub(super) fn api_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("wanted is https://HOST[:PORT]".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL is no place for credentials".into());
    }
    Ok(url)
}

pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("wanted is true or false".into()),
    }
}

pub(super) fn one_of<T: Copy>(text: &str, all: &[(&'static str, T)]) -> Result<T, String> {
    let found = all.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, value)| *value);
    let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    found.ok_or_else(|| format!("wanted is one of {}", names.join(", ")))
}

pub(super) fn whole(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| match most {
        u64::MAX => format!("wanted is a whole number, at least {least}"),
        _ => format!("wanted is a whole number from {least} to {most}"),
    })
}

/// A time (`2026-03-10`, `2026-03-10T12:00:00Z`), or how long ago (`36h`).
pub(super) fn when(text: &str) -> Result<When, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(When::At(time.timestamp_millis()));
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok(When::At(day.and_time(NaiveTime::MIN).and_utc().timestamp_millis()));
    }
    let ago = duration(text).map_err(|_| "wanted is a time (2026-03-10T12:00:00Z) or how long ago (36h)")?;
    Ok(When::Ago(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX / 4)))
}

/// Numbers with units: `90s`, `1h30m`, `7d`, `250ms`; `0` needs none.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wanted = || "wanted is a number with a unit: 90s, 10m, 1h30m, 7d".to_owned();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut rest, mut total) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let number: u64 = rest[..digits].parse().map_err(|_| wanted())?;
        let unit = match &rest[digits..digits + letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return Err(wanted()),
        };
        let part = number.checked_mul(unit).map(Duration::from_millis).ok_or_else(wanted)?;
        total = total.checked_add(part).ok_or_else(wanted)?;
        rest = &rest[digits + letters..];
    }
    if text.is_empty() { Err(wanted()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_durations() {
        let table = [("0", 0), ("90s", 90_000), ("1h30m", 5_400_000), ("7d", 604_800_000), ("250ms", 250)];
        for (text, ms) in table {
            assert_eq!(duration(text).unwrap(), Duration::from_millis(ms), "{text}");
        }
        for text in
            ["", "5", "s", "-1s", "1.5h", "1h 30m", "99999999999999999999s", "999999999999999999d", "1é"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(when("2026-03-10"), when("2026-03-10T00:00:00Z"));
        assert_eq!(when("2026-03-10T01:00:00+01:00"), Ok(When::At(1_773_100_800_000)));
        assert_eq!(when("36h"), Ok(When::Ago(129_600_000)));
    }
}
