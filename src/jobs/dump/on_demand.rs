//! Objects converted one at a time, by one that is told of them and does not list: a function that is
//! called for each.
//!
//! Outputs have the keys that a run over the prefix gives them. Each object's line is a manifest of its
//! own, `manifest/IDENTITY/part-00001.ndjson`, whose key follows from object and mapping: so one that
//! is told twice finds it, and a run over the prefix finds it, too.

use super::entry::ManifestEntry;
use super::index::{damaged, follows};
use super::job::guarded;
use super::part::{Item, Reader};
use super::place::{Origin, Target};
use super::progress::Progress;
use super::writer::ManifestWriter;
use super::{Context, Settings};
use crate::convert::Converter;
use crate::store::objects::{Access, ObjectMeta};
use crate::store::{Error, ErrorKind};

/// Converts objects below the inputs of some [`Settings`], each when it is named.
#[derive(Debug)]
pub struct OnDemand<'a>(Context<'a>);

/// The outcome of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was converted: its outputs and its manifest line are durable.
    Converted(Box<ManifestEntry>),
    /// It had been converted before, and everything is there.
    Known(Box<ManifestEntry>),
    /// It is not there.
    Gone,
    /// It is not wanted: the filter leaves it out, it stands for a folder, or it is an output.
    Left,
    /// It was told to stop first.
    Stopped,
}

impl<'a> OnDemand<'a> {
    /// `settings` say where objects come from and go to; `after` and `pack` have no meaning here.
    ///
    /// # Errors
    /// If a URL is none, or an input is an output.
    pub fn new(
        settings: &'a Settings,
        converter: &'a Converter,
        access: &Access,
        progress: &'a Progress,
    ) -> Result<OnDemand<'a>, Error> {
        Ok(OnDemand(Context::new(settings, converter, progress, access)?))
    }

    /// Converts the object `key` of the bucket or folder called `root` (`s3://bucket`), if that is
    /// not done yet. Any number of threads and processes may be told of the same object at once: its
    /// outputs are the same, once.
    ///
    /// # Errors
    /// If it lies below no input, or can't be read, or outputs can't be written. It can be tried
    /// again.
    pub fn convert(&self, root: &str, key: &str) -> Result<Outcome, Error> {
        let OnDemand(context) = self;
        let is_below = |at: &usize| {
            let origin = &context.origins[*at];
            origin.store.root() == root && key.starts_with(&origin.prefix)
        };
        // Of inputs that overlap, the outermost gives the key, as in a run.
        let below = (0..context.origins.len()).filter(is_below);
        let Some(at) = below.min_by_key(|at| context.origins[*at].prefix.len()) else {
            return Err(Error::no_input(&format!("{root}/{key}")));
        };
        let origin = &context.origins[at];
        let name = origin.store.name(key);
        let targets = [Some(&context.output), context.rejects.as_ref(), Some(&context.manifest)];
        let is_own = |target: &Target| origin.finds(target) && name.starts_with(&target.whole_name());
        if key.ends_with('/') || targets.into_iter().flatten().any(is_own) {
            return Ok(Outcome::Left);
        }
        let Some(found) = origin.store.head(key)? else { return Ok(Outcome::Gone) };
        if !context.settings.filter.wants(origin.relative(key), &found) {
            return Ok(Outcome::Left);
        }
        if let Some(line) = self.known(origin, &found)? {
            return Ok(Outcome::Known(line));
        }
        let converted =
            guarded(&name, || context.again(origin, found.clone(), &mut |found| context.convert(at, found)))?;
        let (entry, fed) = match converted {
            Ok(both) => both,
            Err(error) if error.is_stopped() => return Ok(Outcome::Stopped),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // Whether it is the object that is not there, and not the bucket of the outputs.
                return if origin.store.head(key)?.is_none() { Ok(Outcome::Gone) } else { Err(error) };
            }
            Err(error) => return Err(error),
        };
        context.count(&entry, vec![fed]);
        let Some((line, found)) = entry.lines.first().cloned() else { return Ok(Outcome::Gone) };
        let run = context.id(origin, &found);
        let mut writer =
            ManifestWriter::new(&context.manifest, &run, context.plain_end(), false, context.progress);
        match writer.write(vec![entry], true) {
            Ok(written) if !written.is_empty() => Ok(Outcome::Converted(Box::new(line))),
            // What could not be put in its place is counted in `progress`.
            Ok(_) => Err(Error::not_settled(&name)),
            // Somebody else was faster, with another version of this program.
            Err(error) if error.kind() == ErrorKind::Taken => match self.known(origin, &found)? {
                Some(line) => Ok(Outcome::Known(line)),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// The line of an object that has been converted, at this level of compression or at the one that earlier versions
    /// had, if its outputs are all there.
    fn known(&self, origin: &Origin, found: &ObjectMeta) -> Result<Option<Box<ManifestEntry>>, Error> {
        for fingerprint in self.0.settings.asked() {
            if let Some(line) = self.known_by(fingerprint, origin, found)? {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    fn known_by(
        &self,
        fingerprint: &str,
        origin: &Origin,
        found: &ObjectMeta,
    ) -> Result<Option<Box<ManifestEntry>>, Error> {
        let OnDemand(context) = self;
        let Target { store, prefix } = &context.manifest;
        let id = context.id_by(fingerprint, origin, found);
        let key = format!("{prefix}{id}/part-00001.ndjson");
        let Some(part) = store.head(&key)? else { return Ok(None) };
        let bytes = store.read_end(&part, false, part.size)?;
        let name = store.name(&key);
        let mut reader = Reader::new(&bytes[..], &key);
        let mut line = None;
        while let Some(item) = reader.next().map_err(|error| Error::cannot_open(&name, error))? {
            match item {
                Item::Entry(it, _) => line = Some(it),
                Item::Damage(damage) => return Err(damaged(&name, damage)),
            }
        }
        let ours = line.filter(|line| {
            let places = (&context.output, context.rejects.as_ref(), context.settings.format);
            line.input == origin.store.name(&found.key)
                && line.identity() == id
                && follows(places, line, &line.input, &id, false)
        });
        Ok(ours.filter(|line| context.is_still_there(line)))
    }
}
