//! What a matching of digests leaves: events that are not in both sets alike.

use super::book::Book;
use super::pair::Rounds;
use super::side::{Origin, Spool};
use crate::check::compare::{Keys, Meaning, Rules, Side};
use crate::cli::many::{Piece, Reading};
use crate::json::Tree;
use crate::record::frame::{Chunk, Framer};
use crate::report::findings::Room;
use crate::store::sort::{Sorted, Sorter};
use std::io;
use std::iter::Peekable;
use std::sync::Arc;

/// An event by its digest: digest, side, source, byte.
pub(super) type Digest = [u8; 29];
/// A leftover by its place: side, source, byte, and how many the sets have of it.
pub(super) type Place = [u8; 21];

/// How many copies of one event are told apart; further ones are only counted.
const MOST_COPIES: usize = 100_000;

/// An event that is left, with what it can be found by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    pub(super) side: Side,
    pub(super) source: u32,
    pub(super) line: u64,
    pub(super) byte: u64,
    /// Where its text is kept.
    pub(super) kept: (u64, u32),
    pub(super) keys: Keys,
}

/// Bytes of a [`Left`].
pub(super) const LEFT: usize = 89;

impl Left {
    pub(super) fn bytes(&self) -> [u8; LEFT] {
        let mut bytes = Vec::with_capacity(LEFT);
        bytes.push(self.side as u8);
        bytes.extend(self.source.to_be_bytes());
        bytes.extend(self.line.to_be_bytes());
        bytes.extend(self.byte.to_be_bytes());
        bytes.extend(self.kept.0.to_be_bytes());
        bytes.extend(self.kept.1.to_be_bytes());
        for key in
            [self.keys.log_id, self.keys.unordered, self.keys.timeless, self.keys.time, self.keys.alike]
        {
            bytes.extend(key.to_be_bytes());
        }
        bytes.extend(self.keys.instant.to_be_bytes());
        bytes.try_into().unwrap_or([0; LEFT])
    }

