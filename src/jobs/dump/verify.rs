//! Compares a manifest with what is there: its own parts, the outputs that it names and what is in them, what else is
//! among them, and the inputs; and, going deep, what inputs become today.

use super::entry::{Kind, ManifestEntry};
use super::history::{History, Mentioned, State, locate};
use super::job::guarded;
use super::named::Named;
use super::outputs::Outputs;
use super::place::Origin;
use super::progress::{Cause, Progress};
use super::stores::Stores;
use super::strays::Listed;
use super::verified::{Depth, Verified};
use super::{Context, Settings, content};
use crate::convert::Converter;
use crate::store::objects::Access;
use crate::store::{Error, ErrorKind};
use crate::sync::lock;
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, sync_channel};

/// How many outputs and inputs wait to be checked.
const AHEAD: usize = 16;

struct Verifier<'a> {
    context: Context<'a>,
    access: &'a Access,
    depth: Depth,
    stores: Stores,
    verified: &'a Verified,
}

/// Gives jobs to the workers.
type Feed<'a> = dyn FnMut(&dyn Fn(VerifyJob)) -> Result<(), Error> + 'a;

/// Something to be checked.
enum VerifyJob {
    /// An input by its current line, and whether udmap was to delete it.
    Input(Box<ManifestEntry>, bool),
    Output(Mentioned),
}

/// Checks every line of the manifest called `manifest`: a part of one, or all below a prefix or
/// folder. Outputs are read, digested and counted. If it is to be deep, inputs are converted again
/// as `settings` say, and the digests compared. Whether it came to the end.
///
/// # Errors
/// If the manifest can't be read, or temporary files not be written.
pub fn verify(
    manifest: &str,
    depth: Depth,
    settings: &Settings,
    converter: &Converter,
    access: &Access,
    progress: &Progress,
    verified: &Verified,
) -> Result<bool, Error> {
    let origin = locate(manifest, access)?;
    let context = Context::new(settings, converter, progress, access)?;
    let Some(mut history) = History::read(&origin, access, progress)? else { return Ok(false) };
    verified.parts.store(history.parts, Relaxed);
    verified.unsealed.store(history.unsealed, Relaxed);
    verified.lines.store(history.count, Relaxed);
    let verifier = Verifier { context, access, depth, stores: Stores::default(), verified };
    // Everybody checks inputs first: who knows what is current then knows it of outputs, too.
    let mut mentions = None;
    verifier.workers(None, &mut |send| {
        let mut each = |line: ManifestEntry, deletes: bool| {
            if !depth.outputs_only {
                send(VerifyJob::Input(Box::new(line), deletes));
            }
        };
        mentions = Some(history.current(&mut each)?);
        Ok(())
    })?;
    let Some(mut mentions) = mentions else { return Ok(false) };
    let context = &verifier.context;
    let mut listed = Listed::list(context, access, verified, &history, &origin.place())?;
    verifier.workers(Some(&history), &mut |send| {
        while let Some(mentioned) = mentions.next()? {
            listed.before(Some(&mentioned.hash), context.progress)?;
            send(VerifyJob::Output(mentioned));
            if access.stop().load(Relaxed) {
                return Ok(());
            }
        }
        listed.before(None, context.progress)
    })?;
    Ok(!access.stop().load(Relaxed))
}

