//! A mapping table compiled: which fields to read, and a tree of what to write, names encoded.

use super::check;
use super::condition::Condition;
use super::derived::{Derived, DerivedText, Joined};
use super::event_tree::{Choice, EventMember, EventNode, EventValue, ValueSource};
use super::rest::{self, BAD_FIELDS};
use super::scalar::{TextKind, json_text};
use super::table::{Content, Mapping, Rule, When};
use super::value_map::ValueMap;
use crate::record::formats::{Formats, ReadsRecords, Tables};
use crate::record::{FieldPath, Fields, Projection};
use crate::time::TimeReading;
use crate::udm::{self, Cardinality, Field, Index, Message, Type};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// A [`Mapping`] made ready to run, with the choices of one conversion (names, labels) built in.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) projection: Projection,
    /// What is made of fields; the slots follow those of the fields.
    pub(crate) derived: Vec<Derived>,
    pub(crate) formats: Formats,
    pub(crate) times: Vec<Time>,
    /// What the event can be, in the order of the tests; reports count by it.
    pub(crate) event_types: Vec<Choice>,
    /// Shapes of record by the slots that they have.
    pub(crate) shapes: Vec<(String, Vec<usize>)>,
    /// What reports call records of none of these.
    pub(crate) other: String,
    /// The table's name, if it is one of several.
    pub(crate) name: Option<String>,
    pub(crate) root: EventNode,
    rest: Option<RestNames>,
}

/// How the fields are named that are put nowhere.
#[derive(Debug, Clone)]
struct RestNames {
    prefix: String,
    /// Names next to them that are not theirs.
    others: HashSet<String>,
}

/// A time that the event holds.
#[derive(Debug, Clone)]
pub(crate) struct Time {
    pub(crate) from: Vec<(usize, TimeReading)>,
    /// Whether a record without it is rejected.
    pub(crate) required: bool,
}

/// `text` as a JSON string of its own.
fn quoted(text: &str) -> Vec<u8> {
    let mut json = Vec::new();
    json_text(text, &mut json);
    json
}

/// How a plan spells things: the choices of one conversion.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventStyle<'a> {
    /// camelCase names instead of snake_case.
    pub(crate) camel: bool,
    /// For `principal.namespace`, wherever there is a principal.
    pub(crate) namespace: Option<&'a str>,
    /// For `metadata.ingestion_labels`, behind what the table puts there.
    pub(crate) labels: &'a [(String, String)],
}

impl ReadsRecords for Plan {
    fn formats(&self) -> &Formats {
        &self.formats
    }

    fn projection(&self) -> &Projection {
        &self.projection
    }
}

impl Plan {
    /// Compiles the tables of a set, or a table that is alone.
    pub(crate) fn tables(mapping: &Mapping, style: EventStyle<'_>) -> Tables<Plan> {
        let Some(set) = mapping.set() else { return Tables::one(Plan::new(mapping, style)) };
        let plan = |mapping: &Mapping| {
            let mut plan = Plan::new(mapping, style);
            // Reports say of which table a shape is.
            let name = |shape: &str| format!("{}: {shape}", mapping.name());
            plan.shapes.iter_mut().for_each(|(shape, _)| *shape = name(shape));
            plan.other = if plan.shapes.is_empty() { mapping.name().to_owned() } else { name(&plan.other) };
            plan.name = Some(mapping.name().to_owned());
            plan
        };
        Tables { all: mapping.tables().into_iter().map(plan).collect(), sorting: set.sorting() }
    }

