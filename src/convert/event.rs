//! One event: the plan's tree with a record's values in it.
//!
//! [`write`] makes it at once, from fields. The walk itself ([`walk`]) only asks what is there and
//! says what to write, so that it can also be recorded once for all records that have the same
//! fields ([`super::program`]): both have one meaning because they are one piece of code.

use super::range::TimeRange;
use crate::mapping::{
    Choice, EventMember, EventNode, EventValue, Plan, TextKind, ValueSource, When, json_text,
};
use crate::record::{Fields, Reason, RecordError};
use crate::time::{Instant, TimeError};
use std::net::IpAddr;

/// What the walk asks, and where it writes.
pub(super) trait Target {
    /// A point of the output to go back to.
    type Mark: Copy + PartialEq;
    /// Whether a slot has a value.
    fn present(&self, slot: usize) -> bool;
    /// How many values a slot has.
    fn count(&self, slot: usize) -> usize;
    /// Whether a slot's value is this text.
    fn holds(&self, slot: usize, text: &str) -> bool;
    /// Whether a slot's value is an IP address.
    fn is_ip(&self, slot: usize) -> bool;
    /// Whether there is a time of this number.
    fn has_time(&self, time: usize) -> bool;
    /// Writes JSON as it is.
    fn constant(&mut self, json: &[u8]);
    /// Writes the one of a slot's values with this number.
    /// Writes the one of a slot's values with this number; `false`, and nothing written, if it can't be taken and that
    /// is noted.
    fn field(&mut self, slot: usize, nth: usize, kind: TextKind) -> Result<bool, RecordError>;
    /// How many fields are put nowhere.
    fn rest(&self) -> usize;
    /// Writes the name of the one with this number.
    fn rest_name(&mut self, nth: usize);
    /// Writes its text.
    fn rest_text(&mut self, nth: usize);
    /// Writes the paths of fields that can't be taken; `false`, and nothing written, if there are none.
    fn bad_fields(&mut self) -> bool;
    /// Writes a time, with its quotes.
    fn time(&mut self, time: usize);
    /// Where the output is.
    fn mark(&self) -> Self::Mark;
    /// Takes back everything since.
    fn back(&mut self, mark: Self::Mark);
}

/// Writes the whole event.
pub(super) fn walk<T: Target>(plan: &Plan, target: &mut T) -> Result<(), RecordError> {
    // The root is never empty: it has the event's time.
    node(&plan.root, target).map(drop)
}

/// Which of the plan's event types an event has.
pub(super) fn event_type<T: Target>(plan: &Plan, target: &T) -> usize {
    plan.event_types.iter().position(|choice| fits(choice, target)).unwrap_or(0)
}

/// What an event is that was written.
pub(super) struct Written {
    /// Which of the plan's event types it has.
    pub(super) event_type: usize,
    /// The slots of fields that can't be taken, in order.
    pub(super) bad: Vec<usize>,
}

/// Appends the event of a record to `out`, from its fields and what is made of them ([`Plan::derive`]).
/// Nothing is appended on an error, nor if the event's time is outside of `range`.
///
/// # Errors
/// A [`RecordError`] about the record's times, or about a text where UDM has a number.
pub(super) fn write(
    plan: &Plan,
    fields: &Fields<'_>,
    range: TimeRange,
    out: &mut Vec<u8>,
) -> Result<Option<Written>, RecordError> {
    let mut bad = fields.bad().to_vec();
    let times = times(plan, fields, &mut bad)?;
    if !range.is_all() {
        let own = plan.times.iter().zip(&times).find(|(time, _)| time.required).and_then(|(_, own)| *own);
        if own.is_some_and(|own| !range.holds(own)) {
            return Ok(None);
        }
    }
    let start = out.len();
    let mut target = AtOnce { plan, fields, times, bad, found_bad: Vec::new(), out };
    loop {
        if let Err(error) = walk(plan, &mut target) {
            target.out.truncate(start);
            return Err(error);
        }
        // What the walk found is known from its beginning only the next time.
        let known = target.bad.len();
        target.bad.append(&mut target.found_bad);
        target.bad.sort_unstable();
        target.bad.dedup();
        if target.bad.len() == known {
            break;
        }
        target.out.truncate(start);
    }
    Ok(Some(Written { event_type: event_type(plan, &target), bad: target.bad }))
}

/// The plan's times that a record has. Slots that hold none, where that is noted, are added to `bad`.
///
/// # Errors
/// When one can't be read, or is missing.
pub(super) fn times(
    plan: &Plan,
    fields: &Fields<'_>,
    bad: &mut Vec<usize>,
) -> Result<Vec<Option<Instant>>, RecordError> {
    plan.times.iter().map(|time| event_time(plan, time, fields, bad)).collect()
}

