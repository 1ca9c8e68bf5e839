//! What a plan makes of fields, for the fast path: the same as [`Plan::derive`], or nothing.

use super::program::FIRST_MADE;
use crate::mapping::{Derived, DerivedText, EventNode, EventValue, Plan, TextKind, ValueSource, json_text};
use crate::record::ValueTest;
use crate::record::scan::ListSlots;
use crate::simd::{BLOCK, ByteSpan, PaddedInput, VALUES};

/// The most values that are made for a record.
const MOST_MADE: usize = u64::BITS as usize;

/// Makes values of those that a scanner found.
#[derive(Debug, Clone)]
pub(super) struct Makers {
    makers: Vec<Maker>,
    /// The values that are the texts of a list, as bits.
    pub(super) lists: u64,
}

/// How one value is made.
#[derive(Debug, Clone)]
enum Maker {
    /// Whether fields pass these tests.
    Holds(Vec<(usize, ValueTest)>),
    Text(Box<DerivedText>),
    /// The texts of a list, as they are, with their quotes and commas.
    List(ListSlots),
}

impl Makers {
    /// Nothing if the plan makes something of fields that can't be made here. `lists` are the fields that hold lists.
    pub(super) fn new(plan: &Plan, lists: &[ListSlots]) -> Option<Makers> {
        let list = |slot: usize| lists.iter().find(|list| list.first == slot);
        let first = plan.projection.paths().len();
        if plan.derived.len() > MOST_MADE || plan.event_types.iter().any(|choice| choice.holds.is_some()) {
            return None;
        }
        let mut makers = Makers { makers: Vec::new(), lists: 0 };
        for (number, derived) in plan.derived.iter().enumerate() {
            makers.makers.push(match derived {
                Derived::Holds { tests, .. } if tests.iter().all(|(slot, _)| list(*slot).is_none()) => {
                    Maker::Holds(tests.clone())
                }
                Derived::Holds { .. } => return None,
                Derived::Text(text) if text.from.iter().all(|slot| list(*slot).is_none()) => {
                    Maker::Text(text.clone())
                }
                Derived::Text(text) => {
                    let list = text.from.first().and_then(|slot| list(*slot))?;
                    if text.from.len() > 1 || !text.is_plain() || !is_spliced(&plan.root, first + number) {
                        return None;
                    }
                    makers.lists |= 1 << number;
                    Maker::List(*list)
                }
            });
        }
        // What a list holds is read in no other way.
        let is_time =
            |slot: usize| plan.times.iter().flat_map(|time| &time.from).any(|(from, _)| *from == slot);
        let is_read = |list: &ListSlots| is_time(list.first) || reads(&plan.root, list.first);
        (!lists.iter().any(is_read)).then_some(makers)
    }

    /// Whether nothing is made of fields.
    pub(super) fn is_empty(&self) -> bool {
        self.makers.is_empty()
    }

    /// Makes all values of a record with these slots present; which there are, as bits. Nothing if the exact path must
    /// make them.
    #[inline(always)]
    pub(super) fn make(
        &self,
        present: u64,
        input: PaddedInput<'_>,
        values: &mut [ByteSpan; VALUES],
        scratch: &mut Vec<u8>,
    ) -> Option<u64> {
        if self.makers.is_empty() { Some(0) } else { self.make_some(present, input, values, scratch) }
    }

