//! What a dump's manifest names as the outputs to be read: each once, without what later ones have superseded.

use super::failures::tell_failures;
use crate::jobs::dump::{self, Kind, Pick, Progress, Pruned, Task, Which};
use crate::store::objects::Access;
use anyhow::{Context as _, bail};
use std::sync::Arc;

/// How many objects are looked at at once.
const JOBS: usize = 16;

/// The outputs with events that a manifest says are current, by name.
///
/// # Errors
/// If the manifest can't be read, or is not as it should be, or if an output can't be distinguished from superseded ones.
pub(super) fn current_events(manifest: &str, anonymous: bool) -> anyhow::Result<Vec<String>> {
    let access = Access::new(anonymous, Arc::default()).context("cannot start threads")?;
    let (progress, pruned) = (Progress::default(), Pruned::default());
    let task = Task { manifest, which: Which::Current, delete: false, jobs: JOBS };
    let mut outputs = Vec::new();
    let mut each = |pick: &Pick<'_>| {
        if pick.kind == Kind::Events {
            outputs.push(pick.url.to_owned());
        }
        Ok(())
    };
    dump::prune(task, &access, &progress, &pruned, &mut each)?;
    if tell_failures(&progress) {
        bail!("the manifest `{manifest}` does not say for certain what is to be read: nothing was sent");
    }
    if let Some(parquet) = outputs.iter().find(|output| output.ends_with(".parquet")) {
        bail!("`{parquet}` is a Parquet file, expected NDJSON: convert with `--output-format ndjson`");
    }
    outputs.sort_unstable();
    Ok(outputs)
}
