//! Lengths of time as people write them.

use std::time::Duration;

/// Numbers with units: `90s`, `1h30m`, `7d`, `250ms`; `0` needs none.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a duration such as `90s`, `10m`, `1h30m` or `7d`".to_owned();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut rest, mut total) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = match &rest[digits..digits + letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return Err(wrong()),
        };
        let part = number.checked_mul(unit).map(Duration::from_millis).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = &rest[digits + letters..];
    }
    if text.is_empty() { Err(wrong()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let table = [("0", 0), ("90s", 90_000), ("1h30m", 5_400_000), ("7d", 604_800_000), ("250ms", 250)];
        for (text, ms) in table {
            assert_eq!(duration(text).unwrap(), Duration::from_millis(ms), "{text}");
        }
        for text in
            ["", "5", "s", "-1s", "1.5h", "1h 30m", "99999999999999999999s", "999999999999999999d", "1é"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