    /// Compiles a table, which was checked when it was loaded.
    fn new(mapping: &Mapping, style: EventStyle<'_>) -> Plan {
        let mut plan = Plan {
            projection: mapping.projection(),
            derived: Vec::new(),
            formats: mapping.formats().clone(),
            times: Vec::new(),
            event_types: Vec::new(),
            shapes: Vec::new(),
            other: "other".to_owned(),
            name: None,
            root: EventNode::Object(Vec::new()),
            rest: None,
        };
        let mut rules: Vec<(usize, &Rule)> = mapping.rules().iter().enumerate().collect();
        // Among the rules for one field the lowest order comes first; a stable sort by field keeps
        // the rest as the table has it.
        let mut places = HashMap::new();
        for (place, rule) in &rules {
            places.entry(&rule.target).or_insert(*place);
        }
        let first = |rule: &Rule| places.get(&rule.target).copied().unwrap_or(0);
        let appends = |rule: &Rule| rule.target.segments.last().is_some_and(|s| s.index.is_some());
        rules.sort_by_key(|(_, rule)| (first(rule), if appends(rule) { 0 } else { rule.order.unwrap_or(0) }));
        // All fields come first, in the order in which rules read them.
        for field in rules.iter().flat_map(|(_, rule)| rule.fields()) {
            plan.slot(field);
        }
        for (place, rule) in rules {
            plan.rule(place, rule, style);
        }
        plan.rest(mapping, style);
        plan.bad_fields(mapping, style);
        plan.guests(style);
        plan.shapes =
            mapping.shapes().iter().map(|shape| (shape.name.clone(), plan.slots(&shape.present))).collect();
        plan
    }

    /// The raw fields that the plan reads, by slot.
    pub fn fields(&self) -> &[FieldPath] {
        self.projection.paths()
    }

    /// Whether any text fits where values are written: then only its times can make a record one without an event.
    #[cfg(feature = "cli")]
    pub(crate) fn takes_any_text(&self) -> bool {
        fn takes(node: &EventNode) -> bool {
            match node {
                EventNode::Object(members) => members.iter().all(|member| takes(&member.node)),
                EventNode::List(elements) => elements.iter().all(takes),
                EventNode::Value(leaves) => leaves.iter().all(|leaf| match &leaf.value {
                    ValueSource::Field { kind, .. } | ValueSource::Each { kind, .. } => {
                        *kind == TextKind::Text
                    }
                    _ => true,
                }),
            }
        }
        takes(&self.root)
    }

    /// The slots whose values are tested for being IP addresses.
    pub(crate) fn tested(&self) -> Vec<usize> {
        fn tested(node: &EventNode, slots: &mut Vec<usize>) {
            match node {
                EventNode::Object(members) => members.iter().for_each(|member| tested(&member.node, slots)),
                EventNode::List(elements) => elements.iter().for_each(|element| tested(element, slots)),
                EventNode::Value(leaves) => {
                    for leaf in leaves {
                        if let ValueSource::Field { slots: from, when: Some(_), .. } = &leaf.value {
                            slots.extend(from);
                        }
                    }
                }
            }
        }
        let mut slots = Vec::new();
        tested(&self.root, &mut slots);
        slots
    }

