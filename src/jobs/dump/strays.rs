//! Objects among the outputs that no line of a manifest names.

use super::Context;
use super::history::{History, Place, no_room};
use super::place::Origin;
use super::progress::{Cause, Progress};
use super::spool::{Span, Spool, hash};
use super::verified::Verified;
use crate::store::Error;
use crate::store::objects::Access;
use crate::store::sort::{Sorted, Sorter};
use std::collections::HashSet;
use std::sync::atomic::Ordering::Relaxed;

/// An object that was listed: its name's hash, and where its name is kept.
const LISTED: usize = 16 + Span::BYTES;

/// What was listed, in the order of names' hashes.
pub(super) struct Listed {
    names: Spool,
    sorted: Sorted<LISTED>,
    next: Option<[u8; LISTED]>,
}

/// Whether a place of outputs is a folder that is not there, and not one that can't be looked at.
fn is_missing_folder(place: &str) -> bool {
    let missing = |error: std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    !place.contains("://") && std::fs::symlink_metadata(place).is_err_and(missing)
}

impl Listed {
    /// Lists where the outputs of a whole manifest go, but for the `manifest` itself.
    pub(super) fn list(
        context: &Context<'_>,
        access: &Access,
        verified: &Verified,
        history: &History,
        manifest: &str,
    ) -> Result<Listed, Error> {
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
            // What is in another one is listed there.
            if all.iter().any(|other| other != name && name.starts_with(other)) {
                continue;
            }
            verified.foreign.store(true, Relaxed);
            let unlisted = |error: &Error| context.progress.fail(Cause::Listing, error);
            let origin = match Origin::open(name, access) {
                Ok(origin) => origin,
                // Nothing was ever written to it, or all outputs in it are gone, which is said of each.
                Err(_) if is_missing_folder(name) => continue,
                Err(error) => {
                    unlisted(&error);
                    continue;
                }
            };
            for found in origin.objects() {
                let name = match found {
                    Ok(found) => origin.store.name(&found.key),
                    Err(error) => {
                        unlisted(&error);
                        continue;
                    }
                };
                if context.stop.load(Relaxed) {
                    break;
                }
                if name.starts_with(manifest) || inputs.iter().any(|input| name.starts_with(input)) {
                    continue;
                }
                verified.listed.fetch_add(1, Relaxed);
                let mut record = [0; LISTED];
                record[..16].copy_from_slice(&hash(&name));
                record[16..].copy_from_slice(&names.push(name.as_bytes()).map_err(no_room)?.bytes());
                sorter.push(record).map_err(no_room)?;
            }
        }
        names.flush().map_err(no_room)?;
        Ok(Listed { names, sorted: sorter.sorted().map_err(no_room)?, next: None })
    }

    /// Counts what comes before `hash` as failures, because no line names it; passes what has this hash.
    pub(super) fn before(&mut self, hash: Option<&[u8; 16]>, progress: &Progress) -> Result<(), Error> {
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
                        "it is among the outputs, but no line of the manifest names it",
                    );
                    let hint = "readers of all outputs read it, too: if it is of a run that was killed, convert again; else see \
                                what it is";
                    progress.fail(Cause::Foreign, &error.with_advice(hint));
                }
            }
        }
    }
}
