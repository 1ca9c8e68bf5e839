//! A run: one thread lists, workers convert, one thread keeps the manifest, some delete.

use super::entry::{End, ManifestEntry};
use super::exposed::exposed;
use super::index::{Before, Index};
use super::job::{Job, guarded};
use super::list::Listed;
use super::pack::Packer;
use super::place::{Origin, Target};
use super::progress::{Cause, Progress};
use super::queue::{Giver, Queue};
use super::remove::{Checked, Removal};
use super::writer::{Completed, ManifestWriter};
use super::{After, Context, Settings};
use crate::convert::Converter;
use crate::store::Error;
use crate::store::objects::{Access, ObjectMeta, OwnThread};
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// How many objects are listed ahead: some megabytes, with keys of the usual length.
const AHEAD: usize = 10_000;

/// How many lines wait for the manifest, a kilobyte or two each.
const WAITING: usize = 4_000;

/// Converts what is not converted yet. Whether everything was gone through: not if it was told to
/// stop. What failed for single objects is counted in `progress`.
///
/// # Errors
/// If nothing could be begun, or if the manifest can't be written.
pub fn run(
    settings: &Settings,
    converter: &Converter,
    access: &Access,
    progress: &Progress,
) -> Result<bool, Error> {
    let context = Context::new(settings, converter, progress, access)?;
    for target in [Some(&context.output), context.rejects.as_ref(), Some(&context.manifest)] {
        target.into_iter().for_each(|target| target.store.tidy());
    }
    let index = &mut Index::new(&context)?;
    let (run, end) = (name_of_run(), context.end(index));
    let (queue, entries) = (Queue::new(AHEAD, |_: &Job| 1), Queue::new(WAITING, Completed::lines));
    let to_remove = Queue::new(AHEAD, |_: &Removal| 1);
    // Those who give are there before those who take.
    let (jobs, keep, removals) = (queue.giver(), entries.giver(), to_remove.giver());
    let checked = Checked::default();
    // Ends the workers, too, when the manifest can't be written.
    let broken = AtomicBool::new(false);
    let (context, checked, broken) = (&context, &checked, &broken);
    let (queue, entries, to_remove) = (&queue, &entries, &to_remove);
    let listed = std::thread::scope(|scope| {
        for _ in 0..settings.jobs.max(1) {
            let keep = keep.clone();
            scope.spawn(move || work(context, queue, &keep, broken));
        }
        drop(keep);
        if settings.after != After::Keep {
            for _ in 0..settings.jobs.clamp(1, 8) {
                scope.spawn(move || {
                    while let Some(removal) = to_remove.take() {
                        if let Err(error) = guarded(&removal.line.input, || context.remove(&removal, checked))
                        {
                            context.progress.kept.fetch_add(1, Relaxed);
                            context.progress.fail(Cause::of(&error), &error);
                        }
                    }
                });
            }
        }
        let writer = scope.spawn(move || {
            // A worker that waits to hand over an entry is let go in the end.
            let _taker = entries.taker();
            crate::panics::provoke("manifest");
            let deletes = context.settings.after != After::Keep;
            let mut writer = ManifestWriter::new(&context.manifest, &run, end, deletes, context.progress);
            let kept_all = guarded(&context.manifest.whole_name(), || {
                writer.keep(entries, &mut |entry| {
                    if deletes {
                        for (line, found) in entry.lines {
                            // Who removes stays until nobody gives any more.
                            removals.give(Removal { origin: entry.origin, found, line });
                        }
                    }
                })
            });
            let kept_all = kept_all.and_then(|kept_all| kept_all);
            if kept_all.is_err() {
                broken.store(true, Relaxed);
            }
            kept_all
        });
        let listed = list(context, index, &jobs, broken);
        drop(jobs);
        let kept = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        kept.and(listed)
    })?;
    let has_manifest = index.is_any() || progress.converted.load(Relaxed) > 0;
    let rejects = context.rejects.as_ref();
    progress.expose(exposed(&context.output, rejects, &context.manifest, has_manifest));
    let whole = listed && !access.stop().load(Relaxed);
    if settings.after == After::DeleteEmpty && whole {
        for origin in &context.origins {
            if let Err(error) = origin.remove_empty() {
                progress.fail(Cause::of(&error), &error);
            }
        }
    }
    Ok(whole)
}

