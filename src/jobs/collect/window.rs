//! From when to when: opening a window, and moving one whose beginning the service no longer has, or whose end is later
//! than it can be.
//!
//! All of this is a draft until Duo has accepted a request for it: a clock that is wrong must not leave anything behind.

use super::clock::{shown, span};
use super::logs::Log;
use super::state::{Gap, State, Window, offset_ms};
use super::{Error, ErrorKind};
use crate::jobs::settings::When;
use crate::store::Compression;
use std::borrow::Cow;

/// A day, in ms.
pub(super) const DAY: i64 = 86_400_000;
/// Duo keeps 180 days; to ask for exactly that fails.
pub(super) const OLDEST: i64 = 179 * DAY;
/// Later records are not yet consistent.
pub(super) const NEWEST: i64 = 120_000;
/// A record's time and a cursor's may differ by rounding, in ms.
pub(super) const SLACK: i64 = 1_000;
/// Between the two ends of a window.
const SHORTEST: i64 = 5_000;
/// A window's end may be this much too late, in ms: the time that an answer bears is a whole second, and clocks differ.
const TOLERANCE: i64 = 2_000;
/// How far a clock may be off for its signatures to be accepted, in ms.
pub(super) const SIGNED: i64 = 300_000;

/// What a new window is made of.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) log: &'static Log,
    /// Where the first run begins.
    pub(super) since: When,
    /// Nothing later is collected.
    pub(super) until: Option<When>,
    /// How far a window reaches back into the one before it, in ms.
    pub(super) overlap: i64,
    /// The most records of a page.
    pub(super) limit: u32,
    pub(super) compression: Compression,
    pub(super) decorate: bool,
}

/// What time it is, and by whose clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// In ms since 1970.
    pub(super) ms: i64,
    /// For a message.
    pub(super) clock: &'static str,
}

/// Whether a window ends later than what can be asked for at `now`.
pub(super) fn too_late(window: &Window, now: i64) -> bool {
    window.to > now - NEWEST + TOLERANCE
}

/// The state with the window that is to be asked for: borrowed if it is in the state as it is; owned if an accepted
/// answer would make it so. `None` if there is nothing to collect yet. `name` names the state in messages.
///
/// # Errors
/// If the state, or the plan, is of a time that has not come.
pub(super) fn next<'s>(
    state: &'s State,
    plan: &Plan,
    now: Now,
    name: &str,
) -> Result<Option<Cow<'s, State>>, Error> {
    if let Some(watermark) = state.watermark.filter(|watermark| *watermark > now.ms) {
        let message = format!(
            "the state `{name}` says that everything is collected up to {}, which is {} after {}, now by {}",
            shown(watermark),
            span(watermark.saturating_sub(now.ms)),
            shown(now.ms),
            now.clock
        );
        let hint = "if this machine's clock is behind, set it (NTP). else the state was written by a clock that was \
                    ahead, and later runs would skip that time: don't wait, but move the state away and give `--since` \
                    the time of the last record that was delivered";
        return Err(Error::new(ErrorKind::State, message).with_hint(hint));
    }
    let since = plan.since.at(now.ms);
    if state.watermark.is_none() && state.window.is_none() && since > now.ms {
        let message =
            format!("`--since` is {}, which is after {}, now by {}", shown(since), shown(now.ms), now.clock);
        return Err(Error::config(message).with_hint("give it a time that has been, or set the clock (NTP)"));
    }
    let mut state = Cow::Borrowed(state);
    if let Some(narrowed) = narrow(&state, plan, now, name)? {
        state = Cow::Owned(narrowed);
    }
    if let Some(moved) = move_up(plan.log, &state, now.ms - OLDEST) {
        state = Cow::Owned(moved);
    }
    if state.window.is_some() {
        return Ok(Some(state));
    }
    match open(&state, plan, now.ms) {
        Some(opened) => Ok(Some(Cow::Owned(opened))),
        None if matches!(state, Cow::Borrowed(_)) => Ok(None),
        None => {
            let message = format!(
                "the open window of the state `{name}` is older than Duo's log, which keeps 180 days"
            );
            Err(Error::config(message)
                .with_hint("without `--until` later records are collected, and a gap is told"))
        }
    }
}

