//! What a mapping table says: its rules, and the formats in which its records arrive.

use super::condition::Condition;
use super::own_test::OwnTest;
use super::problem::TextPlace;
use super::rest::RestRule;
use super::template::Template;
use super::transform::Transform;
use super::value_map::ValueMap;
use super::watched::WatchedFields;
use crate::record::formats::Formats;
use crate::record::{FieldPath, Projection, ValueTest};
use crate::time::TimeReading;
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
    pub(super) known: Vec<KnownValues>,
    pub(super) watched: WatchedFields,
    pub(super) formats: Formats,
    /// The fields whose texts are read as JSON.
    pub(super) embedded: Vec<EmbeddedText>,
    pub(super) tests: Vec<OwnTest>,
    /// The tables that it is a set of, instead of having rules.
    pub(super) set: Option<TableSet>,
    /// Where the fields go that no rule takes.
    pub(super) rest: Option<RestRule>,
    /// Whether a field that can't be taken is noted, and its record kept.
    pub(super) notes_bad_fields: bool,
    /// Whether records are also read that log shippers wrapped.
    pub(super) opens_shippers: bool,
}

/// Tables for logs that are mixed.
#[derive(Debug, Clone)]
pub struct TableSet {
    /// The fields whose text names a log; the first that is present counts.
    pub log_fields: Vec<FieldPath>,
    /// The tables; of several that could take a record, the first does.
    pub tables: Vec<SetTable>,
}

/// A table of a [`TableSet`].
#[derive(Debug, Clone)]
pub struct SetTable {
    /// The table.
    pub mapping: Mapping,
    /// What its log is called.
    pub log: Vec<String>,
    /// What its records are like: one of these holds.
    pub own: Vec<Condition>,
}

/// UDM requires these of every event.
pub(super) const REQUIRED: [&str; 2] = ["metadata.event_timestamp", "metadata.event_type"];

/// A field whose text holds JSON.
#[derive(Debug, Clone)]
pub struct EmbeddedText {
    /// The raw field.
    pub from: FieldPath,
    /// Whether it may also be an object itself.
    pub objects: bool,
    pub(crate) at: TextPlace,
}

impl Mapping {
    /// The table's own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The SecOps log type that it reads, such as `DUO_TELEPHONY`; of a set, those of its tables with commas between them.
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
    pub fn known(&self) -> &[KnownValues] {
        &self.known
    }

    /// The fields that a profile looks at more closely.
    pub fn watched(&self) -> &WatchedFields {
        &self.watched
    }

    /// The formats in which its records arrive.
    pub fn formats(&self) -> &Formats {
        &self.formats
    }

    /// The fields whose texts are read as JSON.
    pub fn embedded(&self) -> &[EmbeddedText] {
        &self.embedded
    }

    /// Where the fields go that no rule takes.
    pub fn rest(&self) -> Option<&RestRule> {
        self.rest.as_ref()
    }

    /// Whether a field that can't be taken is noted in the event. Otherwise its record is rejected.
    pub fn notes_bad_fields(&self) -> bool {
        self.notes_bad_fields
    }

    /// Its test cases, without those of the table that it builds on.
    pub fn tests(&self) -> &[OwnTest] {
        &self.tests
    }

    /// The tables that it is a set of, if it is one.
    pub fn set(&self) -> Option<&TableSet> {
        self.set.as_ref()
    }

    /// The tables with rules: those of the set, or itself.
    pub fn tables(&self) -> Vec<&Mapping> {
        match &self.set {
            Some(set) => set.tables.iter().map(|table| &table.mapping).collect(),
            None => vec![self],
        }
    }

    /// The same, to be changed.
    pub(super) fn tables_mut(&mut self) -> Vec<&mut Mapping> {
        if self.set.is_none() {
            return vec![self];
        }
        self.set.iter_mut().flat_map(|set| &mut set.tables).map(|table| &mut table.mapping).collect()
    }

