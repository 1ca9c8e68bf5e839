//! The keys of mapped fields, to be found at once.

use super::STRANGER;
use crate::record::path::ListStep;
use crate::record::projection::{Branch, BranchTarget, Projection};
use crate::simd::BLOCK;
use std::collections::BTreeSet;

/// The list of no object: no key in it is mapped.
pub(super) const NO_LIST: u8 = u8::MAX;
/// How many bytes of a key are compared at once.
pub(super) const HEAD: usize = 16;

/// What a key leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wants {
    /// The slot that the value fills, as a bit; 0 for none.
    pub(super) slot: u64,
    /// The slots below an object with a list of its own.
    pub(super) below: u64,
    /// The slot's number; if there is none, a place among [`VALUES`] that nobody looks at.
    pub(super) place: u8,
    /// The list of the object.
    pub(super) list: u8,
    pub(super) kind: WantsKind,
}

/// What is special about what a key leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WantsKind {
    /// Nothing: a value, or an object.
    Usual,
    /// The record is one for the exact reader.
    Exact,
    /// A list of texts. The first fills [`Wants::place`], the last one behind it this place.
    Texts(u8),
}

impl Wants {
    pub(super) const NOTHING: Wants =
        Wants { slot: 0, below: 0, place: super::NO_PLACE, list: NO_LIST, kind: WantsKind::Usual };
    /// Where a record begins.
    pub(super) const ROOT: Wants = Wants { list: 0, ..Wants::NOTHING };

    /// Whether nobody asks what the value is, nor whether there is one.
    pub(super) fn is_aside(&self) -> bool {
        self.slot == 0 && self.kind == WantsKind::Usual
    }
}

/// What is to be known of keys at a record's top, besides the fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct TopKeys {
    /// Records that have one are for the exact reader.
    pub(crate) exact: Vec<String>,
    /// All that are known, if it matters whether a record has others.
    pub(crate) known: Option<BTreeSet<String>>,
}

/// Where the texts of a list are: the first and the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListSlots {
    /// The field's slot.
    pub(crate) first: usize,
    /// A slot behind those of all fields.
    pub(crate) last: usize,
}

/// The keys of mapped fields: for each object on the way to one a list, list 0 for the record.
#[derive(Debug, Clone)]
pub(super) struct KeyTable {
    /// A hash table with open addressing.
    table: Vec<KeyEntry>,
    /// KeyTable longer than [`HEAD`], in full.
    long: Vec<(u8, Vec<u8>, Wants)>,
    /// What keys lead to that are not known: those of other lists, and those at the top.
    unknown: [Wants; 2],
    texts: Vec<ListSlots>,
}

#[derive(Debug, Clone, Copy)]
struct KeyEntry {
    head: u128,
    /// The list and the length.
    key: u32,
    wants: Wants,
}

/// The `key` of no [`KeyEntry`].
const FREE: u32 = u32::MAX;

/// The `key` of an [`KeyEntry`] for a key of this length.
#[inline(always)]
fn of(list: u8, len: usize) -> u32 {
    u32::from(list) << 8 | len as u32
}

/// For each length of a key, its bytes among [`HEAD`].
static HEADS: [u128; HEAD + 1] = {
    let mut heads = [0; HEAD + 1];
    let mut len = 1;
    while len <= HEAD {
        heads[len] = u128::MAX >> (8 * (HEAD - len));
        len += 1;
    }
    heads
};

