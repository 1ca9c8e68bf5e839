//! Two sets of events in memory.

use super::digests::{digest, each_same};
use super::passes::{Passes, Sets};
use super::unmatched::Unmatched;
use crate::check::compare::{Difference, Keys, Meaning, Side, differences};
use crate::store::sort::Sorter;

/// About how many bytes a value takes in a text.
const BYTES_A_VALUE: usize = 40;

/// Events that are not in both sets alike.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Matched {
    /// These two belong together, and differ.
    Pair {
        /// The place in the first set.
        a: usize,
        /// The place in the second set.
        b: usize,
        /// Where they differ; never empty.
        differences: Vec<Difference>,
    },
    /// The second (or a later) copy of an event of which the other set has fewer.
    Copy {
        /// The set that has more.
        side: Side,
        /// The copy's place there.
        place: usize,
        /// How many are in the first set.
        in_a: usize,
        /// How many are in the second set.
        in_b: usize,
    },
    /// It is in one set only, and nothing there is in the other belongs to it.
    Only {
        /// The set.
        side: Side,
        /// Its place there.
        place: usize,
    },
}

/// Matches two sets by content; nothing, if they are the same, in whatever order.
///
/// # Errors
/// When a temporary file can't be written or read, which large sets need.
pub(crate) fn match_up(a: &[Meaning], b: &[Meaning]) -> anyhow::Result<Vec<Matched>> {
    let mut sets = InMemory { events: [a, b], found: Vec::new() };
    let mut digests = Sorter::default();
    for (side, events) in [(Side::A, a), (Side::B, b)] {
        for (place, event) in events.iter().enumerate() {
            digests.push(digest(event.digest(), side, 0, place as u64))?;
        }
    }
    let mut passes = Passes::new();
    each_same(digests, &mut |same| {
        let [in_a, in_b] = same.counts.map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        for side in [Side::A, Side::B] {
            for place in same.extra(side) {
                let byte = u64::from_be_bytes(place[5..].try_into().unwrap_or_default());
                // It was a place in the list.
                let place = byte as usize;
                if same.in_both() > 0 {
                    sets.found.push(Matched::Copy { side, place, in_a, in_b });
                    continue;
                }
                let event = &sets.events[side as usize][place];
                let bytes = u32::try_from(event.size() * BYTES_A_VALUE).unwrap_or(u32::MAX);
                let keys = Keys::of(event);
                passes.add(&Unmatched { side, source: 0, line: 0, byte, text: (0, bytes), keys })?;
            }
        }
        Ok(())
    })?;
    passes.run(&mut sets)?;
    let mut found = sets.found;
    found.sort_by_key(|matched| match matched {
        Matched::Pair { a, .. } => (*a, 0),
        Matched::Copy { place, side, .. } | Matched::Only { place, side } => (*place, 1 + *side as usize),
    });
    Ok(found)
}

/// Both sets, and what was found. The byte of an event is its place in its set.
struct InMemory<'e> {
    events: [&'e [Meaning]; 2],
    found: Vec<Matched>,
}

impl InMemory<'_> {
    fn event(&self, event: &Unmatched) -> &Meaning {
        &self.events[event.side as usize][event.byte as usize]
    }
}

impl Sets for InMemory<'_> {
    fn meaning(&mut self, event: &Unmatched) -> anyhow::Result<Meaning> {
        Ok(self.event(event).clone())
    }

    fn pair(&mut self, a: &Unmatched, b: &Unmatched) -> anyhow::Result<()> {
        let differences = differences(self.event(a), self.event(b));
        self.found.push(Matched::Pair { a: a.byte as usize, b: b.byte as usize, differences });
        Ok(())
    }

    fn alone(&mut self, event: &Unmatched) -> anyhow::Result<()> {
        self.found.push(Matched::Only { side: event.side, place: event.byte as usize });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::compare::Rules;
    use crate::json::Tree;

    fn meaning(text: &str, rules: &Rules) -> Meaning {
        let mut tree = Tree::default();
        Meaning::of(tree.read(text.as_bytes()).expect(text), rules)
    }

    /// Ten events, each with its own time.
    fn events() -> Vec<String> {
        (0..10)
            .map(|n| {
                format!(
                    r#"{{"metadata":{{"event_timestamp":"2024-01-01T00:00:0{n}.198Z","event_type":"GENERIC_EVENT"}},"principal":{{"ip":["::1","::{n}a"]}}}}"#
                )
            })
            .collect()
    }

    #[test]
    fn a_shifted_time_a_copy_and_a_reordered_list_are_three_differences() {
        let a = events();
        let mut b = a.clone();
        b[3] = b[3].replace(".198Z", ".199Z");
        b[7] = b[7].replace(r#"["::1","::7a"]"#, r#"["::7a","::1"]"#);
        b.push(b[5].clone());
        b.reverse();
        let rules = Rules::default();
        let read = |events: &[String]| events.iter().map(|text| meaning(text, &rules)).collect::<Vec<_>>();
        let (a, b) = (read(&a), read(&b));
        for (a, b) in [(&a, &b), (&b, &a)] {
            let found = match_up(a, b).unwrap();
            let mut what: Vec<String> = found
                .iter()
                .map(|matched| match matched {
                    Matched::Pair { differences, .. } => {
                        assert_eq!(differences.len(), 1);
                        format!("{} {}", differences[0].path, differences[0].how.name())
                    }
                    Matched::Copy { in_a, in_b, .. } => format!("copy {}", in_a + in_b),
                    Matched::Only { .. } => "only".into(),
                })
                .collect();
            what.sort();
            assert_eq!(what, ["copy 3", "metadata.event_timestamp changed", "principal.ip order"]);
        }
        let mut turned = a.clone();
        turned.rotate_left(4);
        assert!(match_up(&a, &turned).unwrap().is_empty());
    }
}
