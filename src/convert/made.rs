//! What a plan makes of fields, for the fast path: the same as [`Plan::derive`], or nothing.
//!
//! Each field that something is made of has a [`Memo`].

mod memo;
#[cfg(test)]
mod tests;

use super::program::FIRST_MADE;
use crate::mapping::{Derived, EventNode, EventValue, Joined, Plan, TextKind, ValueSource};
use crate::record::scan::ListSlots;
use crate::simd::{BLOCK, ByteSpan, PaddedInput, VALUES};
use memo::{Made, Memo, spelled};

/// The most values that are made for a record, tests that are made of its fields, and fields that this needs.
const MOST: usize = u64::BITS as usize;
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
                        makers.memos[memo].test(bit, test);
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
            self.memos.push(Memo::new(slot));
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
    #[inline(never)]
    pub(super) fn make(
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
            holds |= match (has(memo.slot), memo.of_any_text()) {
                (false, _) => *absent,
                (true, Some(passes)) => passes,
                (true, None) => {
                    *found = memo.look_up(values[memo.slot], input, scratch)?;
                    memo.known(*found)?.passes
                }
            };
        }
        let mut all = 0;
        for (number, maker) in self.makers.iter().enumerate() {
            let is_made = match maker {
                Maker::Holds(tests) => holds & tests == *tests,
                Maker::List(list) if has(list.first) => {
                    values[FIRST_MADE + number] = values[list.first].quoted_to(values[list.last])?;
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
                        let Some(known) = self.memos[*memo].known(found[*memo]) else { continue };
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
