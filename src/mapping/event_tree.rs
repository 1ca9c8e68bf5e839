//! What an event is made of: a tree of objects and lists, with places for values.

use super::scalar::TextKind;
use super::table::When;

/// A node of the event.
#[derive(Debug, Clone)]
pub(crate) enum EventNode {
    /// Its members that have a value; nothing if none has.
    Object(Vec<EventMember>),
    /// Its elements that have a value; nothing if none has.
    List(Vec<EventNode>),
    /// The first of these that has a value.
    Value(Vec<EventValue>),
}

/// A member of an object.
#[derive(Debug, Clone)]
pub(crate) struct EventMember {
    /// The field's name in UDM.
    pub(crate) name: String,
    /// `"name":`, as the output spells it.
    pub(crate) key: Vec<u8>,
    pub(crate) node: EventNode,
    /// Written only into an object that is there anyway.
    pub(crate) guest: bool,
}

/// A value, perhaps inside a label.
#[derive(Debug, Clone)]
pub(crate) struct EventValue {
    /// The rule that it comes from, by its place in the table; nothing for what a conversion adds.
    pub(crate) rule: Option<usize>,
    /// The slot of the condition that must hold.
    pub(crate) only_if: Option<usize>,
    /// `{"key":"...","value":` before it, and `}` behind.
    pub(crate) label: Option<Vec<u8>>,
    pub(crate) value: ValueSource,
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(crate) enum ValueSource {
    /// From the table, as JSON.
    Constant(Vec<u8>),
    /// From the first of these slots that is present.
    Field { slots: Vec<usize>, when: Option<When>, kind: TextKind, default: Option<Vec<u8>> },
    /// From each of a slot's values; the node is one of a list.
    Each { slot: usize, kind: TextKind },
    /// From the first case that fits.
    Choices(Vec<Choice>),
    /// From [`Plan::times`](super::Plan::times).
    Time(usize),
    /// A label for each field that is put nowhere; the node is one of a list.
    RestLabels,
    /// A member for each field that is put nowhere; the node is among the members of an object, without a key.
    RestMembers,
    /// The paths of fields that can't be taken, if there are some.
    BadFields,
}

/// A constant with the test that chooses it.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) present: Vec<usize>,
    pub(crate) absent: Vec<usize>,
    /// A slot whose value must be this choice's text.
    pub(crate) holds: Option<usize>,
    /// As JSON; empty if it is left out.
    pub(crate) json: Vec<u8>,
    /// The constant as the table has it.
    pub(crate) text: String,
    /// The test in words.
    pub(crate) because: String,
    /// The table's line.
    pub(crate) line: usize,
}

impl EventValue {
    /// Whether it is the value of this slot.
    pub(crate) fn reads(&self, slot: usize) -> bool {
        match &self.value {
            ValueSource::Field { slots, .. } => slots.contains(&slot),
            ValueSource::Each { slot: own, .. } => *own == slot,
            ValueSource::Constant(_) | ValueSource::Choices(_) | ValueSource::Time(_) => false,
            ValueSource::RestLabels | ValueSource::RestMembers | ValueSource::BadFields => false,
        }
    }
}
