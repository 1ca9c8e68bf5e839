//! Pages of a log that tells no next page: it is asked again from the last second of the page before, which may have
//! been cut. What is there already of that second is known by its bytes, and counted within it.

use super::clock::{SECOND, shown};
use super::state::{Window, offset_ms};
use super::{Error, ErrorKind};

/// Where the page after one with these times begins, as an offset; `None` if the window needs none.
///
/// # Errors
/// If the page is full of one second, or is not in the order of time: what comes after it can't be asked for.
pub(super) fn next(window: &Window, times: &[Option<i64>]) -> Result<Option<String>, Error> {
    if (times.len() as u64) < u64::from(window.limit) {
        return Ok(None);
    }
    let second = |ms: i64| ms.div_euclid(SECOND);
    let seconds: Vec<i64> = times.iter().flatten().copied().map(second).collect();
    let Some(last) = seconds.last().copied().filter(|_| seconds.is_sorted()) else {
        let message = format!(
            "a page of {} records is not in the order of time: what comes after it can't be asked for",
            times.len()
        );
        let hint = "nothing of that page was delivered, and the next run asks for it again; look at what Duo's API answers, \
                    and tell us";
        return Err(Error::new(ErrorKind::Answer, message).with_hint(hint));
    };
    if last > second(window.to) {
        return Ok(None);
    }
    if last <= second(begin(window)) {
        let message = format!(
            "Duo has {} or more records of the second {}, and gives no more of one second: the rest can't be asked for",
            window.limit,
            shown(last * SECOND)
        );
        let hint = "nothing was moved, and later runs say the same. to go on after that second, move the state away and \
                    give `--since` the second after it; Duo's activity log may have the same events";
        return Err(Error::new(ErrorKind::Answer, message).with_hint(hint));
    }
    Ok(Some((last * SECOND).to_string()))
}

/// The first millisecond of the page that the window asks for next.
pub(super) fn begin(window: &Window) -> i64 {
    window.offset.as_deref().and_then(offset_ms).unwrap_or(window.from)
}
