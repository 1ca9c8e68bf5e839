//! What a plain scalar of YAML is: as PyYAML's `safe_load` reads it, which the tools that write these files use.

/// What a plain scalar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    /// A number that JSON writes in the same way.
    Number,
    /// A number in a notation that JSON has not, or that other readers take for another value or a text.
    OtherNumber,
    Text,
}

/// What this text is, without quotes and without a tag.
pub(super) fn plain(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Plain::Null,
        _ if is_number(text) && is_json_number(text) => Plain::Number,
        _ if is_number(text) || is_not_finite(text) => Plain::OtherNumber,
        _ => boolean(text).map_or(Plain::Text, Plain::Bool),
    }
}

/// The boolean that this text is.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// Whether JSON has this number.
pub(super) fn is_json_number(text: &str) -> bool {
    // What reads JSON also skips blanks.
    text.ends_with(|c: char| c.is_ascii_digit())
        && text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && serde_json::from_str::<serde_json::Number>(text).is_ok()
}

fn is_not_finite(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let all = |digits: &str, allowed: fn(u8) -> bool| {
        !digits.is_empty() && digits.bytes().all(|byte| byte == b'_' || allowed(byte))
    };
    let decimal = |digits: &str| {
        digits.starts_with(|c: char| c.is_ascii_digit()) && all(digits, |byte| byte.is_ascii_digit())
    };
    if let Some(digits) = unsigned.strip_prefix("0b") {
        return all(digits, |byte| matches!(byte, b'0' | b'1'));
    }
    if let Some(digits) = unsigned.strip_prefix("0x") {
        return all(digits, |byte| byte.is_ascii_hexdigit());
    }
    // A fraction, and what may be behind it; of one that begins with the point, no sign may be before it.
    if let Some((whole, fraction)) = unsigned.split_once('.') {
        let (digits, exponent) = match fraction.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, Some(exponent)),
            None => (fraction, None),
        };
        let exponent_is_right = exponent.is_none_or(|exponent| {
            exponent
                .strip_prefix(['-', '+'])
                .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        });
        let fraction_is_right = digits.bytes().all(|byte| byte == b'_' || byte.is_ascii_digit());
        return fraction_is_right
            && exponent_is_right
            && match whole.split_once(':') {
                None if whole.is_empty() => unsigned.len() == text.len() && decimal(digits),
                None => decimal(whole),
                Some((first, sixtieths)) => exponent.is_none() && decimal(first) && are_sixtieths(sixtieths),
            };
    }
    match unsigned.split_once(':') {
        Some((first, sixtieths)) => !first.starts_with('0') && decimal(first) && are_sixtieths(sixtieths),
        // With a zero first it is octal, or a text.
        None => match unsigned.strip_prefix('0') {
            Some(digits) => digits.bytes().all(|byte| matches!(byte, b'0'..=b'7' | b'_')),
            None => decimal(unsigned),
        },
    }
}

/// Whether these are numbers up to 59 with colons between them.
fn are_sixtieths(text: &str) -> bool {
    text.split(':').all(|part| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each was read by PyYAML 6.0.3.
    #[test]
    fn as_pyyaml() {
        for (kind, texts) in [
            (Plain::Null, "~ null Null NULL"),
            (Plain::Bool(true), "true True TRUE yes Yes YES on On ON"),
            (Plain::Bool(false), "false False FALSE no No NO off Off OFF"),
            (
                Plain::Number,
                "0 -0 7 -12 1.5 1.50 -0.5 1.0e+400 1.5e-3 9007199254740993 123456789012345678901234567890",
            ),
            (
                Plain::OtherNumber,
                "0443 010 00 +1 -010 0x1F 0b11 1_000 1. .5 .5e+3 +1.5 1:30 12:30:45 10:11:22:33:44:55 1:30.5 .inf \
                 -.INF .nan 01.5 0x_ 1_.5",
            ),
            (
                Plain::Text,
                "09 09007199254740993 1e3 12e03 -.5 +.5 0o10 1e400 1.0e5 1.5e y n Y N tRue nULL 0:30 00:11:22:33:44:55 \
                 1:60 ::1 2001:db8::1 1.2.3 10.0.0.1 12345678901234567890123456789e12 - -- . .. + _1 ._1 0x 0b2 0xg \
                 2024-01-01 2024-01-01T00:00:00Z .Nan -.nan 1: 1:x x",
            ),
        ] {
            for text in texts.split(' ') {
                assert_eq!(plain(text), kind, "{text}");
            }
        }
        assert_eq!(plain(""), Plain::Null);
    }
}
