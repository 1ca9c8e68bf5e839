//! Whole dumps: every object below a prefix converted exactly once, by runs that may be killed at any
//! moment. Here stores and the engine meet.
//!
//! An output's key follows from what it is made of: the input's name and ETag, and the fingerprint
//! of the mapping ([`fingerprint`]). It is written once, never over another, so whoever makes it
//! makes the same bytes. When it is durable, a line in the manifest says so ([`Line`]); a run leaves
//! out what has a line and stands. [`run`] does this, [`plan`] says what it would do, [`verify`]
//! holds a manifest against what is there.
//!
//! The parts: `place` and `filter` say what is listed, `index` what is known of it, `run` hands it
//! to workers, `object` and `pack` convert, `ledger` writes the manifest, `remove` deletes inputs,
//! `account` counts.

mod account;
mod budget;
mod content;
mod filter;
mod history;
mod index;
mod ledger;
mod line;
mod list;
mod name;
mod object;
mod outputs;
mod pack;
mod part;
mod place;
mod plan;
mod prune;
mod remove;
mod run;
mod runs;
mod single;
mod spool;
mod verify;

pub use account::{Account, Cause, Failures};
pub use filter::Filter;
pub use line::{Kind, Line, Output};
pub use plan::{Plan, plan};
pub use prune::{Pick, Pruned, Task, Which, prune};
pub use run::run;
pub use single::{Became, Singles};
pub use verify::{Depth, Verified, verify};

use crate::convert::{Converter, Envelope, FieldNames, Options};
use crate::mapping::Mapping;
use crate::store::objects::Access;
use crate::store::{Compression, Error};
use place::{Origin, Target};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Is part of every fingerprint: to be raised when the same table makes other bytes.
const REVISION: &str = "1";

/// What a run is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// URLs of objects or prefixes, files, folders, patterns over files.
    pub inputs: Vec<String>,
    /// Where events go: a URL's prefix, or a folder.
    pub output: String,
    /// Where rejects go, if they are kept.
    pub rejects: Option<String>,
    /// Where the manifest goes, if not to `manifest/` below the output.
    pub manifest: Option<String>,
    /// Which of the objects listed are wanted.
    pub filter: Filter,
    /// What becomes of inputs that are converted.
    pub after: After,
    /// How many objects are converted at once, at least 1.
    pub jobs: usize,
    /// How many threads convert a large object, at least 1.
    pub threads: usize,
    /// About how much memory objects under way may take, in bytes.
    pub memory: u64,
    /// How events are written.
    pub format: Format,
    /// If small inputs are packed: about how many bytes of them, as they are stored, go into one
    /// output.
    pub pack: Option<u64>,
    /// The mapping's name.
    pub mapping: String,
    /// The fingerprint of mapping and options, see [`fingerprint`].
    pub fingerprint: String,
}

/// What becomes of inputs that are converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum After {
    /// They stay.
    #[default]
    Keep,
    /// They are deleted.
    Delete,
    /// They are deleted, and so are folders that are left empty.
    DeleteEmpty,
}

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One a line, as JSON.
    Lines(Compression),
    /// As a Parquet file, see [`columns`](crate::columns). Rejects are lines, compressed with gzip.
    #[cfg(feature = "parquet")]
    Parquet,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Format::Lines(compression) => Compression::ALL
                .into_iter()
                .find(|(_, it)| *it == compression)
                .map_or("none", |(name, _)| name),
            #[cfg(feature = "parquet")]
            Format::Parquet => "parquet",
        }
    }

    /// What stands at the end of an output's key.
    fn ending(self) -> &'static str {
        match self {
            Format::Lines(compression) => compression.extension(),
            #[cfg(feature = "parquet")]
            Format::Parquet => ".parquet",
        }
    }

    /// Whether outputs are compressed.
    fn is_packed(self) -> bool {
        self != Format::Lines(Compression::None)
    }

    /// How rejects are compressed, which are always lines.
    fn of_rejects(self) -> Compression {
        match self {
            Format::Lines(compression) => compression,
            #[cfg(feature = "parquet")]
            Format::Parquet => Compression::Gzip,
        }
    }
}

/// What decides over the bytes of outputs, in 32 hexadecimal digits: the rules of the mapping, how
/// events are spelled, the longest record, and the format. Threads, engine and version are not in
/// it.
pub fn fingerprint(mapping: &Mapping, options: &Options, format: Format) -> String {
    let names = match options.field_names {
        FieldNames::Snake => "snake",
        FieldNames::Camel => "camel",
    };
    let envelope = match options.envelope {
        Envelope::Bare => "bare",
        Envelope::Event => "event",
    };
    let text = serde_json::json!([
        REVISION,
        mapping.canonical(),
        names,
        envelope,
        options.namespace,
        options.labels,
        options.max_record_bytes,
        format.name(),
    ])
    .to_string();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    crate::text::hex(&digest.as_ref()[..16])
}

/// What everything in a run needs.
#[derive(Debug)]
struct Context<'a> {
    settings: &'a Settings,
    converter: &'a Converter,
    account: &'a Account,
    stop: Arc<AtomicBool>,
    origins: Vec<Origin>,
    output: Target,
    rejects: Option<Target>,
    manifest: Target,
    budget: budget::Budget,
}

impl<'a> Context<'a> {
    fn new(
        settings: &'a Settings,
        converter: &'a Converter,
        account: &'a Account,
        access: &Access,
    ) -> Result<Context<'a>, Error> {
        let output = Target::open(&settings.output, access)?;
        let rejects = settings.rejects.as_deref().map(|text| Target::open(text, access)).transpose()?;
        let manifest = match &settings.manifest {
            Some(text) => Target::open(text, access)?,
            None => output.below("manifest"),
        };
        let mut names = vec![output.whole_name(), manifest.whole_name()];
        names.extend(rejects.iter().map(Target::whole_name));
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            // Whoever loads all events below a prefix would load the others, too.
            return Err(Error::same_target(&twice[0]));
        }
        let mut origins = Vec::new();
        for text in &settings.inputs {
            let origin = Origin::open(text, access)?;
            let targets = [Some(&output), rejects.as_ref(), Some(&manifest)];
            if targets.into_iter().flatten().any(|target| origin.is(target)) {
                return Err(Error::input_is_output(text));
            }
            origins.push(origin);
        }
        Ok(Context {
            settings,
            converter,
            account,
            stop: Arc::clone(access.stop()),
            origins,
            output,
            rejects,
            manifest,
            budget: budget::Budget::new(settings.memory),
        })
    }
}
