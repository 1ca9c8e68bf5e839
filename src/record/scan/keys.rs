//! The wanted keys, to be found at once.

use crate::record::wanted::{Below, Branch, Wanted};

/// The list of no object: no key in it is wanted.
pub(super) const NO_LIST: u8 = u8::MAX;
/// How many bytes of a key are compared at once.
const HEAD: usize = 16;

/// What a key leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    Nothing,
    /// A value: the slot's number.
    Slot(u8),
    /// An object with a list of its own.
    List(u8),
    /// The record is one for the exact reader.
    Exact,
}

/// The wanted keys: for each object on the way to a wanted field a list, list 0 for the record.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    /// A hash table with open addressing.
    table: Vec<Entry>,
    /// Keys longer than [`HEAD`], in full.
    long: Vec<(u8, Vec<u8>, Wants)>,
    /// The slots below each list.
    below: Vec<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    head: u128,
    len: u8,
    list: u8,
    wants: Wants,
}

impl Keys {
    /// Nothing if there are more than this reader can hold. Records with one of the keys in
    /// `exact` at their top are not for it.
    pub(super) fn new(wanted: &Wanted, exact: &[String]) -> Option<Keys> {
        let mut lists = Vec::new();
        let mut below = Vec::new();
        add(wanted.root(), &mut lists, &mut below);
        for key in exact {
            lists.retain(|(list, known, _)| *list != 0 || known != key);
            lists.push((0, key.clone(), Wants::Exact));
        }
        if wanted.paths().len() > super::MOST_SLOTS || below.len() >= usize::from(NO_LIST) - 1 {
            return None;
        }
        // Keys are compared as they are spelled without needless escapes.
        let has_escapes = |key: &str| key.bytes().any(|b| matches!(b, 0..=0x1f | b'"' | b'\\'));
        if lists.iter().any(|(_, key, _)| has_escapes(key)) {
            return None;
        }
        let room = (4 * lists.len()).next_power_of_two();
        let free = Entry { head: 0, len: 0, list: NO_LIST, wants: Wants::Nothing };
        let mut keys = Keys { table: vec![free; room], long: Vec::new(), below };
        for (list, key, wants) in lists {
            if key.len() > HEAD {
                keys.long.push((list as u8, key.into_bytes(), wants));
                continue;
            }
            let mut head = [0; HEAD];
            head[..key.len()].copy_from_slice(key.as_bytes());
            let entry =
                Entry { head: u128::from_le_bytes(head), len: key.len() as u8, list: list as u8, wants };
            let mut at = keys.place(entry.head, key.len(), entry.list);
            while keys.table[at].list != NO_LIST {
                at = (at + 1) & (room - 1);
            }
            keys.table[at] = entry;
        }
        Some(keys)
    }

    #[inline(always)]
    fn place(&self, head: u128, len: usize, list: u8) -> usize {
        let mixed =
            (head as u64) ^ ((head >> 64) as u64).rotate_left(29) ^ (len as u64 + 256 * u64::from(list));
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & (self.table.len() - 1)
    }

    /// What the key at `bytes[start..end]` leads to in an object of this list.
    #[inline(always)]
    pub(super) fn find(&self, list: u8, bytes: &[u8], start: usize, end: usize) -> Wants {
        if list == NO_LIST {
            return Wants::Nothing;
        }
        let len = end - start;
        let Some(window) = bytes.get(start..).and_then(|rest| rest.first_chunk::<HEAD>()) else {
            return Wants::Exact;
        };
        if len > HEAD {
            let key = &bytes[start..end];
            let known = self.long.iter().find(|(l, known, _)| *l == list && known == key);
            return known.map_or(Wants::Nothing, |(_, _, wants)| *wants);
        }
        // The bytes behind the key are shifted out.
        let shift = 8 * (HEAD - len) as u32;
        let head = u128::from_le_bytes(*window).checked_shl(shift).map_or(0, |shifted| shifted >> shift);
        let mut at = self.place(head, len, list);
        loop {
            let entry = &self.table[at];
            if entry.head == head && usize::from(entry.len) == len && entry.list == list {
                return entry.wants;
            }
            // A quarter of the table is taken at most, so this ends.
            if entry.list == NO_LIST {
                return Wants::Nothing;
            }
            at = (at + 1) & (self.table.len() - 1);
        }
    }

