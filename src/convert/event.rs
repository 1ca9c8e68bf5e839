//! One event: the plan's tree with a record's values in it, as JSON.

use crate::mapping::{Choice, Kind, Leaf, Member, Node, Plan, Value, When, json_text};
use crate::record::time::{self, TimeFault};
use crate::record::{Fault, Fields, Reason};
use std::net::IpAddr;

/// Appends the event of a record to `out`, and says which of the plan's event types it has.
/// Nothing is appended on an error.
///
/// # Errors
/// A [`Fault`] about the record's times, or about a text that is no number where UDM has one.
pub(super) fn write(plan: &Plan, fields: &Fields<'_>, out: &mut Vec<u8>) -> Result<usize, Fault> {
    let times =
        plan.times.iter().map(|time| event_time(plan, time, fields)).collect::<Result<Vec<_>, _>>()?;
    let writer = Writer { plan, fields, times };
    let start = out.len();
    match writer.node(&plan.root, out) {
        // The root is never empty: it has the event's time.
        Ok(_) => Ok(plan.event_types.iter().position(|choice| fits(choice, fields)).unwrap_or(0)),
        Err(fault) => {
            out.truncate(start);
            Err(fault)
        }
    }
}

/// The time that the first present field gives.
fn event_time(
    plan: &Plan,
    time: &crate::mapping::Time,
    fields: &Fields<'_>,
) -> Result<Option<String>, Fault> {
    let name = |slot: usize| &plan.wanted.paths()[slot];
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

fn fits(choice: &Choice, fields: &Fields<'_>) -> bool {
    choice.present.iter().all(|slot| fields[*slot].is_some())
        && choice.absent.iter().all(|slot| fields[*slot].is_none())
}

struct Writer<'a> {
    plan: &'a Plan,
    fields: &'a Fields<'a>,
    times: Vec<Option<String>>,
}

impl Writer<'_> {
    /// Writes a node; `false`, and nothing written, if it has no value.
    fn node(&self, node: &Node, out: &mut Vec<u8>) -> Result<bool, Fault> {
        match node {
            Node::Object(members) => self.object(members, out),
            Node::List(elements) => {
                let start = out.len();
                out.push(b'[');
                for element in elements {
                    let before = out.len();
                    separate(start, out);
                    if !self.node(element, out)? {
                        out.truncate(before);
                    }
                }
                Ok(close(start, b']', out))
            }
            Node::Leaf(leaves) => {
                for leaf in leaves {
                    if self.leaf(leaf, out)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    fn object(&self, members: &[Member], out: &mut Vec<u8>) -> Result<bool, Fault> {
        let start = out.len();
        out.push(b'{');
        let mut hosts = false;
        for member in members {
            let before = out.len();
            separate(start, out);
            out.extend_from_slice(&member.key);
            if self.node(&member.node, out)? {
                hosts |= !member.guest;
            } else {
                out.truncate(before);
            }
        }
        if !hosts {
            out.truncate(start);
            return Ok(false);
        }
        Ok(close(start, b'}', out))
    }

    fn leaf(&self, leaf: &Leaf, out: &mut Vec<u8>) -> Result<bool, Fault> {
        let start = out.len();
        out.extend_from_slice(leaf.label.as_deref().unwrap_or_default());
        if !self.value(&leaf.value, out)? {
            out.truncate(start);
            return Ok(false);
        }
        if leaf.label.is_some() {
            out.push(b'}');
        }
        Ok(true)
    }

    fn value(&self, value: &Value, out: &mut Vec<u8>) -> Result<bool, Fault> {
        match value {
            Value::Constant(json) => out.extend_from_slice(json),
            Value::Time(time) => match &self.times[*time] {
                Some(text) => json_text(text, out),
                None => return Ok(false),
            },
            Value::Choices(choices) => match choices.iter().find(|choice| fits(choice, self.fields)) {
                Some(choice) => out.extend_from_slice(&choice.json),
                None => return Ok(false),
            },
            Value::Field { slots, when, kind, default } => {
                let present = slots.iter().find_map(|slot| Some((*slot, self.fields[*slot].as_deref()?)));
                match (present, default) {
                    (Some((_, text)), _) if !passes(*when, text) => return Ok(false),
                    (Some((slot, text)), _) => self.raw(slot, text, *kind, out)?,
                    (None, Some(json)) => out.extend_from_slice(json),
                    (None, None) => return Ok(false),
                }
            }
        }
        Ok(true)
    }

    fn raw(&self, slot: usize, text: &str, kind: Kind, out: &mut Vec<u8>) -> Result<(), Fault> {
        if let Some(wanted) = kind.refuses(text) {
            let field = &self.plan.wanted.paths()[slot];
            let message = format!("`{field}` holds `{}`, not {wanted}", crate::record::shown(text));
            return Err(Fault::new(Reason::FieldType, message));
        }
        kind.json(text, out);
        Ok(())
    }
}

fn passes(when: Option<When>, text: &str) -> bool {
    match when {
        None => true,
        Some(When::Ip) => text.parse::<IpAddr>().is_ok(),
        Some(When::NotIp) => text.parse::<IpAddr>().is_err(),
    }
}

/// A comma, unless the container that begins at `start` is empty so far.
fn separate(start: usize, out: &mut Vec<u8>) {
    if out.len() > start + 1 {
        out.push(b',');
    }
}

/// Ends the container that begins at `start`, or takes it back if it is empty.
fn close(start: usize, bracket: u8, out: &mut Vec<u8>) -> bool {
    if out.len() == start + 1 {
        out.truncate(start);
        return false;
    }
    out.push(bracket);
    true
}