/// Lists, and makes jobs of what is listed.
fn list(
    context: &Context<'_>,
    index: &mut Index,
    jobs: &Giver<'_, Job>,
    broken: &AtomicBool,
) -> Result<bool, Error> {
    let send = |job: Job| !broken.load(Relaxed) && jobs.give(job);
    let Some(size) = context.settings.pack else {
        return context.list(index, &mut |listed| match listed {
            Listed::Object { origin, found, before } => send(Job::One { origin, found, before }),
            Listed::End => true,
        });
    };
    let mut packer = Packer::new(context, size);
    context.list(index, &mut |listed| packer.take(listed).into_iter().all(&send))
}

fn work(context: &Context<'_>, queue: &Queue<Job>, entries: &Giver<'_, Completed>, broken: &AtomicBool) {
    let targets = [Some(&context.output), context.rejects.as_ref(), Some(&context.manifest)];
    let mut stores =
        context.origins.iter().map(|it| &it.store).chain(targets.into_iter().flatten().map(|it| &it.store));
    // Without it, requests go by way of other threads.
    let _own = if stores.any(|store| store.is_remote()) { OwnThread::begin().ok() } else { None };
    let keep = |entry| if entries.give(entry) { Ok(()) } else { Err(Error::stopped()) };
    while let Some(job) = queue.take() {
        crate::panics::provoke("worker");
        // What is still listed is taken and left, so that the thread that lists does not wait without end.
        if context.stop.load(Relaxed) || broken.load(Relaxed) {
            continue;
        }
        let (name, sizes) = job.what(context);
        // A stop shows at the next look.
        let done = guarded(&name, || match job {
            Job::One { origin, found, before } => match before.known {
                Some(ref line) if context.is_still_there(line) => context.known(origin, found, before, &keep),
                _ => context.object(origin, found, &keep),
            },
            Job::Known { origin, found, before } => context.known(origin, found, before, &keep),
            Job::Pack { origin, members } => context.pack(origin, members, &keep),
        });
        if let Err(error) = done {
            // Of a pack, all members are without an output.
            for size in sizes {
                context.progress.fail(Cause::of(&error), &error);
                context.progress.finished(size);
            }
        }
    }
}

impl Context<'_> {
    /// How the parts of this run's manifest end.
    pub(super) fn end(&self, index: &Index) -> End {
        End { round: index.round + 1, interrupted: index.interrupted.clone(), ..self.plain_end() }
    }

    /// How the part of a run ends that knows no others.
    pub(super) fn plain_end(&self) -> End {
        let (output, rejects) = (self.output.whole_name(), self.rejects.as_ref().map(Target::whole_name));
        let inputs = self
            .origins
            .iter()
            .filter(|it| it.lies_below(&output) || rejects.as_ref().is_some_and(|at| it.lies_below(at)));
        End {
            part: 1,
            lines: 0,
            sha256: String::new(),
            last: true,
            round: 0,
            inputs: inputs.map(Origin::place).collect(),
            output,
            rejects,
            interrupted: BTreeMap::new(),
        }
    }

    /// Settles an input that needs no conversion. Its line is written once more if something is to be
    /// done because of it, or if a later one speaks of something else.
    fn known(
        &self,
        origin: usize,
        found: ObjectMeta,
        before: Before,
        keep: &dyn Fn(Completed) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(line) = before.known else { return Ok(()) };
        self.progress.known.fetch_add(1, Relaxed);
        self.progress.known_bytes.fetch_add(found.size, Relaxed);
        self.progress.known_records.fetch_add(line.records, Relaxed);
        self.progress.known_rejects.fetch_add(line.rejects, Relaxed);
        self.progress.known_outside.fetch_add(line.outside, Relaxed);
        let other_level = line.fingerprint != self.settings.fingerprint;
        self.progress.known_at_other_level.fetch_add(u64::from(other_level), Relaxed);
        self.progress.rejected_earlier(&line);
        self.progress.finished(found.size);
        let deletes = self.settings.after != After::Keep;
        if !deletes && !before.overtaken {
            return Ok(());
        }
        if !before.overtaken && !line.keeps_all() {
            self.progress.kept.fetch_add(1, Relaxed);
            return Ok(());
        }
        let lines = vec![(self.destined(*line), found)];
        keep(Completed { lines, pending: Vec::new(), origin, known: true })
    }

    /// Whether the outputs of an earlier run are all there.
    pub(super) fn is_still_there(&self, known: &ManifestEntry) -> bool {
        let rejects = self.rejects.as_ref().map(Target::whole_name);
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
                (super::Kind::Sources, _) => &self.sources,
            };
            matches!(target.store.head(&output.key), Ok(Some(found)) if found.size == output.size)
        })
    }
}

