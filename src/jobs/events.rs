//! UDM events next to the collected logs: here the collector and the engine meet.

use crate::convert::Converter;
use crate::jobs::collect::{Derive, Derived};

/// Makes UDM events of raw records, and rejects of those that can't become one.
#[derive(Debug)]
pub(crate) struct Events(pub(crate) Converter);

impl Derive for Events {
    fn derive(&self, name: &str, raw: &[u8]) -> Result<Vec<Derived>, String> {
        let batch = self.0.convert(raw);
        let mut rejects = Vec::new();
        batch.rejects.iter().for_each(|reject| reject.write_json(name, &mut rejects));
        let bad: u64 = batch.counts.bad_fields.values().sum();
        let mut made = vec![
            Derived { target: "events", bytes: batch.events, lines: batch.counts.events },
            Derived { target: "rejects", bytes: rejects, lines: batch.counts.rejects },
        ];
        // They are in the events, and only told.
        made.extend((bad > 0).then_some(Derived { target: "bad fields", bytes: Vec::new(), lines: bad }));
        Ok(made)
    }
}
