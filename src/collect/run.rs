//! The run: reads the state, and goes step by step: a page, an object, the state behind it.
//!
//! What makes it exact: objects are numbered, and one is created only by a writer that knows all
//! before it. Whoever finds the next number taken reads that object, counts its records as
//! delivered, and goes on. So a crash at any point, or another run at the same time, repeats a
//! step, but never a record.

use super::answer::{Verdict, judge};
use super::client::{Answer, Client, Query};
use super::clock::{Clock, random, shown};
use super::derive::Derivation;
use super::report::{Failure, Outcome, Report};
use super::state::{Loaded, State, Window};
use super::stop::Stop;
use super::transport::MAX_ANSWER_BYTES;
use super::{Error, ErrorKind, record, step, window};
use crate::store::Compression;
use crate::store::objects::{Created, Place, Replaced, Version};
use bytes::Bytes;
use std::borrow::Cow;
use std::time::Duration;

/// A run that is further behind than this asks without the long pause, in ms.
const BEHIND: i64 = 2 * 3_600_000;
/// The pause of a run that is behind.
const HURRY: Duration = Duration::from_secs(5);
/// What a page takes at least, for the decision whether there is time for one more.
const PAGE_TIME: Duration = Duration::from_secs(10);
/// An object may hold more than an answer: what `decorate` adds to each record.
const MAX_OBJECT_BYTES: usize = 2 * MAX_ANSWER_BYTES;

/// When a run ends, besides by being done.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// It is over in this time: no page is begun that may not be finished by then.
    pub deadline: Option<Duration>,
    /// So many pages, at most.
    pub max_pages: Option<u64>,
    /// Somebody asks it to stop.
    pub stop: Stop,
}

/// Collects one account's telephony log into one place. Made by
/// [`Settings::open`](super::Settings::open).
#[derive(Debug)]
pub struct Collector {
    pub(super) client: Client,
    pub(super) to: Place,
    pub(super) state: Place,
    pub(super) derivation: Option<Derivation>,
    pub(super) plan: window::Plan,
    /// Between two requests.
    pub(super) interval: Duration,
    /// When the last request began, by the clock's `elapsed`.
    pub(super) asked: Option<Duration>,
}

/// A state, and which writing of it was read: none if it is not there yet.
struct Held {
    state: State,
    version: Option<Version>,
}

/// Why a run ends before its work is done, without an error.
enum Ends {
    Failed(Error),
    Early(Outcome),
}

impl From<Error> for Ends {
    fn from(error: Error) -> Ends {
        Ends::Failed(error)
    }
}

impl Collector {
    /// The name of this account's API host.
    pub fn host(&self) -> &str {
        self.client.account.host()
    }

    /// One run: finishes the window that an earlier run left open, and then collects the next.
    ///
    /// # Errors
    /// If it can't go on. What it delivered before stays delivered and is in the failure's report;
    /// the next run goes on from there.
    pub async fn run(&mut self, limits: &Limits) -> Result<Report, Failure> {
        let mut report = Report::default();
        let derived =
            self.derivation.iter().flat_map(|derivation| &derivation.targets).map(|(_, place)| place);
        for place in std::iter::once(&self.to).chain(derived).filter(|place| place.holds(&self.state)) {
            report.notes.push(format!(
                "the state `{}` lies under `{}`, where a feed would ingest or delete it: move it elsewhere with \
                 `--state`",
                self.state.name(""),
                place.name("")
            ));
        }
        let deadline = limits.deadline.map(|time| self.client.clock.elapsed() + time);
        match self.go(limits, deadline, &mut report).await {
            Ok(()) => Ok(report),
            Err(Ends::Early(outcome)) => {
                report.outcome = outcome;
                Ok(report)
            }
            Err(Ends::Failed(error)) => Err(Failure { error, report }),
        }
    }

    async fn go(
        &mut self,
        limits: &Limits,
        deadline: Option<Duration>,
        report: &mut Report,
    ) -> Result<(), Ends> {
        let mut held = self.load(report).await?;
        report.watermark = held.state.watermark;
        let mut slowest = PAGE_TIME;
        // Whether the open window began with this run.
        let mut own = false;
        loop {
            let Some(window) = held.state.window.clone() else {
                let next =
                    if own { None } else { window::open(&held.state, &self.plan, self.client.clock.now()) };
                let Some(next) = next else { return Ok(()) };
                self.save(&mut held, next, report).await?;
                own = true;
                continue;
            };
            let oldest = self.client.clock.now() - window::OLDEST;
            if let Some(next) = window::move_up(&held.state, oldest) {
                self.save(&mut held, next, report).await?;
                continue;
            }
            report.behind = Some(self.client.clock.now() - window.floor);
            self.may_go_on(limits, deadline, slowest, report)?;
            self.pace(&window, limits, deadline).await?;
            let begun = self.client.clock.elapsed();
            self.page(&mut held, &window, limits, deadline, report).await?;
            slowest = slowest.max(self.client.clock.elapsed() - begun);
        }
    }

