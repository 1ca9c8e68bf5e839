//! Holds a manifest against what is there; and, going deep, against what inputs become today.

use super::account::{Account, Cause};
use super::index::parse;
use super::line::{Line, Output};
use super::object::Trouble;
use super::outputs::Outputs;
use super::place::Origin;
use super::{Context, Settings};
use crate::convert::{Converter, Session};
use crate::store::depot::{Access, Depot, Outcome};
use crate::store::{Error, ErrorKind};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// No line of a manifest is longer.
const LONGEST: u64 = 1 << 20;
/// Outputs found right lately: those of a pack stand in many lines.
const LATELY: usize = 64;

/// What a verification went through. What was wrong is in the account.
#[derive(Debug, Default)]
pub struct Verified {
    /// Lines.
    pub lines: AtomicU64,
    /// Outputs that are what the manifest says.
    pub right: AtomicU64,
    /// Inputs that were converted again, and gave the same.
    pub again: AtomicU64,
    /// Inputs that are gone or changed, and could not be converted again.
    pub without_input: AtomicU64,
    /// Lines of another mapping or other options, which could not be converted again.
    pub other: AtomicU64,
}

impl Verified {
    /// Whether not one input could be converted again.
    pub fn none_again(&self) -> bool {
        self.again.load(Relaxed) == 0 && self.lines.load(Relaxed) > 0
    }
}

struct Verifier<'a> {
    context: Context<'a>,
    access: &'a Access,
    deep: bool,
    depots: Mutex<HashMap<String, Depot>>,
    lately: Mutex<Vec<String>>,
    verified: &'a Verified,
}

/// Checks every line of the manifest called `manifest`: a part of one, or all below a prefix or
/// folder. Outputs are read and digested. If `deep`, inputs are converted again as `settings` say,
/// and the digests compared. Whether it came to the end.
///
/// # Errors
/// If the manifest can't be read.
pub fn verify(
    manifest: &str,
    deep: bool,
    settings: &Settings,
    converter: &Converter,
    access: &Access,
    account: &Account,
    verified: &Verified,
) -> Result<bool, Error> {
    let context = Context::new(settings, converter, account, access)?;
    let origin = Origin::open(manifest, access)?;
    let verifier =
        Verifier { context, access, deep, depots: Mutex::default(), lately: Mutex::default(), verified };
    let (jobs, queue) = sync_channel::<Vec<Line>>(64);
    let (verifier, queue) = (&verifier, &Mutex::new(queue));
    std::thread::scope(|scope| {
        for _ in 0..settings.jobs.max(1) {
            scope.spawn(move || verifier.work(queue));
        }
        let mut parts = 0u64;
        for found in origin.objects() {
            let found = found?;
            if !found.key.ends_with(".ndjson") {
                continue;
            }
            parts += 1;
            let outcome = Outcome::default();
            let name = origin.depot.name(&found.key);
            let mut reader = BufReader::new(origin.depot.read(&found, Arc::default(), &outcome)?);
            let mut group: Vec<Line> = Vec::new();
            loop {
                let mut text = Vec::new();
                let read = reader.by_ref().take(LONGEST).read_until(b'\n', &mut text);
                if let Err(error) = read {
                    return Err(outcome.take_error().unwrap_or_else(|| Error::cannot_open(&name, error)));
                }
                if text.is_empty() {
                    break;
                }
                let line = parse(&text, &name)?;
                // The members of a pack are checked together.
                if !group.last().is_some_and(|last| same_pack(last, &line)) && !group.is_empty() {
                    let _ = jobs.send(std::mem::take(&mut group));
                }
                group.push(line);
                if access.stop().load(Relaxed) {
                    return Ok(false);
                }
            }
            if !group.is_empty() {
                let _ = jobs.send(group);
            }
        }
        drop(jobs);
        match parts {
            0 => Err(Error::cannot_open(
                manifest,
                std::io::Error::other("there is no manifest (*.ndjson) there"),
            )),
            _ => Ok(!access.stop().load(Relaxed)),
        }
    })
}

fn same_pack(a: &Line, b: &Line) -> bool {
    let pack = |line: &Line| line.outputs.first().filter(|it| it.offset.is_some()).map(|it| it.url.clone());
    pack(a).is_some() && pack(a) == pack(b)
}

