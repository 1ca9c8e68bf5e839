//! One event: the plan's tree with a record's values in it.
//!
//! [`write`] makes it at once, from fields. The walk itself ([`walk`]) only asks what is there and
//! says what to write, so that it can also be recorded once for all records that have the same
//! fields ([`super::program`]): both have one meaning because they are one piece of code.

use crate::mapping::{Choice, Kind, Leaf, Member, Node, Plan, Value, When, json_text};
use crate::record::{Fault, Fields, Reason};
use crate::time::{self, TimeFault};
use std::net::IpAddr;

/// What the walk asks, and where it writes.
pub(super) trait Target {
    /// A point of the output to go back to.
    type Mark: Copy + PartialEq;
    /// Whether a slot has a value.
    fn present(&self, slot: usize) -> bool;
    /// Whether a slot's value is an IP address.
    fn is_ip(&self, slot: usize) -> bool;
    /// Whether there is a time of this number.
    fn has_time(&self, time: usize) -> bool;
    /// Writes JSON as it is.
    fn constant(&mut self, json: &[u8]);
    /// Writes a slot's value.
    fn field(&mut self, slot: usize, kind: Kind) -> Result<(), Fault>;
    /// Writes a time, with its quotes.
    fn time(&mut self, time: usize);
    /// Where the output is.
    fn mark(&self) -> Self::Mark;
    /// Takes back everything since.
    fn back(&mut self, mark: Self::Mark);
}

/// Writes the whole event.
pub(super) fn walk<T: Target>(plan: &Plan, target: &mut T) -> Result<(), Fault> {
    // The root is never empty: it has the event's time.
    node(&plan.root, target).map(drop)
}

/// Which of the plan's event types an event has.
pub(super) fn event_type<T: Target>(plan: &Plan, target: &T) -> usize {
    plan.event_types.iter().position(|choice| fits(choice, target)).unwrap_or(0)
}

/// Appends the event of a record to `out`, and says which of the plan's event types it has.
/// Nothing is appended on an error.
///
/// # Errors
/// A [`Fault`] about the record's times, or about a text that is no number where UDM has one.
pub(super) fn write(plan: &Plan, fields: &Fields<'_>, out: &mut Vec<u8>) -> Result<usize, Fault> {
    let times =
        plan.times.iter().map(|time| event_time(plan, time, fields)).collect::<Result<Vec<_>, _>>()?;
    let start = out.len();
    let mut target = AtOnce { plan, fields, times, out };
    if let Err(fault) = walk(plan, &mut target) {
        out.truncate(start);
        return Err(fault);
    }
    Ok(event_type(plan, &target))
}

/// The time that the first present field gives.
fn event_time(
    plan: &Plan,
    time: &crate::mapping::Time,
    fields: &Fields<'_>,
) -> Result<Option<String>, Fault> {
    let name = |slot: usize| &plan.projection.paths()[slot];
    for (slot, reading) in &time.from {
        let Some(text) = &fields[*slot] else { continue };
        return match time::read(text, *reading) {
            Ok(instant) => Ok(Some(instant.to_rfc3339())),
            Err(TimeFault::NotATime(why)) => {
                Err(Fault::new(Reason::BadTimestamp, format!("`{}`: {why}", name(*slot))))
            }
            Err(TimeFault::OutOfRange(what)) => {
                let message = format!("`{}`: {what} outside the years 1 to 9999", name(*slot));
                Err(Fault::new(Reason::TimestampRange, message))
            }
        };
    }
    if !time.required {
        return Ok(None);
    }
    let names: Vec<String> = time.from.iter().map(|(slot, _)| format!("`{}`", name(*slot))).collect();
    Err(Fault::new(Reason::NoTimestamp, format!("no time in {}", names.join(", "))))
}

fn fits<T: Target>(choice: &Choice, target: &T) -> bool {
    choice.present.iter().all(|slot| target.present(*slot))
        && choice.absent.iter().all(|slot| !target.present(*slot))
}

