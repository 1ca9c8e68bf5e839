//! Where a collector reads and writes.

use super::{Error, ErrorKind};
use crate::jobs::settings::named;
use crate::store;
use crate::store::objects::StorePath;

/// Where a collector reads and writes.
#[derive(Debug, Clone)]
pub struct Places {
    /// For the records.
    pub to: StorePath,
    /// The state: one object.
    pub state: StorePath,
    /// For what is derived, by the name of the target: `events` and `rejects`.
    pub derived: Vec<(&'static str, StorePath)>,
}

impl Places {
    /// The places of the records and the state.
    ///
    /// # Errors
    /// If one is not a place.
    pub(super) fn open(to: &str, state: &str) -> Result<Places, Error> {
        Ok(Places { to: prefix(to)?, state: checked(StorePath::object(state))?, derived: Vec::new() })
    }

    /// The same with places for events and rejects, as given, or next to `to`. A feed reads everything below its
    /// prefix, so each kind of object has its own.
    ///
    /// # Errors
    /// If one is not a place, or is inside of another one.
    pub(super) fn with_derived(
        mut self,
        to: &str,
        events: Option<&str>,
        rejects: Option<&str>,
    ) -> Result<Places, Error> {
        let place = |given: Option<&str>, name: &str, setting: &str| -> Result<StorePath, Error> {
            let text = given.map(str::to_owned).or_else(|| next_to(to, name)).ok_or_else(|| {
                let error = Error::config(format!("{} is missing: `--to` is a whole bucket", named(setting)));
                error.with_hint(
                    "a feed reads everything below its prefix: give the events a bucket or prefix of their own",
                )
            })?;
            prefix(&text)
        };
        let events = place(events, "udm", "UDMAP_UDM_TO")?;
        let rejects = place(rejects, "rejects", "UDMAP_REJECTS_TO")?;
        let all = [("--to", &self.to), ("--udm-to", &events), ("--rejects-to", &rejects)];
        for (inner, a) in all {
            for (outer, b) in all.iter().filter(|(name, _)| *name != inner) {
                if b.holds(a) {
                    let error = Error::config(format!("`{inner}` is inside `{outer}`: `{}`", a.name("")));
                    return Err(error.with_hint(
                        "a feed reads everything below its prefix: give each a prefix of its own",
                    ));
                }
            }
        }
        self.derived = vec![("events", events), ("rejects", rejects)];
        Ok(self)
    }
}

/// `s3://bucket/logs/duo/` and `udm` become `s3://bucket/logs/udm-duo/`; nothing for a whole bucket.
fn next_to(to: &str, name: &str) -> Option<String> {
    let path = to.trim_end_matches('/');
    let start = path.find("://").map_or(0, |at| at + 3);
    match path[start..].rfind('/') {
        Some(at) => Some(format!("{}{name}-{}/", &path[..=start + at], &path[start + at + 1..])),
        None if start == 0 && !path.is_empty() => Some(format!("{name}-{path}/")),
        None => None,
    }
}

fn checked(place: Result<StorePath, store::Error>) -> Result<StorePath, Error> {
    place.map_err(|error| Error::store(ErrorKind::Config, &error))
}

fn prefix(text: &str) -> Result<StorePath, Error> {
    checked(StorePath::prefix(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_object_has_a_place_of_its_own() {
        let table = [
            ("s3://b/logs/duo/", Some("s3://b/logs/udm-duo/")),
            ("s3://b/duo", Some("s3://b/udm-duo/")),
            ("s3://b", None),
            ("s3://b/", None),
            ("/data/duo", Some("/data/udm-duo/")),
            ("duo/", Some("udm-duo/")),
        ];
        for (to, expected) in table {
            assert_eq!(next_to(to, "udm").as_deref(), expected, "{to}");
        }
    }
}
