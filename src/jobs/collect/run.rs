//! The run: reads the state, and goes step by step: a page, an object, the state behind it.
//!
//! A window is opened, that is written to the state, only when Duo has accepted a request for it, and before anything of
//! it is delivered: a clock that is wrong leaves nothing behind, and a repetition after a crash asks the same.
//!
//! What makes it exact: objects are numbered, and one is created only by a writer that knows all
//! before it. A run that finds the next number taken reads that object, counts its records as
//! delivered, and goes on. So a crash at any point, or another run at the same time, repeats a
//! step, but never a record.

use super::answer::{Verdict, date, judge};
use super::client::{Answer, Query};

use super::clock::{CLOCK_OFF, Clock, difference, sleep_or_stop};
use super::collector::{Collector, Ends, Limits};
use super::derive::Derivation;
use super::held::Held;
use super::listener::RunStep;
use super::report::{Failure, Outcome, Report, plural};
use super::state::{State, Window};
use super::transport::{MAX_ANSWER_BYTES, Response};
use super::window::Now;
use super::{Error, ErrorKind, record, step, window};
use crate::store::Compression;
use crate::store::objects::Created;
use crate::text;
use std::borrow::Cow;
use std::time::Duration;

/// A run that is further behind than this asks without the long pause, in ms.
const BEHIND: i64 = 2 * 3_600_000;
/// The pause of a run that is behind.
const HURRY: Duration = Duration::from_secs(5);
/// What a page takes at least, for the decision whether there is time for one more.
const PAGE_TIME: Duration = Duration::from_secs(10);
/// How often in a row an answer may show that a window ends too late.
const CORRECTIONS: u32 = 3;
/// An object may hold more than an answer: what `decorate` adds to each record.
const MAX_OBJECT_BYTES: usize = 2 * MAX_ANSWER_BYTES;

