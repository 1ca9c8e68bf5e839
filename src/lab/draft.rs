//! A record on the drawing board: members as raw JSON text, to be edited and written out.

use super::facts::{Dice, Facts, put_number, put_time, put_uuid};
use std::ops::Range;

/// A record's members in order, all in one buffer that is used again.
#[derive(Debug, Default)]
pub(super) struct Draft {
    text: Vec<u8>,
    /// Where keys (without their quotes) and values (as they are) stand in `text`.
    members: Vec<(Range<usize>, Range<usize>)>,
    gap: Gap,
}

/// What is between the tokens.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing, as Duo writes it.
    #[default]
    None,
    /// One space after each colon and comma, as Python's `json.dumps` writes it.
    Python,
    /// Any run of spaces, tabs and carriage returns, before and after the record as well.
    Wild,
}

/// Which record to begin with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Base {
    V1,
    V2,
    Either,
}

/// One change to a record. Lists are there to pick one of; values are raw JSON text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// Gives a field a value, in its place, or at a random one.
    Set(&'static str, &'static [&'static str]),
    /// Gives one of these fields a value.
    SetAny(&'static [&'static str], &'static [&'static str]),
    /// Puts a second member with a field's key and this value before all others.
    First(&'static str, &'static [&'static str]),
    /// Puts another member with this key and value after all others.
    Last(&'static str, &'static [&'static str]),
    /// Takes fields away.
    Drop(&'static [&'static str]),
    /// Writes the key of a field in another way (nothing if the field is not there).
    Rename(&'static str, &'static [&'static str]),
    /// Sets the blanks between tokens.
    Blanks(Gap),
    /// Anything else.
    Do(fn(&mut Draft, &mut Dice)),
}

impl Draft {
    /// A v2 record, keys in alphabetical order: exactly the bytes of Duo's own form when written without a change.
    pub(super) fn v2(&mut self, facts: &Facts) {
        self.start(facts);
        self.member("telephony_id", |out| quoted(out, |out| put_uuid(facts.telephony_id, out)));
        self.member("ts", |out| {
            quoted(out, |out| {
                put_time(facts.seconds(), b'T', out);
                out.push(b'.');
                put_number(facts.micros % 1_000_000, 6, out);
                out.extend_from_slice(b"+00:00");
            });
        });
        self.member("txid", |out| quoted(out, |out| put_uuid(facts.txid, out)));
        self.string("type", facts.kind().as_bytes());
    }

    /// A v1 record with what Duo's Python client adds.
    pub(super) fn v1(&mut self, facts: &Facts) {
        self.bare_v1(facts);
        self.string("eventtype", b"telephony");
        self.string("host", &facts.host);
    }

    /// A v1 record as Duo sends it.
    pub(super) fn bare_v1(&mut self, facts: &Facts) {
        self.start(facts);
        let phone = self.members.pop();
        self.member("isotimestamp", |out| {
            quoted(out, |out| {
                put_time(facts.seconds(), b'T', out);
                out.extend_from_slice(b"+00:00");
            });
        });
        self.members.extend(phone);
        self.member("timestamp", |out| put_number(facts.seconds(), 1, out));
        self.string("type", facts.kind().as_bytes());
    }

    /// A v1 or v2 record.
    pub(super) fn either(&mut self, facts: &Facts, dice: &mut Dice) {
        if dice.one_in(2) { self.v1(facts) } else { self.v2(facts) }
    }

    pub(super) fn base(&mut self, base: Base, facts: &Facts, dice: &mut Dice) {
        match base {
            Base::V1 => self.v1(facts),
            Base::V2 => self.v2(facts),
            Base::Either => self.either(facts, dice),
        }
    }

    fn start(&mut self, facts: &Facts) {
        self.text.clear();
        self.members.clear();
        self.gap = Gap::None;
        self.string("context", facts.context.as_bytes());
        self.member("credits", |out| put_number(facts.credits, 1, out));
        self.string("phone", &facts.phone);
    }

    /// Appends a member whose value `write` writes as raw JSON.
    pub(super) fn member(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let from = self.text.len();
        self.text.extend_from_slice(key.as_bytes());
        let middle = self.text.len();
        write(&mut self.text);
        self.members.push((from..middle, middle..self.text.len()));
    }

    fn string(&mut self, key: &str, value: &[u8]) {
        self.member(key, |out| quoted(out, |out| out.extend_from_slice(value)));
    }

    pub(super) fn push(&mut self, key: &str, value: &[u8]) {
        self.member(key, |out| out.extend_from_slice(value));
    }

    /// Gives a field a value, in its place, or at a random one.
    pub(super) fn set(&mut self, key: &str, value: &[u8], dice: &mut Dice) {
        self.push(key, value);
        self.settle(key, dice);
    }

    /// Moves the last member, which has this key, to the place of the first one with this key,
    /// or to a random place.
    pub(super) fn settle(&mut self, key: &str, dice: &mut Dice) {
        let Some(last) = self.members.pop() else { return };
        match self.find(key) {
            Some(at) => self.members[at] = last,
            None => self.members.insert(dice.index(self.members.len() + 1), last),
        }
    }

    fn find(&self, key: &str) -> Option<usize> {
        self.members.iter().position(|(found, _)| &self.text[found.clone()] == key.as_bytes())
    }

    pub(super) fn remove(&mut self, key: &str) {
        let text = &self.text;
        self.members.retain(|(found, _)| &text[found.clone()] != key.as_bytes());
    }

    /// Swaps neighbours and strangers until any order is as likely as any other.
    pub(super) fn shuffle(&mut self, dice: &mut Dice) {
        for last in (1..self.members.len()).rev() {
            self.members.swap(last, dice.index(last + 1));
        }
    }

    pub(super) fn reverse(&mut self) {
        self.members.reverse();
    }

    pub(super) fn set_gap(&mut self, gap: Gap) {
        self.gap = gap;
    }

    pub(super) fn apply(&mut self, step: Step, dice: &mut Dice) {
        match step {
            Step::Set(key, values) => {
                let value = dice.pick(values);
                self.set(key, value.as_bytes(), dice);
            }
            Step::SetAny(keys, values) => {
                let (key, value) = (dice.pick(keys), dice.pick(values));
                self.set(key, value.as_bytes(), dice);
            }
            Step::First(key, values) => {
                self.push(key, dice.pick(values).as_bytes());
                self.members.rotate_right(1);
            }
            Step::Last(key, values) => self.push(key, dice.pick(values).as_bytes()),
            Step::Drop(keys) => keys.iter().for_each(|key| self.remove(key)),
            Step::Rename(key, names) => {
                let from = self.text.len();
                self.text.extend_from_slice(dice.pick(names).as_bytes());
                if let Some(at) = self.find(key) {
                    self.members[at].0 = from..self.text.len();
                }
            }
            Step::Blanks(gap) => self.gap = gap,
            Step::Do(edit) => edit(self, dice),
        }
    }

    /// Appends the record, without a line end.
    pub(super) fn write(&self, dice: &mut Dice, out: &mut Vec<u8>) {
        let gap = self.gap;
        let mut blank = |out: &mut Vec<u8>, python: bool| match gap {
            Gap::None => {}
            Gap::Python if python => out.push(b' '),
            Gap::Python => {}
            Gap::Wild => {
                for _ in 0..dice.below(4) {
                    out.push(dice.pick(b"  \t\r"));
                }
            }
        };
        blank(out, false);
        out.push(b'{');
        blank(out, false);
        for (n, (key, value)) in self.members.iter().enumerate() {
            if n > 0 {
                out.push(b',');
                blank(out, true);
            }
            out.push(b'"');
            out.extend_from_slice(&self.text[key.clone()]);
            out.push(b'"');
            blank(out, false);
            out.push(b':');
            blank(out, true);
            out.extend_from_slice(&self.text[value.clone()]);
            blank(out, false);
        }
        out.push(b'}');
        blank(out, false);
    }
}

/// Appends what `write` writes, in quotes.
pub(super) fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

/// Appends arrays and objects nested `levels` deep, at random which.
pub(super) fn put_nest(levels: usize, dice: &mut Dice, out: &mut Vec<u8>) {
    let mut closers = Vec::with_capacity(levels);
    for _ in 0..levels {
        if dice.one_in(2) {
            out.push(b'[');
            closers.push(b']');
        } else {
            out.extend_from_slice(b"{\"a\":");
            closers.push(b'}');
        }
    }
    out.extend_from_slice(b"null");
    out.extend(closers.iter().rev());
}
