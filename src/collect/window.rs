//! From when to when: opening a window, and moving one whose beginning the service no longer has.

use super::state::{Gap, State, Window, offset_ms};
use crate::store::Compression;

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

/// What a new window is made of.
#[derive(Debug, Clone)]
pub(super) struct Plan {
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

/// A point in time, fixed or before the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So many milliseconds before the run.
    Ago(i64),
    /// At a time, in milliseconds since 1970.
    At(i64),
}

impl When {
    /// In milliseconds since 1970, for a run at `now`.
    pub(super) fn at(self, now: i64) -> i64 {
        match self {
            When::Ago(ago) => now - ago,
            When::At(at) => at,
        }
    }
}

/// Opens the next window at `now`; `None` if there is nothing to collect yet.
pub(super) fn open(state: &State, plan: &Plan, now: i64) -> Option<State> {
    let mut to = now - NEWEST;
    to = plan.until.map_or(to, |until| until.at(now).min(to));
    let oldest = now - OLDEST;
    let mut next = state.clone();
    let wanted = match state.watermark {
        Some(watermark) if to <= watermark => return None,
        // Not further back than the recent records are known.
        Some(watermark) => {
            let back = state.recent_from.unwrap_or(watermark);
            (watermark - plan.overlap).max(back.min(watermark))
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
pub(super) fn move_up(state: &State, oldest: i64) -> Option<State> {
    let window = state.window.as_ref().filter(|window| window.from < oldest)?;
    let mut next = state.clone();
    let reached = window.offset.as_deref().and_then(offset_ms).unwrap_or(window.floor);
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
    state.recent_from = Some(window.keep_from);
    state.recent.forget_before(window.keep_from - SLACK);
}

/// The gaps that `next` has and `state` has not.
pub(super) fn new_gaps(state: &State, next: &State) -> Vec<Gap> {
    next.gaps.iter().filter(|gap| !state.gaps.contains(gap)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::super::Account;
    use super::*;

    const NOW: i64 = 1_773_144_000_000;
    const HOUR: i64 = 3_600_000;

    fn plan() -> Plan {
        Plan {
            since: When::Ago(DAY),
            until: None,
            overlap: 600_000,
            limit: 1000,
            compression: Compression::Gzip,
            decorate: false,
        }
    }

    fn state(watermark: Option<i64>) -> State {
        let account = Account::new("api-1.duosecurity.com", &"i".into(), &"s".into(), false).unwrap();
        let mut state = State::new(&account);
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
        assert_eq!(move_up(&state, NOW - DAY), None);
        // Nothing was delivered, half a day is lost.
        let moved = move_up(&state, NOW - DAY / 2).unwrap();
        assert_eq!(moved.window.as_ref().unwrap().from, NOW - DAY / 2);
        assert_eq!(moved.gaps, [Gap { from: NOW - DAY, to: NOW - DAY / 2 }]);
        // Paging has passed the point: nothing is lost, and it goes on from there.
        let window = state.window.as_mut().unwrap();
        (window.offset, window.page) = (Some(format!("{},x", NOW - HOUR)), 7);
        let moved = move_up(&state, NOW - DAY / 2).unwrap();
        let window = moved.window.as_ref().unwrap();
        assert_eq!((window.from, window.offset.clone(), window.page), (NOW - HOUR, None, 7));
        assert!(moved.gaps.is_empty());
        // All of it is gone.
        let moved = move_up(&state, NOW).unwrap();
        assert_eq!((moved.window, moved.watermark), (None, Some(NOW - NEWEST)));
        assert_eq!(moved.gaps, [Gap { from: NOW - HOUR, to: NOW - NEWEST }]);
    }
}