    /// Asks for a page and delivers what is new in it.
    async fn page(
        &mut self,
        held: &mut Held,
        window: &Window,
        limits: &Limits,
        deadline: Option<Duration>,
        report: &mut Report,
    ) -> Result<(), Ends> {
        let Window { from, to, limit, offset, .. } = window.clone();
        let query = Query { from, to, limit, offset };
        self.asked = Some(self.client.clock.elapsed());
        let answer = self.client.page(&query, deadline, &limits.stop, &mut report.requests).await?;
        let response = match answer {
            Answer::Page(response) => response,
            Answer::Stopped => return Err(Ends::Early(Outcome::Stopped)),
            Answer::TooOld(why) => {
                // The service's clock, or its patience, differs from ours: a day more is given up.
                let next = window::move_up(&held.state, window.from + window::DAY);
                let next = next.ok_or_else(|| {
                    Error::new(ErrorKind::Refused, format!("Duo refuses the window: {why}"))
                })?;
                return self.save(held, next, report).await;
            }
        };
        let Verdict::Page(page) = judge(&response, 0) else {
            return Err(Error::new(ErrorKind::Answer, "Duo's answer is no page").into());
        };
        report.pages += 1;
        report.records += page.items.len() as u64;
        loop {
            let step = step::take(&held.state, &page)?;
            if step.lines.is_empty() {
                return self.save(held, step.next, report).await;
            }
            let key = held.state.key(window);
            let count = step.lines.len() as u64;
            let lines = self.lines(&step.lines, window);
            // The lines themselves are needed only for a derivation: a page may be large.
            let (packed, lines) = match self.derivation {
                Some(_) => (pack(window, Cow::Borrowed(&lines))?, lines),
                None => (pack(window, Cow::Owned(lines))?, Vec::new()),
            };
            let size = packed.len() as u64;
            let name = format!("{}{key}", self.to.prefix);
            match self.to.objects.create(&name, packed.into()).await {
                Err(error) => return Err(Error::store(ErrorKind::Store, &error).into()),
                Ok(Created::New(_)) => {
                    drop(step.lines);
                    self.derive(&key, window, &lines, report).await?;
                    report.delivered += count;
                    report.objects += 1;
                    report.bytes += size;
                    return self.save(held, step.next, report).await;
                }
                Ok(Created::Exists(object)) => {
                    // An earlier attempt, or another run. What it holds counts.
                    drop((step, lines));
                    let lines = self.unpack(window, &name, &object.bytes)?;
                    self.derive(&key, window, lines.as_bytes(), report).await?;
                    let adopted = step::adopt(&held.state, &lines);
                    report.adopted += 1;
                    let step = step::take(&adopted, &page)?;
                    if step.lines.is_empty() {
                        return self.save(held, step.next, report).await;
                    }
                    // The page has more than the object: records that came in late. First the
                    // object is accounted for, then the next one begun.
                    self.save(held, adopted, report).await?;
                }
            }
        }
    }

    /// The lines as they go into an object.
    fn lines(&self, lines: &[impl AsRef<str>], window: &Window) -> Vec<u8> {
        let mut out = Vec::with_capacity(lines.iter().map(|line| line.as_ref().len() + 1).sum());
        for line in lines {
            let line = line.as_ref();
            let decorated = if window.decorate { record::decorate(line, self.host()) } else { None };
            out.extend_from_slice(decorated.as_deref().unwrap_or(line).as_bytes());
            out.push(b'\n');
        }
        out
    }

    fn unpack(&self, window: &Window, name: &str, bytes: &[u8]) -> Result<String, Error> {
        let lines = compression(window).unpack(bytes, MAX_OBJECT_BYTES);
        lines
            .map_err(|error| error.to_string())
            .and_then(|lines| String::from_utf8(lines).map_err(|e| e.to_string()))
            .map_err(|why| {
                let name = self.to.objects.name(name);
                let message = format!(
                    "the object `{name}` stands where the next one goes, but is not a collector's: {why}"
                );
                Error::new(ErrorKind::Store, message)
                    .with_hint("move it away, or give `--to` a prefix of its own")
            })
    }

