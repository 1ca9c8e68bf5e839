//! Holds a manifest against what is there: its own parts, the outputs that it names and what is in
//! them, what else stands among them, and the inputs; and, going deep, what inputs become today.

use super::account::{Account, Cause};
use super::content::{self, Piece};
use super::history::{History, Mentioned, Place, State, locate, no_room};
use super::line::{Kind, Line, Output};
use super::name::{Follows, id};
use super::object::Trouble;
use super::outputs::{Outputs, endings};
use super::place::{Origin, order};
use super::run::guarded;
use super::spool::{Span, Spool, hash};
use super::{Context, Settings};
use crate::convert::{Converter, Session};
use crate::store::objects::{Access, BlockingStore};
use crate::store::sort::{Sorted, Sorter};
use crate::store::{Error, ErrorKind};
use crate::sync::lock;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, sync_channel};

/// So many outputs and inputs wait to be checked.
const AHEAD: usize = 16;
/// An object that was listed: its name's hash, and where its name is kept.
const LISTED: usize = 16 + Span::BYTES;

/// What a verification is to look at besides outputs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Depth {
    /// Whether inputs are converted again.
    pub deep: bool,
    /// Whether inputs are not looked at.
    pub outputs_only: bool,
}

/// What a verification went through. What was wrong is in the account.
#[derive(Debug, Default)]
pub struct Verified {
    /// Parts of the manifest.
    pub parts: AtomicU64,
    /// Parts of versions that did not say how many lines there are: missing ones can't be noticed.
    pub unsealed: AtomicU64,
    /// Lines.
    pub lines: AtomicU64,
    /// Outputs that are what the manifest says.
    pub right: AtomicU64,
    /// Outputs that are the last ones of their inputs.
    pub current: AtomicU64,
    /// Outputs whose inputs have later ones, and that still stand.
    pub superseded: AtomicU64,
    /// Outputs whose inputs have later ones, and that were removed.
    pub removed: AtomicU64,
    /// Packs that hold events of inputs that have later ones, among others.
    pub mixed: AtomicU64,
    /// Inputs that are what they were when they were converted.
    pub inputs: AtomicU64,
    /// Inputs that udmap was to delete, and that are gone.
    pub deleted: AtomicU64,
    /// Objects looked at, to find out which no line names.
    pub listed: AtomicU64,
    /// Whether what no line names was looked for: only if all of a manifest is verified.
    pub foreign: std::sync::atomic::AtomicBool,
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

    /// Whether there was no manifest.
    pub fn is_nothing(&self) -> bool {
        self.parts.load(Relaxed) == 0
    }

    /// What was found to be wrong, and what could not be checked.
    pub fn failed(&self, account: &Account) -> (u64, u64) {
        let (mut failed, mut unchecked) = (0, self.without_input.load(Relaxed) + self.other.load(Relaxed));
        for (cause, failures) in account.failures() {
            match cause {
                Cause::Differs | Cause::Manifest | Cause::Foreign => failed += failures.count,
                _ => unchecked += failures.count,
            }
        }
        (failed, unchecked)
    }
}

struct Verifier<'a> {
    context: Context<'a>,
    access: &'a Access,
    depth: Depth,
    depots: Depots,
    verified: &'a Verified,
}

/// Gives jobs to whoever takes them.
type Feed<'a> = dyn FnMut(&dyn Fn(Job)) -> Result<(), Error> + 'a;

/// An input that became a part of an output, and whether that is its current one.
type Member = (Line, Output, bool);

/// Something to be checked.
enum Job {
    /// An input by its current line, and whether udmap was to delete it.
    Input(Box<Line>, bool),
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
    account: &Account,
    verified: &Verified,
) -> Result<bool, Error> {
    let origin = locate(manifest, access)?;
    let context = Context::new(settings, converter, account, access)?;
    let Some(mut history) = History::read(&origin, access, account)? else { return Ok(false) };
    verified.parts.store(history.parts, Relaxed);
    verified.unsealed.store(history.unsealed, Relaxed);
    verified.lines.store(history.count, Relaxed);
    let verifier = Verifier { context, access, depth, depots: Depots::default(), verified };
    // Everybody checks inputs first: who knows what is current then knows it of outputs, too.
    let mut mentions = None;
    verifier.workers(None, &mut |send| {
        let mut each = |line: Line, deletes: bool| {
            if !depth.outputs_only {
                send(Job::Input(Box::new(line), deletes));
            }
        };
        mentions = Some(history.current(&mut each)?);
        Ok(())
    })?;
    let Some(mut mentions) = mentions else { return Ok(false) };
    let mut listed = verifier.listed(&history, &origin.place())?;
    verifier.workers(Some(&history), &mut |send| {
        while let Some(mentioned) = mentions.next()? {
            listed.before(Some(&mentioned.hash), &verifier)?;
            send(Job::Output(mentioned));
            if access.stop().load(Relaxed) {
                return Ok(());
            }
        }
        listed.before(None, &verifier)
    })?;
    Ok(!access.stop().load(Relaxed))
}

