//! What a plan makes of fields, for the fast path: the same as [`Plan::derive`], or nothing.
//!
//! Values come again and again, so what was made of one is remembered ([`Memo`]).

use super::program::FIRST_MADE;
use crate::mapping::{
    Derived, DerivedText, EventNode, EventValue, Joined, Plan, TextKind, ValueSource, json_text,
};
use crate::record::ValueTest;
use crate::record::scan::ListSlots;
use crate::simd::{BLOCK, ByteSpan, PaddedInput, VALUES};

/// The most values that are made for a record, tests that are made of its fields, and fields that this needs.
const MOST: usize = u64::BITS as usize;
/// How many texts of a field are remembered, as a power of two, and how long they may be.
const REMEMBERED: usize = 1 << 12;
const LONGEST: usize = BLOCK;

/// Makes values of those that a scanner found.
#[derive(Debug, Clone)]
pub(super) struct Makers {
    makers: Vec<Maker>,
    memos: Vec<Memo>,
    /// The tests that hold of fields that are absent, as bits.
    absent: Vec<u64>,
    /// The values that are the texts of a list, as bits.
    pub(super) lists: u64,
}

/// How one value is made.
#[derive(Debug, Clone)]
enum Maker {
    /// Whether all of these tests hold.
    Holds(u64),
    /// From the first of these memos that has something that counts; what there is without one.
    Text(Vec<(usize, usize)>, Made),
    /// The texts of a list, as they are, with their quotes and commas.
    List(ListSlots),
    /// Texts as JSON spells them and the values of slots, if all these have one.
    Joined(Vec<JoinedPart>),
}

/// A part of a text that is put together.
#[derive(Debug, Clone)]
enum JoinedPart {
    /// As JSON spells it, without quotes.
    Spelled(Vec<u8>),
    Slot(usize),
}

/// What is asked of a field, and what came of its texts.
#[derive(Debug, Clone)]
struct Memo {
    slot: usize,
    /// The tests, each with its bit.
    tests: Vec<(u64, ValueTest)>,
    texts: Vec<DerivedText>,
    known: Vec<Known>,
}

/// A text of a field.
#[derive(Debug, Clone, Default)]
struct Known {
    text: Vec<u8>,
    /// The tests that it passes, as bits.
    passes: u64,
    /// What is made of it, for each of [`Memo::texts`].
    made: Vec<Made>,
}

/// What is made of a text.
#[derive(Debug, Clone, Default)]
enum Made {
    /// It stands for nothing, so that the next field is looked at.
    #[default]
    Absent,
    Nothing,
    /// The text itself.
    Same,
    /// This, as JSON spells it, without quotes.
    Spelled(Vec<u8>),
    /// Several, which is for the exact path.
    Several,
}

