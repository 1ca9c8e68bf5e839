//! Events that are not in both sets alike.

use crate::check::compare::{Keys, Side};

/// An event that is not in both sets alike, with what it can be found by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unmatched {
    pub(super) side: Side,
    /// The number of its text among those of its side.
    pub(super) source: u32,
    pub(super) line: u64,
    pub(super) byte: u64,
    /// Where its text is kept, and how many bytes it has.
    pub(super) text: (u64, u32),
    pub(super) keys: Keys,
}

impl Unmatched {
    /// Bytes of one that is encoded.
    pub(super) const BYTES: usize = 89;

    /// Its bytes, which sort by side, input and place.
    pub(super) fn encode(&self) -> [u8; Unmatched::BYTES] {
        let mut bytes = [0; Unmatched::BYTES];
        let mut at = 0;
        let mut put = |part: &[u8]| {
            bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        };
        put(&[self.side as u8]);
        put(&self.source.to_be_bytes());
        put(&self.line.to_be_bytes());
        put(&self.byte.to_be_bytes());
        put(&self.text.0.to_be_bytes());
        put(&self.text.1.to_be_bytes());
        let Keys { log_id, unordered, timeless, time, alike, instant } = self.keys;
        [log_id, unordered, timeless, time, alike].iter().for_each(|key| put(&key.to_be_bytes()));
        put(&instant.to_be_bytes());
        bytes
    }

    /// What [`Unmatched::encode`] gave.
    pub(super) fn decode(bytes: &[u8]) -> Unmatched {
        let n = |from: usize| u64::from_be_bytes(bytes[from..from + 8].try_into().unwrap_or_default());
        let m = |from: usize| u32::from_be_bytes(bytes[from..from + 4].try_into().unwrap_or_default());
        Unmatched {
            side: if bytes[0] == 0 { Side::A } else { Side::B },
            source: m(1),
            line: n(5),
            byte: n(13),
            text: (n(21), m(29)),
            keys: Keys {
                log_id: n(33),
                unordered: n(41),
                timeless: n(49),
                time: n(57),
                alike: n(65),
                instant: u128::from_be_bytes(bytes[73..89].try_into().unwrap_or_default()),
            },
        }
    }
}
