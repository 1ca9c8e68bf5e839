//! Events by their digests: those with the same digest are the same.

use crate::check::compare::Side;
use crate::store::sort::Sorter;
use std::io;

/// An event by its digest: digest, side, source, byte.
pub(super) type Digest = [u8; 29];
/// Where an event is: side, source, byte.
pub(super) type Place = [u8; 13];

/// How many copies of one event are listed; further ones are only counted.
const MOST_COPIES: usize = 100_000;

/// The digest of an event with its place.
pub(super) fn digest(digest: u128, side: Side, source: usize, byte: u64) -> Digest {
    let mut all = [0; 29];
    all[..16].copy_from_slice(&digest.to_be_bytes());
    all[16] = side as u8;
    all[17..21].copy_from_slice(&(source as u32).to_be_bytes());
    all[21..].copy_from_slice(&byte.to_be_bytes());
    all
}

/// Events with one digest.
#[derive(Debug, Default)]
pub(super) struct Same {
    digest: [u8; 16],
    listed: [Vec<Place>; 2],
    /// How many there are on each side.
    pub(super) counts: [u64; 2],
}

impl Same {
    fn add(&mut self, digest: &Digest) {
        let side = usize::from(digest[16]).min(1);
        self.counts[side] += 1;
        if self.listed[side].len() < MOST_COPIES {
            self.listed[side].push(digest[16..].try_into().unwrap_or_default());
        }
    }

    /// How many both sides have.
    pub(super) fn in_both(&self) -> u64 {
        self.counts[0].min(self.counts[1])
    }

    /// Events of a side that the other side has not, as far as they are listed.
    pub(super) fn extra(&self, side: Side) -> impl Iterator<Item = &Place> {
        let in_both = usize::try_from(self.in_both()).unwrap_or(usize::MAX);
        self.listed[side as usize].iter().skip(in_both)
    }

    /// How many more of them there are.
    pub(super) fn not_listed(&self, side: Side) -> u64 {
        let side = side as usize;
        self.counts[side] - (self.listed[side].len() as u64).max(self.in_both())
    }
}

/// Hands the events of each digest to `each`.
pub(super) fn each_same(
    digests: Sorter<29>,
    each: &mut dyn FnMut(&Same) -> io::Result<()>,
) -> io::Result<()> {
    let mut same = Same::default();
    for digest in digests.sorted()? {
        let digest = digest?;
        if digest[..16] != same.digest {
            each(&same)?;
            same.digest.copy_from_slice(&digest[..16]);
            same.listed.iter_mut().for_each(Vec::clear);
            same.counts = [0; 2];
        }
        same.add(&digest);
    }
    each(&same)
}
