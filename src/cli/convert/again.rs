//! Reject files, converted again.

use super::file::Run;
use crate::convert::{Converter, Counts, NotRejects, Piece, Reject};
use crate::store::Source;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

impl Run<'_> {
    /// Converts what is in reject files, one after the other.
    pub(super) fn again(&mut self, converter: &Converter, sources: &[Source]) -> Counts {
        let mut counts = converter.counts();
        for source in sources {
            let ended = match source.open(Arc::clone(&self.read), Arc::clone(&self.stop)) {
                Ok(input) => converter.run_rejects(input, &mut counts, |reject, batch| {
                    let in_part = |reject: &&Reject| (reject.raw.len() as u64) < reject.length;
                    self.in_part += batch.rejects.iter().filter(in_part).count() as u64;
                    self.take_sources(reject, batch)?;
                    self.take(Piece::Batch { source: reject.source, batch })
                }),
                Err(error) => Err(NotRejects::Unread(error.into())),
            };
            let error = match ended {
                Ok(ControlFlow::Continue(())) => continue,
                Ok(ControlFlow::Break(())) => break,
                Err(NotRejects::Unread(error)) => error,
                Err(NotRejects::Line(why)) => {
                    let name = source.name();
                    io::Error::other(format!("cannot take rejects back from `{name}`: {why}"))
                }
            };
            if self.take(Piece::Failed { source: source.name(), error }).is_break() {
                break;
            }
        }
        counts
    }
}