impl Collector {
    /// One run: finishes the window that an earlier run left open, and then collects the next.
    ///
    /// # Errors
    /// If it can't go on. What it delivered before stays delivered and is in the failure's report;
    /// the next run goes on from there.
    pub async fn run(&mut self, limits: &Limits) -> Result<Report, Failure> {
        let mut report = Report::default();
        for place in self.outputs().filter(|place| place.holds(&self.state)) {
            report.notes.push(format!(
                "the state `{}` lies under `{}`, where a feed would ingest or delete it: move it elsewhere with \
                 `--state`",
                text::escaped(&self.state.name("")),
                text::escaped(&place.name(""))
            ));
        }
        let begun = self.client.clock.elapsed();
        let deadline = limits.deadline.map(|time| begun.saturating_add(time));
        let ended = self.go(limits, deadline, &mut report).await;
        report.took = self.client.clock.elapsed().saturating_sub(begun);
        if let Some(first) = &report.first_foreign {
            report.notes.push(format!(
                "Duo's answers have {} that are not objects, so no records, and are not delivered; the first is `{}`",
                plural(report.foreign, "item"),
                text::shown(first)
            ));
        }
        match ended {
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
        let mut held = tokio::select! {
            biased;
            // To read changes nothing.
            () = limits.stop.asked() => return Err(Ends::Early(Outcome::Stopped)),
            held = self.load(report) => held?,
        };
        report.watermark = held.state.watermark;
        let name = self.state.name("");
        let mut slowest = PAGE_TIME;
        // Whether the open window began with this run.
        let mut own = false;
        // The state as it would be, where Duo refuses times that are too old, and what it said.
        let mut draft: Option<(State, String)> = None;
        // What time it is by Duo, where that has shown that our clock is ahead; and how often it has.
        let mut theirs: Option<Now> = None;
        let mut corrected = 0;
        loop {
            let base = draft.as_ref().map_or(&held.state, |(state, _)| state);
            if base.window.is_none() && own {
                return Ok(());
            }
            let now = theirs.unwrap_or_else(|| self.now());
            let Some(next) = window::next(base, &self.plan, now, &name)? else {
                return match draft {
                    None => Ok(()),
                    Some((_, why)) => Err(too_old(&why).into()),
                };
            };
            let Some(window) = next.window.clone() else { return Ok(()) };
            report.behind = Some(now.ms - window.floor);
            self.may_go_on(limits, deadline, slowest, report)?;
            // Where our clock is known to be wrong, it is asked at once: that is as good as a repetition.
            if theirs.is_none() && self.pace(&window, limits, deadline).await? {
                continue;
            }
            let changed = draft.is_some() || matches!(next, Cow::Owned(_));
            let mut next = next.into_owned();
            let begun = self.client.clock.elapsed();
            let (response, signed_at) = match self.ask(&window, deadline, limits, report).await? {
                Answer::Page(response, signed_at) => (response, signed_at),
                Answer::Stopped => return Err(Ends::Early(Outcome::Stopped)),
                Answer::TooOld(why) => {
                    // The service's clock, or its patience, differs from ours: a day more is given up.
                    let Some(moved) = window::move_up(self.log(), &next, window.from + window::DAY) else {
                        return Err(too_old(&why).into());
                    };
                    draft = Some((moved, why));
                    continue;
                }
            };
            self.compare_clocks(&response, signed_at, report);
            // The request was accepted. Only now is it sure that the window is not one of a wrong clock.
            let date = date(&response);
            let at = Now { ms: date.unwrap_or(signed_at), clock: "Duo's clock" };
            if (changed || window.page == 0) && window::too_late(&window, at.ms) {
                corrected += 1;
                if corrected > CORRECTIONS {
                    return Err(unsteady().into());
                }
                theirs = Some(at);
                continue;
            }
            if changed {
                if date.is_none() {
                    window::undated(&mut next, self.plan.overlap);
                }
                own |= held.state.window.is_none();
                draft = None;
                self.save(&mut held, next, report).await?;
            }
            theirs = None;
            self.page(&mut held, &response, report).await?;
            limits.listener.tell(self.log(), &|| RunStep::Page {
                pages: report.pages,
                delivered: report.delivered,
                reached: held.state.window.as_ref().map(|window| window.floor).or(held.state.watermark),
            });
            slowest = slowest.max(self.client.clock.elapsed().saturating_sub(begun));
        }
    }

    fn now(&self) -> Now {
        Now { ms: self.client.clock.now(), clock: "this machine's clock" }
    }

    async fn ask(
        &mut self,
        window: &Window,
        deadline: Option<Duration>,
        limits: &Limits,
        report: &mut Report,
    ) -> Result<Answer, Error> {
        let Window { from, to, limit, offset, .. } = window.clone();
        let query = Query { from, to, limit, offset };
        self.asked = Some(self.client.clock.elapsed());
        self.client.page(&query, deadline, (&limits.stop, &limits.listener), &mut report.requests).await
    }

    /// Says once in a run by how much our clock differs from Duo's, if that is worth a word.
    fn compare_clocks(&self, response: &Response, signed_at: i64, report: &mut Report) {
        let Some(theirs) = date(response) else { return };
        // The answer was made between our request and now, and bears the second in which it was made.
        let ahead = signed_at - (theirs + 999);
        let behind = theirs - self.client.clock.now();
        let off = if ahead > 0 { ahead } else { -behind.max(0) };
        if off.abs() >= CLOCK_OFF && !report.clock_told {
            report.clock_told = true;
            report.notes.push(format!("this machine's clock is {}: set it (NTP)", difference(off)));
        }
    }

    /// Delivers what is new in a page.
    async fn page(&self, held: &mut Held, response: &Response, report: &mut Report) -> Result<(), Ends> {
        let Some(window) = &held.state.window.clone() else { return Ok(()) };
        let Verdict::Page(page) = judge(self.log(), response, 0) else {
            return Err(Error::new(ErrorKind::Answer, "Duo's answer is not a page").into());
        };
        report.pages += 1;
        report.records += page.items.len() as u64;
        loop {
            let step = step::take(self.log(), &held.state, &page)?;
            if step.lines.is_empty() {
                report.tell_foreign(&step.foreign);
                return self.save(held, step.next, report).await;
            }
            let key = held.state.key(window);
            let count = step.lines.len() as u64;
            let lines = self.lines(&step.lines, window);
            let compression = compression(self.plan.compression, window);
            // The lines themselves are needed only for a derivation: a page may be large.
            let (packed, lines) = match self.derivation {
                Some(_) => (pack(compression, Cow::Borrowed(&lines))?, lines),
                None => (pack(compression, Cow::Owned(lines))?, Vec::new()),
            };
            let size = packed.len() as u64;
            let name = format!("{}{key}", self.to.prefix);
            match self.to.store.create(&name, packed.into()).await {
                Err(error) => return Err(Error::store(ErrorKind::Store, &error).into()),
                Ok(Created::New(_)) => {
                    drop(step.lines);
                    self.derive(&key, window, &lines, report).await?;
                    report.delivered += count;
                    report.objects += 1;
                    report.bytes += size;
                    report.tell_foreign(&step.foreign);
                    return self.save(held, step.next, report).await;
                }
                Ok(Created::Exists(object)) => {
                    // An earlier attempt, or another run. What it holds counts.
                    drop((step, lines));
                    let lines = self.unpack(window, &name, &object.bytes)?;
                    self.derive(&key, window, lines.as_bytes(), report).await?;
                    let adopted = step::adopt(self.log(), &held.state, &lines);
                    report.adopted += 1;
                    let step = step::take(self.log(), &adopted, &page)?;
                    if step.lines.is_empty() {
                        report.tell_foreign(&step.foreign);
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
            let decorated =
                if window.decorate { record::decorate(self.log(), line, self.host()) } else { None };
            out.extend_from_slice(decorated.as_deref().unwrap_or(line).as_bytes());
            out.push(b'\n');
        }
        out
    }

    fn unpack(&self, window: &Window, name: &str, bytes: &[u8]) -> Result<String, Error> {
        let lines = compression(self.plan.compression, window).decode(bytes, MAX_OBJECT_BYTES);
        lines
            .map_err(|error| error.to_string())
            .and_then(|lines| String::from_utf8(lines).map_err(|e| e.to_string()))
            .map_err(|why| {
                let name = self.to.store.name(name);
                let message = format!(
                    "the object `{name}` is where the next one goes, but is not a collector's: {why}"
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
            let packed = pack(compression(self.plan.compression, window), Cow::Owned(made.bytes))?;
            let created = place.store.create(&format!("{}{key}", place.prefix), packed.into()).await;
            created.map_err(|error| Error::store(ErrorKind::Store, &error))?;
        }
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
            if report.pages == 0 {
                // A run that never has the time for a page did not go well, and the next one won't do better.
                let message = format!(
                    "there is no time for a page before the deadline: {} s are allowed for one",
                    slowest.as_secs()
                );
                let error = Error::config(message);
                return Err(error
                    .with_hint("raise `--deadline`, or the function's timeout, to a minute or more")
                    .into());
            }
            return early(Outcome::Deadline);
        }
        Ok(())
    }

    /// Waits until the next request may go out; whether it had to.
    async fn pace(&self, window: &Window, limits: &Limits, deadline: Option<Duration>) -> Result<bool, Ends> {
        let Some(asked) = self.asked else { return Ok(false) };
        let clock: &dyn Clock = &*self.client.clock;
        let behind = window.to.saturating_sub(window.floor) > BEHIND;
        let pause = if behind { self.interval.min(HURRY) } else { self.interval };
        let wait = (asked + pause).saturating_sub(clock.elapsed());
        if wait.is_zero() {
            return Ok(false);
        }
        if deadline.is_some_and(|deadline| clock.elapsed() + wait + PAGE_TIME > deadline) {
            return Err(Ends::Early(Outcome::Deadline));
        }
        if sleep_or_stop(clock, &limits.stop, wait).await {
            return Err(Ends::Early(Outcome::Stopped));
        }
        Ok(true)
    }
}

fn too_old(why: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("Duo refuses the window: {why}"))
}

/// Each answer is earlier than the one before.
fn unsteady() -> Error {
    let error = Error::new(
        ErrorKind::Answer,
        "the time of Duo's answers (the header `Date`) goes back from one to the next",
    );
    error.with_hint(
        "see what is between the API host and here; nothing was delivered, and the next run asks again",
    )
}

/// The compression that the window was opened with; its name was checked when the state was read. The level is that of
/// the settings, if they have the same kind.
fn compression(set: Compression, window: &Window) -> Compression {
    let set = Some(set).filter(|set| set.extension() == window.extension);
    set.or_else(|| Compression::of(&window.extension)).unwrap_or_default()
}

fn pack(compression: Compression, lines: Cow<'_, [u8]>) -> Result<Vec<u8>, Error> {
    let packed = compression.encode(lines);
    packed.map_err(|error| Error::new(ErrorKind::Store, format!("an object can't be compressed: {error}")))
}