    /// A projection for its fields, which has none yet.
    pub(super) fn projection(&self) -> Projection {
        Projection::with_json(self.embedded.iter().map(|text| (&text.from, text.objects)))
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
    /// What the record must pass; without tests it is every record.
    pub only_if: Condition,
    /// For a repeated message of keys and values: the key, with the content as its value.
    pub label: Option<String>,
    /// Which of several rules for one singular field comes first: the lowest.
    pub order: Option<i64>,
    pub(crate) at: TextPlace,
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
        /// What is made of the value.
        change: Change,
    },
    /// Always this.
    Fixed(String),
    /// The value of the first case that fits.
    Cases(Vec<Case>),
    /// The first of these raw fields that is present, read as a time.
    Time(Vec<(FieldPath, TimeReading)>),
    /// Texts with the values of raw fields between them; nothing if one of these is absent.
    Template(Template),
}

/// What is made of a field's value.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Texts that count as absent.
    pub absent: Vec<String>,
    /// What is done to it, in this order.
    pub steps: Vec<Transform>,
    /// What it becomes then.
    pub map: Option<ValueMap>,
}

impl Change {
    /// Whether the value is taken as it is.
    pub fn is_none(&self) -> bool {
        self.absent.is_empty() && self.steps.is_empty() && self.map.is_none()
    }
}

/// One of the cases of a [`Content::Cases`].
#[derive(Debug, Clone)]
pub struct Case {
    /// Raw fields that must be present.
    pub present: Vec<FieldPath>,
    /// Raw fields that must be absent.
    pub absent: Vec<FieldPath>,
    /// What else the record must pass.
    pub when: Condition,
    /// The value.
    pub value: String,
    pub(crate) at: TextPlace,
}

/// A test on a raw value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// It is an IPv4 or IPv6 address.
    Ip,
    /// It is not an IP address.
    NotIp,
    /// It has the form of a phone number.
    Phone,
    /// It does not have the form of a phone number.
    NotPhone,
    /// It has the form of an e-mail address.
    Email,
    /// It does not have the form of an e-mail address.
    NotEmail,
}

impl When {
    /// Each test with its name in mapping tables.
    pub const ALL: [(&'static str, When); 6] = [
        ("ip", When::Ip),
        ("not-ip", When::NotIp),
        ("phone", When::Phone),
        ("not-phone", When::NotPhone),
        ("email", When::Email),
        ("not-email", When::NotEmail),
    ];

    /// Its name in mapping tables.
    pub(crate) fn name(self) -> &'static str {
        When::ALL.iter().find(|(_, when)| *when == self).map_or("", |(name, _)| name)
    }

    /// The test that every value passes that does not pass this one.
    pub(crate) fn opposite(self) -> When {
        match self {
            When::Ip => When::NotIp,
            When::NotIp => When::Ip,
            When::Phone => When::NotPhone,
            When::NotPhone => When::Phone,
            When::Email => When::NotEmail,
            When::NotEmail => When::Email,
        }
    }

    /// What a value is that passes, in words.
    pub fn words(self) -> &'static str {
        match self {
            When::Ip => "an IP address",
            When::NotIp => "not an IP address",
            When::Phone => "a phone number",
            When::NotPhone => "not a phone number",
            When::Email => "an e-mail address",
            When::NotEmail => "not an e-mail address",
        }
    }
}

/// A shape of record that reports tell apart.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Its name in reports.
    pub name: String,
    /// Raw fields that it has.
    pub present: Vec<FieldPath>,
    pub(crate) at: TextPlace,
}

/// The values that are documented for a raw field.
#[derive(Debug, Clone)]
pub struct KnownValues {
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

    /// The raw fields whose values the rule puts somewhere.
    pub(super) fn taken(&self) -> Vec<&FieldPath> {
        match &self.content {
            Content::Fixed(_) | Content::Cases(_) => Vec::new(),
            Content::From { fields, .. } => fields.iter().collect(),
            Content::Time(times) => times.iter().map(|(field, _)| field).collect(),
            Content::Template(template) => template.fields().collect(),
        }
    }

    /// Every raw field that the rule reads, in order.
    pub(crate) fn fields(&self) -> Vec<&FieldPath> {
        let mut all = self.taken();
        if let Content::Cases(cases) = &self.content {
            all.extend(cases.iter().flat_map(Case::fields));
        }
        all.extend(self.only_if.tests.iter().map(|(field, _)| field));
        all
    }

