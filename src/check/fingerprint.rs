//! What a finding is about, apart from where it is.

use std::fmt;
use std::str::FromStr;
use twox_hash::XxHash3_128;

/// A digest of what a finding is about: its code, its UDM path without indexes, and what was found there. Lines and files
/// don't count, so it stays the same when events move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Fingerprint(u128);

impl Fingerprint {
    /// Of a finding of `code` at `path`, which is without indexes. `content` is what was found, in parts.
    pub(crate) fn of(code: &str, path: &str, content: &[&str]) -> Fingerprint {
        let mut text = Vec::new();
        for part in [code, path].iter().chain(content) {
            // The length keeps parts apart.
            text.extend((part.len() as u64).to_le_bytes());
            text.extend(part.as_bytes());
        }
        Fingerprint(XxHash3_128::oneshot(&text))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Fingerprint, String> {
        let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        number.map(Fingerprint).ok_or_else(|| "expected a fingerprint of 32 hexadecimal digits".to_owned())
    }
}

impl serde::Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Baselines in repositories hold fingerprints: they may never change.
    #[test]
    fn it_is_the_same_for_ever() {
        let one = Fingerprint::of("invalid-ip", "principal.ip[]", &["`x` is not an IP address"]);
        assert_eq!(one.to_string(), "f153ad924165094744573529616f9f65");
        assert_eq!(one.to_string().parse(), Ok(one));
        assert_ne!(one, Fingerprint::of("invalid-ip", "principal.ip[]`x`", &[" is not an IP address"]));
        for wrong in ["", "+1234567890123456789012345678901", "0123"] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }
}
