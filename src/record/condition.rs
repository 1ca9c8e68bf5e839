//! Tests on a value: what a table's conditions ask of a field.

use crate::text::shown;
use ipnet::IpNet;
use regex::Regex;
use serde_json::{Value, json};
use std::fmt;
use std::net::IpAddr;

/// What is asked of a field's value: all parts must hold.
///
/// Of a field with several values one must pass; a field without a value is tested as absent.
#[derive(Debug, Clone)]
pub struct ValueTest {
    /// The parts.
    pub parts: Vec<TestPart>,
    /// Whether the case of ASCII letters does not matter.
    pub ignore_case: bool,
}

/// A part of a [`ValueTest`].
#[derive(Debug, Clone)]
pub enum TestPart {
    /// There is a value, or there is none.
    Present(bool),
    /// It is one of these texts.
    OneOf(Vec<String>),
    /// It has this text in it.
    Contains(String),
    /// It begins with this text.
    StartsWith(String),
    /// It has something in it that fits.
    Matches(Regex),
    /// It is an address in one of these networks.
    Cidr(Vec<IpNet>),
    /// It does not pass this test.
    Not(ValueTest),
}

impl ValueTest {
    /// The test that a value is this text.
    pub fn equals(text: &str) -> ValueTest {
        ValueTest { parts: vec![TestPart::OneOf(vec![text.to_owned()])], ignore_case: false }
    }

    /// The test that there is a value, or none.
    pub fn present(is: bool) -> ValueTest {
        ValueTest { parts: vec![TestPart::Present(is)], ignore_case: false }
    }

    /// Whether one of these values passes; of none, whether an absent one does.
    pub fn passes<'t>(&self, mut values: impl Iterator<Item = &'t str>) -> bool {
        match values.next() {
            None => self.fits(None),
            Some(first) => self.fits(Some(first)) || values.any(|value| self.fits(Some(value))),
        }
    }

    /// Whether every value passes, or none, if what the value is makes no difference.
    pub(crate) fn of_any_value(&self) -> Option<bool> {
        self.parts.iter().try_fold(true, |passes, part| match part {
            TestPart::Present(is) => Some(passes && *is),
            _ => None,
        })
    }

    fn fits(&self, value: Option<&str>) -> bool {
        self.parts.iter().all(|part| self.holds(part, value))
    }

    fn holds(&self, part: &TestPart, value: Option<&str>) -> bool {
        let Some(value) = value else {
            return match part {
                TestPart::Present(is) => !is,
                TestPart::Not(test) => !test.fits(None),
                _ => false,
            };
        };
        match part {
            TestPart::Present(is) => *is,
            TestPart::OneOf(texts) => {
                texts.iter().any(|text| self.is_same(value.as_bytes(), text.as_bytes()))
            }
            TestPart::Contains(text) if self.ignore_case => {
                text.is_empty()
                    || value.as_bytes().windows(text.len()).any(|part| self.is_same(part, text.as_bytes()))
            }
            TestPart::Contains(text) => value.contains(text.as_str()),
            TestPart::StartsWith(text) => {
                value.as_bytes().get(..text.len()).is_some_and(|start| self.is_same(start, text.as_bytes()))
            }
            TestPart::Matches(regex) => regex.is_match(value),
            TestPart::Cidr(nets) => {
                value.parse::<IpAddr>().is_ok_and(|ip| nets.iter().any(|net| net.contains(&ip)))
            }
            TestPart::Not(test) => !test.fits(Some(value)),
        }
    }

    fn is_same(&self, a: &[u8], b: &[u8]) -> bool {
        if self.ignore_case { a.eq_ignore_ascii_case(b) } else { a == b }
    }

    /// Whether each value that passes this test is sure to pass the other.
    pub(crate) fn implies(&self, other: &ValueTest) -> bool {
        if self.json() == other.json() {
            return true;
        }
        // What there is a finite number of can be tried.
        let texts = self.parts.iter().find_map(|part| match part {
            TestPart::OneOf(texts) if !self.ignore_case => Some(texts),
            _ => None,
        });
        if let Some(texts) = texts {
            return texts.iter().filter(|text| self.fits(Some(text))).all(|text| other.fits(Some(text)));
        }
        let needs_value =
            self.parts.iter().any(|part| !matches!(part, TestPart::Present(false) | TestPart::Not(_)));
        match other.parts[..] {
            [TestPart::Present(is)] => is && needs_value,
            _ => false,
        }
    }

    /// Whether no value passes both tests, as far as that can be said.
    pub(crate) fn excludes(&self, other: &ValueTest) -> bool {
        let texts = self.parts.iter().find_map(|part| match part {
            TestPart::OneOf(texts) if !self.ignore_case => Some(texts),
            _ => None,
        });
        let is_absent =
            |test: &ValueTest| test.parts.iter().any(|part| matches!(part, TestPart::Present(false)));
        match texts {
            Some(texts) => !texts.iter().any(|text| self.fits(Some(text)) && other.fits(Some(text))),
            None => is_absent(self) && !other.fits(None),
        }
    }

    /// The test as JSON: equal texts are equal tests.
    pub(crate) fn json(&self) -> Value {
        let parts = self.parts.iter().map(|part| match part {
            TestPart::Present(is) => json!({ "present": is }),
            TestPart::OneOf(texts) => json!({ "in": texts }),
            TestPart::Contains(text) => json!({ "contains": text }),
            TestPart::StartsWith(text) => json!({ "starts_with": text }),
            TestPart::Matches(regex) => json!({ "matches": regex.as_str() }),
            TestPart::Cidr(nets) => {
                json!({ "cidr": nets.iter().map(ToString::to_string).collect::<Vec<_>>() })
            }
            TestPart::Not(test) => json!({ "not": test.json() }),
        });
        json!([parts.collect::<Vec<_>>(), self.ignore_case])
    }
}