    pub(super) fn of(bytes: &[u8]) -> Left {
        let n = |from: usize| u64::from_be_bytes(bytes[from..from + 8].try_into().unwrap_or_default());
        let m = |from: usize| u32::from_be_bytes(bytes[from..from + 4].try_into().unwrap_or_default());
        Left {
            side: if bytes[0] == 0 { Side::A } else { Side::B },
            source: m(1),
            line: n(5),
            byte: n(13),
            kept: (n(21), m(29)),
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

/// The first pass over a side: the digest of every event.
pub(super) fn digests(
    side: Side,
    origin: &Origin,
    reading: &Reading,
    rules: &Rules,
    sorter: &mut Sorter<29>,
    book: &mut Book,
) -> anyhow::Result<()> {
    struct Part {
        digests: Vec<Digest>,
        /// The first of what is no event, as far as there is room, and how many more there are.
        unreadable: Vec<(u64, u64, String)>,
        more: u64,
    }
    let most = book.most;
    let work = |trees: &mut (Tree, Tree), source: usize, chunk: &Chunk| {
        let mut part = Part { digests: Vec::new(), unreadable: Vec::new(), more: 0 };
        let mut room = Room::new(most);
        let (units, event) = trees;
        origin.each(&chunk.bytes, &chunk.body, units, &mut |at| {
            let text = match at.event {
                Ok(text) => text,
                Err(why) if room.take(why.len()) => return part.unreadable.push((at.line, at.byte, why)),
                Err(_) => return part.more += 1,
            };
            // What was found in a text that was read can be read.
            let Ok(value) = event.read(text) else { return };
            let mut digest = [0; 29];
            digest[..16].copy_from_slice(&Meaning::of(value, rules).digest().to_be_bytes());
            digest[16] = side as u8;
            digest[17..21].copy_from_slice(&(source as u32).to_be_bytes());
            digest[21..].copy_from_slice(&at.byte.to_be_bytes());
            part.digests.push(digest);
        });
        part
    };
    reading.run(&origin.sources, &Default::default, &work, &mut |piece| {
        match piece {
            Piece::Member(_) => {}
            Piece::Failed(error) => book.failed(error.to_string()),
            Piece::End(_, bytes) => book.bytes += bytes,
            Piece::Part(source, part) => {
                book.events[side as usize] += part.digests.len() as u64;
                for digest in part.digests {
                    sorter.push(digest)?;
                }
                for (line, byte, why) in part.unreadable {
                    book.unreadable(side, &origin.names[source], line, byte, &why);
                }
                book.unlisted("no-event", part.more);
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// Takes off what both sides have; what is left, by its place.
pub(super) fn places(sorter: Sorter<29>, book: &mut Book) -> anyhow::Result<Sorter<21>> {
    let mut left = Sorter::<21>::default();
    let mut group = Group::default();
    for digest in sorter.sorted()? {
        let digest = digest?;
        if digest[..16] != group.digest {
            group.end(&mut left, book)?;
            group.digest.copy_from_slice(&digest[..16]);
        }
        group.add(&digest);
    }
    group.end(&mut left, book)?;
    Ok(left)
}

/// Events with one digest.
#[derive(Default)]
struct Group {
    digest: [u8; 16],
    /// Side, source and byte of each.
    events: [Vec<[u8; 13]>; 2],
    counts: [u64; 2],
}

impl Group {
    fn add(&mut self, digest: &Digest) {
        let side = usize::from(digest[16]).min(1);
        self.counts[side] += 1;
        if self.events[side].len() < MOST_COPIES {
            self.events[side].push(digest[16..].try_into().unwrap_or_default());
        }
    }

    fn end(&mut self, left: &mut Sorter<21>, book: &mut Book) -> anyhow::Result<()> {
        let both = self.counts[0].min(self.counts[1]);
        book.equal += both;
        let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes();
        for side in [0, 1] {
            for event in self.events[side].iter().skip(usize::try_from(both).unwrap_or(usize::MAX)) {
                let mut place = [0; 21];
                place[..13].copy_from_slice(event);
                place[13..17].copy_from_slice(&count(self.counts[0]));
                place[17..].copy_from_slice(&count(self.counts[1]));
                left.push(place)?;
            }
            let listed = (self.events[side].len() as u64).max(both);
            let code = match (both > 0, side) {
                (true, _) => "doubled",
                (false, 0) => "only-in-a",
                (false, _) => "only-in-b",
            };
            book.unlisted(code, self.counts[side] - listed);
            self.events[side].clear();
        }
        self.counts = [0; 2];
        Ok(())
    }
}

/// The second pass: the texts of what is left, and what it can be found by. Copies of what the
/// other side has go straight into the book.
pub(super) fn texts(
    origins: [&Origin; 2],
    places: Sorter<21>,
    rules: &Rules,
    spool: &mut Spool,
    rounds: &mut Rounds,
    book: &mut Book,
) -> anyhow::Result<()> {
    let mut places = places.sorted()?.peekable();
    while let Some(place) = next(&mut places)? {
        let (side, source) = (place[0], u32::from_be_bytes(place[1..5].try_into().unwrap_or_default()));
        let origin = origins[usize::from(side).min(1)];
        let mut framer = Framer::new(origin.limit, 128 * 1024);
        let mut input = origin.sources[source as usize].open(Arc::default(), Arc::default())?;
        let (mut trees, mut buffer) = ((Tree::default(), Tree::default()), Vec::new());
        let here = |place: &Place| place[0] == side && place[1..5] == source.to_be_bytes();
        while let Some(chunk) = framer.next(&mut input, std::mem::take(&mut buffer))? {
            let Some(wanted) = next(&mut places)?.filter(here) else { break };
            if byte_of(&wanted) >= chunk.body.end() {
                buffer = chunk.bytes;
                continue;
            }
            let mut failed = Ok(());
            origin.each(&chunk.bytes, &chunk.body, &mut trees.0, &mut |at| {
                let result = (|| -> anyhow::Result<()> {
                    let Some(place) = next(&mut places)?.filter(here) else { return Ok(()) };
                    let (Ok(text), true) = (at.event, at.byte == byte_of(&place)) else { return Ok(()) };
                    let Ok(value) = trees.1.read(text) else { return Ok(()) };
                    let keys = Keys::of(&Meaning::of(value, rules));
                    let side = if side == 0 { Side::A } else { Side::B };
                    let kept = (spool.keep(text)?, u32::try_from(text.len())?);
                    let left = Left { side, source, line: at.line, byte: at.byte, kept, keys };
                    let count = |from: usize| {
                        u32::from_be_bytes(place[from..from + 4].try_into().unwrap_or_default())
                    };
                    if count(13) > 0 && count(17) > 0 {
                        book.copy(&left, [count(13), count(17)], spool)?;
                    } else {
                        rounds.add(left, 0)?;
                    }
                    places.next();
                    Ok(())
                })();
                if failed.is_ok() {
                    failed = result;
                }
            });
            failed?;
            buffer = chunk.bytes;
        }
        // What was there in the first pass is not found again.
        if next(&mut places)?.is_some_and(|place| here(&place)) {
            anyhow::bail!("`{}` changed while it was read", origin.names[source as usize]);
        }
    }
    Ok(())
}

/// The place that is next.
fn next(places: &mut Peekable<Sorted<21>>) -> io::Result<Option<Place>> {
    match places.next_if(Result::is_err) {
        Some(Err(error)) => Err(error),
        _ => Ok(places.peek().and_then(|place| place.as_ref().ok()).copied()),
    }
}

fn byte_of(place: &Place) -> u64 {
    u64::from_be_bytes(place[5..13].try_into().unwrap_or_default())
}