    #[inline(never)]
    fn make_some(
        &self,
        present: u64,
        input: PaddedInput<'_>,
        values: &mut [ByteSpan; VALUES],
        scratch: &mut Vec<u8>,
    ) -> Option<u64> {
        let mut made = 0;
        let has = |slot: usize| present >> slot & 1 == 1;
        for (number, maker) in self.makers.iter().enumerate() {
            match maker {
                Maker::Holds(tests) => {
                    let mut holds = true;
                    for (slot, test) in tests {
                        let text =
                            if has(*slot) { Some(plain(values[*slot], input, scratch)?) } else { None };
                        holds &= test.passes(text.into_iter());
                    }
                    made |= u64::from(holds) << number;
                }
                Maker::List(list) if has(list.first) => {
                    let last = if has(list.last) { list.last } else { list.first };
                    values[FIRST_MADE + number] = values[list.first].quoted_to(values[last])?;
                    made |= 1 << number;
                }
                Maker::List(_) => {}
                Maker::Text(text) => {
                    // A text may be made of one in the scratch, so it is added behind that.
                    let mut new = Vec::new();
                    let (mut count, mut same) = (0, None);
                    let mut counting = None;
                    for slot in text.from.iter().copied().filter(|slot| has(*slot)) {
                        let source = plain(values[slot], input, scratch)?;
                        if text.counts(source) {
                            counting = Some((slot, source));
                            break;
                        }
                    }
                    let mut each = |value: &str, source: Option<(usize, &str)>| {
                        count += 1;
                        match source {
                            Some((slot, source)) if source == value => same = Some(slot),
                            _ => json_text(value, &mut new),
                        }
                    };
                    match counting {
                        Some((_, source)) => text.of(source, &mut |value| each(&value, counting)),
                        None => text.of_nothing(&mut |value| each(&value, None)),
                    }
                    if count > 1 {
                        return None;
                    }
                    made |= u64::from(count == 1) << number;
                    values[FIRST_MADE + number] = match same {
                        Some(slot) => values[slot],
                        // Without the quotes.
                        None => ByteSpan::of_scratch(scratch.len() + 1, new.len().saturating_sub(2)),
                    };
                    scratch.extend_from_slice(&new);
                }
            }
        }
        // So that whole blocks can be read there.
        scratch.extend_from_slice(&[0; BLOCK]);
        Some(made)
    }
}

/// A value as it is read: nothing if it is spelled with escapes.
#[inline(always)]
fn plain<'t>(span: ByteSpan, input: PaddedInput<'t>, scratch: &'t [u8]) -> Option<&'t str> {
    let text = span.text(input, scratch);
    if span.is_in_scratch() && text.contains(&b'\\') {
        return None;
    }
    std::str::from_utf8(text).ok()
}

/// Whether the values of a slot are elements of lists, one after the other, wherever they are written.
fn is_spliced(node: &EventNode, slot: usize) -> bool {
    let is_element = |leaf: &EventValue| {
        matches!(&leaf.value, ValueSource::Each { slot: s, kind: TextKind::Text } if *s == slot)
            && leaf.label.is_none()
    };
    match node {
        EventNode::Object(members) => members.iter().all(|member| is_spliced(&member.node, slot)),
        EventNode::List(elements) => elements.iter().all(|element| match element {
            EventNode::Value(leaves) if leaves.len() == 1 && is_element(&leaves[0]) => true,
            element => is_spliced(element, slot),
        }),
        EventNode::Value(leaves) => !leaves.iter().any(|leaf| leaf.reads(slot)),
    }
}

/// Whether the value of a slot is written somewhere.
fn reads(node: &EventNode, slot: usize) -> bool {
    match node {
        EventNode::Object(members) => members.iter().any(|member| reads(&member.node, slot)),
        EventNode::List(elements) => elements.iter().any(|element| reads(element, slot)),
        EventNode::Value(leaves) => leaves.iter().any(|leaf| leaf.reads(slot)),
    }
}

#[cfg(test)]
mod tests {
    use crate::convert::{Converter, Engine, Options};
    use crate::mapping::Mapping;
    use std::fmt::Write as _;

    const TABLE: &str = r#"
[mapping]
name = "made"
log_type = "MADE"

[[rule]]
udm = "metadata.event_timestamp"
time = [{ from = "t", read = "epoch-seconds" }]

[[rule]]
udm = "metadata.event_type"
cases = [
  { when = { kind = "login" }, present = ["user.name"], value = "USER_LOGIN" },
  { when = { os = { contains = "win", ignore_case = true } }, value = "USER_UNCATEGORIZED" },
  { value = "GENERIC_EVENT" },
]

[[rule]]
udm = "principal.ip[]"
from = ["ip", "ip2"]
absent = ["None"]
when = "ip"

[[rule]]
udm = 'additional."ip"'
from = "ip"
absent = ["None"]
when = "not-ip"

[[rule]]
udm = "target.user.phone_numbers[]"
from = "device"
when = "phone"
read = "phone"

[[rule]]
udm = "target.hostname"
from = "device"
when = "not-phone"

[[rule]]
udm = "target.user.group_identifiers[]"
from = "user.groups[]"

[[rule]]
udm = "target.user.group_identifiers[]"
from = "kind"
when = { result = { in = ["ok", "OK"] } }

[[rule]]
udm = "target.user.userid"
from = "user.name"
read = "lower"

[[rule]]
udm = "network.sent_bytes"
from = "size"
absent = ["0"]

[[rule]]
udm = "security_result[0].action[]"
from = "result"
map = { ok = "ALLOW", OK = "ALLOW" }
otherwise = "BLOCK"
"#;