impl KeyTable {
    /// Nothing if there are more than this reader can hold.
    pub(super) fn new(projection: &Projection, top: &TopKeys) -> Option<KeyTable> {
        let (mut lists, mut texts) = (Vec::new(), Vec::new());
        let (mut count, mut slots) = (0, projection.paths().len());
        if slots > super::MOST_SLOTS {
            return None;
        }
        add(projection.root(), &mut lists, &mut count, &mut |first| {
            texts.push(ListSlots { first, last: slots });
            slots += 1;
            slots - 1
        })?;
        if slots > super::MOST_SLOTS || count >= usize::from(NO_LIST) - 1 {
            return None;
        }
        let is_listed = |lists: &[(usize, String, Wants)], key: &str| {
            lists.iter().any(|(list, known, _)| *list == 0 && known == key)
        };
        for key in top.known.iter().flatten() {
            if !is_listed(&lists, key) {
                lists.push((0, key.clone(), Wants::NOTHING));
            }
        }
        // A field that only says whose record it is does not count as known.
        for (_, _, wants) in lists.iter_mut().filter(|(list, key, _)| {
            *list == 0 && top.known.as_ref().is_some_and(|known| !known.contains(key))
        }) {
            match wants.kind {
                WantsKind::Usual => wants.slot |= STRANGER,
                _ => wants.kind = WantsKind::Exact,
            }
        }
        for key in &top.exact {
            lists.retain(|(list, known, _)| *list != 0 || known != key);
            lists.push((0, key.clone(), Wants { kind: WantsKind::Exact, ..Wants::NOTHING }));
        }
        // KeyTable are compared as they are spelled without needless escapes.
        let has_escapes = |key: &str| key.bytes().any(|b| matches!(b, 0..=0x1f | b'"' | b'\\'));
        if lists.iter().any(|(_, key, _)| has_escapes(key)) {
            return None;
        }
        let room = (4 * lists.len()).next_power_of_two();
        let free = KeyEntry { head: 0, key: FREE, wants: Wants::NOTHING };
        let stranger = if top.known.is_some() { STRANGER } else { 0 };
        let unknown = [Wants::NOTHING, Wants { slot: stranger, ..Wants::NOTHING }];
        let mut keys = KeyTable { table: vec![free; room], long: Vec::new(), unknown, texts };
        for (list, key, wants) in lists {
            if key.len() > HEAD {
                keys.long.push((list as u8, key.into_bytes(), wants));
                continue;
            }
            let mut head = [0; HEAD];
            head[..key.len()].copy_from_slice(key.as_bytes());
            let entry = KeyEntry { head: u128::from_le_bytes(head), key: of(list as u8, key.len()), wants };
            let mut at = keys.place(entry.head, entry.key);
            while keys.table[at].key != FREE {
                at = (at + 1) & (room - 1);
            }
            keys.table[at] = entry;
        }
        Some(keys)
    }

    /// The lists of texts.
    pub(super) fn texts(&self) -> &[ListSlots] {
        &self.texts
    }

    #[inline(always)]
    fn place(&self, head: u128, key: u32) -> usize {
        let mixed = (head as u64) ^ ((head >> 64) as u64).rotate_left(29) ^ u64::from(key);
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & (self.table.len() - 1)
    }

    /// What a key of at most [`HEAD`] bytes, with which the block begins, leads to in an object of
    /// this list.
    #[inline(always)]
    pub(super) fn short<'a>(&'a self, list: u8, block: &[u8; BLOCK], len: usize) -> &'a Wants {
        let head = u128::from_le_bytes(block.as_chunks::<HEAD>().0[0]) & HEADS[len.min(HEAD)];
        let key = of(list, len);
        let mut at = self.place(head, key);
        loop {
            let Some(entry) = self.table.get(at) else { return self.unknown(list) };
            if entry.head == head && entry.key == key {
                return &entry.wants;
            }
            // A quarter of the table is taken at most, so this ends.
            if entry.key == FREE {
                return self.unknown(list);
            }
            at = (at + 1) & (self.table.len() - 1);
        }
    }

    /// What a key of more bytes leads to.
    #[inline(always)]
    pub(super) fn long<'a>(&'a self, list: u8, key: &[u8]) -> &'a Wants {
        let known = self.long.iter().find(|(l, known, _)| *l == list && known == key);
        known.map_or(self.unknown(list), |(_, _, wants)| wants)
    }

    /// What a key leads to that is not in this list.
    #[inline(always)]
    pub(super) fn unknown(&self, list: u8) -> &Wants {
        &self.unknown[usize::from(list == 0)]
    }
}

