//! One step: which records of a page are to be delivered, and the state behind it. Plain values in and out.

use super::logs::{Log, Next};
use super::page::Page;
use super::record;
use super::seen::Key;
use super::state::{MOST_RECENT, State, offset_ms};
use super::window::{self, DAY, SLACK};
use super::{Error, ErrorKind, seconds};
use std::borrow::Cow;

/// What a page means for a state.
#[derive(Debug)]
pub(super) struct Step<'p> {
    /// The lines to deliver, in order, without line ends.
    pub(super) lines: Vec<Cow<'p, str>>,
    /// What came for the first time and is not an object, so no record: never delivered, but told, and counted in the state.
    pub(super) foreign: Vec<Cow<'p, str>>,
    /// The state when they are delivered.
    pub(super) next: State,
}

/// Takes the page that the state's open window asked for.
///
/// # Errors
/// If the page lies before the one that came before it: the service does not page forward.
pub(super) fn take<'p>(log: &Log, state: &State, page: &Page<'p>) -> Result<Step<'p>, Error> {
    let mut next = state.clone();
    let Some(window) = &mut next.window else {
        return Ok(Step { lines: Vec::new(), foreign: Vec::new(), next });
    };
    let mut lines: Vec<Cow<'p, str>> = page.items.iter().map(|item| record::line(item.get())).collect();
    let mut ids: Vec<(Key, Option<i64>)> =
        lines.iter().map(|line| record::identify(log, line, &state.host)).collect();
    let full = ids.len() as u64 >= u64::from(window.limit);
    let next_offset = match log.next {
        Next::Told(_) => page.next_offset.clone(),
        Next::LastSecond => {
            let times: Vec<Option<i64>> = ids.iter().map(|(_, ms)| *ms).collect();
            next.recent.again_from(seconds::begin(window));
            seconds::next(window, &times)?
        }
    };
    if !log.has_end {
        // They come again in the next window.
        let later = |id: &(Key, Option<i64>)| id.1.is_some_and(|ms| ms > window.to);
        let mut kept = ids.iter().map(|id| !later(id));
        lines.retain(|_| kept.next().unwrap_or(true));
        ids.retain(|id| !later(id));
    }
    let times = || ids.iter().filter_map(|(_, ms)| *ms);
    if log.is_in_order() && times().max().is_some_and(|latest| latest < window.floor - SLACK) {
        let message = "Duo's pages don't go forward in time: a page lies wholly before the one before it";
        let hint = "nothing of that page was delivered; the next run asks for it again";
        return Err(Error::new(ErrorKind::Answer, message).with_hint(hint));
    }
    let this_page = (!ids.is_empty()).then(|| whole(&ids));
    // A page full of one record without a name may go on with more of its twins.
    let twins = full && ids.iter().all(|id| *id == ids[0] && !id.0.is_named());
    let same_again = this_page.is_some() && this_page == window.last_page && !twins;
    let first = ids.first().map(|(key, _)| *key);
    if let (Some(first), Some(last)) = (first, window.last_key)
        && first.is_named()
        && !same_again
    {
        next.repeats_seam = Some(first == last);
    }
    // A record without a name can't be distinguished from a twin, except by what is known of the service; and
    // behind a page that was not full there is nothing but what it repeats.
    let seam = first.is_some_and(|first| {
        let repeats = next.repeats_seam == Some(true) || !window.full;
        !first.is_named() && window.last_key == Some(first) && repeats
    });

    let (mut deliver, mut foreign, mut adds) = (Vec::new(), Vec::new(), false);
    let mut reached = window.floor;
    for (i, (key, ms)) in ids.iter().enumerate() {
        if same_again || (seam && i == 0) {
            continue;
        }
        // Pages that go forward: a time that lies before its neighbours' is not the one that the
        // service sorts by. A record without a time may come again until the window's end.
        let before = if log.is_in_order() { reached } else { window.from };
        reached = ms.map_or(before, |ms| ms.max(before)).min(window.to);
        let arrival = next.recent.arrive(*key, ms.map_or(window.to, |_| reached));
        adds |= arrival.first;
        if arrival.deliver {
            let to = if lines[i].starts_with('{') { &mut deliver } else { &mut foreign };
            to.push(i);
        }
    }
    let ended = next_offset.is_none() || next_offset == window.offset || !adds;
    if ended {
        window::close(&mut next);
    } else {
        let cursor = next_offset.as_deref().and_then(offset_ms);
        let earliest = times().chain(cursor).min().filter(|_| log.is_in_order());
        let floor = earliest.unwrap_or(window.floor).clamp(window.from, window.to);
        window.floor = floor;
        window.offset = next_offset;
        window.page = window.page.saturating_add(1);
        window.last_key = ids.last().map(|(key, _)| *key);
        window.last_page = this_page;
        window.full = full;
        let horizon = floor.min(window.keep_from) - SLACK;
        next.recent.forget_before(horizon);
    }
    if next.recent.len() > MOST_RECENT {
        let message =
            format!("more than {MOST_RECENT} records could come again: their times don't go forward");
        let hint = "nothing of that page was delivered; look at what Duo's API answers, and tell us";
        return Err(Error::new(ErrorKind::Answer, message).with_hint(hint));
    }
    if !deliver.is_empty() {
        next.sequence += 1;
    }
    next.not_records = next.not_records.saturating_add(foreign.len() as u64);
    let foreign = foreign.into_iter().map(|i| lines[i].clone()).collect();
    let lines = pick(lines, &deliver);
    Ok(Step { lines, foreign, next })
}

/// The state that knows of the object under its next key: an earlier attempt or another run wrote
/// it, and what is in it is delivered.
pub(super) fn adopt(log: &Log, state: &State, lines: &str) -> State {
    let mut next = state.clone();
    let (from, to) = next.window.as_ref().map_or((0, i64::MAX), |window| (window.from, window.to));
    for line in lines.split_terminator('\n') {
        let (key, ms) = record::identify(log, line, &state.host);
        // Later than the window's end, if that was moved since; a time far beyond it is none.
        next.recent.found(key, ms.map_or(to, |ms| ms.clamp(from, to.saturating_add(DAY))));
    }
    next.sequence += 1;
    next
}

/// A page as one key.
fn whole(ids: &[(Key, Option<i64>)]) -> Key {
    let text = serde_json::to_string(&ids.iter().map(|(key, _)| key).collect::<Vec<_>>());
    Key::named(&[&text.unwrap_or_default()])
}

fn pick<'p>(lines: Vec<Cow<'p, str>>, wanted: &[usize]) -> Vec<Cow<'p, str>> {
    let mut wanted = wanted.iter().copied().peekable();
    let pick = |(i, line): (usize, Cow<'p, str>)| wanted.next_if_eq(&i).map(|_| line);
    lines.into_iter().enumerate().filter_map(pick).collect()
}