impl Verifier<'_> {
    fn work(&self, queue: &Mutex<Receiver<Vec<Line>>>) {
        let mut session = self.context.converter.session();
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(lines) = next else { return };
            if self.context.stop.load(Relaxed) {
                continue;
            }
            self.verified.lines.fetch_add(lines.len() as u64, Relaxed);
            for output in lines.iter().flat_map(|line| &line.outputs) {
                if let Err(error) = self.output(output) {
                    self.fail(&error);
                }
            }
            if self.deep {
                match self.again(&mut session, lines) {
                    Ok(()) | Err(Trouble::Stopped) => {}
                    Err(Trouble::Failed(error)) => self.fail(&error),
                }
            }
        }
    }

    fn fail(&self, error: &Error) {
        let cause = if error.kind() == ErrorKind::Damaged { Cause::Differs } else { Cause::of(error) };
        self.context.account.fail(cause, error);
    }

    /// The depot of an object called `name` whose key is `key`.
    fn depot(&self, name: &str, key: &str) -> Result<Depot, Error> {
        let root = name.strip_suffix(key).unwrap_or(name).trim_end_matches('/');
        let root = if root.is_empty() { "/" } else { root };
        let mut depots = self.depots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(depot) = depots.get(root) {
            return Ok(depot.clone());
        }
        let (depot, _) = Depot::open(root, self.access)?;
        depots.insert(root.to_owned(), depot.clone());
        Ok(depot)
    }

    fn output(&self, output: &Output) -> Result<(), Error> {
        let lately = || self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        if lately().contains(&output.url) {
            return Ok(());
        }
        let depot = self.depot(&output.url, &output.key)?;
        let found = depot.look(&output.key)?.ok_or_else(|| Error::damaged(&output.url, "it is gone"))?;
        if found.size != output.size {
            let why = format!("it has {} bytes, not {}", found.size, output.size);
            return Err(Error::damaged(&output.url, why));
        }
        let (_, sha256) = depot.digest(&found)?;
        if sha256 != output.sha256 {
            return Err(Error::damaged(&output.url, "its digest is another one"));
        }
        self.verified.right.fetch_add(1, Relaxed);
        let mut lately = lately();
        if lately.len() == LATELY {
            lately.remove(0);
        }
        lately.push(output.url.clone());
        Ok(())
    }

    /// Converts inputs again, one or those of a pack, and compares.
    fn again(&self, session: &mut Session, mut lines: Vec<Line>) -> Result<(), Trouble> {
        let context = &self.context;
        let count = lines.len() as u64;
        if lines.iter().any(|line| line.fingerprint != context.settings.fingerprint) {
            self.verified.other.fetch_add(count, Relaxed);
            return Ok(());
        }
        lines.sort_by_key(|line| line.outputs.first().and_then(|output| output.offset));
        let mut inputs = Vec::new();
        for line in &lines {
            let (root, key) = split(&line.input);
            let depot = self.depot(&line.input, key)?;
            debug_assert_eq!(depot.root(), root);
            match depot.look(key)? {
                Some(found) if found.etag == line.etag => {
                    inputs.push((Origin::whole(depot), found));
                }
                _ => {
                    self.verified.without_input.fetch_add(count, Relaxed);
                    return Ok(());
                }
            }
        }
        let size: u64 = inputs.iter().map(|(_, found)| found.size).sum();
        let large = size >= super::object::LARGE && inputs.len() == 1;
        let _share = context.budget.take(size, large);
        let threads = if large { context.settings.threads } else { 1 };
        let kept = lines.iter().flat_map(|line| &line.outputs).any(|it| it.kind == super::Kind::Rejects);
        let mut outputs = Outputs::measured(context, kept, threads);
        for ((origin, found), line) in inputs.iter().zip(&lines) {
            let fed = context.feed(session, origin, found, &mut outputs)?;
            let (now, then) = (
                (fed.size, &fed.sha256, fed.tally.records, fed.tally.events, fed.tally.rejects),
                (line.size, &line.sha256, line.records, line.events, line.rejects),
            );
            if now != then {
                let why = format!(
                    "converted again, it is not what the manifest says: {} records, {} events, {} rejects of {} \
                     bytes, not {}, {}, {} of {}",
                    now.2, now.3, now.4, now.0, then.2, then.3, then.4, then.0
                );
                return Err(Error::damaged(&line.input, why).into());
            }
        }
        let (made, _) = outputs.finish()?;
        for output in made {
            let then = lines.iter().flat_map(|line| &line.outputs).find(|then| then.kind == output.kind);
            if then.is_none_or(|then| (then.size, &then.sha256) != (output.size, &output.sha256)) {
                let name = then.map_or(&lines[0].input, |then| &then.url);
                return Err(Error::damaged(name, "its inputs become something else today").into());
            }
        }
        self.verified.again.fetch_add(count, Relaxed);
        Ok(())
    }
}

/// A name as the root of its depot and a key: of a file, the folder and its own name.
fn split(name: &str) -> (&str, &str) {
    match name.find("://") {
        Some(at) => {
            let end = name[at + 3..].find('/').map_or(name.len(), |slash| at + 3 + slash);
            (&name[..end], name.get(end + 1..).unwrap_or_default())
        }
        None => name.rsplit_once('/').unwrap_or((".", name)),
    }
}
