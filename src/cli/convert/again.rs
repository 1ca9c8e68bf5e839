//! Reject files, converted again.

use super::file::Run;
use crate::convert::{Converter, Piece, Reject, Tally};
use crate::store::Source;
use std::io::{self, BufRead as _, Read as _};
use std::ops::ControlFlow;
use std::sync::Arc;

impl Run<'_> {
    /// Converts what is in reject files, one after the other.
    pub(super) fn again(&mut self, converter: &Converter, sources: &[Source]) -> Tally {
        let mut tally = converter.tally();
        for source in sources {
            let mut bytes = 0;
            let ended = self.again_one(converter, source, &mut tally, &mut bytes);
            tally.bytes_in += bytes;
            match ended {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => break,
                Err(error) => {
                    if self.take(Piece::Failed { source: source.name(), error }).is_break() {
                        break;
                    }
                }
            }
        }
        tally
    }

    /// Converts what is in one reject file; how many bytes it has.
    fn again_one(
        &mut self,
        converter: &Converter,
        source: &Source,
        tally: &mut Tally,
        bytes: &mut u64,
    ) -> io::Result<ControlFlow<()>> {
        let input = source.open(Arc::clone(&self.read), Arc::clone(&self.stop))?;
        let mut input = io::BufReader::with_capacity(1 << 16, input);
        // A byte takes up to six in JSON; the rest is for the other fields.
        let most = 6 * self.args.max_record_bytes + (1 << 16);
        let mut line = Vec::new();
        for number in 1u64.. {
            line.clear();
            let length = input.by_ref().take(most).read_until(b'\n', &mut line)? as u64;
            *bytes += length;
            if length == 0 {
                break;
            }
            let no_reject = |why: &str| {
                io::Error::other(format!(
                    "cannot take rejects back from `{}`: line {number} is not a reject: {why}",
                    source.name()
                ))
            };
            if length == most {
                return Err(no_reject("it is too long for one (`--max-record-bytes`)"));
            }
            if line.trim_ascii().is_empty() {
                tally.blank += 1;
                continue;
            }
            let (name, batch) = converter.convert_reject(&line).map_err(|why| no_reject(&why))?;
            tally.add(&batch.tally);
            let in_part = |reject: &&Reject| (reject.raw.len() as u64) < reject.length;
            self.in_part += batch.rejects.iter().filter(in_part).count() as u64;
            if self.take(Piece::Batch { source: &name, batch: &batch }).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