    /// The name in the event of a field that is put nowhere, by its path.
    pub(crate) fn rest_name<'n>(&self, path: &'n str) -> Cow<'n, str> {
        match &self.rest {
            None => Cow::Borrowed(path),
            Some(RestNames { prefix, others }) => rest::name(prefix, path, others),
        }
    }

    /// The paths of these slots, as a list.
    pub(crate) fn paths_of(&self, slots: &[usize]) -> String {
        let paths = slots.iter().filter_map(|slot| self.projection.paths().get(*slot));
        paths.map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// How many slots there are: those of fields, and of what is made of them.
    pub(crate) fn slots_in_all(&self) -> usize {
        self.projection.paths().len() + self.derived.len()
    }

    /// Whether records need more than their fields at keys, taken as they are.
    #[cfg(feature = "cli")]
    pub(crate) fn is_extended(&self) -> bool {
        !self.derived.is_empty() || self.projection.is_extended() || self.has_time_formats()
    }

    /// Whether times are read by formats.
    pub(crate) fn has_time_formats(&self) -> bool {
        self.times.iter().flat_map(|time| &time.from).any(|(_, reading)| reading.named().is_none())
    }

    /// What is made of the field in a slot, if it is not a field itself.
    pub(crate) fn made(&self, slot: usize) -> Option<&Derived> {
        self.derived.get(slot.checked_sub(self.projection.paths().len())?)
    }

    /// The fields of a record with what is made of them.
    pub(crate) fn derive<'f>(&'f self, fields: &'f Fields<'f>) -> Cow<'f, Fields<'f>> {
        if self.derived.is_empty() {
            return Cow::Borrowed(fields);
        }
        let mut all = fields.extended(self.derived.len());
        for (slot, derived) in self.derived.iter().enumerate() {
            derived.values(fields, &mut |text| all.push(self.projection.paths().len() + slot, text));
        }
        Cow::Owned(all)
    }

    /// What the plan's maps give for a record with these fields, what is made of them included.
    #[cfg(feature = "cli")]
    pub(crate) fn chosen<'f>(&self, fields: &'f Fields<'_>) -> impl Iterator<Item = &'f str> {
        let is_map = |made: &Derived| matches!(made, Derived::Text(text) if text.change.map.is_some());
        let made = self.derived.iter().enumerate().filter(move |(_, made)| is_map(made));
        let first = self.projection.paths().len();
        made.map(move |(slot, _)| fields[first + slot].as_deref().unwrap_or_default())
    }

    /// The slot of the field that what is in a slot comes from.
    pub(crate) fn source(&self, slot: usize, fields: &Fields<'_>) -> Option<usize> {
        match self.made(slot) {
            None => Some(slot),
            Some(Derived::Text(text)) => text.source(fields),
            Some(Derived::Joined(parts)) => parts.iter().find_map(|part| match part {
                Joined::Slot(slot) => Some(*slot),
                Joined::Text(_) => None,
            }),
            Some(Derived::Holds { .. }) => None,
        }
    }

    /// The slot of a new value that is made of fields.
    fn derived(&mut self, derived: Derived) -> usize {
        self.derived.push(derived);
        self.slots_in_all() - 1
    }

    /// The slot of a condition, if it asks anything.
    fn condition(&mut self, condition: &Condition) -> Option<usize> {
        let derived =
            (!condition.is_empty()).then(|| Derived::holds(condition, &mut |path| self.slot(path)))?;
        Some(self.derived(derived))
    }

    fn slot(&mut self, field: &FieldPath) -> usize {
        // The table was checked: no two fields overlap, so a slot can always be had.
        self.projection.add(field).unwrap_or(0)
    }

    fn slots(&mut self, fields: &[FieldPath]) -> Vec<usize> {
        fields.iter().map(|field| self.slot(field)).collect()
    }

    fn rule(&mut self, place: usize, rule: &Rule, style: EventStyle<'_>) {
        let Ok(field) = check::target(&rule.target, &rule.at) else { return };
        let required = rule.target.to_string() == "metadata.event_timestamp";
        let is_event_type = rule.target.to_string() == "metadata.event_type";
        let only_if = self.condition(&rule.only_if);
        let value = match &rule.content {
            Content::Fixed(text) => {
                let json = constant(text, field);
                if is_event_type {
                    self.event_types.push(choice(rule, text, "always".into(), json.clone(), only_if));
                }
                ValueSource::Constant(json)
            }
            Content::From { fields, default, change }
                if change.is_none()
                    && !rule.is_many()
                    && matches!(rule.when, None | Some(When::Ip | When::NotIp)) =>
            {
                ValueSource::Field {
                    slots: self.slots(fields),
                    when: rule.when,
                    kind: TextKind::of(field.kind).unwrap_or(TextKind::Text),
                    default: default.as_ref().map(|text| constant(text, field)),
                }
            }
            Content::From { fields, default, change } => {
                let from = self.slots(fields);
                let (when, change, default) = (rule.when, change.clone(), default.clone());
                let zero = zero(field).map(str::to_owned);
                let text = DerivedText { from, when, change, default, zero };
                let slot = self.derived(Derived::Text(Box::new(text)));
                if is_event_type {
                    self.mapped_event_types(rule, slot, only_if);
                }
                let kind = TextKind::of(field.kind).unwrap_or(TextKind::Text);
                match rule.is_many() {
                    true => ValueSource::Each { slot, kind },
                    false => ValueSource::Field { slots: vec![slot], when: None, kind, default: None },
                }
            }
            Content::Template(template) => {
                let text = Derived::joined(template, &mut |path| self.slot(path));
                let (slots, kind) =
                    (vec![self.derived(text)], TextKind::of(field.kind).unwrap_or(TextKind::Text));
                ValueSource::Field { slots, when: None, kind, default: None }
            }
            Content::Cases(cases) => {
                let mut choices = Vec::new();
                for case in cases {
                    let json = constant(&case.value, field);
                    let holds = self.condition(&case.when);
                    let mut choice = choice(rule, &case.value, case.to_string(), json, holds);
                    choice.line = case.line();
                    choice.present.extend(self.slots(&case.present));
                    choice.absent = self.slots(&case.absent);
                    choices.push(choice);
                }
                if is_event_type {
                    let only_if = only_if.as_slice();
                    let with = |choice: &Choice| Choice {
                        present: [&choice.present, only_if].concat(),
                        ..choice.clone()
                    };
                    self.event_types.extend(choices.iter().map(with));
                }
                ValueSource::Choices(choices)
            }
            Content::Time(times) => {
                let from = times.iter().map(|(field, reading)| (self.slot(field), reading.clone())).collect();
                self.times.push(Time { from, required });
                ValueSource::Time(self.times.len() - 1)
            }
        };
        let label = rule.label.as_ref().map(|key| label_start(key));
        self.put(rule, EventValue { rule: Some(place), only_if, label, value }, style);
    }

    /// Adds what the event type can become by a map.
    fn mapped_event_types(&mut self, rule: &Rule, slot: usize, only_if: Option<usize>) {
        let Content::From { default, change, .. } = &rule.content else { return };
        let results = change.map.iter().flat_map(ValueMap::results).map(|(text, at)| (text, at.line()));
        let mut seen = HashSet::new();
        for (text, line) in results.chain(default.iter().map(|text| (text.as_str(), rule.line()))) {
            if seen.insert(text) {
                let because = format!("by what {} holds", rule.sources());
                let choice = choice(rule, text, because, quoted(text), only_if);
                self.event_types.push(Choice { holds: Some(slot), line, ..choice });
            }
        }
    }

    /// Puts a leaf where the rule's target says.
    fn put(&mut self, rule: &Rule, leaf: EventValue, style: EventStyle<'_>) {
        match self.node(&rule.target, style) {
            EventNode::Value(leaves) => leaves.push(leaf),
            other => *other = EventNode::Value(vec![leaf]),
        }
    }

    /// The node at a path, a new one if there is none.
    fn node(&mut self, target: &udm::Path, style: EventStyle<'_>) -> &mut EventNode {
        let mut at = Cursor { node: &mut self.root, message: udm::message("UDM"), camel: style.camel };
        for segment in &target.segments {
            at = at.child(&segment.name);
            match segment.index {
                None => {}
                Some(Index::At(n)) => at.node = element(at.node, Some(usize::from(n))),
                Some(Index::Append) => at.node = element(at.node, None),
            }
        }
        at.node
    }

    /// Adds the fields that are put nowhere, if the table asks for them.
    fn rest(&mut self, mapping: &Mapping, style: EventStyle<'_>) {
        let Some(rest) = mapping.rest() else { return };
        self.projection.ask_for_rest(mapping.taken(rest));
        self.rest = Some(RestNames { prefix: rest.prefix.clone(), others: mapping.names_in(&rest.target) });
        let is_list = rest.target.segments.last().is_some_and(|segment| segment.index.is_some());
        let value = if is_list { ValueSource::RestLabels } else { ValueSource::RestMembers };
        let leaf = EventValue { rule: None, only_if: None, label: None, value };
        let node = self.node(&rest.target, style);
        match is_list {
            true => *node = EventNode::Value(vec![leaf]),
            false => add_member(node, String::new(), Vec::new(), leaf),
        }
    }

    /// Has fields noted that can't be taken, if the table asks for it.
    fn bad_fields(&mut self, mapping: &Mapping, style: EventStyle<'_>) {
        if !mapping.notes_bad_fields() {
            return;
        }
        let required = mapping.required_fields();
        let required = required.into_iter().filter_map(|path| self.projection.slot(path)).collect();
        self.projection.note_bad_fields(required);
        let leaf = EventValue { rule: None, only_if: None, label: None, value: ValueSource::BadFields };
        let root = Cursor { node: &mut self.root, message: udm::message("UDM"), camel: style.camel };
        let key = [&quoted(BAD_FIELDS), b":".as_slice()].concat();
        add_member(root.child("additional").node, BAD_FIELDS.to_owned(), key, leaf);
    }

    /// Adds what the conversion adds to every event, whatever the table says.
    fn guests(&mut self, style: EventStyle<'_>) {
        let text = |text: &str| EventValue {
            rule: None,
            only_if: None,
            label: None,
            value: ValueSource::Constant(quoted(text)),
        };
        for (key, value) in style.labels {
            let root = Cursor { node: &mut self.root, message: udm::message("UDM"), camel: style.camel };
            let labels = root.child("metadata").child("ingestion_labels");
            *element(labels.node, None) =
                EventNode::Value(vec![EventValue { label: Some(label_start(key)), ..text(value) }]);
        }
        let has_principal = match &self.root {
            EventNode::Object(members) => members.iter().any(|member| member.name == "principal"),
            _ => false,
        };
        if let (Some(namespace), true) = (style.namespace, has_principal) {
            let root = Cursor { node: &mut self.root, message: udm::message("UDM"), camel: style.camel };
            let mut principal = root.child("principal");
            *principal.reborrow().child("namespace").node = EventNode::Value(vec![text(namespace)]);
            if let EventNode::Object(members) = principal.node {
                members.iter_mut().filter(|m| m.name == "namespace").for_each(|m| m.guest = true);
            }
        }
    }
}