impl fmt::Display for ValueTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = |texts: &[String]| {
            texts.iter().map(|text| format!("`{}`", shown(text))).collect::<Vec<_>>().join(" or ")
        };
        for (i, part) in self.parts.iter().enumerate() {
            if i > 0 {
                f.write_str(" and ")?;
            }
            match part {
                TestPart::Present(true) => f.write_str("is present")?,
                TestPart::Present(false) => f.write_str("is absent")?,
                TestPart::OneOf(all) => write!(f, "is {}", texts(all))?,
                TestPart::Contains(text) => write!(f, "contains `{}`", shown(text))?,
                TestPart::StartsWith(text) => write!(f, "starts with `{}`", shown(text))?,
                TestPart::Matches(regex) => write!(f, "matches `{}`", shown(regex.as_str()))?,
                TestPart::Cidr(nets) => {
                    let nets: Vec<String> = nets.iter().map(ToString::to_string).collect();
                    write!(f, "is in {}", nets.join(" or "))?;
                }
                TestPart::Not(test) => write!(f, "not ({test})")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(parts: Vec<TestPart>, ignore_case: bool) -> ValueTest {
        ValueTest { parts, ignore_case }
    }

    #[test]
    fn values_pass_or_not() {
        let is = |test: &ValueTest, value: Option<&str>| test.passes(value.into_iter());
        let one_of = test(vec![TestPart::OneOf(vec!["a".into(), "b".into()])], false);
        assert!(is(&one_of, Some("b")) && !is(&one_of, Some("B")) && !is(&one_of, None));
        let any_case = ValueTest { ignore_case: true, ..one_of.clone() };
        assert!(is(&any_case, Some("B")));
        let contains = test(vec![TestPart::Contains("LoG".into())], true);
        assert!(is(&contains, Some("xlOgin")) && !is(&contains, Some("lo")) && !is(&contains, None));
        let starts = test(vec![TestPart::StartsWith("é".into())], true);
        assert!(is(&starts, Some("éa")) && !is(&starts, Some("e")) && !is(&starts, Some("\u{e8}")));
        let nets = test(
            vec![TestPart::Cidr(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()])],
            false,
        );
        assert!(is(&nets, Some("10.1.2.3")) && is(&nets, Some("2001:db8::1")));
        assert!(!is(&nets, Some("11.0.0.1")) && !is(&nets, Some("10.1.2.3:80")) && !is(&nets, None));
        let not = test(vec![TestPart::Not(one_of.clone())], false);
        assert!(is(&not, None) && is(&not, Some("c")) && !is(&not, Some("a")));
        let regex = test(vec![TestPart::Matches(Regex::new("^x.$").unwrap())], false);
        assert!(is(&regex, Some("xy")) && !is(&regex, Some("axy")));
        assert!(!is(&ValueTest::present(false), Some("a")) && is(&ValueTest::present(false), None));
        // Of several values one must pass.
        assert!(one_of.passes(["x", "a"].into_iter()) && !one_of.passes(["x", "y"].into_iter()));
    }

    #[test]
    fn what_follows_from_a_test_is_known() {
        let equals = ValueTest::equals("login");
        let contains = test(vec![TestPart::Contains("log".into())], false);
        assert!(equals.implies(&contains) && !contains.implies(&equals));
        assert!(contains.implies(&ValueTest::present(true)) && contains.implies(&contains.clone()));
        assert!(equals.excludes(&ValueTest::equals("x")) && !equals.excludes(&contains));
        assert!(ValueTest::present(false).excludes(&contains) && equals.excludes(&ValueTest::present(false)));
    }
}
