//! What a mapping table says: its rules, and the forms in which its records arrive.

use super::problem::At;
use crate::record::FieldPath;
use crate::record::formats::Formats;
use crate::time::Reading;
use crate::udm;
use std::fmt;

/// A mapping table that has been read and checked.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub(super) name: String,
    pub(super) log_type: String,
    pub(super) description: String,
    pub(super) extends: Option<String>,
    pub(super) rules: Vec<Rule>,
    pub(super) shapes: Vec<Shape>,
    pub(super) known: Vec<Known>,
    pub(super) formats: Formats,
}

impl Mapping {
    /// The table's own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The SecOps log type that it reads, such as `DUO_TELEPHONY`.
    pub fn log_type(&self) -> &str {
        &self.log_type
    }

    /// A line on what it does.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The table that it builds on.
    pub fn extends(&self) -> Option<&str> {
        self.extends.as_deref()
    }

    /// Its rules, those of the table that it builds on first.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The shapes of record that reports tell apart.
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// The values that are documented for raw fields.
    pub fn known(&self) -> &[Known] {
        &self.known
    }

    /// The forms in which its records arrive.
    pub fn formats(&self) -> &Formats {
        &self.formats
    }
}

/// A row of the table: what one UDM field gets.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The UDM field.
    pub target: udm::Path,
    /// What it gets.
    pub content: Content,
    /// A test that the raw value must pass.
    pub when: Option<When>,
    /// For a repeated message of keys and values: the key, with the content as its value.
    pub label: Option<String>,
    /// Which of several rules for one singular field comes first: the lowest.
    pub order: Option<i64>,
    pub(crate) at: At,
}

/// What a [`Rule`] puts into its field.
#[derive(Debug, Clone)]
pub enum Content {
    /// The first of these raw fields that is present, else the default.
    From {
        /// The raw fields.
        fields: Vec<FieldPath>,
        /// What to put if none is present.
        default: Option<String>,
    },
    /// Always this.
    Fixed(String),
    /// The value of the first case that fits.
    Cases(Vec<Case>),
    /// The first of these raw fields that is present, read as a time.
    Time(Vec<(FieldPath, Reading)>),
}

/// One of the cases of a [`Content::Cases`].
#[derive(Debug, Clone)]
pub struct Case {
    /// Raw fields that must be present.
    pub present: Vec<FieldPath>,
    /// Raw fields that must be absent.
    pub absent: Vec<FieldPath>,
    /// The value.
    pub value: String,
    pub(crate) at: At,
}

/// A test on a raw value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// It is an IPv4 or IPv6 address.
    Ip,
    /// It is not an IP address.
    NotIp,
}

/// A shape of record that reports tell apart.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Its name in reports.
    pub name: String,
    /// Raw fields that it has.
    pub present: Vec<FieldPath>,
    pub(crate) at: At,
}

/// The values that are documented for a raw field.
#[derive(Debug, Clone)]
pub struct Known {
    /// The raw field.
    pub from: FieldPath,
    /// Its documented values.
    pub values: Vec<String>,
}

impl Rule {
    /// The table file that holds the rule.
    pub fn file(&self) -> &str {
        &self.at.source.name
    }

    /// The line of the rule's `udm` key, from 1.
    pub fn line(&self) -> usize {
        self.at.line()
    }

    /// Every raw field that the rule reads, in order.
    pub(super) fn fields(&self) -> Vec<&FieldPath> {
        match &self.content {
            Content::Fixed(_) => Vec::new(),
            Content::From { fields, .. } => fields.iter().collect(),
            Content::Time(times) => times.iter().map(|(field, _)| field).collect(),
            Content::Cases(cases) => {
                cases.iter().flat_map(|case| case.present.iter().chain(&case.absent)).collect()
            }
        }
    }
}

impl Case {
    /// The line of its `value`, from 1.
    pub fn line(&self) -> usize {
        self.at.line()
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names =
            |fields: &[FieldPath]| fields.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(", ");
        match (self.present.is_empty(), self.absent.is_empty()) {
            (true, true) => f.write_str("otherwise"),
            (false, true) => write!(f, "with {}", names(&self.present)),
            (true, false) => write!(f, "without {}", names(&self.absent)),
            (false, false) => write!(f, "with {}, without {}", names(&self.present), names(&self.absent)),
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths =
            |fields: &[FieldPath]| fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", else ");
        match self {
            Content::From { fields, default: None } => f.write_str(&paths(fields)),
            Content::From { fields, default: Some(text) } => write!(f, "{}, else \"{text}\"", paths(fields)),
            Content::Fixed(text) => write!(f, "\"{text}\""),
            Content::Cases(cases) => {
                let cases: Vec<String> = cases.iter().map(|case| format!("{} {case}", case.value)).collect();
                f.write_str(&cases.join("; "))
            }
            Content::Time(times) => {
                let times: Vec<String> = times.iter().map(|(p, r)| format!("{p} as {}", r.name())).collect();
                f.write_str(&times.join(", else "))
            }
        }
    }
}
