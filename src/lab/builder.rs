//! A record in the making: members as raw JSON text, edited and then written out.

use super::fields::{RecordFields, Rng, put_number, put_signed, put_time, put_uuid};
use std::ops::Range;

/// A record's members in order, all in one buffer that is used again.
#[derive(Debug, Default)]
pub(super) struct RecordBuilder {
    text: Vec<u8>,
    /// Where keys (without their quotes) and values (as they are) stand in `text`.
    members: Vec<(Range<usize>, Range<usize>)>,
    gap: Spacing,
}

/// What is between the tokens.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spacing {
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
pub(super) enum BuildStep {
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
    Blanks(Spacing),
    /// Anything else.
    Do(fn(&mut RecordBuilder, &mut Rng)),
}

impl RecordBuilder {
    /// A v2 record, keys in alphabetical order: exactly the bytes of Duo's own form when written without a change.
    pub(super) fn v2(&mut self, fields: &RecordFields) {
        self.start(fields);
        self.member("telephony_id", |out| quoted(out, |out| put_uuid(fields.telephony_id, out)));
        self.member("ts", |out| {
            quoted(out, |out| {
                put_time(fields.seconds(), b'T', out);
                out.push(b'.');
                put_number(fields.micros.rem_euclid(1_000_000).unsigned_abs(), 6, out);
                out.extend_from_slice(b"+00:00");
            });
        });
        self.member("txid", |out| quoted(out, |out| put_uuid(fields.txid, out)));
        self.string("type", fields.kind().as_bytes());
    }

    /// A v1 record with what Duo's Python client adds.
    pub(super) fn v1(&mut self, fields: &RecordFields) {
        self.bare_v1(fields);
        self.string("eventtype", b"telephony");
        self.string("host", &fields.host);
    }

    /// A v1 record as Duo sends it.
    pub(super) fn bare_v1(&mut self, fields: &RecordFields) {
        self.start(fields);
        let phone = self.members.pop();
        self.member("isotimestamp", |out| {
            quoted(out, |out| {
                put_time(fields.seconds(), b'T', out);
                out.extend_from_slice(b"+00:00");
            });
        });
        self.members.extend(phone);
        self.member("timestamp", |out| put_signed(fields.seconds(), out));
        self.string("type", fields.kind().as_bytes());
    }

    /// A v1 or v2 record.
    pub(super) fn either(&mut self, fields: &RecordFields, rng: &mut Rng) {
        if rng.one_in(2) { self.v1(fields) } else { self.v2(fields) }
    }

    pub(super) fn base(&mut self, base: Base, fields: &RecordFields, rng: &mut Rng) {
        match base {
            Base::V1 => self.v1(fields),
            Base::V2 => self.v2(fields),
            Base::Either => self.either(fields, rng),
        }
    }

    fn start(&mut self, fields: &RecordFields) {
        self.text.clear();
        self.members.clear();
        self.gap = Spacing::None;
        self.string("context", fields.context.as_bytes());
        self.member("credits", |out| put_number(fields.credits, 1, out));
        self.string("phone", &fields.phone);
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
    pub(super) fn set(&mut self, key: &str, value: &[u8], rng: &mut Rng) {
        self.push(key, value);
        self.settle(key, rng);
    }

    /// Moves the last member, which has this key, to the place of the first one with this key,
    /// or to a random place.
    pub(super) fn settle(&mut self, key: &str, rng: &mut Rng) {
        let Some(last) = self.members.pop() else { return };
        match self.find(key) {
            Some(at) => self.members[at] = last,
            None => self.members.insert(rng.index(self.members.len() + 1), last),
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
    pub(super) fn shuffle(&mut self, rng: &mut Rng) {
        for last in (1..self.members.len()).rev() {
            self.members.swap(last, rng.index(last + 1));
        }
    }

    pub(super) fn reverse(&mut self) {
        self.members.reverse();
    }

    pub(super) fn set_gap(&mut self, gap: Spacing) {
        self.gap = gap;
    }

    pub(super) fn apply(&mut self, step: BuildStep, rng: &mut Rng) {
        match step {
            BuildStep::Set(key, values) => {
                let value = rng.pick(values);
                self.set(key, value.as_bytes(), rng);
            }
            BuildStep::SetAny(keys, values) => {
                let (key, value) = (rng.pick(keys), rng.pick(values));
                self.set(key, value.as_bytes(), rng);
            }
            BuildStep::First(key, values) => {
                self.push(key, rng.pick(values).as_bytes());
                self.members.rotate_right(1);
            }
            BuildStep::Last(key, values) => self.push(key, rng.pick(values).as_bytes()),
            BuildStep::Drop(keys) => keys.iter().for_each(|key| self.remove(key)),
            BuildStep::Rename(key, names) => {
                let from = self.text.len();
                self.text.extend_from_slice(rng.pick(names).as_bytes());
                if let Some(at) = self.find(key) {
                    self.members[at].0 = from..self.text.len();
                }
            }
            BuildStep::Blanks(gap) => self.gap = gap,
            BuildStep::Do(edit) => edit(self, rng),
        }
    }

    /// Appends the record, without a line end.
    pub(super) fn write(&self, rng: &mut Rng, out: &mut Vec<u8>) {
        let gap = self.gap;
        let mut blank = |out: &mut Vec<u8>, python: bool| match gap {
            Spacing::None => {}
            Spacing::Python if python => out.push(b' '),
            Spacing::Python => {}
            Spacing::Wild => {
                for _ in 0..rng.below(4) {
                    out.push(rng.pick(b"  \t\r"));
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
pub(super) fn put_nest(levels: usize, rng: &mut Rng, out: &mut Vec<u8>) {
    let mut closers = Vec::with_capacity(levels);
    for _ in 0..levels {
        if rng.one_in(2) {
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
