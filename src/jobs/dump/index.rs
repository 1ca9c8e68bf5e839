//! What earlier runs have done, by their manifests, in bounded memory.
//!
//! The lines of a part are in the order of the inputs' names, which is also the order of the
//! listing. So of each part only its first and last name are kept; its lines are read when the
//! listing comes to the first, and forgotten when it has passed the last.
//!
//! A part that is empty, cut or changed is an error: what it said of inputs decides over deletions. A
//! line counts only if its outputs have the keys that follow from its input.

use super::entry::{Kind, ManifestEntry};
use super::name::{Follows, id};
use super::outputs::endings;
use super::part::{Item, Reader, Written, end_in, ranks};
use super::place::{Target, order};
use super::runs::Runs;
use super::{After, Context, Format, Settings};
use crate::store::Error;
use crate::store::objects::ObjectMeta;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};

/// So much of a part's ends is read to find a whole line: keys of 1,024 bytes, escaped six times as
/// long, stand in a line a few times.
const END: u64 = 64 << 10;
/// How many runs that did not come to their ends are remembered at once.
const MOST_INTERRUPTED: usize = 500;

/// What is known of an input from before.
#[derive(Debug, Clone, Default)]
pub(super) struct Before {
    /// The outcome of this version of it, by this mapping.
    pub(super) known: Option<Box<ManifestEntry>>,
    /// Whether a later line says something else of it: of another writing, or by another mapping.
    pub(super) overtaken: bool,
    /// Outputs of other writings, or by other mappings.
    pub(super) superseded: u64,
}

/// The parts of all earlier manifests.
#[derive(Debug)]
pub(super) struct Index {
    manifest: Target,
    output: Target,
    rejects: Option<Target>,
    settings: Settings,
    /// Outputs of another place are none of this run's.
    below: String,
    /// By their first names.
    parts: Vec<IndexPart>,
    /// Whether there is any part, also one without lines.
    any: bool,
    next: usize,
    open: Vec<Open>,
    /// The highest round of all runs.
    pub(super) round: u64,
    /// Runs that did not come to their ends, with the number of their parts, of which no other run
    /// has said so.
    pub(super) interrupted: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct IndexPart {
    found: ObjectMeta,
    first: String,
    last: String,
    rank: u32,
}

#[derive(Debug)]
struct Open {
    last: String,
    /// By the identities of their inputs' names.
    lines: HashMap<String, Vec<Past>>,
}

/// A line, and where among all.
#[derive(Debug)]
struct Past {
    rank: (u32, usize),
    /// Whether its outputs have the keys that follow from its input.
    counts: bool,
    line: ManifestEntry,
}

impl Index {
    /// Looks at all parts of a run's manifest.
    ///
    /// # Errors
    /// If they can't be listed or read, or if one is empty or cut.
    pub(super) fn new(context: &Context<'_>) -> Result<Index, Error> {
        let manifest = &context.manifest;
        let mut index = Index {
            manifest: manifest.clone(),
            output: context.output.clone(),
            rejects: context.rejects.clone(),
            settings: context.settings.clone(),
            below: context.output.whole_name(),
            parts: Vec::new(),
            any: false,
            next: 0,
            open: Vec::new(),
            round: 0,
            interrupted: BTreeMap::new(),
        };
        let mut written: Vec<Written> = Vec::new();
        let mut runs = Runs::default();
        for found in manifest.store.list(&manifest.prefix) {
            let found = match found {
                Ok(found) => found,
                // No manifest so far.
                Err(error) if error.kind() == crate::store::ErrorKind::NotFound => break,
                Err(error) => return Err(error),
            };
            if !found.key.ends_with(".ndjson") {
                continue;
            }
            index.any = true;
            let name = manifest.store.name(&found.key);
            let head = manifest.store.read_end(&found, false, END)?;
            let tail =
                if found.size <= END { head.clone() } else { manifest.store.read_end(&found, true, END)? };
            if head.is_empty() {
                return Err(damaged(&name, "it is empty: what it said is lost"));
            }
            let Some(body) = tail.strip_suffix(b"\n") else {
                return Err(damaged(&name, "it is cut short: its last line has no end"));
            };
            // Where something is to be deleted, all of the manifest is gone through before.
            if context.settings.after != After::Keep {
                let bytes = manifest.store.read_end(&found, false, found.size)?;
                let mut reader = Reader::new(&bytes[..], &found.key);
                while let Some(item) = reader.next().map_err(|error| Error::cannot_open(&name, error))? {
                    if let Item::Damage(damage) = item {
                        return Err(damaged(&name, damage));
                    }
                }
            }
            let last = body.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            let folder = found.key.rsplit_once('/').map_or("", |(folder, _)| folder);
            let own = folder.strip_prefix(manifest.prefix.trim_end_matches('/')).unwrap_or(folder);
            let own = own.trim_start_matches('/');
            let mut round = 0;
            let end = end_in(last);
            let about = !matches!(end, Some((0, _)));
            let sealed = end.is_some();
            if let Some((_, end)) = end {
                let end = end.map_err(|error| damaged(&name, format!("its end is not one: {error}")))?;
                runs.take(own, &found.key, &end);
                round = end.round;
            }
            index.round = round.max(index.round);
            if about {
                let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
                let (first, last) = (parse(first, &name)?, parse(last, &name)?);
                if last.part > 0 && !sealed {
                    return Err(damaged(&name, "it is cut short: lines at its end are missing"));
                }
                written.push((round, found.modified));
                index.parts.push(IndexPart { found, first: first.input, last: last.input, rank: 0 });
            }
        }
        index.interrupted = runs.interrupted();
        while index.interrupted.len() > MOST_INTERRUPTED {
            index.interrupted.pop_last();
        }
        for (part, rank) in index.parts.iter_mut().zip(ranks(&written)) {
            part.rank = rank;
        }
        index.parts.sort_by(|a, b| order(&a.first, &b.first));
        Ok(index)
    }