    /// The raw fields that its value may come from, as a list in words.
    pub(super) fn sources(&self) -> String {
        let Content::From { fields, .. } = &self.content else { return String::new() };
        fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ")
    }

    /// Whether it may give several values.
    pub(super) fn is_many(&self) -> bool {
        match &self.content {
            Content::From { fields, change, .. } => {
                fields.iter().any(FieldPath::is_many) || change.steps.iter().any(Transform::is_many)
            }
            _ => false,
        }
    }

    /// Whether it gives a value for every record.
    pub(super) fn is_certain(&self) -> bool {
        let value = match &self.content {
            Content::Fixed(_) => true,
            Content::Cases(cases) => cases.last().is_some_and(|case| case.condition().is_empty()),
            Content::From { default, change, .. } => {
                let certain = |map: &ValueMap| map.otherwise.is_some() && change.steps.is_empty();
                default.is_some() && self.when.is_none() && change.map.as_ref().is_some_and(certain)
            }
            Content::Time(_) => true,
            Content::Template(_) => false,
        };
        value && self.only_if.is_empty()
    }
}

impl Case {
    /// The raw fields that it reads.
    fn fields(&self) -> impl Iterator<Item = &FieldPath> {
        self.present.iter().chain(&self.absent).chain(self.when.tests.iter().map(|(field, _)| field))
    }

    /// All that it asks, as one condition.
    pub(super) fn condition(&self) -> Condition {
        let test = |is: bool| move |path: &FieldPath| (path.clone(), ValueTest::present(is));
        let tests = self.present.iter().map(test(true)).chain(self.absent.iter().map(test(false)));
        Condition { tests: tests.chain(self.when.tests.iter().cloned()).collect() }
    }

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
            (true, true) if self.when.is_empty() => f.write_str("otherwise"),
            (true, true) => Ok(()),
            (false, true) => write!(f, "with {}", names(&self.present)),
            (true, false) => write!(f, "without {}", names(&self.absent)),
            (false, false) => write!(f, "with {}, without {}", names(&self.present), names(&self.absent)),
        }?;
        let is_alone = self.present.is_empty() && self.absent.is_empty();
        match self.when.is_empty() {
            true => Ok(()),
            false => write!(f, "{}if {}", if is_alone { "" } else { ", " }, self.when),
        }
    }
}

/// What comes behind a field's name in a rule.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for text in &self.absent {
            write!(f, ", unless it is \"{text}\"")?;
        }
        for step in &self.steps {
            write!(f, ", {step}")?;
        }
        let Some(map) = &self.map else { return Ok(()) };
        let mut by_result: Vec<(&str, Vec<&str>)> = Vec::new();
        for (value, result) in &map.entries {
            match by_result.iter_mut().find(|(known, _)| known == result) {
                Some((_, values)) => values.push(value),
                None => by_result.push((result, vec![value])),
            }
        }
        let all = by_result.iter().map(|(result, values)| format!("{result} for {}", values.join(", ")));
        write!(f, ", mapped: {}", all.collect::<Vec<_>>().join("; "))?;
        map.otherwise.iter().try_for_each(|text| write!(f, "; otherwise {text}"))
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths =
            |fields: &[FieldPath]| fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", else ");
        match self {
            Content::From { fields, default, change } => {
                write!(f, "{}{change}", paths(fields))?;
                default.iter().try_for_each(|text| write!(f, ", else \"{text}\""))
            }
            Content::Fixed(text) => write!(f, "\"{text}\""),
            Content::Cases(cases) => {
                let cases: Vec<String> = cases.iter().map(|case| format!("{} {case}", case.value)).collect();
                f.write_str(&cases.join("; "))
            }
            Content::Time(times) => {
                let times: Vec<String> = times.iter().map(|(p, r)| format!("{p} as {r}")).collect();
                f.write_str(&times.join(", else "))
            }
            Content::Template(template) => write!(f, "\"{template}\""),
        }
    }
}
