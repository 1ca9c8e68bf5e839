//! Counts of two parts of a log put together.

use super::{Gathered, MOST_KINDS, RecordKind};
use crate::check::profile::days::Counted;

impl Gathered {
    /// Adds the counts of another part of the log.
    pub(crate) fn merge(&mut self, other: Gathered) {
        self.records += other.records;
        self.fields_not_counted += other.fields_not_counted;
        self.rejected.merge(other.rejected);
        other.formats.into_iter().for_each(|(format, n)| *self.formats.entry(format).or_default() += n);
        other.tables.into_iter().for_each(|(table, n)| *self.tables.entry(table).or_default() += n);
        other.events.into_iter().for_each(|(table, n)| *self.events.entry(table).or_default() += n);
        let shapes = self.shape_names.merge(&other.shape_names);
        self.shapes.resize(self.shape_names.len(), (0, None));
        for (number, (n, range)) in shapes.iter().zip(other.shapes) {
            let mine = &mut self.shapes[usize::from(*number)];
            mine.0 += n;
            mine.1 = match (mine.1, range) {
                (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                (mine, theirs) => mine.or(theirs),
            };
        }
        let event_types = self.event_types.merge(&other.event_types);
        for (name, stat) in other.fields {
            match self.place(&name) {
                Some(place) => self.fields[place].1.merge(stat, &mut self.room),
                None => self.fields_not_counted += stat.present(),
            }
        }
        self.days.merge(other.days, &|counted| match counted {
            Counted::Shape(number) => Counted::Shape(shapes[usize::from(number)]),
            Counted::EventType(number) => Counted::EventType(event_types[usize::from(number)]),
            Counted::Reject(_) => counted,
        });
        for (mine, theirs) in self.hours.as_flattened_mut().iter_mut().zip(other.hours.as_flattened()) {
            *mine += theirs;
        }
        other.sums.into_iter().for_each(|(table, sums)| self.sums.entry(table).or_default().merge(sums));
        for (key, kind) in other.kinds {
            let room = self.kinds.len() < MOST_KINDS;
            match self.kinds.get_mut(&key) {
                Some(mine) => mine.events += kind.events,
                None if room => {
                    let event_type = event_types[usize::from(kind.event_type)];
                    self.kinds.insert(key, RecordKind { event_type, ..kind });
                }
                None => {}
            }
        }
    }
}