impl Verifier<'_> {
    /// Runs `feed`, whose jobs are done on all threads.
    fn workers(&self, history: Option<&History>, feed: &mut Feed<'_>) -> Result<(), Error> {
        let (jobs, queue) = sync_channel::<Job>(AHEAD);
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

    fn work(&self, queue: &Mutex<Receiver<Job>>, history: Option<&History>) {
        let mut session = self.context.converter.session();
        loop {
            let next = lock(queue).recv();
            let Ok(job) = next else { return };
            if self.context.stop.load(Relaxed) {
                continue;
            }
            let name = match &job {
                Job::Input(line, _) => line.input.clone(),
                Job::Output(_) => "an output".to_owned(),
            };
            let done = guarded(&name, || match (job, history) {
                (Job::Input(line, deletes), _) => self.input(&line, deletes),
                (Job::Output(mentioned), Some(history)) => self.output(&mut session, history, &mentioned),
                (Job::Output(_), None) => Ok(()),
            });
            match done {
                Ok(Ok(()) | Err(Trouble::Stopped)) => {}
                Ok(Err(Trouble::Failed(error))) => self.fail(&error),
                Err(error) => {
                    self.fail(&error);
                    session = self.context.converter.session();
                }
            }
        }
    }

    fn fail(&self, error: &Error) {
        let cause = if error.kind() == ErrorKind::Damaged { Cause::Differs } else { Cause::of(error) };
        self.context.account.fail(cause, error);
    }

    /// Whether an input is what it was.
    fn input(&self, line: &Line, deletes: bool) -> Result<(), Trouble> {
        let (depot, key) = self.depots.of(&line.input, self.access)?;
        let (cause, why, hint) = match depot.head(&key)? {
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
        self.context.account.fail(cause, &Error::unverified(&line.input, why).with_advice(hint));
        Ok(())
    }

    /// Whether an output is what its lines say.
    fn output(&self, session: &mut Session, history: &History, mentioned: &Mentioned) -> Result<(), Trouble> {
        let named = Named::read(history, mentioned)?;
        let url = &named.output.url;
        let differs = |why: String| Trouble::from(Error::damaged(url, why));
        if let Some(why) = &named.wrong {
            return Err(differs(why.clone()));
        }
        let (depot, key) = self.depots.of(url, self.access)?;
        let found = depot.head(&key)?;
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
        content::check(&depot, &found, &named.output, &named.pieces, &self.context.stop)?;
        counts.right.fetch_add(1, Relaxed);
        if self.depth.deep && named.state == State::Current && named.output.kind == Kind::Events {
            self.again(session, named.lines)?;
        }
        Ok(())
    }

    /// What stands where the outputs of a whole manifest go, by the hashes of names.
    fn listed(&self, history: &History, manifest: &str) -> Result<Listed, Error> {
        let mut names = Spool::new().map_err(no_room)?;
        let mut sorter = Sorter::<LISTED>::default();
        let mut places: Vec<(&str, &Place)> = Vec::new();
        for place in history.places().iter().filter(|_| history.all) {
            let output = Some(place.output.as_str()).filter(|output| !output.is_empty());
            places.extend(output.into_iter().chain(place.rejects.as_deref()).map(|name| (name, place)));
        }
        let inputs: HashSet<&str> =
            places.iter().flat_map(|(_, place)| &place.inputs).map(String::as_str).collect();
        let all: HashSet<&str> = places.iter().map(|(name, _)| *name).collect();
        for name in &all {
            // What lies in another one is listed there.
            if all.iter().any(|other| other != name && name.starts_with(other)) {
                continue;
            }
            self.verified.foreign.store(true, Relaxed);
            let unlisted = |error: &Error| self.context.account.fail(Cause::Listing, error);
            let origin = match Origin::open(name, self.access) {
                Ok(origin) => origin,
                Err(error) => {
                    unlisted(&error);
                    continue;
                }
            };
            for found in origin.objects() {
                let name = match found {
                    Ok(found) => origin.depot.name(&found.key),
                    Err(error) => {
                        unlisted(&error);
                        continue;
                    }
                };
                if self.context.stop.load(Relaxed) {
                    break;
                }
                if name.starts_with(manifest) || inputs.iter().any(|input| name.starts_with(input)) {
                    continue;
                }
                self.verified.listed.fetch_add(1, Relaxed);
                let mut record = [0; LISTED];
                record[..16].copy_from_slice(&hash(&name));
                record[16..].copy_from_slice(&names.push(name.as_bytes()).map_err(no_room)?.bytes());
                sorter.push(record).map_err(no_room)?;
            }
        }
        names.flush().map_err(no_room)?;
        Ok(Listed { names, sorted: sorter.sorted().map_err(no_room)?, next: None })
    }

    /// Converts inputs again, one or those of a pack, and compares.
    fn again(&self, session: &mut Session, lines: Vec<Line>) -> Result<(), Trouble> {
        let context = &self.context;
        let count = lines.len() as u64;
        if lines.iter().any(|line| line.fingerprint != context.settings.fingerprint) {
            self.verified.other.fetch_add(count, Relaxed);
            return Ok(());
        }
        let mut inputs = Vec::new();
        for line in &lines {
            let (depot, key) = self.depots.of(&line.input, self.access)?;
            match depot.head(&key)? {
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

/// What the lines that name an output say of it.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) output: Output,
    pub(super) state: State,
    /// Whether it holds something that is superseded, and something that is not.
    pub(super) mixed: bool,
    pieces: Vec<Piece>,
    /// Of its inputs, in their order.
    pub(super) lines: Vec<Line>,
    /// The current lines about the same inputs.
    pub(super) current: Vec<Span>,
    /// Where the run's outputs go.
    pub(super) place: Option<Place>,
    /// What can't be.
    pub(super) wrong: Option<String>,
}

impl Named {
    pub(super) fn read(history: &History, mentioned: &Mentioned) -> Result<Named, Error> {
        let mut members: HashMap<_, Member> = HashMap::new();
        let mut state: Option<State> = None;
        let mut wrong = None;
        let mut first: Option<Output> = None;
        let mut place = None;
        let mut successors = BTreeSet::new();
        for mention in &mentioned.mentions {
            let (line, output) = mention.read(history.spool())?;
            state = Some(match (state, mention.state) {
                (Some(State::Current), _) | (_, State::Current) => State::Current,
                (Some(State::Superseded), _) | (_, State::Superseded) => State::Superseded,
                _ => State::Removed,
            });
            successors.insert(mention.current);
            place = place.or_else(|| history.place_of(mention.part));
            let same = |a: &Output, b: &Output| {
                (a.kind, &a.key, a.size, &a.sha256, a.offset.is_some())
                    == (b.kind, &b.key, b.size, &b.sha256, b.offset.is_some())
            };
            match &first {
                None => first = Some(output.clone()),
                Some(first) if !same(first, &output) => {
                    wrong = Some(format!(
                        "lines of the manifest say different things of it: one is about `{}`",
                        crate::text::escaped(&line.input)
                    ));
                }
                Some(_) => {}
            }
            let current = mention.state == State::Current;
            members
                .entry((line.identity(), output.offset, output.length))
                .and_modify(|(_, _, known)| *known |= current)
                .or_insert((line, output, current));
        }
        let mut members: Vec<Member> = members.into_values().collect();
        members.sort_by(|a, b| order(&a.0.input, &b.0.input).then(a.1.offset.cmp(&b.1.offset)));
        // Of no lines there is no output.
        let Some(output) = first else {
            return Err(no_room(std::io::Error::other("it was changed meanwhile")));
        };
        let pack = output.offset.is_some();
        let wrong = wrong.or_else(|| follows(&output, &members, pack, place));
        let mixed =
            members.iter().any(|(_, _, current)| *current) && members.iter().any(|(_, _, current)| !current);
        let pieces = members.iter().map(|(line, output, _)| Piece {
            offset: output.offset.unwrap_or_default(),
            length: if pack { Some(output.length.unwrap_or_default()) } else { None },
            lines: if output.kind == Kind::Events { line.events } else { line.rejects },
        });
        let pieces = pieces.collect();
        let lines = members.into_iter().map(|(line, _, _)| line).collect();
        let (state, current) = (state.unwrap_or(State::Removed), successors.into_iter().collect());
        Ok(Named { output, state, mixed, pieces, lines, current, place: place.cloned(), wrong })
    }
}

/// Why an output is not the one of these inputs, if it is not.
fn follows(output: &Output, members: &[Member], pack: bool, place: Option<&Place>) -> Option<String> {
    let inputs: HashSet<&str> = members.iter().map(|(line, _, _)| line.input.as_str()).collect();
    if inputs.len() != members.len() || (!pack && members.len() > 1) {
        let which = members.first().map(|(line, _, _)| line.input.as_str()).unwrap_or_default();
        let which = crate::text::escaped(which);
        return Some(format!(
            "the manifest names it for several inputs, or several times for one: `{which}`, and others"
        ));
    }
    let (first, _, _) = members.first()?;
    let ids: Vec<String> = members.iter().map(|(line, _, _)| line.identity()).collect();
    // Of a pack that had rejects, only those inputs that had some name them; but its events have the same
    // identity.
    let of_pack = pack && output.kind == Kind::Rejects;
    let id = match (pack, first.outputs.iter().find(|output| output.kind == Kind::Events)) {
        (true, Some(events)) if of_pack => identity_in(&events.key).to_owned(),
        (true, _) => id(&ids.iter().map(String::as_str).collect::<Vec<_>>()),
        (false, _) => first.identity(),
    };
    let (root, key) = split(&output.url);
    let remote = root.contains("://");
    let place = place.and_then(|place| match output.kind {
        Kind::Events => Some(place.output.as_str()).filter(|output| !output.is_empty()),
        Kind::Rejects => place.rejects.as_deref(),
    });
    let below = place.is_none_or(|place| output.url.starts_with(place));
    let named = if remote { key == output.key } else { output.url.ends_with(&format!("/{}", output.key)) };
    let prefix = match place {
        _ if of_pack => None,
        Some(place) if remote => Some(split(place).1),
        Some(_) => Some(""),
        None => None,
    };
    let follows = Follows { prefix, input: &first.input, id: &id, pack, files: !remote };
    if below && named && follows.is(&output.key, &endings(output.kind, None)) {
        return None;
    }
    let input = crate::text::escaped(&first.input);
    let whose =
        if pack { format!("the {} inputs from `{input}` on", members.len()) } else { format!("`{input}`") };
    Some(format!(
        "it is not where the output of {whose} goes: its key does not follow from input, ETag and fingerprint"
    ))
}

/// The identity in an output's key.
fn identity_in(key: &str) -> &str {
    let name = endings(Kind::Events, None)
        .iter()
        .find_map(|ending| key.strip_suffix(ending.as_str()))
        .unwrap_or(key);
    name.get(name.len().saturating_sub(16)..).unwrap_or_default()
}

/// What was listed, in the order of names' hashes.
struct Listed {
    names: Spool,
    sorted: Sorted<LISTED>,
    next: Option<[u8; LISTED]>,
}

impl Listed {
    /// Names what comes before `hash`, because no line names it; passes what is it.
    fn before(&mut self, hash: Option<&[u8; 16]>, verifier: &Verifier<'_>) -> Result<(), Error> {
        loop {
            let record = match self.next.take() {
                Some(record) => record,
                None => match self.sorted.next().transpose().map_err(no_room)? {
                    Some(record) => record,
                    None => return Ok(()),
                },
            };
            match hash.map(|hash| record[..16].cmp(hash)) {
                Some(std::cmp::Ordering::Greater) => {
                    self.next = Some(record);
                    return Ok(());
                }
                Some(std::cmp::Ordering::Equal) => {}
                _ => {
                    let name = self.names.read(Span::of(&record[16..])).map_err(no_room)?;
                    let name = String::from_utf8_lossy(&name);
                    let error = Error::unverified(
                        &name,
                        "it lies among the outputs, but no line of the manifest names it",
                    );
                    let hint = "readers of all outputs read it, too: if it is of a run that was killed, convert again; else see \
                                what it is";
                    verifier.context.account.fail(Cause::Foreign, &error.with_advice(hint));
                }
            }
        }
    }
}

/// Depots by their roots: buckets, and the file system.
#[derive(Debug, Default)]
pub(super) struct Depots(Mutex<HashMap<String, BlockingStore>>);

impl Depots {
    /// The depot of an object called `name`, and its key in it.
    pub(super) fn of(&self, name: &str, access: &Access) -> Result<(BlockingStore, String), Error> {
        let (root, key) = split(name);
        let mut depots = lock(&self.0);
        let depot = match depots.get(root) {
            Some(depot) => depot.clone(),
            None => {
                let (depot, _) = BlockingStore::open(root, access)?;
                depots.insert(root.to_owned(), depot.clone());
                depot
            }
        };
        Ok((depot, key.to_owned()))
    }
}

/// A name as the root of its depot and a key: of a file, the root of all and its path.
fn split(name: &str) -> (&str, &str) {
    match name.find("://") {
        Some(at) => {
            let end = name[at + 3..].find('/').map_or(name.len(), |slash| at + 3 + slash);
            (&name[..end], name.get(end + 1..).unwrap_or_default())
        }
        None => match name.strip_prefix('/') {
            Some(key) => ("/", key),
            None => name.rsplit_once('/').unwrap_or((".", name)),
        },
    }
}
