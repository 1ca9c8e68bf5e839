//! A run: one thread lists, workers convert, one thread keeps the manifest, some delete.

use super::account::{Account, Cause};
use super::index::Known;
use super::ledger::{Entry, Ledger};
use super::list::Listed;
use super::object::Trouble;
use super::pack::Packer;
use super::remove::{Checked, Removal};
use super::{After, Context, Settings};
use crate::convert::{Converter, Session};
use crate::store::Error;
use crate::store::depot::{Access, Found};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

/// So many objects are listed ahead: some megabytes, with keys of the usual length.
const AHEAD: usize = 10_000;

/// So many entries wait for the manifest, a kilobyte or two each.
const WAITING: usize = 2_000;

/// Something to be done by a worker.
#[derive(Debug)]
pub(super) enum Job {
    One {
        origin: usize,
        found: Found,
        known: Option<Known>,
    },
    /// What an earlier run has converted, and is still there.
    Known {
        origin: usize,
        found: Found,
        known: Known,
    },
    Pack {
        origin: usize,
        members: Vec<Found>,
    },
}

/// Converts what is not converted yet. Whether everything was gone through: not if it was told to
/// stop. What failed for single objects is in the account.
///
/// # Errors
/// If nothing could be begun, or if the manifest can't be written.
pub fn run(
    settings: &Settings,
    converter: &Converter,
    access: &Access,
    account: &Account,
) -> Result<bool, Error> {
    let context = Context::new(settings, converter, account, access)?;
    for target in [Some(&context.output), context.rejects.as_ref(), Some(&context.manifest)] {
        target.into_iter().for_each(|target| target.depot.tidy());
    }
    let run = name_of_run();
    let (jobs, queue) = sync_channel::<Job>(AHEAD);
    // While the ledger waits for the disk, workers go on; but entries of packs have many lines.
    let (entries, kept) = sync_channel::<Entry>(if settings.pack.is_some() { 8 } else { WAITING });
    let (removals, to_remove) = sync_channel::<Removal>(AHEAD);
    let (queue, to_remove) = (Mutex::new(queue), Mutex::new(to_remove));
    let checked = Checked::default();
    // Ends the workers, too, when the manifest can't be written.
    let broken = AtomicBool::new(false);
    let (context, queue, to_remove, checked, broken) = (&context, &queue, &to_remove, &checked, &broken);
    let listed = std::thread::scope(|scope| {
        for _ in 0..settings.jobs.max(1) {
            let (entries, removals) = (entries.clone(), removals.clone());
            scope.spawn(move || work(context, queue, &entries, &removals, broken));
        }
        drop(entries);
        if settings.after != After::Keep {
            for _ in 0..settings.jobs.clamp(1, 8) {
                scope.spawn(move || {
                    while let Some(removal) = next(to_remove) {
                        context.remove(&removal, checked);
                    }
                });
            }
        }
        let ledger = scope.spawn(move || {
            crate::panics::provoke("manifest");
            let mut ledger = Ledger::new(&context.manifest, &run, context.account);
            let kept_all = ledger.keep(&kept, &mut |entry| {
                if context.settings.after != After::Keep {
                    for (line, found) in entry.lines {
                        let (outputs, rejects) = (line.outputs, line.rejects);
                        // They go when nobody sends any more, so they are there.
                        let _ = removals.send(Removal { origin: entry.origin, found, outputs, rejects });
                    }
                }
            });
            if kept_all.is_err() {
                broken.store(true, Relaxed);
                // Whoever waits to hand over an entry is let go.
                drop(kept);
            }
            kept_all
        });
        let listed = list(context, jobs, broken);
        let kept = ledger.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        kept.and(listed)
    })?;
    let whole = listed && !access.stop().load(Relaxed);
    if settings.after == After::DeleteEmpty && whole {
        for origin in &context.origins {
            if let Err(error) = origin.remove_empty() {
                account.fail(Cause::of(&error), &error);
            }
        }
    }
    Ok(whole)
}

