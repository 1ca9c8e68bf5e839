//! The order of a bucket's listing, and that it comes to an end.

use crate::text::shown;
use foldhash::HashSet;
use twox_hash::XxHash3_128;

/// The most entries in a row that were there before: of a listing that goes on like that, no end is to be hoped for.
const MOST_REPEATED: u32 = 10_000;

/// Sees to it that each object comes once.
pub(super) struct Order {
    last: Option<String>,
    repeated: u32,
    /// Where there is no order: all that came, by their digests.
    seen: Option<HashSet<u128>>,
}

impl Order {
    pub(super) fn new(none: bool) -> Order {
        Order { last: None, repeated: 0, seen: none.then(HashSet::default) }
    }

    /// Whether the key comes for the first time.
    ///
    /// # Errors
    /// If that can't be found out, or if there is no end to be hoped for.
    pub(super) fn next(&mut self, key: &str) -> Result<bool, String> {
        let new = match &mut self.seen {
            Some(seen) => seen.insert(XxHash3_128::oneshot(key.as_bytes())),
            None => match &self.last {
                Some(last) if key < last.as_str() => {
                    let (key, last) = (shown(key), shown(last));
                    return Err(format!(
                        "the listing is not in order, or begins again: `{key}` comes behind `{last}`"
                    ));
                }
                last => last.as_deref() != Some(key),
            },
        };
        if new {
            self.repeated = 0;
            self.last = Some(key.to_owned());
            return Ok(true);
        }
        self.repeated += 1;
        if self.repeated >= MOST_REPEATED {
            return Err(format!("the listing does not end: it repeats `{}`", shown(key)));
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_once_and_in_order() {
        let mut order = Order::new(false);
        let come: Vec<_> = ["a", "a", "b", "a"].iter().map(|key| order.next(key)).collect();
        assert_eq!(come[..3], [Ok(true), Ok(false), Ok(true)]);
        assert_eq!(come[3], Err("the listing is not in order, or begins again: `a` comes behind `b`".into()));
        let mut none = Order::new(true);
        let come: Vec<_> = ["b", "a", "b"].iter().map(|key| none.next(key)).collect();
        assert_eq!(come, [Ok(true), Ok(true), Ok(false)]);
        let mut same = Order::new(false);
        assert!((0..=MOST_REPEATED).any(|_| same.next("a").is_err()), "it ends");
    }
}