/// A node of the tree that is being built, and the message that it stands for.
struct Cursor<'n> {
    node: &'n mut EventNode,
    message: Option<&'static Message>,
    camel: bool,
}

impl<'n> Cursor<'n> {
    fn reborrow(&mut self) -> Cursor<'_> {
        Cursor { node: self.node, message: self.message, camel: self.camel }
    }

    /// The member `name`, made if it is not there.
    fn child(self, name: &str) -> Cursor<'n> {
        let field = self.message.and_then(|message| message.field(name));
        if !matches!(self.node, EventNode::Object(_)) {
            *self.node = EventNode::Object(Vec::new());
        }
        let EventNode::Object(members) = self.node else { unreachable!("made an object just above") };
        let at = members.iter().position(|member| member.name == name).unwrap_or_else(|| {
            let spelled = field.filter(|_| self.camel).map_or(name, |field| field.json_name);
            let key = [&quoted(spelled), b":".as_slice()].concat();
            members.push(EventMember {
                name: name.to_owned(),
                key,
                node: EventNode::Value(Vec::new()),
                guest: false,
            });
            members.len() - 1
        });
        let message = match field.map(|field| field.kind) {
            Some(Type::Message(name)) => udm::message(name),
            _ => None,
        };
        Cursor { node: &mut members[at].node, message, camel: self.camel }
    }
}