/// Adds the list of `branches`, and those below, as (list, key, what it leads to); gives its
/// number, and the slots in it. `count` is how many lists there are, and `last` gives the slot for the last text of
/// a list. Nothing if something else is read than values, objects, and lists of texts.
fn add(
    branches: &[Branch],
    lists: &mut Vec<(usize, String, Wants)>,
    count: &mut usize,
    last: &mut dyn FnMut(usize) -> usize,
) -> Option<(usize, u64)> {
    let list = *count;
    *count += 1;
    let mut slots = 0;
    for branch in branches {
        let wants = match &branch.below {
            BranchTarget::Slot(slot) => Wants { slot: 1 << slot, place: *slot as u8, ..Wants::NOTHING },
            BranchTarget::Keys(keys) => {
                let (list, below) = add(keys, lists, count, last)?;
                Wants { below, list: list as u8, ..Wants::NOTHING }
            }
            BranchTarget::List(steps) => {
                let [(ListStep::Each, BranchTarget::Slot(slot))] = steps[..] else { return None };
                let last = last(slot).min(super::MOST_SLOTS);
                let kind = WantsKind::Texts(last as u8);
                Wants { below: 1 << slot | 1 << last, place: slot as u8, kind, ..Wants::NOTHING }
            }
            BranchTarget::Json { .. } => return None,
        };
        slots |= wants.slot | wants.below;
        lists.push((list, branch.key.clone(), wants));
    }
    Some((list, slots))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::FieldPath;

    fn look_up(keys: &KeyTable, list: u8, key: &str) -> Wants {
        if key.len() > HEAD {
            return *keys.long(list, key.as_bytes());
        }
        let mut block = [b'"'; BLOCK];
        block[..key.len()].copy_from_slice(key.as_bytes());
        *keys.short(list, &block, key.len())
    }

    #[test]
    fn keys_are_found_and_others_are_not() {
        let mut projection = Projection::default();
        let long = "k".repeat(17);
        let sixteen = "s".repeat(16);
        for path in ["a", "b.c", "b.d.e", "timestamp", &long, &sixteen, &format!("b.{long}")] {
            projection.add(&FieldPath::parse(path).unwrap()).unwrap();
        }
        let keys =
            KeyTable::new(&projection, &TopKeys { exact: vec!["a".into(), "stat".into()], known: None })
                .unwrap();
        let find = |list, key: &str| look_up(&keys, list, key);
        let slot = |n: u8| Wants { slot: 1 << n, place: n, ..Wants::NOTHING };
        let exact = |key| find(0, key).kind == WantsKind::Exact;
        assert!(exact("a") && exact("stat"));
        assert_eq!(find(0, "timestamp"), slot(3));
        assert_eq!(find(0, &long), slot(4));
        assert_eq!(find(0, &sixteen), slot(5));
        let Wants { list: b, below, .. } = find(0, "b");
        assert_eq!(below, 0b100_0110);
        assert_eq!(find(b, "c"), slot(1));
        assert_eq!(find(b, &long), slot(6));
        let Wants { list: d, below, .. } = find(b, "d");
        assert_eq!(below, 0b100);
        assert_eq!(find(d, "e"), slot(2));
        for (list, key) in
            [(0, ""), (0, "A"), (0, "c"), (0, "timestam"), (0, "timestampa"), (b, "a"), (d, "c"), (b, "stat")]
        {
            assert_eq!(find(list, key), Wants::NOTHING, "{list} {key}");
        }
        assert_eq!(find(NO_LIST, "a"), Wants::NOTHING);
        assert_eq!(find(0, &format!("{sixteen}k")), Wants::NOTHING);
        for n in 0..500 {
            assert_eq!(find(0, &format!("key{n}")), Wants::NOTHING);
        }
    }

    #[test]
    fn strangers_are_told_from_known_keys() {
        let mut projection = Projection::default();
        projection.add(&FieldPath::parse("a.b").unwrap()).unwrap();
        let long = "k".repeat(17);
        for path in ["tells", "o.tells"] {
            projection.add(&FieldPath::parse(path).unwrap()).unwrap();
        }
        let known = ["a".to_owned(), "c".to_owned(), long.clone()].into();
        let keys = KeyTable::new(&projection, &TopKeys { exact: Vec::new(), known: Some(known) }).unwrap();
        let a = look_up(&keys, 0, "a");
        assert_eq!((a.slot, a.below), (0, 1));
        assert_eq!(look_up(&keys, 0, "tells").slot, STRANGER | 2);
        let o = look_up(&keys, 0, "o");
        assert_eq!((o.slot, o.below), (STRANGER, 4));
        assert_eq!(look_up(&keys, o.list, "tells").slot, 4);
        for key in ["c", &long] {
            assert_eq!(look_up(&keys, 0, key), Wants::NOTHING, "{key}");
        }
        for key in ["", "b", "d", "kkkkkkkkkkkkkkkk", "kkkkkkkkkkkkkkkkl"] {
            assert_eq!(look_up(&keys, 0, key).slot, STRANGER, "{key}");
            assert_eq!(look_up(&keys, NO_LIST, key), Wants::NOTHING, "{key}");
        }
        assert_eq!(look_up(&keys, a.list, "c"), Wants::NOTHING);
    }

    /// KeyTable of other objects that lie in the way when one is looked for.
    #[test]
    fn keys_belong_to_their_lists() {
        let lists = if cfg!(miri) { 3 } else { 30 };
        let mut projection = Projection::default();
        for list in 0..lists {
            for key in ["a", "b"] {
                projection.add(&FieldPath::parse(&format!("l{list}.{key}{list}")).unwrap()).unwrap();
            }
        }
        let keys = KeyTable::new(&projection, &TopKeys::default()).unwrap();
        let find = |list, key: String| look_up(&keys, list, &key);
        for list in 0..lists {
            let id = find(0, format!("l{list}")).list;
            for other in 0..lists {
                for (n, key) in ["a", "b"].into_iter().enumerate() {
                    let place = 2 * other + n;
                    let slot = Wants { slot: 1 << place, place: place as u8, ..Wants::NOTHING };
                    let expected = if other == list { slot } else { Wants::NOTHING };
                    assert_eq!(find(id, format!("{key}{other}")), expected, "{list} {key}{other}");
                }
            }
        }
    }
}