/// The time that the first present field gives.
fn event_time(
    plan: &Plan,
    time: &crate::mapping::Time,
    fields: &Fields<'_>,
    bad: &mut Vec<usize>,
) -> Result<Option<Instant>, RecordError> {
    let name = |slot: usize| &plan.projection.paths()[slot];
    for (slot, reading) in &time.from {
        let Some(text) = &fields[*slot] else { continue };
        return match reading.read(text) {
            Ok(instant) => Ok(Some(instant)),
            // As if it were absent.
            Err(_) if plan.projection.notes(*slot) => {
                bad.push(*slot);
                continue;
            }
            Err(TimeError::NotATime(why)) => {
                Err(RecordError::new(Reason::BadTimestamp, format!("`{}`: {why}", name(*slot))))
            }
            Err(TimeError::OutOfRange(what)) => {
                let message = format!("`{}`: {what} outside the years 1 to 9999", name(*slot));
                Err(RecordError::new(Reason::TimestampRange, message))
            }
        };
    }
    if !time.required {
        return Ok(None);
    }
    let names: Vec<String> = time.from.iter().map(|(slot, _)| format!("`{}`", name(*slot))).collect();
    Err(RecordError::new(Reason::NoTimestamp, format!("no time in {}", names.join(", "))))
}

fn fits<T: Target>(choice: &Choice, target: &T) -> bool {
    choice.present.iter().all(|slot| target.present(*slot))
        && choice.holds.is_none_or(|slot| target.holds(slot, &choice.text))
        && choice.absent.iter().all(|slot| !target.present(*slot))
}