/// The state with its window's end moved to where it may be; `None` if it is there or before.
///
/// # Errors
/// If the window is to be asked for as it is, or not at all: an offset belongs to its window.
fn narrow(state: &State, plan: &Plan, now: Now, name: &str) -> Result<Option<State>, Error> {
    let Some(window) = state.window.as_ref().filter(|window| too_late(window, now.ms)) else {
        return Ok(None);
    };
    let begun = window.page > 0 || window.offset.is_some();
    if begun && window.to <= now.ms {
        return Ok(None);
    }
    let to = plan.log.whole_before(now.ms - NEWEST);
    if begun || to.saturating_sub(window.from) < SHORTEST {
        let (from, to, at) = (shown(window.from), shown(window.to), shown(now.ms));
        let message = format!(
            "the state `{name}` has an open window from {from} to {to}, but it is only {at} by {}",
            now.clock
        );
        let hint = "if this machine's clock is behind, set it (NTP). else the window was opened by a clock that was ahead: \
                    nothing is lost, and runs after its end go on; if that is too far away, move the state away and give \
                    `--since` the time of the last record that was delivered";
        return Err(Error::new(ErrorKind::State, message).with_hint(hint));
    }
    let mut next = state.clone();
    next.window = Some(Window { to, keep_from: (to - plan.overlap).max(window.from), ..window.clone() });
    Ok(Some(next))
}

/// Marks how far the window is sure to be whole: nothing tells the service's time, and a signature is accepted from a clock
/// that is some minutes ahead. The next window looks again from there.
pub(super) fn undated(state: &mut State, overlap: i64) {
    let least = state.sure.or(state.watermark);
    let Some(window) = &mut state.window else { return };
    let sure = (window.to - SIGNED).max(window.from).max(least.unwrap_or(window.from)).min(window.to);
    window.sure = Some(sure);
    window.keep_from = window.keep_from.min(sure - overlap).max(window.from);
}

/// Opens the next window at `now`; `None` if there is nothing to collect yet.
fn open(state: &State, plan: &Plan, now: i64) -> Option<State> {
    let mut to = plan.log.whole_before(now - NEWEST);
    to = plan.until.map_or(to, |until| until.at(now).min(to));
    let oldest = now - OLDEST;
    let mut next = state.clone();
    let wanted = match state.watermark {
        Some(watermark) if to <= watermark => return None,
        // Not further back than the recent records are known.
        Some(watermark) => {
            let back = state.recent_from.unwrap_or(watermark);
            let sure = state.sure.unwrap_or(watermark).min(watermark);
            (sure - plan.overlap).max(back.min(sure))
        }
        None => plan.since.at(now),
    };
    let from = wanted.max(oldest);
    if to - from < SHORTEST {
        return None;
    }
    let collected = state.watermark.unwrap_or(wanted);
    if oldest > collected {
        next.gap(collected, oldest);
    }
    next.recent.new_window();
    let day =
        chrono::DateTime::from_timestamp_millis(from).unwrap_or_default().format("%Y-%m-%d").to_string();
    next.window = Some(Window {
        from,
        to,
        sure: None,
        keep_from: (to - plan.overlap).max(from),
        limit: plan.limit,
        offset: None,
        page: 0,
        floor: from,
        last_key: None,
        last_page: None,
        full: false,
        day,
        extension: plan.compression.extension().into(),
        decorate: plan.decorate,
    });
    Some(next)
}

/// The state with its window's beginning moved to `oldest`, before which the service has nothing
/// any more; `None` if it begins there or later. What was delivered stays so, what was not is a gap.
pub(super) fn move_up(log: &Log, state: &State, oldest: i64) -> Option<State> {
    let window = state.window.as_ref().filter(|window| window.from < oldest)?;
    let mut next = state.clone();
    // Without an order, an offset's time says nothing of what came before it.
    let offset = window.offset.as_deref().filter(|_| log.is_in_order());
    let reached = offset.and_then(offset_ms).unwrap_or(window.floor);
    let reached = reached.clamp(window.from, window.to);
    let from = reached.max(oldest).min(window.to);
    if from > reached {
        next.gap(reached, from);
    }
    if window.to - from < SHORTEST {
        close(&mut next);
        return Some(next);
    }
    next.recent.new_window();
    let floor = window.floor.max(window.from);
    next.window = Some(Window {
        from,
        floor: floor.min(from),
        keep_from: window.keep_from.max(from),
        offset: None,
        last_key: None,
        last_page: None,
        ..window.clone()
    });
    Some(next)
}

/// The window is done: the watermark moves to its end, whatever records it had.
pub(super) fn close(state: &mut State) {
    let Some(window) = state.window.take() else { return };
    state.watermark = Some(window.to);
    state.sure = window.sure;
    state.recent_from = Some(window.keep_from);
    state.recent.forget_before(window.keep_from - SLACK);
}

