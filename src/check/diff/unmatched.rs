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
        let mut bytes = Vec::with_capacity(Unmatched::BYTES);
        bytes.push(self.side as u8);
        bytes.extend(self.source.to_be_bytes());
        bytes.extend(self.line.to_be_bytes());
        bytes.extend(self.byte.to_be_bytes());
        bytes.extend(self.text.0.to_be_bytes());
        bytes.extend(self.text.1.to_be_bytes());
        for key in
            [self.keys.log_id, self.keys.unordered, self.keys.timeless, self.keys.time, self.keys.alike]
        {
            bytes.extend(key.to_be_bytes());
        }
        bytes.extend(self.keys.instant.to_be_bytes());
        bytes.try_into().unwrap_or([0; Unmatched::BYTES])
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