    /// The slots below a list.
    pub(super) fn below(&self, list: u8) -> u64 {
        self.below[usize::from(list)]
    }
}

/// Adds the list of `branches`, and those below, as (list, key, what it leads to); gives its
/// number.
fn add(branches: &[Branch], lists: &mut Vec<(usize, String, Wants)>, below: &mut Vec<u64>) -> usize {
    let list = below.len();
    below.push(0);
    for branch in branches {
        let wants = match &branch.below {
            Below::Slot(slot) => {
                below[list] |= 1u64.checked_shl(*slot as u32).unwrap_or(0);
                Wants::Slot(*slot as u8)
            }
            Below::Keys(keys) => {
                let id = add(keys, lists, below);
                below[list] |= below[id];
                Wants::List(id as u8)
            }
        };
        lists.push((list, branch.key.clone(), wants));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::FieldPath;

    #[test]
    fn keys_are_found_and_others_are_not() {
        let mut wanted = Wanted::default();
        let long = "k".repeat(17);
        let sixteen = "s".repeat(16);
        for path in ["a", "b.c", "b.d.e", "timestamp", &long, &sixteen, &format!("b.{long}")] {
            wanted.want(&FieldPath::parse(path).unwrap()).unwrap();
        }
        let keys = Keys::new(&wanted, &["a".into(), "stat".into()]).unwrap();
        let find = |list, key: &str| {
            let bytes = [key.as_bytes(), &[b'"'; 16]].concat();
            keys.find(list, &bytes, 0, key.len())
        };
        assert_eq!(find(0, "a"), Wants::Exact);
        assert_eq!(find(0, "stat"), Wants::Exact);
        assert_eq!(find(0, "timestamp"), Wants::Slot(3));
        assert_eq!(find(0, &long), Wants::Slot(4));
        assert_eq!(find(0, &sixteen), Wants::Slot(5));
        let Wants::List(b) = find(0, "b") else { panic!() };
        assert_eq!(keys.below(b), 0b100_0110);
        assert_eq!(find(b, "c"), Wants::Slot(1));
        assert_eq!(find(b, &long), Wants::Slot(6));
        let Wants::List(d) = find(b, "d") else { panic!() };
        assert_eq!(find(d, "e"), Wants::Slot(2));
        for (list, key) in
            [(0, ""), (0, "A"), (0, "c"), (0, "timestam"), (0, "timestampa"), (b, "a"), (d, "c"), (b, "stat")]
        {
            assert_eq!(find(list, key), Wants::Nothing, "{list} {key}");
        }
        assert_eq!(find(NO_LIST, "a"), Wants::Nothing);
        assert_eq!(find(0, &format!("{sixteen}k")), Wants::Nothing);
        for n in 0..500 {
            assert_eq!(find(0, &format!("key{n}")), Wants::Nothing);
        }
    }

    /// Keys of other objects that lie in the way when one is looked for.
    #[test]
    fn keys_belong_to_their_lists() {
        let lists = if cfg!(miri) { 3 } else { 30 };
        let mut wanted = Wanted::default();
        for list in 0..lists {
            for key in ["a", "b"] {
                wanted.want(&FieldPath::parse(&format!("l{list}.{key}{list}")).unwrap()).unwrap();
            }
        }
        let keys = Keys::new(&wanted, &[]).unwrap();
        let find = |list, key: String| {
            let bytes = [key.as_bytes(), &[b'"'; 16]].concat();
            keys.find(list, &bytes, 0, key.len())
        };
        for list in 0..lists {
            let Wants::List(id) = find(0, format!("l{list}")) else { panic!() };
            for other in 0..lists {
                for (n, key) in ["a", "b"].into_iter().enumerate() {
                    let slot = Wants::Slot(2 * other as u8 + n as u8);
                    let expected = if other == list { slot } else { Wants::Nothing };
                    assert_eq!(find(id, format!("{key}{other}")), expected, "{list} {key}{other}");
                }
            }
        }
    }
}