/// The gaps that `next` has and `state` has not.
pub(super) fn new_gaps(state: &State, next: &State) -> Vec<Gap> {
    next.gaps.iter().filter(|gap| !state.gaps.contains(gap)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::super::Credentials;
    use super::super::logs::LOGS;
    use super::*;

    const NOW: i64 = 1_773_144_000_000;
    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;

    fn plan() -> Plan {
        Plan {
            log: &LOGS[0],
            since: When::Ago(DAY),
            until: None,
            overlap: 600_000,
            limit: 1000,
            compression: Compression::Gzip,
            decorate: false,
        }
    }

    fn state(watermark: Option<i64>) -> State {
        let credentials = Credentials::new("api-1.duosecurity.com", &"i".into(), &"s".into(), false).unwrap();
        let mut state = State::new(&LOGS[0], &credentials);
        state.watermark = watermark;
        state.recent_from = watermark.map(|ms| ms - DAY);
        state
    }

    type Span = (i64, i64);

    /// Window and gaps, relative to now.
    fn opened(state: &State, plan: &Plan) -> Option<(Span, Vec<Span>)> {
        open(state, plan, NOW).map(|next| {
            let window = next.window.unwrap();
            (
                (window.from - NOW, window.to - NOW),
                next.gaps.iter().map(|g| (g.from - NOW, g.to - NOW)).collect(),
            )
        })
    }

    #[test]
    fn windows() {
        let late = -NEWEST;
        let since = |since| Plan { since, ..plan() };
        let until = |ms: i64| Plan { until: Some(When::At(NOW + ms)), ..plan() };
        let table = [
            // The first run.
            (None, plan(), Some(((-DAY, late), vec![]))),
            (None, since(When::At(NOW - 3 * DAY)), Some(((-3 * DAY, late), vec![]))),
            (None, since(When::At(NOW)), None),
            (None, since(When::Ago(400 * DAY)), Some(((-OLDEST, late), vec![(-400 * DAY, -OLDEST)]))),
            // An hour later, a second later, and with the clock put back.
            (Some(-HOUR), plan(), Some(((-HOUR - 600_000, late), vec![]))),
            (Some(late - 1000), plan(), Some(((late - 1000 - 600_000, late), vec![]))),
            (Some(late), plan(), None),
            (Some(HOUR), plan(), None),
            // Outages: three days, and longer than the service remembers.
            (Some(-3 * DAY), plan(), Some(((-3 * DAY - 600_000, late), vec![]))),
            (Some(-OLDEST + 1), plan(), Some(((-OLDEST, late), vec![]))),
            (Some(-200 * DAY), plan(), Some(((-OLDEST, late), vec![(-200 * DAY, -OLDEST)]))),
            // An end.
            (None, until(-HOUR), Some(((-DAY, -HOUR), vec![]))),
            (Some(-HOUR), until(-HOUR), None),
            (Some(-2 * HOUR), until(HOUR), Some(((-2 * HOUR - 600_000, late), vec![]))),
        ];
        for (watermark, plan, expected) in table {
            assert_eq!(
                opened(&state(watermark.map(|ms| NOW + ms)), &plan),
                expected,
                "{watermark:?} {plan:?}"
            );
        }
    }

    const HERE: Now = Now { ms: NOW, clock: "this machine's clock" };

    #[test]
    fn what_is_of_a_time_that_has_not_come_is_refused() {
        for watermark in [NOW + 1, NOW + HOUR, 9_999_999_999_999, i64::MAX] {
            let error = next(&state(Some(watermark)), &plan(), HERE, "s.json").unwrap_err();
            let text = error.to_string();
            assert!(
                text.starts_with("the state `s.json` says that everything is collected up to "),
                "{text}"
            );
            assert!(error.hint().is_some_and(|hint| hint.contains("--since")), "{text}");
        }
        // Within the two minutes that no record is asked for yet, there is nothing to do.
        assert!(next(&state(Some(NOW)), &plan(), HERE, "s").unwrap().is_none());
        let late = Plan { since: When::At(NOW + 1), ..plan() };
        assert!(next(&state(None), &late, HERE, "s").unwrap_err().to_string().contains("`--since` is 2026-"));
        assert!(next(&state(Some(NOW - HOUR)), &late, HERE, "s").unwrap().is_some());
    }

    /// What an earlier version left behind when the clock was ahead, before it was refused for that.
    #[test]
    fn an_open_window_that_ends_too_late_is_narrowed_before_its_first_page_and_refused_after_it() {
        let before = state(Some(NOW - HOUR));
        for to in [NOW - NEWEST + TOLERANCE + 1, NOW + 3 * HOUR, 9_999_999_999_999, i64::MAX] {
            let mut ahead = open(&before, &plan(), NOW).unwrap();
            let window = ahead.window.as_mut().unwrap();
            window.to = to;
            let narrowed = next(&ahead, &plan(), HERE, "s").unwrap().unwrap().into_owned().window.unwrap();
            assert_eq!((narrowed.from, narrowed.to), (NOW - HOUR - 600_000, NOW - NEWEST));
            assert_eq!(narrowed.keep_from, NOW - NEWEST - 600_000);
            ahead.window.as_mut().unwrap().page = 1;
            let refused = next(&ahead, &plan(), HERE, "s");
            if to <= NOW {
                assert!(matches!(refused, Ok(Some(Cow::Borrowed(_)))));
            } else {
                let error = refused.unwrap_err();
                assert!(
                    error.to_string().contains("an open window from 2026-") && error.hint().is_some(),
                    "{error}"
                );
            }
        }
        // All of it has not come.
        let mut ahead = open(&before, &plan(), NOW).unwrap();
        let window = ahead.window.as_mut().unwrap();
        (window.from, window.to) = (NOW, NOW + HOUR);
        assert!(next(&ahead, &plan(), HERE, "s").is_err());
        // And one that is right stays as it is.
        let right = open(&before, &plan(), NOW).unwrap();
        assert!(matches!(next(&right, &plan(), HERE, "s"), Ok(Some(Cow::Borrowed(_)))));
    }

    #[test]
    fn without_the_services_time_less_is_sure() {
        let mut opened = open(&state(Some(NOW - HOUR)), &plan(), NOW).unwrap();
        undated(&mut opened, plan().overlap);
        let window = opened.window.clone().unwrap();
        assert_eq!((window.to, window.sure), (NOW - NEWEST, Some(NOW - NEWEST - SIGNED)));
        assert_eq!(window.keep_from, NOW - NEWEST - SIGNED - 600_000);
        close(&mut opened);
        assert_eq!((opened.watermark, opened.sure), (Some(NOW - NEWEST), Some(NOW - NEWEST - SIGNED)));
        // The next one begins there, and what was delivered since is remembered.
        let again = open(&opened, &plan(), NOW + HOUR).unwrap().window.unwrap();
        assert_eq!(again.from, NOW - NEWEST - SIGNED - 600_000);
        assert!(opened.recent_from.unwrap() <= again.from);
        // It never goes back.
        let mut opened = open(&state(Some(NOW - NEWEST - MINUTE)), &plan(), NOW).unwrap();
        undated(&mut opened, plan().overlap);
        close(&mut opened);
        assert_eq!(opened.sure, Some(NOW - NEWEST - MINUTE));
    }

    #[test]
    fn a_range_that_is_older_than_duos_log_is_no_success() {
        let old = open(&state(None), &plan(), NOW).unwrap();
        let until = Plan { until: Some(When::At(NOW - HOUR)), ..plan() };
        let late = Now { ms: NOW + 200 * DAY, ..HERE };
        assert!(next(&old, &until, late, "s").unwrap_err().hint().unwrap().contains("--until"));
        let moved = next(&old, &plan(), late, "s").unwrap().unwrap();
        assert_eq!((moved.gaps.len(), moved.window.as_ref().unwrap().from), (2, late.ms - OLDEST));
    }

    #[test]
    fn an_overlap_reaches_back_only_as_far_as_is_known() {
        let mut state = state(Some(NOW - HOUR));
        state.recent_from = Some(NOW - HOUR - 60_000);
        assert_eq!(opened(&state, &plan()).unwrap().0.0, -HOUR - 60_000);
        state.recent_from = Some(NOW - HOUR);
        assert_eq!(opened(&state, &plan()).unwrap().0.0, -HOUR);
        assert_eq!(opened(&state, &Plan { overlap: 0, ..plan() }).unwrap().0.0, -HOUR);
    }

    #[test]
    fn a_window_left_open_too_long_is_moved_and_the_gap_recorded() {
        let mut state = state(None);
        state = open(&state, &plan(), NOW).unwrap();
        assert_eq!(move_up(&LOGS[0], &state, NOW - DAY), None);
        // Nothing was delivered, half a day is lost.
        let moved = move_up(&LOGS[0], &state, NOW - DAY / 2).unwrap();
        assert_eq!(moved.window.as_ref().unwrap().from, NOW - DAY / 2);
        assert_eq!(moved.gaps, [Gap { from: NOW - DAY, to: NOW - DAY / 2 }]);
        // Paging has passed the point: nothing is lost, and it goes on from there.
        let window = state.window.as_mut().unwrap();
        (window.offset, window.page) = (Some(format!("{},x", NOW - HOUR)), 7);
        let moved = move_up(&LOGS[0], &state, NOW - DAY / 2).unwrap();
        let window = moved.window.as_ref().unwrap();
        assert_eq!((window.from, window.offset.clone(), window.page), (NOW - HOUR, None, 7));
        assert!(moved.gaps.is_empty());
        // All of it is gone.
        let moved = move_up(&LOGS[0], &state, NOW).unwrap();
        assert_eq!((moved.window, moved.watermark), (None, Some(NOW - NEWEST)));
        assert_eq!(moved.gaps, [Gap { from: NOW - HOUR, to: NOW - NEWEST }]);
    }
}
