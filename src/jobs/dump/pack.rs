//! Packs: many small inputs in one output, with a manifest that says which part came from where.
//!
//! Which inputs make a pack follows from the listing alone: in its order, until they are large
//! enough. Inputs of whole packs that are done before can be left out of the listing and the others
//! still come out the same, so a run that was killed is continued, pack for pack.

use super::Context;
use super::entry::{Kind, ManifestEntry};
use super::index::Before;
use super::job::{Job, guarded};
use super::list::Listed;
use super::name::id;
use super::object::{Converted, LARGE};
use super::outputs::{OutputMark, Outputs};
use super::progress::Cause;
use super::writer::Completed;
use crate::store::objects::ObjectMeta;
use crate::store::{Error, ErrorKind};
use std::time::Duration;

/// The most inputs of a pack: their names are held in memory.
const MOST: usize = 10_000;
/// How often an input is read anew that changes, or whose service fails.
const TRIES: u32 = 5;
/// The first wait before that; it grows by as much each time.
const WAIT: Duration = Duration::from_millis(250);

/// Makes packs of what is listed.
#[derive(Debug)]
pub(super) struct Packer<'a> {
    context: &'a Context<'a>,
    size: u64,
    origin: usize,
    members: Vec<ObjectMeta>,
    bytes: u64,
    /// The output looked at last, and whether it is there.
    there: Option<(String, bool)>,
}

impl<'a> Packer<'a> {
    pub(super) fn new(context: &'a Context<'a>, size: u64) -> Packer<'a> {
        Packer { context, size, origin: 0, members: Vec::new(), bytes: 0, there: None }
    }

    /// Takes what is listed; the jobs that are complete now.
    pub(super) fn take(&mut self, listed: Listed) -> Vec<Job> {
        let Listed::Object { origin, found, before } = listed else {
            return self.close().into_iter().collect();
        };
        self.origin = origin;
        if let Some(known) = &before.known {
            let url = known.outputs.first().map(|output| output.url.clone()).unwrap_or_default();
            let there = match &self.there {
                Some((last, there)) if *last == url => *there,
                _ => self.context.is_still_there(known),
            };
            self.there = Some((url, there));
            if there {
                return vec![Job::Known { origin, found, before }];
            }
        }
        if found.size >= self.size.min(LARGE) {
            return vec![Job::One { origin, found, before: Before::default() }];
        }
        self.bytes += found.size;
        self.members.push(found);
        if self.bytes >= self.size || self.members.len() >= MOST {
            return self.close().into_iter().collect();
        }
        Vec::new()
    }

    fn close(&mut self) -> Option<Job> {
        self.bytes = 0;
        let members = std::mem::take(&mut self.members);
        (!members.is_empty()).then_some(Job::Pack { origin: self.origin, members })
    }
}

impl Context<'_> {
    /// Converts the members of a pack into one output. A member that fails is counted and left out,
    /// and the pack begun anew without it: its identity is that of its members.
    pub(super) fn pack(
        &self,
        at: usize,
        members: Vec<ObjectMeta>,
        to: &dyn Fn(Completed) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let origin = &self.origins[at];
        let _permit = self.budget.take(members.iter().map(|found| found.size).sum(), false);
        let mut members: Vec<(ObjectMeta, u32)> = members.into_iter().map(|found| (found, 0)).collect();
        while !members.is_empty() {
            let Failure { member, error } = match self.attempt(at, &members)? {
                Ok((entry, tallies)) => {
                    self.count(&entry, tallies);
                    return to(entry);
                }
                Err(failure) => failure,
            };
            let Some(member) = member else {
                // The output itself: all of its inputs are without one.
                for (found, _) in &members {
                    self.progress.fail(Cause::of(&error), &error);
                    self.progress.finished(found.size);
                }
                return Ok(());
            };
            let (found, tries) = &mut members[member];
            *tries += 1;
            let again = *tries < TRIES && matches!(error.kind(), ErrorKind::Changed | ErrorKind::Service);
            if again {
                self.pause(WAIT * *tries)?;
                match origin.store.head(&found.key) {
                    Ok(Some(now)) => {
                        *found = now;
                        continue;
                    }
                    // Whether the service can be asked shows at the next try.
                    Err(_) => continue,
                    Ok(None) => {}
                }
            }
            let (found, _) = members.remove(member);
            self.progress.fail(Cause::of(&error), &error);
            self.progress.finished(found.size);
        }
        Ok(())
    }

    fn attempt(
        &self,
        at: usize,
        members: &[(ObjectMeta, u32)],
    ) -> Result<Result<(Completed, Vec<Converted>), Failure>, Error> {
        let origin = &self.origins[at];
        let ids: Vec<String> = members.iter().map(|(found, _)| self.id(origin, found)).collect();
        let id = id(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        let first = origin.relative(&members[0].0.key);
        let relative = super::name::pack(first);
        let bytes = members.iter().map(|(found, _)| found.size).sum();
        let mut outputs = Outputs::new(self, &relative, &id, bytes, 1);
        let mut parts: Vec<(Converted, OutputMark, OutputMark)> = Vec::new();
        for (member, (found, _)) in members.iter().enumerate() {
            let from = outputs.mark();
            let fed = guarded(&origin.store.name(&found.key), || self.feed(origin, found, &mut outputs));
            let fed = fed.unwrap_or_else(Err);
            match fed {
                Ok(fed) => parts.push((fed, from, outputs.mark())),
                Err(error) if error.is_stopped() => return Err(error),
                Err(error) => {
                    let member = (!outputs.failed()).then_some(member);
                    return Ok(Err(Failure { member, error }));
                }
            }
        }
        let (stored, pending) = match outputs.finish() {
            Ok(done) => done,
            Err(error) if error.is_stopped() => return Err(error),
            Err(error) => return Ok(Err(Failure { member: None, error })),
        };
        stored.iter().for_each(|output| self.progress.wrote(output.size));
        let line =
            |(fed, from, to): &(Converted, OutputMark, OutputMark), found: &ObjectMeta| -> ManifestEntry {
                let range = |kind| match kind {
                    Kind::Events => (from.events, to.events - from.events),
                    Kind::Rejects => (from.rejects, to.rejects - from.rejects),
                    Kind::Sources => (from.sources, to.sources - from.sources),
                };
                let own = stored.iter().filter(|output| match output.kind {
                    Kind::Events => true,
                    Kind::Rejects => fed.counts.rejects > 0,
                    Kind::Sources => fed.counts.events > 0,
                });
                let own = own.map(|output| {
                    let (offset, length) = range(output.kind);
                    let mut output = output.clone();
                    (output.offset, output.length) = (Some(offset), Some(length));
                    output
                });
                self.line(origin, found, fed, own.collect())
            };
        let lines = parts.iter().zip(members).map(|(part, (found, _))| (line(part, found), found.clone()));
        let entry = Completed { lines: lines.collect(), pending, origin: at, known: false };
        Ok(Ok((entry, parts.into_iter().map(|(fed, _, _)| fed).collect())))
    }
}

/// Why a pack could not be made.
struct Failure {
    /// The member whose fault it was; nothing if it was the output's.
    member: Option<usize>,
    error: Error,
}
