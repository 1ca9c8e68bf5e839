//! What a run would do, and what that would cost.

use super::exposed::{Exposed, exposed};
use super::list::Listed;
use super::object::LARGE;
use super::progress::Progress;
use super::{After, Context, Settings};
use crate::convert::Converter;
use crate::store::Error;
use crate::store::objects::Access;
use std::sync::atomic::Ordering::Relaxed;

/// What S3 lists by one request.
const PAGE: u64 = 1_000;
/// An object is written by one request up to this size, and beyond it by one for each part of this size.
const PART: u64 = 8 << 20;
/// What a byte of plain log becomes, about: measured with generated logs.
const EVENTS: f64 = 2.3;
/// The same if it is compressed, per byte of compressed log.
const FROM_PACKED: f64 = 14.0;
/// What is left of events when they are compressed.
const PACKED: f64 = 0.085;

/// What a run would do. Requests are those that a bucket is asked; folders are asked nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Plan {
    /// Objects listed that are wanted.
    pub listed: u64,
    /// Bytes of them.
    pub listed_bytes: u64,
    /// Objects that would be converted.
    pub convert: u64,
    /// Bytes of them, which would be read.
    pub read_bytes: u64,
    /// Objects that an earlier run has converted.
    pub known: u64,
    /// Rejects among their records.
    pub known_rejects: u64,
    /// Outputs of the inputs listed that later ones have superseded, or would.
    pub superseded: u64,
    /// Reject files that are of the same input as another one: one of them may be superseded.
    pub several_rejects: u64,
    /// Objects listed that the filter does not want.
    pub filtered: u64,
    /// Objects listed that are outputs.
    pub own: u64,
    /// Outputs that would be written, without rejects.
    pub outputs: u64,
    /// Bytes of them, about.
    pub written_bytes: u64,
    /// Inputs that would be deleted.
    pub delete: u64,
    /// Requests to list: of a thousand objects each, and of manifests.
    pub list_requests: u64,
    /// Requests to look at an object.
    pub head_requests: u64,
    /// Requests to read.
    pub get_requests: u64,
    /// Requests to write, at least: rejects take one more for each input that has some.
    pub put_requests: u64,
    /// Requests to delete.
    pub delete_requests: u64,
    /// What a reader of everything below the outputs, or below the rejects, would read, too.
    pub below_outputs: Vec<Exposed>,
}

/// Lists everything and says what [`run`](super::run) would do. Nothing is written. Whether earlier
/// outputs still stand is not looked at: a run does that.
///
/// # Errors
/// If inputs can't be listed, or earlier manifests not be read.
pub fn plan(
    settings: &Settings,
    converter: &Converter,
    access: &Access,
    progress: &Progress,
) -> Result<Plan, Error> {
    let context = Context::new(settings, converter, progress, access)?;
    let mut plan = Plan::default();
    let (input, output) =
        (context.origins.iter().any(|origin| origin.store.is_remote()), context.output.store.is_remote());
    let manifest = context.manifest.store.is_remote();
    let mut pack = 0;
    let mut index = super::index::Index::new(&context)?;
    plan.below_outputs =
        exposed(&context.output, context.rejects.as_ref(), &context.manifest, index.is_any());
    context.list(&mut index, &mut |listed| {
        let Listed::Object { found, before, .. } = listed else {
            plan.outputs += u64::from(pack > 0);
            pack = 0;
            return true;
        };
        plan.delete += u64::from(settings.after != After::Keep);
        if let Some(line) = before.known {
            plan.known += 1;
            plan.known_rejects += line.rejects;
            return true;
        }
        plan.convert += 1;
        plan.read_bytes += found.size;
        let packed = ["gz", "zst", "zstd", "bz2", "xz", "lz4"]
            .iter()
            .any(|ending| found.key.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(ending)));
        let events = found.size as f64 * if packed { FROM_PACKED } else { EVENTS };
        // An estimate, of a size that fits.
        let bytes = (events * if settings.format.is_packed() { PACKED } else { 1.0 }) as u64;
        plan.written_bytes += bytes;
        plan.put_requests += if bytes > PART { bytes.div_ceil(PART) + 2 } else { 0 };
        match settings.pack {
            Some(size) if found.size < size.min(LARGE) => {
                pack += found.size;
                if pack >= size {
                    plan.outputs += 1;
                    pack = 0;
                }
            }
            _ => plan.outputs += 1,
        }
        true
    })?;
    plan.listed = progress.listed.load(Relaxed);
    plan.listed_bytes = progress.listed_bytes.load(Relaxed);
    plan.filtered = progress.filtered.load(Relaxed);
    plan.superseded = progress.superseded.load(Relaxed);
    plan.own = progress.own.load(Relaxed);
    plan.several_rejects = progress.several_rejects.load(Relaxed);
    let seen = plan.listed + plan.filtered + plan.own + progress.repeated.load(Relaxed);
    plan.list_requests = if input { seen.div_ceil(PAGE).max(1) } else { 0 } + u64::from(manifest);
    plan.get_requests = if input { plan.convert } else { 0 };
    plan.put_requests = if output { plan.put_requests + plan.outputs } else { 0 }
        + if manifest { plan.convert.div_ceil(2_000) } else { 0 };
    plan.head_requests = if output { plan.known } else { 0 };
    if settings.after != After::Keep {
        // Outputs are read back; an input is looked at before it goes.
        plan.delete_requests = if input { plan.delete } else { 0 };
        plan.head_requests += plan.delete_requests + if output { plan.delete } else { 0 };
        plan.get_requests += if output { plan.delete } else { 0 };
    }
    Ok(plan)
}
