//! Outputs that later ones of the same inputs have superseded: named, and removed on request.
//!
//! Nothing is removed that a current line names, and nothing whose successors are not there, whole. What is
//! to be removed is written down first, as lines about the same inputs in a manifest of its own, and then
//! removed; so after a kill at any moment the manifest is right, and the next call goes on.

use super::entry::{End, Kind, ManifestEntry, OutputObject};
use super::history::{History, Mentioned, Place, State, locate, no_room};
use super::named::Named;
use super::part::seal;
use super::place::{Origin, order};
use super::progress::{Cause, Progress};
use super::run::name_of_run;
use super::stores::Stores;
use crate::store::objects::{Access, BlockingStore, Deleted, ObjectMeta};
use crate::store::{Error, ErrorKind};
use crate::sync::{into_inner, lock};
use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// How many lines are gone through at once, and how many outputs.
const LINES: usize = 4_000;
const OUTPUTS: usize = 500;
/// How many successors are remembered to be right.
const REMEMBERED: usize = 100_000;

/// Which outputs are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that later ones have superseded, and that still stand.
    Superseded,
    /// The others: what readers should read.
    Current,
}

/// What a call of [`prune`] is told.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// A manifest, or the place of outputs with one in its `manifest/`.
    pub manifest: &'a str,
    /// Which outputs are wanted.
    pub which: Which,
    /// Whether superseded outputs are removed.
    pub delete: bool,
    /// How many objects are looked at at once, at least 1.
    pub jobs: usize,
}

/// An output that is wanted.
#[derive(Debug, serde::Serialize)]
pub struct Pick<'a> {
    /// Its name: `s3://bucket/key`, or a file's path.
    pub url: &'a str,
    /// What it holds.
    pub kind: Kind,
    /// Its size in bytes.
    pub size: u64,
    /// How many inputs it is made of.
    pub inputs: usize,
    /// Whether it was removed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

/// What was found and done.
#[derive(Debug, Default)]
pub struct Pruned {
    /// Parts of the manifest.
    pub parts: AtomicU64,
    /// Outputs that are the last ones of their inputs.
    pub current: AtomicU64,
    /// Superseded outputs that stand, or stood.
    pub superseded: AtomicU64,
    /// Bytes of them.
    pub bytes: AtomicU64,
    /// Those of them that were removed.
    pub removed: AtomicU64,
    /// Packs that hold superseded events among current ones.
    pub mixed: AtomicU64,
}

struct Pruner<'a> {
    task: Task<'a>,
    access: &'a Access,
    progress: &'a Progress,
    pruned: &'a Pruned,
    origin: Origin,
    history: History,
    stores: Stores,
    /// Successors that are right.
    right: Mutex<HashSet<String>>,
    /// Manifests written.
    written: u64,
}

/// A superseded output that is still there.
struct Standing {
    named: Named,
    store: BlockingStore,
    found: ObjectMeta,
}