    /// Writes what is made of an object; what is there already was made of the same lines.
    async fn derive(
        &self,
        key: &str,
        window: &Window,
        lines: &[u8],
        report: &mut Report,
    ) -> Result<(), Error> {
        let Some(Derivation { derive, targets }) = &self.derivation else { return Ok(()) };
        let made = derive.derive(&self.to.name(key), lines);
        for made in made.map_err(|why| Error::new(ErrorKind::Derive, why))? {
            *report.derived.entry(made.target).or_default() += made.lines;
            let Some((_, place)) = targets.iter().find(|(name, _)| *name == made.target) else { continue };
            if made.bytes.is_empty() {
                continue;
            }
            let packed = pack(window, Cow::Owned(made.bytes))?;
            let created = place.objects.create(&format!("{}{key}", place.prefix), packed.into()).await;
            created.map_err(|error| Error::store(ErrorKind::Store, &error))?;
        }
        Ok(())
    }

    async fn load(&self, report: &mut Report) -> Result<Held, Error> {
        let store = |error| Error::store(ErrorKind::State, &error);
        let account = &self.client.account;
        let Some(object) = self.state.objects.read(&self.state.prefix).await.map_err(store)? else {
            report.first = true;
            return Ok(Held { state: State::new(account), version: None });
        };
        let state = match State::read(&object.bytes, &self.state.name(""), account)? {
            Loaded::Ours(state) => state,
            Loaded::TakenOver(state) => {
                let at = state.watermark.map(shown).unwrap_or_default();
                report.notes.push(format!(
                    "took over the state of the earlier collector at {at}; records of that very millisecond may come \
                     once more"
                ));
                state
            }
        };
        Ok(Held { state: *state, version: Some(object.version) })
    }

    /// Moves the state on, if it is still as it was read.
    async fn save(&self, held: &mut Held, mut next: State, report: &mut Report) -> Result<(), Ends> {
        next.writer = format!("{:016x}", random());
        let bytes = Bytes::from(next.write());
        let (objects, key) = (&self.state.objects, &self.state.prefix);
        let version = match &held.version {
            Some(version) => match objects.replace(key, bytes, version).await {
                Ok(Replaced::Done(version)) => Some(version),
                Ok(Replaced::Changed) => None,
                Err(error) => return Err(Error::store(ErrorKind::State, &error).into()),
            },
            None => match objects.create(key, bytes.clone()).await {
                Ok(Created::New(version)) => Some(version),
                // Ours, written by an attempt whose answer was lost: the writer's number is in it.
                Ok(Created::Exists(object)) if object.bytes == bytes => Some(object.version),
                Ok(Created::Exists(_)) => None,
                Err(error) => return Err(Error::store(ErrorKind::State, &error).into()),
            },
        };
        let Some(version) = version else { return Err(Ends::Early(Outcome::Busy)) };
        report.gaps.extend(window::new_gaps(&held.state, &next));
        report.watermark = next.watermark;
        report.remembered = next.recent.len() as u64;
        *held = Held { state: next, version: Some(version) };
        Ok(())
    }

    /// Whether there is time for one more page.
    fn may_go_on(
        &self,
        limits: &Limits,
        deadline: Option<Duration>,
        slowest: Duration,
        report: &Report,
    ) -> Result<(), Ends> {
        let early = |outcome| Err(Ends::Early(outcome));
        if limits.stop.is_asked() {
            return early(Outcome::Stopped);
        }
        if limits.max_pages.is_some_and(|most| report.pages >= most) {
            return early(Outcome::MaxPages);
        }
        if deadline.is_some_and(|deadline| self.client.clock.elapsed() + slowest > deadline) {
            return early(Outcome::Deadline);
        }
        Ok(())
    }

    /// Waits until the next request may go out.
    async fn pace(&self, window: &Window, limits: &Limits, deadline: Option<Duration>) -> Result<(), Ends> {
        let Some(asked) = self.asked else { return Ok(()) };
        let clock: &dyn Clock = &*self.client.clock;
        let behind = window.to - window.floor > BEHIND;
        let pause = if behind { self.interval.min(HURRY) } else { self.interval };
        let wait = (asked + pause).saturating_sub(clock.elapsed());
        if wait.is_zero() {
            return Ok(());
        }
        if deadline.is_some_and(|deadline| clock.elapsed() + wait + PAGE_TIME > deadline) {
            return Err(Ends::Early(Outcome::Deadline));
        }
        if limits.stop.sleep(clock, wait).await {
            return Err(Ends::Early(Outcome::Stopped));
        }
        Ok(())
    }
}

/// The compression that the window was opened with; its name was checked when the state was read.
fn compression(window: &Window) -> Compression {
    Compression::of(&window.extension).unwrap_or_default()
}

fn pack(window: &Window, lines: Cow<'_, [u8]>) -> Result<Vec<u8>, Error> {
    let packed = compression(window).pack(lines);
    packed.map_err(|error| Error::new(ErrorKind::Store, format!("an object can't be compressed: {error}")))
}
