//! How UDM events differ in their values, not in their spelling.
//!
//! Names in snake_case and camelCase are the same, so are an enum's number and its name, `5` and
//! `"5"` where UDM has a whole number, `.198Z` and `.198000Z`, base64 of both alphabets, and a
//! field that is absent, `null`, an empty list, or (where protobuf keeps no difference) the type's
//! default. Lists are compared in their order, unless they are asked to be sets.
//!
//! ```
//! use udmap::json::Tree;
//! use udmap::check::compare::{Meaning, Rules, differences};
//!
//! let (mut a, mut b) = (Tree::default(), Tree::default());
//! let a = a.read(br#"{"metadata":{"event_timestamp":"2024-01-01T00:00:00.5Z","event_type":"GENERIC_EVENT"}}"#)?;
//! let b = b.read(br#"{"metadata":{"eventType":0,"eventTimestamp":"2024-01-01T01:00:00.501+01:00"}}"#)?;
//! let rules = Rules::default();
//! let found = differences(&Meaning::of(a, &rules), &Meaning::of(b, &rules));
//! assert_eq!(found[0].path, "metadata.event_timestamp");
//! # Ok::<(), udmap::json::JsonError>(())
//! ```

#[cfg(feature = "cli")]
mod alike;
mod differences;
mod keys;
mod meaning;
mod pass;
mod rules;
#[cfg(test)]
mod tests;

#[cfg(feature = "cli")]
pub(crate) use alike::MeaningReader;
#[cfg(feature = "cli")]
pub(crate) use differences::each_place;
pub use differences::{Difference, How, differences, each_difference};
pub use keys::Keys;
pub use meaning::Meaning;
pub use pass::{Pass, Side};
pub use rules::Rules;