/// Names outputs to `each`, and removes them if that is wanted. Whether it came to the end. What could not
/// be removed is counted in `progress`.
///
/// # Errors
/// If the manifest can't be read; if something is to be removed, but the manifest is damaged, not whole, or
/// grows meanwhile.
pub fn prune(
    task: Task<'_>,
    access: &Access,
    progress: &Progress,
    pruned: &Pruned,
    each: &mut dyn FnMut(&Pick<'_>) -> Result<(), Error>,
) -> Result<bool, Error> {
    let origin = locate(task.manifest, access)?;
    if task.delete {
        origin.store.tidy();
    }
    let Some(mut history) = History::read(&origin, access, progress)? else { return Ok(false) };
    pruned.parts.store(history.parts, Relaxed);
    if task.delete && history.parts > 0 && (history.faulty || !history.all) {
        let why = if history.all {
            "it is damaged, or a run has not come to its end: nothing is removed because of it"
        } else {
            "it is a part of a manifest: what superseded what needs all of it"
        };
        let hint =
            "run `udmap convert` again, which ends what was interrupted, and see what `udmap verify` says";
        return Err(Error::unverified(task.manifest, why).with_advice(hint));
    }
    let mut mentions = history.current(&mut |_, _| {})?;
    let (stores, right) = (Stores::default(), Mutex::default());
    let mut pruner = Pruner { task, access, progress, pruned, origin, history, stores, right, written: 0 };
    let (mut batch, mut lines) = (Vec::new(), 0);
    while let Some(mentioned) = mentions.next()? {
        if access.stop().load(Relaxed) {
            return Ok(false);
        }
        if let Some(named) = pruner.wanted(&mentioned, each)? {
            lines += named.lines.len();
            batch.push(named);
        }
        if lines >= LINES || batch.len() >= OUTPUTS {
            pruner.batch(std::mem::take(&mut batch), each)?;
            lines = 0;
        }
    }
    pruner.batch(batch, each)?;
    Ok(!access.stop().load(Relaxed))
}

impl Pruner<'_> {
    /// Names an output if it is current; gives it back if it is superseded.
    fn wanted(
        &self,
        mentioned: &Mentioned,
        each: &mut dyn FnMut(&Pick<'_>) -> Result<(), Error>,
    ) -> Result<Option<Named>, Error> {
        let named = Named::read(&self.history, mentioned)?;
        let current = self.task.which == Which::Current;
        if named.state != State::Current {
            return Ok((!current).then_some(named));
        }
        self.pruned.current.fetch_add(1, Relaxed);
        let url = &named.output.url;
        if named.mixed {
            self.pruned.mixed.fetch_add(1, Relaxed);
            let why = "this pack holds events of inputs that have later outputs, among others that have none";
            let hint = "convert anew to another prefix; packs are for inputs that don't change";
            self.progress.fail(Cause::Mixed, &Error::unverified(url, why).with_advice(hint));
        }
        if current {
            if let Some(why) = &named.wrong {
                self.progress.fail(Cause::Differs, &Error::unverified(url, why.as_str()));
            }
            each(&named.pick(false))?;
        }
        Ok(None)
    }

    /// Goes through superseded outputs: those that stand are named, and removed.
    fn batch(
        &mut self,
        batch: Vec<Named>,
        each: &mut dyn FnMut(&Pick<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let standing = self.at_once(batch, &|named| self.is_there(named));
        for Standing { named, .. } in &standing {
            self.pruned.superseded.fetch_add(1, Relaxed);
            self.pruned.bytes.fetch_add(named.output.size, Relaxed);
            if !self.task.delete {
                each(&named.pick(false))?;
            }
        }
        if !self.task.delete || standing.is_empty() {
            return Ok(());
        }
        let safe = self.at_once(standing, &|standing| {
            let safe = self.is_safe(&standing.named);
            self.counted(safe).map(|()| standing)
        });
        if safe.is_empty() || self.access.stop().load(Relaxed) {
            return Ok(());
        }
        self.write_down(&safe)?;
        let removed = self.at_once(safe, &|standing| self.remove(standing));
        for named in removed {
            self.pruned.removed.fetch_add(1, Relaxed);
            each(&named.pick(true))?;
        }
        Ok(())
    }

    /// Does something with all items on all threads; what it gives, in their order.
    fn at_once<T: Send, U: Send>(&self, items: Vec<T>, work: &(dyn Fn(T) -> Option<U> + Sync)) -> Vec<U> {
        type Slot<T> = Mutex<Option<T>>;
        let slots: Vec<(Slot<T>, Slot<U>)> =
            items.into_iter().map(|item| (Mutex::new(Some(item)), Mutex::new(None))).collect();
        let next = AtomicUsize::new(0);
        let all = || {
            while let Some((item, done)) = slots.get(next.fetch_add(1, Relaxed)) {
                let item = lock(item).take();
                *lock(done) = item.and_then(work);
            }
        };
        std::thread::scope(|scope| {
            (1..self.task.jobs.min(slots.len())).for_each(|_| drop(scope.spawn(all)));
            all();
        });
        slots.into_iter().filter_map(|(_, it)| into_inner(it)).collect()
    }

    /// What failed is counted.
    fn counted<T>(&self, result: Result<T, Error>) -> Option<T> {
        result
            .inspect_err(|error| {
                let cause =
                    if error.kind() == ErrorKind::Damaged { Cause::Differs } else { Cause::of(error) };
                self.progress.fail(cause, error);
            })
            .ok()
    }

    fn is_there(&self, named: Named) -> Option<Standing> {
        let looked = self.stores.of(&named.output.url, self.access);
        let looked = looked.and_then(|(store, key)| store.head(&key).map(|found| (store, found)));
        let (store, found) = self.counted(looked)?;
        found.map(|found| Standing { named, store, found })
    }

    /// Whether a superseded output may go: it is what the manifest says, and so are its successors, which
    /// are made of what their inputs are now.
    fn is_safe(&self, named: &Named) -> Result<(), Error> {
        let url = &named.output.url;
        let stays =
            |why: &str, hint: &str| Err(Error::unverified(url, format!("{why}; it stays")).with_advice(hint));
        if let Some(why) = &named.wrong {
            return stays(why, "`udmap verify` says more");
        }
        for current in &named.current {
            let line = self.history.spool().line(*current).map_err(no_room)?;
            let input = crate::text::escaped(&line.input);
            let (store, key) = self.stores.of(&line.input, self.access)?;
            if store.head(&key)?.is_some_and(|now| now.etag != line.etag) {
                let why = format!("its input `{input}` has changed since");
                return stays(&why, "run the same `udmap convert` again first");
            }
            for output in &line.outputs {
                if !self.is_right(output)? {
                    let why = format!(
                        "what superseded it, `{}`, is not what was written",
                        crate::text::escaped(&output.url)
                    );
                    return stays(&why, "`udmap verify` says more; convert again first");
                }
            }
        }
        Ok(())
    }

    fn is_right(&self, output: &OutputObject) -> Result<bool, Error> {
        let right = || lock(&self.right);
        if right().contains(&output.url) {
            return Ok(true);
        }
        let (store, key) = self.stores.of(&output.url, self.access)?;
        let Some(found) = store.head(&key)? else { return Ok(false) };
        let is_right = store.digest(&found)? == (output.size, output.sha256.clone());
        if is_right {
            let mut right = right();
            if right.len() >= REMEMBERED {
                right.clear();
            }
            right.insert(output.url.clone());
        }
        Ok(is_right)
    }

    /// Writes manifests that say what is about to be removed, one for each place of outputs, and makes sure
    /// that nobody else has written one meanwhile: it may need what is to go.
    fn write_down(&mut self, batch: &[Standing]) -> Result<(), Error> {
        let mut places: BTreeMap<Option<&Place>, Vec<ManifestEntry>> = BTreeMap::new();
        for Standing { named, .. } in batch {
            let only = |line: &ManifestEntry| ManifestEntry {
                outputs: vec![named.output.clone()],
                pruned: true,
                part: 1,
                ..line.clone()
            };
            places.entry(named.place.as_ref()).or_default().extend(named.lines.iter().map(only));
        }
        for (place, mut lines) in places {
            lines.sort_by(|a, b| order(&a.input, &b.input));
            self.manifest(place, &lines)?;
        }
        let mut parts = 0;
        for found in self.origin.objects() {
            parts += u64::from(super::part::number(&found?.key).is_some());
        }
        if parts != self.history.parts + self.written {
            let why = "it grows meanwhile: a run is at work, which may need what was to be removed";
            return Err(
                Error::unverified(self.task.manifest, why).with_advice("call again when no run is at work")
            );
        }
        Ok(())
    }

    fn manifest(&mut self, place: Option<&Place>, lines: &[ManifestEntry]) -> Result<(), Error> {
        let end = End {
            part: 1,
            lines: 0,
            sha256: String::new(),
            last: true,
            round: self.history.round + 1,
            output: place.map(|place| place.output.clone()).unwrap_or_default(),
            rejects: place.and_then(|place| place.rejects.clone()),
            inputs: place.map(|place| place.inputs.clone()).unwrap_or_default(),
            interrupted: BTreeMap::new(),
        };
        let text = seal(&lines.iter().collect::<Vec<_>>(), end);
        let store = &self.origin.store;
        let key = format!("{}{}/part-00001.ndjson", self.origin.prefix, name_of_run());
        store.put(&key, &text)?;
        self.written += 1;
        let name = store.name(&key);
        let back = match store.head(&key)? {
            Some(found) => store.read_end(&found, false, text.len() as u64 + 1)?,
            None => Vec::new(),
        };
        if back != text {
            return Err(Error::unverified(
                &name,
                "read back, it is not what was written; nothing was removed",
            ));
        }
        Ok(())
    }

    fn remove(&self, Standing { named, store, found }: Standing) -> Option<Named> {
        match self.counted(store.delete(&found.key, &found.etag))? {
            Deleted::Done | Deleted::Gone => Some(named),
            Deleted::Changed => {
                let why = "it changed meanwhile, and stays";
                self.progress.fail(Cause::Changed, &Error::unverified(&named.output.url, why));
                None
            }
        }
    }
}

impl Named {
    fn pick(&self, removed: bool) -> Pick<'_> {
        let OutputObject { url, kind, size, .. } = &self.output;
        Pick { url, kind: *kind, size: *size, inputs: self.lines.len(), removed }
    }
}