/// When it began, and something that no other run has.
pub(super) fn name_of_run() -> String {
    // Of the operating system's randomness. That of the crate for digests measures the clock first, for a tenth of a
    // second.
    let random = RandomState::new().build_hasher().finish() as u32;
    format!("{}-{}", chrono::Utc::now().format("%Y%m%dT%H%M%SZ"), crate::text::hex(&random.to_le_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::{Filter, Format};
    use super::*;
    use crate::convert::Options;
    use crate::mapping::Mapping;
    use crate::store::Compression;

    const LOG: &[u8] = b"{\"ts\":\"2023-03-21T22:34:49Z\",\"phone\":\"+1\",\"type\":\"sms\"}\n";

    fn settings(folder: &std::path::Path, pack: Option<u64>, after: After) -> Settings {
        let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        Settings {
            inputs: vec![at("in")],
            output: at("out"),
            rejects: None,
            manifest: None,
            filter: Filter::default(),
            after,
            jobs: 2,
            threads: 1,
            memory: 1 << 28,
            format: Format::Lines(Compression::None),
            pack,
            mapping: "m".into(),
            fingerprint: "f".into(),
            levels: vec![("f".into(), Format::Lines(Compression::None))],
            from_rejects: false,
        }
    }

    /// An object at which the worker panics is a failure that is named; the others are converted.
    #[test]
    fn a_panic_is_the_failure_of_its_object() {
        for pack in [None, Some(1 << 20)] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("in")).unwrap();
            for name in ["a", "b.panics", "c.panics", "d"] {
                std::fs::write(folder.path().join("in").join(name), LOG).unwrap();
            }
            let settings = settings(folder.path(), pack, After::Delete);
            let converter = Converter::new(&Mapping::builtin("duo_telephony").unwrap(), &Options::default());
            let progress = Progress::default();
            let access = Access::new(false, std::sync::Arc::default()).unwrap();
            assert!(run(&settings, &converter, &access, &progress).unwrap());
            let failures = progress.failures();
            let crashed = &failures[&Cause::Crashed];
            assert_eq!((failures.len(), crashed.count, progress.converted.load(Relaxed)), (1, 2, 2));
            assert!(crashed.shown.iter().any(|shown| shown.contains("/in/b.panics`: udmap failed inside")));
            let left: Vec<_> = std::fs::read_dir(folder.path().join("in")).unwrap().collect();
            assert_eq!(left.len(), 2, "what failed stays");
        }
    }

    /// An input of which fewer bytes were read than it has stays, whatever its listing says.
    #[test]
    fn what_was_not_read_whole_is_not_deleted() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        let input = folder.path().join("in/a");
        std::fs::write(&input, LOG).unwrap();
        let settings = settings(folder.path(), None, After::Delete);
        let converter = Converter::new(&Mapping::builtin("duo_telephony").unwrap(), &Options::default());
        let progress = Progress::default();
        let access = Access::new(false, std::sync::Arc::default()).unwrap();
        let context = Context::new(&settings, &converter, &progress, &access).unwrap();
        let mut found = context.origins[0].objects().next().unwrap().unwrap();
        let (entry, _) = context.convert(0, &found).unwrap();
        let mut writer = ManifestWriter::new(&context.manifest, "r", context.plain_end(), true, &progress);
        let entry = writer.write(vec![entry], true).unwrap().remove(0);
        let line = entry.lines[0].0.clone();
        assert!(line.deletes && line.size == LOG.len() as u64);
        // As if its listing had cut it: the first half is what was read.
        found.size /= 2;
        let cut = ManifestEntry { size: found.size, ..line.clone() };
        context.remove(&Removal { origin: 0, found: found.clone(), line: cut }, &Checked::default());
        assert!(input.exists() && progress.failed() == 1 && progress.kept.load(Relaxed) == 1);
        let shown = progress.failures().into_values().next().unwrap().shown.remove(0);
        assert!(shown.contains("bytes were read; it stays"), "{shown}");
        context.remove(&Removal { origin: 0, found, line }, &Checked::default());
        assert!(!input.exists() && progress.deleted.load(Relaxed) == 1);
    }
}
