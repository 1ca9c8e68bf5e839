//! Numbers that are summed up: in millionths, so that the order of a sum does not matter.

use serde::{Serialize, Serializer};
use std::fmt;
use std::iter::Sum;
use std::ops::AddAssign;

const PARTS: i128 = 1_000_000;
/// Larger numbers are not amounts of anything.
const MOST: f64 = 1e15;

/// A number, in millionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Amount(i128);

impl Amount {
    /// Reads a number as JSON spells it, up to 10^15.
    pub(super) fn read(text: &str) -> Option<Amount> {
        if text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse::<i64>().ok().map(|whole| Amount(i128::from(whole) * PARTS));
        }
        // Words such as `nan` are not numbers.
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        let number = text.parse::<f64>().ok().filter(|number| is_number && number.abs() <= MOST)?;
        Some(Amount((number * PARTS as f64).round() as i128))
    }

    /// As far as pictures need it.
    pub(crate) fn as_f64(self) -> f64 {
        self.0 as f64 / PARTS as f64
    }

    pub(super) fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// What is left without `other`, and nothing below zero.
    pub(super) fn without(self, other: Amount) -> Amount {
        Amount((self.0 - other.0).max(0))
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Amount) {
        self.0 += other.0;
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Amount>>(amounts: I) -> Amount {
        Amount(amounts.map(|amount| amount.0).sum())
    }
}

/// `-1234.5`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, parts) = (self.0.unsigned_abs() / PARTS as u128, self.0.unsigned_abs() % PARTS as u128);
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{whole}")?;
        match parts {
            0 => Ok(()),
            parts => write!(f, ".{}", format!("{parts:06}").trim_end_matches('0')),
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0 / PARTS) {
            Ok(whole) if self.0 % PARTS == 0 => to.serialize_i64(whole),
            _ => to.serialize_f64(self.as_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_others_are_not() {
        for (text, want) in [
            ("0", "0"),
            ("12", "12"),
            ("1.50", "1.5"),
            ("-0.000001", "-0.000001"),
            ("1e3", "1000"),
            ("000000000000001", "1"),
            ("999999999999999", "999999999999999"),
        ] {
            assert_eq!(Amount::read(text).map(|it| it.to_string()).as_deref(), Some(want), "{text}");
        }
        for text in ["", "nan", "inf", "Infinity", "1 ", "1e16", "0x1", "9999999999999999", "-", "1,5"] {
            assert_eq!(Amount::read(text), None, "{text}");
        }
        let tenths = |n: usize| (0..n).map(|_| Amount::read("0.1").unwrap()).sum::<Amount>();
        assert_eq!(tenths(30), Amount::read("3").unwrap());
        assert_eq!(serde_json::to_string(&[tenths(30), tenths(3)]).unwrap(), "[3,0.3]");
    }
}
