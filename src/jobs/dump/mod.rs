//! Whole dumps: every object below a prefix converted exactly once, by runs that may be killed at any
//! moment. Here stores and the engine meet.
//!
//! An output's key follows from what it is made of: the input's name and ETag, and the fingerprint
//! of the mapping ([`Settings::fingerprint`]). It is written once, never over another, so any run makes
//! the same bytes. When it is durable, a line in the manifest says so ([`ManifestEntry`]); a run leaves
//! out what has a line and is still there. [`run`] does this, [`plan`] says what it would do, [`verify`]
//! compares a manifest with what is there.
//!
//! The parts: `place` and `filter` say what is listed, `index` what is known of it, `run` hands it
//! to workers, `object` and `pack` convert, `writer` writes the manifest, `remove` deletes inputs,
//! `progress` counts.

mod budget;
mod content;
mod context;
mod entry;
mod exposed;
mod filter;
mod history;
mod index;
mod job;
mod list;
mod name;
mod named;
mod object;
mod on_demand;
mod outputs;
mod pack;
mod part;
mod place;
mod plan;
mod progress;
mod prune;
mod queue;
mod remove;
mod run;
mod runs;
mod settings;
mod spool;
mod stores;
mod strays;
mod verified;
mod verify;
mod writer;

pub use entry::{Kind, ManifestEntry, OutputObject};
pub use exposed::{Exposed, Sort};
pub use filter::Filter;
pub use on_demand::{OnDemand, Outcome};
pub use plan::{Plan, plan};
pub use progress::{Cause, Failures, Progress};
pub use prune::{Pick, Pruned, Task, Which, prune};
pub use run::run;
pub use settings::{After, Format, JOBS, MEMORY, Settings};
pub use verified::{Depth, Verified};
pub use verify::verify;

use context::Context;
