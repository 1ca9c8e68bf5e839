//! Which records were delivered, as far as they may come again: what "each once" rests on.

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::HashMap;

/// What identifies a record: 96 bits of a digest, and whether records with the same key are one
/// record or twins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    named: bool,
    digest: [u8; 12],
}

impl Key {
    /// The key of a record that has an identifier: there is one such record.
    pub(super) fn named(parts: &[&str]) -> Key {
        Key::new(true, parts.iter().map(|part| part.as_bytes()))
    }

    /// The key of a record known by its bytes: there may be twins.
    pub(super) fn counted(bytes: impl AsRef<str>) -> Key {
        Key::new(false, std::iter::once(bytes.as_ref().as_bytes()))
    }

    fn new<'a>(named: bool, parts: impl Iterator<Item = &'a [u8]>) -> Key {
        let mut context = Context::new(&SHA256);
        for part in parts {
            // The parts are JSON texts, in which this byte does not occur.
            context.update(part);
            context.update(&[0]);
        }
        let mut digest = [0; 12];
        digest.copy_from_slice(&context.finish().as_ref()[..12]);
        Key { named, digest }
    }

    /// Whether there is only one such record.
    pub(super) fn is_named(self) -> bool {
        self.named
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mark = if self.named { 'n' } else { 'c' };
        serializer.serialize_str(&format!("{mark}{}", URL_SAFE_NO_PAD.encode(self.digest)))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bad = || D::Error::custom("a key of a record is damaged");
        let named = match text.as_bytes().first() {
            Some(b'n') => true,
            Some(b'c') => false,
            _ => return Err(bad()),
        };
        let digest = URL_SAFE_NO_PAD.decode(&text[1..]).map_err(|_| bad())?;
        Ok(Key { named, digest: digest.try_into().map_err(|_| bad())? })
    }
}

/// What is remembered of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SeenMark {
    /// When it was, in ms: how long it must be remembered.
    ms: i64,
    /// How many of it were delivered.
    delivered: u32,
    /// How many of it have come by in the window that is open.
    passed: u32,
}

/// The records that are remembered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Seen(HashMap<Key, SeenMark>);

/// What is to be done with a record that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrival {
    /// It has not been delivered.
    pub(super) deliver: bool,
    /// It has not come before in this window.
    pub(super) first: bool,
}

impl Seen {
    /// Counts a record that comes by, and marks it as delivered.
    pub(super) fn arrive(&mut self, key: Key, ms: i64) -> Arrival {
        let mark = self.0.entry(key).or_insert(SeenMark { ms, delivered: 0, passed: 0 });
        mark.ms = mark.ms.max(ms);
        mark.passed = mark.passed.saturating_add(1);
        if key.named {
            let deliver = mark.delivered == 0;
            mark.delivered = 1;
            return Arrival { deliver, first: mark.passed == 1 };
        }
        let deliver = mark.passed > mark.delivered;
        mark.delivered = mark.delivered.max(mark.passed);
        Arrival { deliver, first: true }
    }

    /// Marks a record as delivered that was found in an object, without having come by.
    pub(super) fn found(&mut self, key: Key, ms: i64) {
        let mark = self.0.entry(key).or_insert(SeenMark { ms, delivered: 0, passed: 0 });
        mark.ms = mark.ms.max(ms);
        mark.delivered = if key.named { 1 } else { mark.delivered.saturating_add(1) };
    }

    /// Forgets what was before `ms`.
    pub(super) fn forget_before(&mut self, ms: i64) {
        self.0.retain(|_, mark| mark.ms >= ms);
    }

    /// A window begins: nothing has come by in it.
    pub(super) fn new_window(&mut self) {
        self.0.values_mut().for_each(|mark| mark.passed = 0);
    }

    /// What was at `ms` or later is about to come by once more.
    pub(super) fn again_from(&mut self, ms: i64) {
        self.0.values_mut().filter(|mark| mark.ms >= ms).for_each(|mark| mark.passed = 0);
    }

    /// How many are remembered.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// As `[ms, key, delivered, passed]`, in the order of time.
impl Serialize for Seen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut marks: Vec<(i64, Key, u32, u32)> =
            self.0.iter().map(|(key, mark)| (mark.ms, *key, mark.delivered, mark.passed)).collect();
        marks.sort_unstable();
        serializer.collect_seq(marks)
    }
}

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Seen, D::Error> {
        let marks = Vec::<(i64, Key, u32, u32)>::deserialize(deserializer)?;
        let mark = |(ms, key, delivered, passed)| (key, SeenMark { ms, delivered, passed });
        Ok(Seen(marks.into_iter().map(mark).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_name_and_all_twins() {
        let (named, counted) = (Key::named(&["a"]), Key::counted("a"));
        let mut seen = Seen::default();
        let delivered = |seen: &mut Seen, key| seen.arrive(key, 5).deliver;
        assert_eq!([named, named].map(|key| delivered(&mut seen, key)), [true, false]);
        assert_eq!([counted, counted].map(|key| delivered(&mut seen, key)), [true, true]);
        // The next window comes by them again, and finds one more twin.
        seen.new_window();
        assert_eq!([counted, counted, counted].map(|key| delivered(&mut seen, key)), [false, false, true]);
        assert!(!delivered(&mut seen, named));
        // An object is found that has one of each.
        let mut seen = Seen::default();
        seen.found(named, 5);
        seen.found(counted, 5);
        assert_eq!([counted, counted].map(|key| delivered(&mut seen, key)), [false, true]);
        assert_eq!(seen.arrive(named, 5), Arrival { deliver: false, first: true });
        assert!(!seen.arrive(named, 5).first);
    }

    #[test]
    fn remembers_as_long_as_told_and_through_text() {
        let mut seen = Seen::default();
        for n in 0..10 {
            seen.arrive(Key::named(&[&n.to_string()]), n);
        }
        seen.forget_before(4);
        assert_eq!(seen.len(), 6);
        let text = serde_json::to_string(&seen).unwrap();
        assert_eq!(serde_json::from_str::<Seen>(&text).unwrap(), seen);
        for bad in ["[[1,\"x\",1,1]]", "[[1,\"nAA\",1,1]]", "[[1,\"\",1,1]]", "{}"] {
            assert!(serde_json::from_str::<Seen>(bad).is_err(), "{bad}");
        }
        assert_ne!(Key::named(&["a", "b"]), Key::named(&["ab", ""]));
    }
}