impl Makers {
    /// Nothing if the plan makes something of fields that can't be made here. `lists` are the fields that hold lists.
    pub(super) fn new(plan: &Plan, lists: &[ListSlots]) -> Option<Makers> {
        let list = |slot: usize| lists.iter().find(|list| list.first == slot).copied();
        let first = plan.projection.paths().len();
        if plan.derived.len() > MOST || plan.event_types.iter().any(|choice| choice.holds.is_some()) {
            return None;
        }
        let mut makers = Makers { makers: Vec::new(), memos: Vec::new(), absent: Vec::new(), lists: 0 };
        let mut tests_made = 0;
        for (number, derived) in plan.derived.iter().enumerate() {
            let maker = match derived {
                Derived::Holds { tests, .. } => {
                    let mut bits = 0;
                    for (slot, test) in tests {
                        if list(*slot).is_some() || tests_made == MOST {
                            return None;
                        }
                        let bit = 1 << tests_made;
                        tests_made += 1;
                        bits |= bit;
                        let memo = makers.memo(*slot);
                        makers.absent[memo] |= if test.passes(std::iter::empty()) { bit } else { 0 };
                        makers.memos[memo].tests.push((bit, test.clone()));
                    }
                    Maker::Holds(bits)
                }
                Derived::Text(text) if text.from.iter().all(|slot| list(*slot).is_none()) => {
                    let sources = text.from.iter().map(|slot| {
                        let memo = makers.memo(*slot);
                        makers.memos[memo].texts.push((**text).clone());
                        (memo, makers.memos[memo].texts.len() - 1)
                    });
                    Maker::Text(sources.collect(), Made::of(None, |each| text.of_nothing(each)))
                }
                Derived::Joined(parts) => {
                    let part = |part: &Joined| match part {
                        Joined::Slot(slot) if list(*slot).is_some() => None,
                        Joined::Slot(slot) => Some(JoinedPart::Slot(*slot)),
                        Joined::Text(text) => Some(JoinedPart::Spelled(spelled(text))),
                    };
                    Maker::Joined(parts.iter().map(part).collect::<Option<_>>()?)
                }
                Derived::Text(text) => {
                    let list = text.from.first().and_then(|slot| list(*slot))?;
                    if text.from.len() > 1 || !text.is_plain() || !is_spliced(&plan.root, first + number) {
                        return None;
                    }
                    makers.lists |= 1 << number;
                    Maker::List(list)
                }
            };
            makers.makers.push(maker);
        }
        // What a list holds is read in no other way.
        let is_time =
            |slot: usize| plan.times.iter().flat_map(|time| &time.from).any(|(from, _)| *from == slot);
        let is_read = |list: &ListSlots| is_time(list.first) || reads(&plan.root, list.first);
        (!lists.iter().any(is_read)).then_some(makers)
    }

    /// The number of the memo of a slot.
    fn memo(&mut self, slot: usize) -> usize {
        let at = self.memos.iter().position(|memo| memo.slot == slot);
        at.unwrap_or_else(|| {
            self.memos.push(Memo { slot, tests: Vec::new(), texts: Vec::new(), known: Vec::new() });
            self.absent.push(0);
            self.memos.len() - 1
        })
    }

    /// Whether nothing is made of fields.
    pub(super) fn is_empty(&self) -> bool {
        self.makers.is_empty()
    }

    /// Makes all values of a record with these slots present; which there are, as bits. Nothing if the exact path must
    /// make them.
    #[inline(always)]
    pub(super) fn make(
        &mut self,
        present: u64,
        input: PaddedInput<'_>,
        values: &mut [ByteSpan; VALUES],
        scratch: &mut Vec<u8>,
    ) -> Option<u64> {
        if self.makers.is_empty() { Some(0) } else { self.make_some(present, input, values, scratch) }
    }

    #[inline(never)]
    fn make_some(
        &mut self,
        present: u64,
        input: PaddedInput<'_>,
        values: &mut [ByteSpan; VALUES],
        scratch: &mut Vec<u8>,
    ) -> Option<u64> {
        let has = |slot: usize| present >> slot & 1 == 1;
        // The texts that are known, by memo, and the tests that hold.
        let (mut found, mut holds) = ([usize::MAX; MOST], 0);
        for ((memo, found), absent) in self.memos.iter_mut().zip(&mut found).zip(&self.absent) {
            holds |= if has(memo.slot) {
                *found = memo.look_up(values[memo.slot], input, scratch)?;
                memo.known[*found].passes
            } else {
                *absent
            };
        }
        let mut all = 0;
        for (number, maker) in self.makers.iter().enumerate() {
            let is_made = match maker {
                Maker::Holds(tests) => holds & tests == *tests,
                Maker::List(list) if has(list.first) => {
                    let last = if has(list.last) { list.last } else { list.first };
                    values[FIRST_MADE + number] = values[list.first].quoted_to(values[last])?;
                    true
                }
                Maker::List(_) => false,
                Maker::Joined(parts) => {
                    let slot = |part: &JoinedPart| match part {
                        JoinedPart::Slot(slot) => Some(*slot),
                        JoinedPart::Spelled(_) => None,
                    };
                    let is_whole = parts.iter().filter_map(slot).all(has);
                    if is_whole {
                        let start = scratch.len();
                        for part in parts {
                            match part {
                                JoinedPart::Spelled(text) => scratch.extend_from_slice(text),
                                JoinedPart::Slot(slot) => values[*slot].add_to(input, scratch),
                            }
                        }
                        values[FIRST_MADE + number] = ByteSpan::of_scratch(start, scratch.len() - start);
                    }
                    is_whole
                }
                Maker::Text(sources, without) => {
                    let mut made = (without, 0);
                    for (memo, nth) in sources {
                        let Some(known) = self.memos[*memo].known.get(found[*memo]) else { continue };
                        if !matches!(known.made[*nth], Made::Absent) {
                            made = (&known.made[*nth], self.memos[*memo].slot);
                            break;
                        }
                    }
                    match made {
                        (Made::Several, _) => return None,
                        (Made::Absent | Made::Nothing, _) => false,
                        (Made::Same, slot) => {
                            values[FIRST_MADE + number] = values[slot];
                            true
                        }
                        (Made::Spelled(text), _) => {
                            values[FIRST_MADE + number] = ByteSpan::of_scratch(scratch.len(), text.len());
                            scratch.extend_from_slice(text);
                            true
                        }
                    }
                }
            };
            all |= u64::from(is_made) << number;
        }
        // So that whole blocks can be read there.
        scratch.extend_from_slice(&[0; BLOCK]);
        Some(all)
    }
}