/// Writes a node; `false`, and nothing written, if it has no value.
fn node<T: Target>(node: &Node, target: &mut T) -> Result<bool, Fault> {
    match node {
        Node::Object(members) => object(members, target),
        Node::List(elements) => {
            let start = target.mark();
            target.constant(b"[");
            let empty = target.mark();
            for element in elements {
                let before = target.mark();
                if before != empty {
                    target.constant(b",");
                }
                if !self::node(element, target)? {
                    target.back(before);
                }
            }
            if target.mark() == empty {
                target.back(start);
                return Ok(false);
            }
            target.constant(b"]");
            Ok(true)
        }
        Node::Leaf(leaves) => {
            for leaf in leaves {
                if self::leaf(leaf, target)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

fn object<T: Target>(members: &[Member], target: &mut T) -> Result<bool, Fault> {
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

fn leaf<T: Target>(leaf: &Leaf, target: &mut T) -> Result<bool, Fault> {
    let start = target.mark();
    target.constant(leaf.label.as_deref().unwrap_or_default());
    if !value(&leaf.value, target)? {
        target.back(start);
        return Ok(false);
    }
    if leaf.label.is_some() {
        target.constant(b"}");
    }
    Ok(true)
}

fn value<T: Target>(value: &Value, target: &mut T) -> Result<bool, Fault> {
    match value {
        Value::Constant(json) => target.constant(json),
        Value::Time(time) if target.has_time(*time) => target.time(*time),
        Value::Time(_) => return Ok(false),
        Value::Choices(choices) => match choices.iter().find(|choice| fits(choice, target)) {
            Some(choice) => target.constant(&choice.json),
            None => return Ok(false),
        },
        Value::Field { slots, when, kind, default } => {
            match (slots.iter().find(|slot| target.present(**slot)), default) {
                (Some(slot), _) if !passes(*when, *slot, target) => return Ok(false),
                (Some(slot), _) => target.field(*slot, *kind)?,
                (None, Some(json)) => target.constant(json),
                (None, None) => return Ok(false),
            }
        }
    }
    Ok(true)
}

fn passes<T: Target>(when: Option<When>, slot: usize, target: &T) -> bool {
    match when {
        None => true,
        Some(When::Ip) => target.is_ip(slot),
        Some(When::NotIp) => !target.is_ip(slot),
    }
}

/// Writes an event from fields, at once.
struct AtOnce<'a> {
    plan: &'a Plan,
    fields: &'a Fields<'a>,
    times: Vec<Option<String>>,
    out: &'a mut Vec<u8>,
}

impl Target for AtOnce<'_> {
    type Mark = usize;

    fn present(&self, slot: usize) -> bool {
        self.fields[slot].is_some()
    }

    fn is_ip(&self, slot: usize) -> bool {
        self.fields[slot].as_deref().is_some_and(|text| text.parse::<IpAddr>().is_ok())
    }

    fn has_time(&self, time: usize) -> bool {
        self.times[time].is_some()
    }

    fn constant(&mut self, json: &[u8]) {
        self.out.extend_from_slice(json);
    }

    fn field(&mut self, slot: usize, kind: Kind) -> Result<(), Fault> {
        let text = self.fields[slot].as_deref().unwrap_or_default();
        if let Some(expected) = kind.refuses(text) {
            let field = &self.plan.projection.paths()[slot];
            let message = format!("`{field}` holds `{}`, not {expected}", crate::text::shown(text));
            return Err(Fault::new(Reason::FieldType, message));
        }
        kind.json(text, self.out);
        Ok(())
    }

    fn time(&mut self, time: usize) {
        json_text(self.times[time].as_deref().unwrap_or_default(), self.out);
    }

    fn mark(&self) -> usize {
        self.out.len()
    }

    fn back(&mut self, mark: usize) {
        self.out.truncate(mark);
    }
}
