//! What a run is told, typed and with defaults.

use super::Filter;
use crate::convert::{Envelope, FieldNames, Options};
use crate::mapping::Mapping;
use crate::store::Compression;
use crate::time::Instant;

/// A part of every fingerprint: raise it when the same table makes other bytes.
const REVISION: &str = "1";

/// How many inputs are converted at once where that was not said, and at least one is in a bucket.
pub const JOBS: usize = 16;
/// How much memory inputs being converted may take where that was not said, in bytes.
pub const MEMORY: u64 = 256 << 20;

/// What a run is told. [`Settings::new`] makes them; then a front end says which inputs, and whatever else is not as by
/// default.
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
    /// What happens to inputs that are converted.
    pub after: After,
    /// How many objects are converted at once, at least 1.
    pub jobs: usize,
    /// How many threads convert a large object, at least 1.
    pub threads: usize,
    /// Approximate memory for inputs being converted, in bytes; further inputs wait.
    pub memory: u64,
    /// How events are written. To change it, make new settings: the fingerprint depends on it.
    pub(super) format: Format,
    /// If small inputs are packed: about how many bytes of them, as they are stored, go into one
    /// output.
    pub pack: Option<u64>,
    /// The mapping's name.
    pub(super) mapping: String,
    /// What decides over the bytes of outputs, see [`Settings::fingerprint`].
    pub(super) fingerprint: String,
    /// The fingerprints of these settings at each level of the same compression, this one among them.
    pub(super) levels: Vec<(String, Format)>,
    /// Whether inputs are reject files.
    pub(super) from_rejects: bool,
}

impl Settings {
    /// The fingerprints by which an object alone is looked for: this one, and that of versions that knew one level.
    pub(super) fn asked(&self) -> impl Iterator<Item = &str> {
        let earlier = self.levels.iter().filter(|(_, format)| {
            matches!(format, Format::Lines(Compression::GzipSmall | Compression::Zstd(3)))
        });
        let earlier = earlier.map(|(fingerprint, _)| fingerprint.as_str());
        std::iter::once(self.fingerprint.as_str()).chain(earlier.filter(|it| *it != self.fingerprint))
    }

    /// A run that converts by `mapping` with `options` and writes `format`. It has no inputs yet.
    pub fn new(mapping: &Mapping, options: &Options, format: Format, output: impl Into<String>) -> Settings {
        let fingerprint = |format| fingerprint(mapping, options, format);
        let levels = format.levels().into_iter().map(|format| (fingerprint(format), format)).collect();
        Settings {
            inputs: Vec::new(),
            output: output.into(),
            rejects: None,
            manifest: None,
            filter: Filter::default(),
            after: After::Keep,
            jobs: JOBS,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            memory: MEMORY,
            format,
            pack: None,
            mapping: mapping.name().to_owned(),
            fingerprint: fingerprint(format),
            levels,
            from_rejects: false,
        }
    }

    /// The same for inputs that are reject files: what is in them is converted again.
    #[must_use]
    pub fn from_rejects(self) -> Settings {
        // The same object becomes something else if it is read as a log.
        let other = |fingerprint: &str| digest(&format!("{fingerprint} from rejects"));
        let levels = self.levels.iter().map(|(fingerprint, format)| (other(fingerprint), *format)).collect();
        Settings { fingerprint: other(&self.fingerprint), levels, from_rejects: true, ..self }
    }

    /// What decides over the bytes of outputs, in 32 hexadecimal digits: the rules of the mapping, how events are
    /// written, the longest record, the range of the records' time, and the format. Threads, engine and version are not in it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// How outputs with this fingerprint are written; nothing if more than the level of their compression differs from
    /// these settings. Another level alone does not make an input convert again: its events are the same.
    pub(super) fn format_of(&self, fingerprint: &str) -> Option<Format> {
        self.levels.iter().find(|(known, _)| known == fingerprint).map(|(_, format)| *format)
    }
}