    /// Whether there is a manifest.
    pub(super) fn is_any(&self) -> bool {
        self.any
    }

    /// Begins from the start, for the next input.
    pub(super) fn rewind(&mut self) {
        self.next = 0;
        self.open.clear();
    }

    /// The outcome of an input with this ETag, if anything. Names must come in order; for one that
    /// does not, the answer may be nothing.
    pub(super) fn find(&mut self, input: &str, etag: &str) -> Result<Before, Error> {
        self.open.retain(|open| order(&open.last, input) != Ordering::Less);
        while let Some(part) = self.parts.get(self.next) {
            if order(&part.first, input) == Ordering::Greater {
                break;
            }
            self.next += 1;
            if order(&part.last, input) == Ordering::Less {
                continue;
            }
            let lines = self.read(part)?;
            self.open.push(Open { last: part.last.clone(), lines });
        }
        if self.open.is_empty() {
            return Ok(Before::default());
        }
        let key = id(&[input]);
        let mut past: Vec<&Past> =
            self.open.iter().filter_map(|open| open.lines.get(&key)).flatten().collect();
        past.sort_by_key(|past| past.rank);
        let settings = &self.settings;
        let ours =
            |line: &ManifestEntry| line.etag == etag && settings.format_of(&line.fingerprint).is_some();
        let known = past.iter().rfind(|past| past.counts && !past.line.pruned && ours(&past.line));
        let overtaken = past.iter().rfind(|past| !past.line.pruned).is_some_and(|last| !ours(&last.line));
        let mut others: HashSet<&str> = HashSet::new();
        for Past { line, .. } in past.iter().filter(|past| !ours(&past.line)) {
            for output in &line.outputs {
                if line.pruned {
                    others.remove(output.url.as_str());
                } else {
                    others.insert(&output.url);
                }
            }
        }
        for output in known.iter().flat_map(|past| &past.line.outputs) {
            others.remove(output.url.as_str());
        }
        let known = known.map(|past| Box::new(past.line.clone()));
        Ok(Before { overtaken: overtaken && known.is_some(), known, superseded: others.len() as u64 })
    }

    fn read(&self, part: &IndexPart) -> Result<HashMap<String, Vec<Past>>, Error> {
        let store = &self.manifest.store;
        let name = store.name(&part.found.key);
        let bytes = store.read_end(&part.found, false, part.found.size)?;
        let mut reader = Reader::new(&bytes[..], &part.found.key);
        let mut past = Vec::new();
        while let Some(item) = reader.next().map_err(|error| Error::cannot_open(&name, error))? {
            let line = match item {
                Item::Entry(line, _) => *line,
                Item::Damage(damage) => return Err(damaged(&name, damage)),
            };
            if line.outputs.first().is_some_and(|output| output.url.starts_with(&self.below)) {
                past.push(Past { rank: (part.rank, past.len()), counts: false, line });
            }
        }
        self.count(&mut past);
        let mut lines: HashMap<String, Vec<Past>> = HashMap::new();
        for past in past {
            lines.entry(id(&[&past.line.input])).or_default().push(past);
        }
        Ok(lines)
    }