    /// Spellings of the values of each field.
    const VALUES: [(&str, &[&str]); 10] = [
        ("t", &["1584718692", "1584718692", "\"1584718693\"", "\"x\"", "null"]),
        ("kind", &["\"login\"", "\"lo\\u0067in\"", "\"other\"", "\"a \\\"b\\\"\"", "7", "{}"]),
        ("os", &["\"Windows 10\"", "\"Darwin\"", "\"Mac\"", "\"\"", "null", "\"\u{e9}win\""]),
        ("ip", &["\"1.2.3.4\"", "\"1.2.3.4:5\"", "\"None\"", "\"::1\"", "\"\\u0031.2.3.4\"", "[\"::1\"]"]),
        ("ip2", &["\"5.6.7.8\"", "\"None\"", "\"h\\\\\""]),
        ("device", &["\"+1 (734) 555-0100\"", "\"+17345550100\"", "\"+17345550199\"", "\"host\"", "false"]),
        (
            "user",
            &[
                "{\"name\":\"Ann\",\"groups\":[\"a\"]}",
                "{\"name\":\"ANN O\",\"groups\":[\"a b\",\"c\"]}",
                "{\"groups\":[],\"name\":\"bob\"}",
                "{\"groups\":[\"one\",\"two\",\"three\",\"four, with a name of more than thirty-two bytes\"]}",
                "{\"groups\":[\"a\", \"b\"],\"name\":\"x\"}",
                "{\"groups\":[\"a\",null,\"\",7,true,\"\u{e9}\"],\"name\":\"\u{c9}va\"}",
                "{\"groups\":[\"\u{e9}\",\"f\"],\"groups\":[\"g\"]}",
                "{\"groups\":[\"\u{e9}\",\"f\"],\"groups\":[]}",
                "{\"groups\":\"a\"}",
                "{\"groups\":[\"q\\\"\"]}",
                "{\"groups\":[[\"a\"]]}",
                "{\"groups\":null,\"name\":\"\\ud83d\\ude00\"}",
                "7",
            ],
        ),
        ("result", &["\"ok\"", "\"OK\"", "\"no\"", "\"\\\"\"", "true"]),
        ("size", &["12", "\"12\"", "0", "\"many\"", "1e3"]),
        ("other", &["1", "\"x\"", "[1,{\"a\":[\"b\"]}]"]),
    ];

    #[test]
    fn what_is_made_is_that_of_the_exact_path() {
        let mapping = Mapping::load("made.toml", TABLE, &|_| Err(String::new())).unwrap();
        let (mut log, mut seed) = (String::new(), 7u64);
        let mut any = |of: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % of
        };
        for _ in 0..if cfg!(miri) { 20 } else { 3000 } {
            // Mostly the first spellings, so that shapes are learnt.
            let odd = any(4) == 0;
            let members: Vec<String> = VALUES
                .iter()
                .filter_map(|(key, values)| {
                    let value = values[any(if odd { values.len() } else { 3 })];
                    (any(8) > 0).then(|| format!("\"{key}\":{value}"))
                })
                .collect();
            let _ = writeln!(log, "{{{}}}", members.join(","));
        }
        let convert = |engine| {
            let options = Options { engine, ..Options::default() };
            Converter::new(&mapping, &options).convert(log.as_bytes())
        };
        let exact = convert(Engine::Exact);
        assert!(exact.counts.events > 10 * exact.counts.rejects / 100);
        for engine in Engine::ALL.into_iter().filter(|engine| engine.is_available()) {
            let got = convert(engine);
            for (got, exact) in got.events.split(|b| *b == b'\n').zip(exact.events.split(|b| *b == b'\n')) {
                assert_eq!(String::from_utf8_lossy(got), String::from_utf8_lossy(exact), "{engine:?}");
            }
            assert_eq!(
                (got.rejects, got.counts),
                (exact.rejects.clone(), exact.counts.clone()),
                "{engine:?}"
            );
        }
    }
}