/// Lists, and makes jobs of what is listed.
fn list(context: &Context<'_>, jobs: SyncSender<Job>, broken: &AtomicBool) -> Result<bool, Error> {
    let send = |job: Job| !broken.load(Relaxed) && jobs.send(job).is_ok();
    let Some(size) = context.settings.pack else {
        return context.list(&mut |listed| match listed {
            Listed::Object { origin, found, known } => send(Job::One { origin, found, known }),
            Listed::End => true,
        });
    };
    let mut packer = Packer::new(context, size);
    context.list(&mut |listed| packer.take(listed).into_iter().all(&send))
}

fn next<T>(queue: &Mutex<Receiver<T>>) -> Option<T> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn work(
    context: &Context<'_>,
    queue: &Mutex<Receiver<Job>>,
    entries: &SyncSender<Entry>,
    removals: &SyncSender<Removal>,
    broken: &AtomicBool,
) {
    let mut session = context.converter.session();
    let keep = |entry| entries.send(entry).map_err(|_| Trouble::Stopped);
    while let Some(job) = next(queue) {
        crate::panics::provoke("worker");
        // What is still listed is taken and left, so that whoever lists does not wait for ever.
        if context.stop.load(Relaxed) || broken.load(Relaxed) {
            continue;
        }
        // A stop shows at the next look.
        let _ = match job {
            Job::One { origin, found, known } => {
                one(context, &mut session, origin, found, known, &keep, removals)
            }
            Job::Known { origin, found, known } => {
                context.known(origin, found, known, removals);
                Ok(())
            }
            Job::Pack { origin, members } => context.pack(&mut session, origin, members, &keep),
        };
    }
}

fn one(
    context: &Context<'_>,
    session: &mut Session,
    origin: usize,
    found: Found,
    known: Option<Known>,
    keep: &dyn Fn(Entry) -> Result<(), Trouble>,
    removals: &SyncSender<Removal>,
) -> Result<(), Trouble> {
    match known {
        Some(known) if context.still_stands(&known) => {
            context.known(origin, found, known, removals);
            return Ok(());
        }
        _ => {}
    }
    context.object(session, origin, found, keep)
}

impl Context<'_> {
    /// Settles an input that needs no conversion.
    fn known(&self, origin: usize, found: Found, known: Known, removals: &SyncSender<Removal>) {
        self.account.known.fetch_add(1, Relaxed);
        self.account.known_bytes.fetch_add(found.size, Relaxed);
        self.account.settle(found.size);
        if self.settings.after != After::Keep {
            let Known { outputs, rejects } = known;
            let _ = removals.send(Removal { origin, found, outputs, rejects });
        }
    }

    /// Whether what became of an input in an earlier run is all there.
    pub(super) fn still_stands(&self, known: &Known) -> bool {
        let rejects = self.rejects.as_ref().map(super::place::Target::whole_name);
        if let Some(place) = &rejects
            && known.rejects > 0
            && !known.outputs.iter().any(|it| it.kind == super::Kind::Rejects && it.url.starts_with(place))
        {
            // They were not kept, or elsewhere.
            return false;
        }
        known.outputs.iter().all(|output| {
            let target = match (output.kind, &self.rejects) {
                (super::Kind::Events, _) => &self.output,
                (super::Kind::Rejects, Some(rejects)) => rejects,
                (super::Kind::Rejects, None) => return true,
            };
            matches!(target.depot.look(&output.key), Ok(Some(found)) if found.size == output.size)
        })
    }
}

/// When it began, and something that no other run has.
fn name_of_run() -> String {
    let mut random = [0; 4];
    // Without randomness the time alone would do nearly always.
    let _ = aws_lc_rs::rand::fill(&mut random);
    format!("{}-{}", chrono::Utc::now().format("%Y%m%dT%H%M%SZ"), crate::store::hex(&random))
}