impl Verifier<'_> {
    /// Runs `feed`, whose jobs are done on all threads.
    fn workers(&self, history: Option<&History>, feed: &mut Feed<'_>) -> Result<(), Error> {
        let (jobs, queue) = sync_channel::<VerifyJob>(AHEAD);
        let queue = &Mutex::new(queue);
        std::thread::scope(|scope| {
            for _ in 0..self.context.settings.jobs.max(1) {
                scope.spawn(move || self.work(queue, history));
            }
            let fed = feed(&|job| drop(jobs.send(job)));
            drop(jobs);
            fed
        })
    }

    fn work(&self, queue: &Mutex<Receiver<VerifyJob>>, history: Option<&History>) {
        loop {
            let next = lock(queue).recv();
            let Ok(job) = next else { return };
            if self.context.stop.load(Relaxed) {
                continue;
            }
            let name = match &job {
                VerifyJob::Input(line, _) => line.input.clone(),
                VerifyJob::Output(_) => "an output".to_owned(),
            };
            let done = guarded(&name, || match (job, history) {
                (VerifyJob::Input(line, deletes), _) => self.input(&line, deletes),
                (VerifyJob::Output(mentioned), Some(history)) => self.output(history, &mentioned),
                (VerifyJob::Output(_), None) => Ok(()),
            });
            match done {
                Ok(Ok(())) => {}
                Ok(Err(error)) if error.is_stopped() => {}
                Ok(Err(error)) => self.fail(&error),
                Err(error) => self.fail(&error),
            }
        }
    }

    fn fail(&self, error: &Error) {
        let cause = if error.kind() == ErrorKind::Damaged { Cause::Differs } else { Cause::of(error) };
        self.context.progress.fail(cause, error);
    }

    /// Whether an input is what it was.
    fn input(&self, line: &ManifestEntry, deletes: bool) -> Result<(), Error> {
        let (store, key) = self.stores.of(&line.input, self.access)?;
        let (cause, why, hint) = match store.head(&key)? {
            Some(found) if found.etag == line.etag && found.size == line.size => {
                self.verified.inputs.fetch_add(1, Relaxed);
                return Ok(());
            }
            Some(found) if found.etag == line.etag => (
                Cause::Differs,
                format!("it has {} bytes, and {} were converted", found.size, line.size),
                "convert it again",
            ),
            Some(_) => (
                Cause::Changed,
                "it has changed since it was converted".to_owned(),
                "run the same `udmap convert` again: it converts what changed",
            ),
            None if deletes => {
                self.verified.deleted.fetch_add(1, Relaxed);
                return Ok(());
            }
            None => (
                Cause::Gone,
                "it is gone, and no run of udmap was to delete it".to_owned(),
                "where inputs go on purpose, `--outputs-only` does not look at them",
            ),
        };
        self.context.progress.fail(cause, &Error::unverified(&line.input, why).with_advice(hint));
        Ok(())
    }

    /// Whether an output is what its lines say.
    fn output(&self, history: &History, mentioned: &Mentioned) -> Result<(), Error> {
        let named = Named::read(history, mentioned)?;
        let url = &named.output.url;
        let differs = |why: String| Error::damaged(url, why);
        if let Some(why) = &named.wrong {
            return Err(differs(why.clone()));
        }
        let (store, key) = self.stores.of(url, self.access)?;
        let found = store.head(&key)?;
        let counts = self.verified;
        match (named.state, &found) {
            (State::Current, _) => counts.current.fetch_add(1, Relaxed),
            (_, Some(_)) => counts.superseded.fetch_add(1, Relaxed),
            (_, None) => counts.removed.fetch_add(1, Relaxed),
        };
        counts.mixed.fetch_add(u64::from(named.mixed), Relaxed);
        let Some(found) = found else {
            let current = named.state == State::Current;
            return if current { Err(differs("it is gone".to_owned())) } else { Ok(()) };
        };
        content::check(&store, &found, &named.output, &named.pieces, &self.context.stop)?;
        counts.right.fetch_add(1, Relaxed);
        if self.depth.deep && named.state == State::Current && named.output.kind == Kind::Events {
            self.again(named.lines)?;
        }
        Ok(())
    }

    /// Converts inputs again, one or those of a pack, and compares.
    fn again(&self, lines: Vec<ManifestEntry>) -> Result<(), Error> {
        let context = &self.context;
        let count = lines.len() as u64;
        // One output has one fingerprint, at whatever level it was compressed.
        let fingerprint = lines.first().map_or("", |line| line.fingerprint.as_str());
        let format = context.settings.format_of(fingerprint);
        let Some(format) = format.filter(|_| lines.iter().all(|line| line.fingerprint == fingerprint)) else {
            self.verified.other.fetch_add(count, Relaxed);
            return Ok(());
        };
        let mut inputs = Vec::new();
        for line in &lines {
            let (store, key) = self.stores.of(&line.input, self.access)?;
            match store.head(&key)? {
                Some(found) if found.etag == line.etag => {
                    inputs.push((Origin::whole(store), found));
                }
                _ => {
                    self.verified.without_input.fetch_add(count, Relaxed);
                    return Ok(());
                }
            }
        }
        let size: u64 = inputs.iter().map(|(_, found)| found.size).sum();
        let large = size >= super::object::LARGE && inputs.len() == 1;
        let _permit = context.budget.take(size, large);
        let threads = if large { context.settings.threads } else { 1 };
        let kept = lines.iter().flat_map(|line| &line.outputs).any(|it| it.kind == super::Kind::Rejects);
        let mut outputs = Outputs::measured(context, format, kept, threads);
        for ((origin, found), line) in inputs.iter().zip(&lines) {
            let fed = context.feed(origin, found, &mut outputs)?;
            let (now, then) = (
                (
                    fed.size,
                    &fed.sha256,
                    fed.counts.records,
                    fed.counts.events,
                    fed.counts.rejects,
                    fed.counts.outside,
                ),
                (line.size, &line.sha256, line.records, line.events, line.rejects, line.outside),
            );
            if now != then {
                let why = format!(
                    "converted again, it is not what the manifest says: {} records, {} events, {} rejects of {} \
                     bytes, not {}, {}, {} of {}",
                    now.2, now.3, now.4, now.0, then.2, then.3, then.4, then.0
                );
                return Err(Error::damaged(&line.input, why));
            }
        }
        let (made, _) = outputs.finish()?;
        for output in made {
            let then = lines.iter().flat_map(|line| &line.outputs).find(|then| then.kind == output.kind);
            if then.is_none_or(|then| (then.size, &then.sha256) != (output.size, &output.sha256)) {
                let name = then.map_or(&lines[0].input, |then| &then.url);
                return Err(Error::damaged(name, "its inputs become something else today"));
            }
        }
        self.verified.again.fetch_add(count, Relaxed);
        Ok(())
    }
}