/// Writes a node; `false`, and nothing written, if it has no value.
fn node<T: Target>(node: &EventNode, target: &mut T) -> Result<bool, RecordError> {
    match node {
        EventNode::Object(members) => object(members, target),
        EventNode::List(elements) => {
            let start = target.mark();
            target.constant(b"[");
            let empty = target.mark();
            for element in elements {
                for nth in 0..copies(element, target) {
                    let before = target.mark();
                    if before != empty {
                        target.constant(b",");
                    }
                    if !self::copy(element, nth, target)? {
                        target.back(before);
                    }
                }
            }
            if target.mark() == empty {
                target.back(start);
                return Ok(false);
            }
            target.constant(b"]");
            Ok(true)
        }
        EventNode::Value(leaves) => {
            for leaf in leaves {
                if self::leaf(leaf, 0, target)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

/// How many elements of its list a node becomes at most.
fn copies<T: Target>(node: &EventNode, target: &T) -> usize {
    match node {
        EventNode::Value(leaves) => match leaves[..] {
            [EventValue { value: ValueSource::Each { slot, .. }, .. }] => target.count(slot),
            [EventValue { value: ValueSource::RestLabels, .. }] => target.rest(),
            _ => 1,
        },
        _ => 1,
    }
}

/// Writes the one of a node's elements with this number.
fn copy<T: Target>(node: &EventNode, nth: usize, target: &mut T) -> Result<bool, RecordError> {
    match node {
        EventNode::Value(leaves) if nth > 0 => {
            leaves.first().map_or(Ok(false), |leaf| self::leaf(leaf, nth, target))
        }
        node => self::node(node, target),
    }
}

fn object<T: Target>(members: &[EventMember], target: &mut T) -> Result<bool, RecordError> {
    let start = target.mark();
    target.constant(b"{");
    let empty = target.mark();
    let mut hosts = false;
    for member in members {
        let before = target.mark();
        if before != empty {
            target.constant(b",");
        }
        target.constant(&member.key);
        if node(&member.node, target)? {
            hosts |= !member.guest;
        } else {
            target.back(before);
        }
    }
    if !hosts {
        target.back(start);
        return Ok(false);
    }
    target.constant(b"}");
    Ok(true)
}

fn leaf<T: Target>(leaf: &EventValue, nth: usize, target: &mut T) -> Result<bool, RecordError> {
    if leaf.only_if.is_some_and(|slot| !target.present(slot)) {
        return Ok(false);
    }
    let start = target.mark();
    target.constant(leaf.label.as_deref().unwrap_or_default());
    if !value(&leaf.value, nth, target)? {
        target.back(start);
        return Ok(false);
    }
    if leaf.label.is_some() {
        target.constant(b"}");
    }
    Ok(true)
}

fn value<T: Target>(value: &ValueSource, nth: usize, target: &mut T) -> Result<bool, RecordError> {
    match value {
        ValueSource::Constant(json) => return Ok(constant(json, target)),
        ValueSource::Time(time) if target.has_time(*time) => target.time(*time),
        ValueSource::Time(_) => return Ok(false),
        ValueSource::Choices(choices) => {
            let choice = choices.iter().find(|choice| fits(choice, target));
            return Ok(choice.is_some_and(|choice| constant(&choice.json, target)));
        }
        ValueSource::Field { slots, when, kind, default } => {
            for slot in slots {
                if target.present(*slot) {
                    if !passes(*when, *slot, target) {
                        return Ok(false);
                    }
                    if target.field(*slot, 0, *kind)? {
                        return Ok(true);
                    }
                }
            }
            return Ok(default.as_ref().is_some_and(|json| constant(json, target)));
        }
        ValueSource::Each { slot, kind } if nth < target.count(*slot) => {
            return target.field(*slot, nth, *kind);
        }
        ValueSource::Each { .. } => return Ok(false),
        ValueSource::RestLabels => return Ok(rest_label(nth, target)),
        ValueSource::RestMembers => return Ok(rest_members(target)),
        ValueSource::BadFields => return Ok(target.bad_fields()),
    }
    Ok(true)
}

/// Writes a field that is put nowhere as a label.
fn rest_label<T: Target>(nth: usize, target: &mut T) -> bool {
    if nth >= target.rest() {
        return false;
    }
    target.constant(b"{\"key\":");
    target.rest_name(nth);
    target.constant(b",\"value\":");
    target.rest_text(nth);
    target.constant(b"}");
    true
}

/// Writes the fields that are put nowhere as members of an object.
fn rest_members<T: Target>(target: &mut T) -> bool {
    for nth in 0..target.rest() {
        if nth > 0 {
            target.constant(b",");
        }
        target.rest_name(nth);
        target.constant(b":");
        target.rest_text(nth);
    }
    target.rest() > 0
}

/// Writes a constant, unless it is one that is left out.
fn constant<T: Target>(json: &[u8], target: &mut T) -> bool {
    target.constant(json);
    !json.is_empty()
}

/// Whether `text` is an IPv4 or IPv6 address.
pub(super) fn is_ip(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

fn passes<T: Target>(when: Option<When>, slot: usize, target: &T) -> bool {
    match when {
        None => true,
        Some(When::Ip) => target.is_ip(slot),
        Some(When::NotIp) => !target.is_ip(slot),
        // What other tests say is made of the field before.
        Some(_) => true,
    }
}

/// Writes an event from fields, at once.
struct AtOnce<'a> {
    plan: &'a Plan,
    fields: &'a Fields<'a>,
    times: Vec<Option<Instant>>,
    /// The slots of fields that can't be taken, as far as they were known before the walk, and those found by it.
    bad: Vec<usize>,
    found_bad: Vec<usize>,
    out: &'a mut Vec<u8>,
}

impl Target for AtOnce<'_> {
    type Mark = usize;

    fn present(&self, slot: usize) -> bool {
        self.fields[slot].is_some()
    }

    fn count(&self, slot: usize) -> usize {
        self.fields.count(slot)
    }

    fn holds(&self, slot: usize, text: &str) -> bool {
        self.fields[slot].as_deref() == Some(text)
    }

    fn is_ip(&self, slot: usize) -> bool {
        self.fields[slot].as_deref().is_some_and(is_ip)
    }

    fn has_time(&self, time: usize) -> bool {
        self.times[time].is_some()
    }

    fn constant(&mut self, json: &[u8]) {
        self.out.extend_from_slice(json);
    }

    fn field(&mut self, slot: usize, nth: usize, kind: TextKind) -> Result<bool, RecordError> {
        let text = self.fields.nth(slot, nth).map_or("", |text| &**text);
        if let Some(expected) = kind.refuses(text) {
            let source = self.plan.source(slot, self.fields);
            if let Some(source) = source.filter(|source| self.plan.projection.notes(*source)) {
                self.found_bad.push(source);
                return Ok(false);
            }
            let path = source.and_then(|source| self.plan.projection.paths().get(source));
            let field = path.map_or_else(String::new, ToString::to_string);
            let message = format!("`{field}` holds `{}`, not {expected}", crate::text::shown(text));
            return Err(RecordError::new(Reason::FieldType, message));
        }
        kind.json(text, self.out);
        Ok(true)
    }

    fn rest(&self) -> usize {
        self.fields.rest().len()
    }

    fn rest_name(&mut self, nth: usize) {
        let (name, _) = &self.fields.rest()[nth];
        json_text(&self.plan.rest_name(name), self.out);
    }

    fn rest_text(&mut self, nth: usize) {
        json_text(&self.fields.rest()[nth].1, self.out);
    }

    fn bad_fields(&mut self) -> bool {
        if !self.bad.is_empty() {
            json_text(&self.plan.paths_of(&self.bad), self.out);
        }
        !self.bad.is_empty()
    }

    fn time(&mut self, time: usize) {
        let text = self.times[time].map(Instant::to_rfc3339);
        json_text(text.as_deref().unwrap_or_default(), self.out);
    }

    fn mark(&self) -> usize {
        self.out.len()
    }

    fn back(&mut self, mark: usize) {
        self.out.truncate(mark);
    }
}