/// Adds a member to an object, which `node` becomes if it is none.
fn add_member(node: &mut EventNode, name: String, key: Vec<u8>, leaf: EventValue) {
    let member = EventMember { name, key, node: EventNode::Value(vec![leaf]), guest: false };
    match node {
        EventNode::Object(members) => members.push(member),
        other => *other = EventNode::Object(vec![member]),
    }
}

fn label_start(key: &str) -> Vec<u8> {
    [b"{\"key\":".as_slice(), &quoted(key), b",\"value\":"].concat()
}

/// A text from the table as JSON; nothing if it is left out.
fn constant(text: &str, field: &Field) -> Vec<u8> {
    let mut json = Vec::new();
    if zero(field) != Some(text) {
        // An enum's value is its name in quotes, like a text.
        TextKind::of(field.kind).unwrap_or(TextKind::Text).json(text, &mut json);
    }
    json
}

/// The value that a field for one value never holds, because it means none: the zero of its enum.
fn zero(field: &Field) -> Option<&'static str> {
    let Type::Enum(name) = field.kind else { return None };
    let values = &udm::enumeration(name).filter(|_| field.cardinality == Cardinality::Singular)?.values;
    values.iter().find(|(_, number)| *number == 0).map(|(value, _)| *value)
}

/// The choice of `text` where the condition in this slot holds.
fn choice(rule: &Rule, text: &str, because: String, json: Vec<u8>, only_if: Option<usize>) -> Choice {
    let (present, absent) = (only_if.into_iter().collect(), Vec::new());
    Choice { present, absent, holds: None, json, text: text.to_owned(), because, line: rule.line() }
}

/// The element `n` of `node`, or a new one at its end.
fn element(node: &mut EventNode, n: Option<usize>) -> &mut EventNode {
    if !matches!(node, EventNode::List(_)) {
        *node = EventNode::List(Vec::new());
    }
    let EventNode::List(elements) = node else { unreachable!("made a list just above") };
    let n = n.unwrap_or(elements.len());
    while elements.len() <= n {
        elements.push(EventNode::Value(Vec::new()));
    }
    &mut elements[n]
}