impl Memo {
    /// The number of this text among those that are known. Nothing if it is spelled with escapes.
    #[inline(always)]
    fn look_up(&mut self, span: ByteSpan, input: PaddedInput<'_>, scratch: &[u8]) -> Option<usize> {
        let text = span.text(input, scratch);
        let ends = text.first_chunk::<8>().zip(text.last_chunk::<8>());
        let hash = match ends {
            Some((first, last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29),
            None => text.iter().fold(0, |hash, byte| hash << 8 | u64::from(*byte)),
        };
        let hash = (hash ^ text.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let at = (hash >> 32) as usize % REMEMBERED;
        match self.known.get(at) {
            Some(known) if known.text == text => Some(at),
            _ => self.learn(at, span, text),
        }
    }

    /// Makes all that is made of a text, in the place of another.
    #[cold]
    #[inline(never)]
    fn learn(&mut self, at: usize, span: ByteSpan, text: &[u8]) -> Option<usize> {
        if span.is_in_scratch() && text.contains(&b'\\') {
            return None;
        }
        if self.known.is_empty() {
            // One more, for a text that is too long to be remembered.
            self.known = vec![Known::default(); REMEMBERED + 1];
        }
        let at = if text.len() > LONGEST { REMEMBERED } else { at };
        let Known { text: kept, passes, made } = &mut self.known[at];
        let string = std::str::from_utf8(text).ok()?;
        let bit =
            |(bit, test): &(u64, ValueTest)| if test.passes(std::iter::once(string)) { *bit } else { 0 };
        *passes = self.tests.iter().map(bit).fold(0, |all, bit| all | bit);
        made.clear();
        made.extend(self.texts.iter().map(|text| match text.counts(string) {
            true => Made::of(Some(string), |each| text.of(string, each)),
            false => Made::Absent,
        }));
        kept.clear();
        kept.extend_from_slice(text);
        Some(at)
    }
}

impl Made {
    /// What `make` hands on, which makes it of this text.
    fn of<'t>(from: Option<&'t str>, make: impl FnOnce(&mut dyn FnMut(std::borrow::Cow<'t, str>))) -> Made {
        let mut made = Made::Nothing;
        make(&mut |text| {
            made = match made {
                Made::Nothing if from == Some(&*text) => Made::Same,
                Made::Nothing => Made::Spelled(spelled(&text)),
                _ => Made::Several,
            };
        });
        made
    }
}

/// A text as JSON spells it, without quotes.
fn spelled(text: &str) -> Vec<u8> {
    let mut json = Vec::new();
    json_text(text, &mut json);
    json.pop();
    json.remove(0);
    json
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
udm = "metadata.description"
template = "\"${kind}\" at ${ip}"

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
