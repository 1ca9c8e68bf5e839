//! What a piece means: the strict parser of everything but scalar values.

use crate::record::wanted::{Below, Branch, Wanted};

/// How deep containers may nest: as deep as the exact reader lets them.
const MOST_DEPTH: usize = 127;

/// An open container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Frame {
    Array,
    /// An object, by the list of the keys that are wanted in it.
    Object(Option<u16>),
}

/// What follows a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leads {
    /// A text; the piece ends with its opening quote.
    Text,
    /// A number; the piece ends before it.
    Number,
    /// The next line; the piece ends with the newline.
    End,
}

/// A piece, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) len: usize,
    pub(super) leads: Leads,
    /// The slot of the value that follows.
    pub(super) slot: Option<usize>,
    /// The slots (from bit 0) and wanted objects (from bit 64) whose keys stand in the piece.
    pub(super) sets: u128,
}

/// What stands in the input where a piece should begin.
pub(super) enum Met {
    Piece(Piece),
    /// White space up to this byte, behind the newline.
    Blank(usize),
    /// Something for the exact reader.
    Careful,
}

/// The wanted keys, as lists: list 0 is that of the record itself.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    lists: Vec<Vec<(String, Wants)>>,
}

#[derive(Debug, Clone, Copy)]
enum Wants {
    Slot(usize),
    /// An object with a list of its own; its number also names its bit.
    List(u16),
    /// The record is one for the exact reader.
    Careful,
}

impl Keys {
    pub(super) fn new(wanted: &Wanted, careful: &[String]) -> Option<Keys> {
        let mut keys = Keys { lists: vec![Vec::new()] };
        keys.add(0, wanted.root());
        for key in careful {
            match keys.lists[0].iter_mut().find(|(known, _)| known == key) {
                Some((_, wants)) => *wants = Wants::Careful,
                None => keys.lists[0].push((key.clone(), Wants::Careful)),
            }
        }
        let fits = wanted.paths().len() <= super::MOST_SLOTS && keys.lists.len() <= super::MOST_SLOTS;
        fits.then_some(keys)
    }

    fn add(&mut self, list: usize, branches: &[Branch]) {
        for branch in branches {
            let wants = match &branch.below {
                Below::Slot(slot) => Wants::Slot(*slot),
                Below::Keys(below) => {
                    let id = self.lists.len();
                    self.lists.push(Vec::new());
                    self.add(id, below);
                    Wants::List(id as u16)
                }
            };
            self.lists[list].push((branch.key.clone(), wants));
        }
    }

    fn find(&self, list: u16, key: &str) -> Option<Wants> {
        self.lists[usize::from(list)].iter().find(|(known, _)| known == key).map(|(_, wants)| *wants)
    }
}

/// Where in the grammar the parser is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Value,
    FirstElement,
    FirstKey,
    Key,
    AfterValue,
}

/// Parses the piece at `at`, where `frames` are open; `text` tells that a text ends there. `frames`
/// becomes what is open behind the value that the piece leads to.
pub(super) fn parse(keys: &Keys, frames: &mut Vec<Frame>, text: bool, bytes: &[u8], at: usize) -> Met {
    parse_piece(keys, frames, text, bytes, at).unwrap_or(Met::Careful)
}

fn parse_piece(keys: &Keys, frames: &mut Vec<Frame>, text: bool, bytes: &[u8], start: usize) -> Option<Met> {
    let mut at = start;
    let mut sets = 0u128;
    let mut wants = None;
    let begins = frames.is_empty();
    let mut state = if begins { State::Value } else { State::AfterValue };
    if text {
        if *bytes.get(at)? != b'"' {
            return None;
        }
        at += 1;
    }
    let piece = |at: usize, leads, slot, sets| Some(Met::Piece(Piece { len: at - start, leads, slot, sets }));
    let slot_of = |wants| if let Some(Wants::Slot(slot)) = wants { Some(slot) } else { None };
    loop {
        while matches!(bytes.get(at)?, b' ' | b'\t' | b'\r') {
            at += 1;
        }
        let byte = bytes[at];
        at += 1;
        if byte == b'\n' {
            let blank = begins && frames.is_empty() && state == State::Value;
            if blank {
                return Some(Met::Blank(at));
            }
            return if frames.is_empty() { piece(at, Leads::End, None, sets) } else { None };
        }
        match (state, byte) {
            (State::FirstKey | State::Key, b'"') => {
                let end = at + bytes[at..].iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f))?;
                // A key with escapes is rare; the exact reader knows what it spells.
                if bytes[end] != b'"' {
                    return None;
                }
                let key = std::str::from_utf8(&bytes[at..end]).ok()?;
                wants = match frames.last()? {
                    Frame::Object(Some(list)) => keys.find(*list, key),
                    _ => None,
                };
                let bit = match wants {
                    Some(Wants::Careful) => return None,
                    Some(Wants::Slot(slot)) => 1 << slot,
                    Some(Wants::List(list)) => 1 << (64 + u32::from(list)),
                    None => 0,
                };
                // A key given twice.
                if sets & bit != 0 {
                    return None;
                }
                sets |= bit;
                at = end + 1;
                while matches!(bytes.get(at)?, b' ' | b'\t' | b'\r') {
                    at += 1;
                }
                if bytes[at] != b':' {
                    return None;
                }
                at += 1;
                state = State::Value;
            }
            (State::FirstKey, b'}') | (State::FirstElement, b']') => {
                frames.pop();
                state = State::AfterValue;
            }
            (State::AfterValue, b',') => {
                state = match frames.last()? {
                    Frame::Array => State::Value,
                    Frame::Object(_) => State::Key,
                };
                wants = None;
            }
            (State::AfterValue, b'}') if matches!(frames.last(), Some(Frame::Object(_))) => {
                frames.pop();
            }
            (State::AfterValue, b']') if frames.last() == Some(&Frame::Array) => {
                frames.pop();
            }
            (State::Value | State::FirstElement, b'{' | b'[') => {
                // A container in a wanted slot is the exact reader's to reject.
                if frames.len() == MOST_DEPTH
                    || slot_of(wants).is_some()
                    || (begins && frames.is_empty() && byte == b'[')
                {
                    return None;
                }
                if byte == b'[' {
                    frames.push(Frame::Array);
                    state = State::FirstElement;
                } else {
                    let list = match wants {
                        Some(Wants::List(list)) => Some(list),
                        _ if frames.is_empty() => Some(0),
                        _ => None,
                    };
                    frames.push(Frame::Object(list));
                    state = State::FirstKey;
                }
                wants = None;
            }
            // Outside of any container there are no records.
            (State::Value | State::FirstElement, _) if frames.is_empty() => return None,
            (State::Value | State::FirstElement, b'"') => {
                return piece(at, Leads::Text, slot_of(wants), sets);
            }
            (State::Value | State::FirstElement, b'-' | b'0'..=b'9') => {
                return piece(at - 1, Leads::Number, slot_of(wants), sets);
            }
            (State::Value | State::FirstElement, _) => {
                let rest = &bytes[at - 1..];
                let word: &[u8] = match byte {
                    b'n' => b"null",
                    // The word would be the value of a slot: rare, and the exact reader's.
                    _ if slot_of(wants).is_some() => return None,
                    b't' => b"true",
                    b'f' => b"false",
                    _ => return None,
                };
                if !rest.starts_with(word) {
                    return None;
                }
                at += word.len() - 1;
                wants = None;
                state = State::AfterValue;
            }
            _ => return None,
        }
    }
}
