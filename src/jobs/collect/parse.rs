//! The texts of settings as values; an error says what is wanted.

use super::window::When;
use crate::time::duration;
use chrono::{DateTime, NaiveDate, NaiveTime};
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(when("2026-03-10"), when("2026-03-10T00:00:00Z"));
        assert_eq!(when("2026-03-10T01:00:00+01:00"), Ok(When::At(1_773_100_800_000)));
        assert_eq!(when("36h"), Ok(When::Ago(129_600_000)));
    }
}