    /// Which lines count. Those of other mappings are not asked: nothing is done because of them.
    fn count(&self, past: &mut [Past]) {
        let mut packs: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, past) in past.iter_mut().enumerate() {
            let line = &past.line;
            if self.settings.format_of(&line.fingerprint).is_none() {
                continue;
            }
            match line.outputs.first() {
                Some(output) if output.offset.is_some() => {
                    packs.entry(output.url.clone()).or_default().push(at);
                }
                _ => past.counts = self.follows(line, &line.input, &line.identity(), false),
            }
        }
        for members in packs.into_values() {
            let ids: Vec<String> = members.iter().map(|at| past[*at].line.identity()).collect();
            let whole = id(&ids.iter().map(String::as_str).collect::<Vec<_>>());
            let first = past[members[0]].line.input.clone();
            for at in members {
                past[at].counts = self.follows(&past[at].line, &first, &whole, true);
            }
        }
    }

    fn follows(&self, line: &ManifestEntry, input: &str, id: &str, pack: bool) -> bool {
        // Levels have the same endings.
        follows((&self.output, self.rejects.as_ref(), self.settings.format), line, input, id, pack)
    }
}

/// Whether all outputs of a line, in these places and this format, have the keys that follow from an
/// input and an identity.
pub(super) fn follows(
    (output, rejects, format): (&Target, Option<&Target>, Format),
    line: &ManifestEntry,
    input: &str,
    id: &str,
    pack: bool,
) -> bool {
    line.outputs.iter().any(|output| output.kind == Kind::Events)
        && line.outputs.iter().all(|it| {
            let target = match (it.kind, rejects) {
                (Kind::Events, _) => output,
                (Kind::Rejects, Some(rejects)) if it.url.starts_with(&rejects.whole_name()) => rejects,
                // They lie where the manifest does, wherever that is.
                (Kind::Sources, _) => return true,
                // Kept elsewhere: it is not asked whether they stand either.
                (Kind::Rejects, _) => return true,
            };
            let (prefix, files) = (Some(target.prefix.as_str()), !target.store.is_remote());
            target.store.name(&it.key) == it.url
                && Follows { prefix, input, id, pack, files }.is(&it.key, &endings(it.kind, Some(format)))
        })
}

/// A line of the object called `name`.
fn parse(line: &[u8], name: &str) -> Result<ManifestEntry, Error> {
    serde_json::from_slice(line).map_err(|error| damaged(name, format!("not a line of a manifest: {error}")))
}

/// A part that can't be relied on.
pub(super) fn damaged(name: &str, why: impl Into<String>) -> Error {
    let hint = "`udmap verify` says more; moved away, its inputs are converted again, to the same outputs";
    Error::unverified(name, why).with_advice(hint)
}

#[cfg(test)]
mod tests {
    use super::super::part::seal;
    use super::super::part::tests::{end, line};
    use super::super::{Filter, Progress, Settings};
    use super::*;
    use crate::convert::{Converter, Options};
    use crate::mapping::Mapping;
    use crate::store::Compression;
    use crate::store::objects::Access;

    /// An index over what is in a folder's `manifest/`, for outputs in its `out/`.
    fn index(folder: &std::path::Path, out: &str) -> Result<Index, Error> {
        let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let settings = Settings {
            inputs: Vec::new(),
            output: at(out),
            rejects: None,
            manifest: Some(at("manifest")),
            filter: Filter::default(),
            after: After::Keep,
            jobs: 1,
            threads: 1,
            memory: 1,
            format: Format::Lines(Compression::None),
            pack: None,
            mapping: "m".into(),
            fingerprint: "f".into(),
            levels: vec![("f".into(), Format::Lines(Compression::None))],
            from_rejects: false,
        };
        let converter = Converter::new(&Mapping::builtin("duo_telephony").unwrap(), &Options::default());
        let (progress, access) =
            (Progress::default(), Access::new(false, std::sync::Arc::default()).unwrap());
        Index::new(&Context::new(&settings, &converter, &progress, &access)?)
    }

