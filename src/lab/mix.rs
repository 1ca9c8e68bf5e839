//! Which kinds of lines a generator writes, and how often each.

use super::fields::Rng;
use std::fmt;
use std::str::FromStr;

/// A kind of line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordKind {
    V2,
    V1,
    Awkward,
    Shuffled,
    Broken,
    Wrapped,
    Authentication,
}

/// All kinds by name, in the order of [`Mix`]'s weights.
const KINDS: [(&str, RecordKind); 7] = [
    ("v2", RecordKind::V2),
    ("v1", RecordKind::V1),
    ("awkward", RecordKind::Awkward),
    ("shuffled", RecordKind::Shuffled),
    ("broken", RecordKind::Broken),
    ("wrapped", RecordKind::Wrapped),
    ("authentication", RecordKind::Authentication),
];

/// Which kinds of lines, with weights.
///
/// | kind | what a line is |
/// |---|---|
/// | `v2` | a record as Duo's API v2 sends it, compact, in Duo's key order |
/// | `v1` | a record of API v1 with `eventtype` and `host`, as Duo's Python client hands it on |
/// | `awkward` | one record that must convert, with one oddity out of a catalogue |
/// | `shuffled` | a v1 or v2 record with its keys in random order |
/// | `broken` | something that must be rejected, for a reason out of a catalogue |
/// | `wrapped` | records in another form: API envelopes, arrays, CEF, key="value" |
/// | `authentication` | a record of Duo's authentication log |
///
/// ```
/// # use udmap::lab::Mix;
/// let mix: Mix = "v2=9,broken".parse()?; // a kind without a weight weighs 1
/// assert_eq!(mix.to_string(), "v2=9,broken=1");
/// assert_eq!(Mix::default().to_string(), "v2=70,v1=25,awkward=5");
/// # Ok::<(), udmap::lab::MixError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    weights: [u32; KINDS.len()],
    total: u64,
}

/// Why a text is not a [`Mix`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MixError {
    /// A kind that there is not.
    #[error("no kind of line is called `{0}`; there are {known}", known = known())]
    UnknownKind(String),
    /// A kind named more than once.
    #[error("the kind `{0}` is given twice")]
    Twice(String),
    /// A weight that is not a whole number, or over 4294967295.
    #[error("the weight `{weight}` of `{kind}` is not a whole number from 0 to {}", u32::MAX)]
    Weight {
        /// The kind it was meant for.
        kind: String,
        /// The weight as given.
        weight: String,
    },
    /// No kind at all, or none with a weight over 0.
    #[error("a mix needs at least one kind with a weight; there are {known}", known = known())]
    Empty,
}

fn known() -> String {
    KINDS.map(|(name, _)| name).join(", ")
}

impl Mix {
    fn new(weights: [u32; KINDS.len()]) -> Result<Self, MixError> {
        let total = weights.iter().map(|&weight| u64::from(weight)).sum();
        if total == 0 { Err(MixError::Empty) } else { Ok(Self { weights, total }) }
    }

    pub(super) fn draw(&self, rng: &mut Rng) -> RecordKind {
        let mut at = rng.below(self.total);
        for (&weight, (_, kind)) in self.weights.iter().zip(KINDS) {
            let weight = u64::from(weight);
            if at < weight {
                return kind;
            }
            at -= weight;
        }
        unreachable!("the weights sum up to the total")
    }
}

/// The corpus of the project's measurements: 70% v2, 25% v1, 5% awkward.
impl Mix {
    /// What a table for this log type is measured with: records of its log, if there are synthetic ones.
    pub fn of_log_type(log_type: &str) -> Mix {
        match log_type {
            "DUO_AUTH" => Mix { weights: [0, 0, 0, 0, 0, 0, 1], total: 1 },
            // A set of tables has the log types of all.
            types if types.split(',').any(|one| one == "DUO_AUTH") => {
                Mix { weights: [35, 12, 3, 0, 0, 0, 50], total: 100 }
            }
            _ => Mix::default(),
        }
    }

    /// Records of Duo's two versions and nothing else, so that each has a time of its stream.
    pub fn plain() -> Mix {
        Mix { weights: [75, 25, 0, 0, 0, 0, 0], total: 100 }
    }
}

impl Default for Mix {
    fn default() -> Self {
        Self { weights: [70, 25, 5, 0, 0, 0, 0], total: 100 }
    }
}

impl FromStr for Mix {
    type Err = MixError;

    /// Reads `v1,v2,awkward` (equal weights) or `v2=70,v1=25,awkward=5`, blanks allowed.
    fn from_str(text: &str) -> Result<Self, MixError> {
        let mut weights = [None; KINDS.len()];
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, weight) = match part.split_once('=') {
                Some((name, weight)) => (name.trim_end(), weight.trim_start()),
                None => (part, "1"),
            };
            let at = KINDS.iter().position(|(known, _)| *known == name);
            let slot = &mut weights[at.ok_or_else(|| MixError::UnknownKind(name.to_owned()))?];
            if slot.is_some() {
                return Err(MixError::Twice(name.to_owned()));
            }
            *slot = Some(
                weight
                    .parse()
                    .map_err(|_| MixError::Weight { kind: name.to_owned(), weight: weight.to_owned() })?,
            );
        }
        Self::new(weights.map(Option::unwrap_or_default))
    }
}

/// The form that [`FromStr`] reads, with every weight over 0.
impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for ((name, _), weight) in KINDS.iter().zip(self.weights) {
            if weight > 0 {
                write!(f, "{comma}{name}={weight}")?;
                comma = ",";
            }
        }
        Ok(())
    }
}