/// What happens to inputs that are converted.
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
    /// What a fingerprint calls it. Versions that knew one level of gzip and zstd wrote no level.
    fn name(self) -> String {
        match self {
            Format::Lines(Compression::Gzip) => "gzip:fast".to_owned(),
            Format::Lines(Compression::GzipSmall) => "gzip".to_owned(),
            Format::Lines(Compression::Zstd(3)) => "zstd".to_owned(),
            Format::Lines(compression) => compression.to_string(),
            #[cfg(feature = "parquet")]
            // `parquet` was compressed with zstd 3, in other pages.
            Format::Parquet => "parquet:2".to_owned(),
        }
    }

    /// The format at each level of its compression.
    fn levels(self) -> Vec<Format> {
        match self {
            Format::Lines(compression) => compression.levels().into_iter().map(Format::Lines).collect(),
            #[cfg(feature = "parquet")]
            Format::Parquet => vec![self],
        }
    }

    /// How an output's key ends.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Format::Lines(compression) => compression.extension(),
            #[cfg(feature = "parquet")]
            Format::Parquet => ".parquet",
        }
    }

    /// Whether outputs are compressed.
    pub(super) fn is_packed(self) -> bool {
        self != Format::Lines(Compression::None)
    }

    /// How rejects are compressed, which are always lines.
    pub(super) fn of_rejects(self) -> Compression {
        match self {
            Format::Lines(compression) => compression,
            #[cfg(feature = "parquet")]
            Format::Parquet => Compression::Gzip,
        }
    }
}

fn fingerprint(mapping: &Mapping, options: &Options, format: Format) -> String {
    let mut parts = serde_json::json!([
        REVISION,
        mapping.canonical(),
        name_of(&FieldNames::ALL, options.field_names),
        name_of(&Envelope::ALL, options.envelope),
        options.namespace,
        options.labels,
        options.max_record_bytes,
        format.name(),
    ]);
    // Without a range, outputs of versions that knew none are the same.
    if let Some(parts) = parts.as_array_mut().filter(|_| !options.range.is_all()) {
        let limit = |at: Option<Instant>| at.map(Instant::to_rfc3339);
        parts.push(serde_json::json!([limit(options.range.since), limit(options.range.until)]));
    }
    digest(&parts.to_string())
}

/// 32 hexadecimal digits of a text's digest.
fn digest(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    crate::text::hex(&digest.as_ref()[..16])
}

/// The name of a value.
fn name_of<T: Copy + PartialEq>(all: &[(&'static str, T)], value: T) -> &'static str {
    all.iter().find(|(_, it)| *it == value).map_or("", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What versions wrote that knew one level of gzip and of zstd is known at every level, and compressed again as it
    /// was.
    #[test]
    fn outputs_of_one_level_are_known_at_every_other() {
        let mapping = &Mapping::builtin("duo_telephony").expect("it is built in");
        let settings =
            |compression| Settings::new(mapping, &Options::default(), Format::Lines(compression), "out/");
        let levels = [
            (Compression::Gzip, Compression::GzipSmall),
            (Compression::ZSTD, Compression::Zstd(3)),
            (Compression::Zstd(19), Compression::Zstd(3)),
        ];
        for (now, then) in levels {
            let (new, old) = (settings(now), settings(then));
            assert_ne!(new.fingerprint(), old.fingerprint());
            assert_eq!(new.format_of(old.fingerprint()), Some(Format::Lines(then)));
            assert_eq!(old.format_of(new.fingerprint()), Some(Format::Lines(now)));
            assert_eq!(new.asked().collect::<Vec<_>>(), [new.fingerprint(), old.fingerprint()]);
            let (new, old) = (new.from_rejects(), old.from_rejects());
            assert_eq!(new.format_of(old.fingerprint()), Some(Format::Lines(then)));
        }
        let other = settings(Compression::None);
        assert_eq!(settings(Compression::Gzip).format_of(other.fingerprint()), None);
        assert_eq!(other.asked().count(), 1);
    }
}