    /// A line as a run writes it.
    fn written(folder: &std::path::Path, n: usize, fingerprint: &str) -> ManifestEntry {
        let input = format!("s3://b/{n:05}");
        let key = format!("{n:05}.{}.ndjson", id(&[&input, "e", fingerprint]));
        line(&input, fingerprint, folder.join("out").join(&key).to_str().unwrap(), &key)
    }

    fn put(folder: &std::path::Path, part: u64, lines: &[ManifestEntry], last: bool) {
        let path = folder.join(format!("manifest/r/part-{part:05}.ndjson"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = seal(&lines.iter().collect::<Vec<_>>(), end(part, last));
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn parts_are_open_only_while_the_listing_passes_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        let name = |n: usize| format!("s3://b/{n:05}");
        // Runs of ten objects each, one over everything with every hundredth, and another mapping's.
        for part in 0..50 {
            let numbers: Vec<usize> = match part {
                48 => (0..480).step_by(100).map(|n| n + 5).collect(),
                49 => (0..500).collect(),
                _ => (part * 10..part * 10 + 10).filter(|n| n % 100 != 5).collect(),
            };
            let fingerprint = if part == 49 { "other" } else { "f" };
            let lines: Vec<ManifestEntry> = numbers.iter().map(|n| written(&root, *n, fingerprint)).collect();
            put(&root, part as u64 + 1, &lines, part == 49);
        }
        let mut found = index(&root, "out").unwrap();
        assert!(found.interrupted.is_empty() && found.round == 1);
        for _ in 0..2 {
            for n in 0..500 {
                let before = found.find(&name(n), "e").unwrap();
                assert_eq!(before.known.is_some(), n < 480, "{n}");
                assert_eq!((before.superseded, before.overtaken), (1, n < 480), "{n}: of the other mapping");
                assert!(found.open.len() <= 4, "{}", found.open.len());
            }
            found.rewind();
        }
        let changed = found.find(&name(0), "changed").unwrap();
        assert!(changed.known.is_none() && changed.superseded == 2);
        assert!(index(&root, "elsewhere").unwrap().find(&name(0), "e").unwrap().known.is_none());
    }

    #[test]
    fn a_line_counts_only_if_its_outputs_follow_from_its_input() {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        let other = written(&root, 9, "f").outputs;
        let wrong: [fn(&mut ManifestEntry); 3] = [
            |line| line.etag = "x".into(),
            |line| line.outputs.clear(),
            |line| line.outputs[0].key.insert(0, 'a'),
        ];
        put(&root, 1, &[written(&root, 1, "f")], true);
        assert!(index(&root, "out").unwrap().find("s3://b/00001", "e").unwrap().known.is_some());
        for (n, change) in wrong.iter().enumerate() {
            let mut line = written(&root, 1, "f");
            change(&mut line);
            put(&root, 1, &[line], true);
            let mut index = index(&root, "out").unwrap();
            assert!(index.find("s3://b/00001", "e").unwrap().known.is_none(), "{n}");
            assert!(index.find("s3://b/00001", "x").unwrap().known.is_none(), "{n}");
        }
        let line = ManifestEntry { outputs: other, ..written(&root, 1, "f") };
        put(&root, 1, &[line], true);
        assert!(index(&root, "out").unwrap().find("s3://b/00001", "e").unwrap().known.is_none());
    }

    #[test]
    fn a_damaged_part_is_an_error_and_a_missing_end_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        let lines: Vec<ManifestEntry> = (0..3).map(|n| written(&root, n, "f")).collect();
        put(&root, 1, &lines, false);
        assert_eq!(
            index(&root, "out").unwrap().interrupted.into_iter().collect::<Vec<_>>(),
            [("r".into(), 1)]
        );
        let path = root.join("manifest/r/part-00001.ndjson");
        let text = std::fs::read(&path).unwrap();
        let cut = memchr::memchr(b'\n', &text).unwrap() + 1;
        for (text, words) in [
            (&text[..0], "part-00001.ndjson`: it is empty"),
            (&text[..cut], "lines at its end are missing"),
            (&text[..cut + 30], "its last line has no end"),
            (&text[cut..], "it has 2 lines, and says that it has 3"),
            (b"no line\n", "not a line of a manifest"),
        ] {
            std::fs::write(&path, text).unwrap();
            let found = index(&root, "out").and_then(|mut index| {
                (1..3).try_for_each(|n| index.find(&format!("s3://b/{n:05}"), "e").map(drop))
            });
            let error = found.unwrap_err();
            assert!(error.to_string().contains(words), "{words}: {error}");
        }
    }
}
