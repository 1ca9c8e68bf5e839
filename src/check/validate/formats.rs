//! Values against what their fields hold: addresses, hashes, sizes.

use super::codes::Code;
use crate::text::shown;
use crate::udm::index::Format;
use crate::udm::scalar::Scalar;
use std::net::IpAddr;

/// What is wrong with a value of this format, if anything. An empty text is as good as none, but an element of a list is
/// there, whatever is in it.
pub(super) fn check(format: Format, value: &Scalar<'_>, is_element: bool) -> Option<(Code, String)> {
    match value {
        Scalar::Text(text) if !text.is_empty() || is_element => self::text(format, text),
        Scalar::Integer(n) if format == Format::Port && !(0..=65_535).contains(n) => {
            Some((Code::InvalidPort, format!("{n} is not a port")))
        }
        Scalar::Float(n) => match format {
            Format::Score(most) if !(0.0..=most).contains(n) => {
                Some((Code::InvalidScore, format!("{n} is not between 0 and {most}")))
            }
            _ => None,
        },
        _ => None,
    }
}

fn text(format: Format, text: &str) -> Option<(Code, String)> {
    let long = |length: usize, most: usize, what: &str| format!("{length} {what}, over the limit of {most}");
    let (fits, code, expected) = match format {
        Format::Hostname(most) => {
            let length = text.chars().count();
            if text.len() > most && length > most {
                return Some((Code::HostnameTooLong, long(length, most, "characters")));
            }
            (is_hostname(text), Code::InvalidHostname, "a hostname")
        }
        Format::Bytes(most) if text.len() > most => {
            return Some((Code::ValueTooLong, long(text.len(), most, "bytes")));
        }
        Format::Chars(most) if text.chars().count() > most => {
            return Some((Code::ValueTooLong, long(text.chars().count(), most, "characters")));
        }
        Format::Ip => (text.parse::<IpAddr>().is_ok(), Code::InvalidIp, "an IP address"),
        Format::Mac => (is_mac(text), Code::InvalidMac, "a MAC address"),
        Format::Url => (is_url(text), Code::InvalidUrl, "a URL with a scheme"),
        Format::Email => (is_email(text), Code::InvalidEmail, "an e-mail address"),
        Format::Hash(digits) => {
            let fits = text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
            if fits {
                return None;
            }
            return Some((
                Code::InvalidHash,
                format!("`{}` is not {digits} hexadecimal digits", shown(text)),
            ));
        }
        Format::AssetId => {
            let fits = text.split_once(':').is_some_and(|(vendor, id)| !vendor.is_empty() && !id.is_empty());
            (fits, Code::InvalidAssetId, "`VENDOR:ID`")
        }
        Format::Bytes(_) | Format::Chars(_) | Format::Port | Format::Score(_) => return None,
    };
    (!fits).then(|| (code, format!("`{}` is not {expected}", shown(text))))
}

/// Names in use break RFC 1123 in many ways; what can't be one has marks of something else.
fn is_hostname(text: &str) -> bool {
    !text.chars().any(|c| c.is_whitespace() || c.is_control() || "/\\:@?#,;\"<>|".contains(c))
}

/// EUI-48 with colons, dashes, dots between three groups, or nothing.
fn is_mac(text: &str) -> bool {
    let groups = |separator: char, count: usize, digits: usize| {
        let mut parts = 0;
        text.split(separator).all(|part| {
            parts += 1;
            part.len() == digits && part.bytes().all(|b| b.is_ascii_hexdigit())
        }) && parts == count
    };
    groups(':', 6, 2) || groups('-', 6, 2) || groups('.', 3, 4) || groups(':', 1, 12)
}

fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
        && !rest.is_empty()
        // `host:8080/path` has no scheme, whatever its shape.
        && !rest.starts_with(|c: char| c.is_ascii_digit())
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    !local.is_empty() && !domain.is_empty() && !text.chars().any(|c| c.is_whitespace() || "<>,;".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_and_what_does_not() {
        use Format::*;
        for (format, good, bad) in [
            (
                Ip,
                &["10.0.0.1", "::1", "0000:0000:0000:0000:0000:0000:0000:0001"][..],
                &["10.0.0", "10.0.0.1/8", "host"][..],
            ),
            (
                Mac,
                &["00:11:22:aa:BB:cc", "00-11-22-aa-bb-cc", "0011.22aa.bbcc", "001122aabbcc"],
                &["00:11:22", "x"],
            ),
            (Url, &["https://a/b", "file:///x", "urn:a:b"], &["a/b", "host:8080/x", "http://a b", "//a"]),
            (Email, &["a@b.c", "a+b@c"], &["a", "A <a@b.c>", "a@", "@b"]),
            (
                Hash(32),
                &["d41d8cd98f00b204e9800998ecf8427e", "D41D8CD98F00B204E9800998ECF8427E"],
                &["d41d", "zz"],
            ),
            (AssetId, &["CS:1", "Duo:a-b"], &["1", ":1", "CS:"]),
            (Hostname(256), &["a", "a-b.c_d", "xn--a", "é"], &["a b", "http://a", "a:80", "a/b"]),
            (Bytes(3), &["abc"], &["abcd", "éé"]),
            (Chars(3), &["ééé"], &["abcd"]),
        ] {
            for text in good {
                assert_eq!(check(format, &Scalar::Text((*text).into()), false), None, "{text}");
            }
            for text in bad {
                assert!(check(format, &Scalar::Text((*text).into()), false).is_some(), "{text}");
            }
        }
        assert!(
            check(Port, &Scalar::Integer(65_536), false).is_some()
                && check(Port, &Scalar::Integer(0), false).is_none()
        );
        assert!(
            check(Score(10.0), &Scalar::Float(10.1), false).is_some()
                && check(Score(10.0), &Scalar::Float(f64::NAN), false).is_some()
        );
        assert_eq!(check(Hostname(256), &Scalar::Text("é".repeat(256).into()), false), None);
        for format in [Ip, Mac, Url, Email, Hash(32), AssetId] {
            assert_eq!(check(format, &Scalar::Text("".into()), false), None, "{format:?}");
            assert!(check(format, &Scalar::Text("".into()), true).is_some(), "{format:?}");
        }
    }
}
