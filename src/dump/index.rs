//! What earlier runs have done, by their manifests, in bounded memory.
//!
//! The lines of a part are in the order of the inputs' names, which is also the order of the
//! listing. So of each part only its first and last name are kept; its lines are read when the
//! listing comes to the first, and forgotten when it has passed the last.

use super::line::{Line, Output};
use super::name::id;
use super::place::{Target, order};
use crate::store::Error;
use crate::store::depot::Found;
use std::cmp::Ordering;
use std::collections::HashMap;

/// So much of a part's ends is read to find a whole line: keys of 1,024 bytes, escaped six times as
/// long, stand in a line a few times.
const END: u64 = 64 << 10;

/// What became of an input in an earlier run.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) outputs: Vec<Output>,
    pub(super) rejects: u64,
}

/// The parts of all earlier manifests.
#[derive(Debug)]
pub(super) struct Index {
    manifest: Target,
    fingerprint: String,
    /// Outputs of another place are none of this run's.
    below: String,
    /// By their first names.
    parts: Vec<Part>,
    next: usize,
    open: Vec<Open>,
}

#[derive(Debug)]
struct Part {
    found: Found,
    first: String,
    last: String,
}

#[derive(Debug)]
struct Open {
    last: String,
    lines: HashMap<String, Known>,
}

impl Index {
    /// Looks at all parts below `manifest`. Lines of another fingerprint, or whose events are not
    /// below the place called `below`, don't count.
    pub(super) fn new(manifest: &Target, fingerprint: &str, below: &str) -> Result<Index, Error> {
        let mut parts = Vec::new();
        for found in manifest.depot.list(&manifest.prefix) {
            let found = match found {
                Ok(found) => found,
                // No manifest so far.
                Err(error) if error.kind() == crate::store::ErrorKind::NotFound => break,
                Err(error) => return Err(error),
            };
            if !found.key.ends_with(".ndjson") || found.size == 0 {
                continue;
            }
            let head = manifest.depot.peek(&found, false, END)?;
            let tail =
                if found.size <= END { head.clone() } else { manifest.depot.peek(&found, true, END)? };
            let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let body = tail.strip_suffix(b"\n").unwrap_or(&tail);
            let last = body.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            let name = manifest.depot.name(&found.key);
            let (first, last) = (parse(first, &name)?.input, parse(last, &name)?.input);
            parts.push(Part { found, first, last });
        }
        parts.sort_by(|a, b| order(&a.first, &b.first));
        Ok(Index {
            manifest: manifest.clone(),
            fingerprint: fingerprint.to_owned(),
            below: below.to_owned(),
            parts,
            next: 0,
            open: Vec::new(),
        })
    }

    /// Begins from the start, for the next input.
    pub(super) fn rewind(&mut self) {
        self.next = 0;
        self.open.clear();
    }

    /// What became of an input with this ETag, if anything. Names must come in order; for one that
    /// does not, the answer may be nothing.
    pub(super) fn find(&mut self, input: &str, etag: &str) -> Result<Option<Known>, Error> {
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
        let key = id(&[input, etag]);
        Ok(self.open.iter().find_map(|open| open.lines.get(&key)).cloned())
    }

    fn read(&self, part: &Part) -> Result<HashMap<String, Known>, Error> {
        let depot = &self.manifest.depot;
        let name = depot.name(&part.found.key);
        let bytes = depot.peek(&part.found, false, part.found.size)?;
        let mut lines = HashMap::new();
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line = parse(line, &name)?;
            let ours = line.outputs.first().is_some_and(|output| output.url.starts_with(&self.below));
            if ours && line.fingerprint == self.fingerprint {
                let known = Known { outputs: line.outputs, rejects: line.rejects };
                lines.insert(id(&[&line.input, &line.etag]), known);
            }
        }
        Ok(lines)
    }
}

/// A line of the object called `name`.
pub(super) fn parse(line: &[u8], name: &str) -> Result<Line, Error> {
    serde_json::from_slice(line)
        .map_err(|error| Error::damaged(name, format!("it is no line of a manifest: {error}")))
}

#[cfg(test)]
mod tests {
    use super::super::line::Kind;
    use super::*;
    use crate::store::depot::Access;

    fn line(input: &str, fingerprint: &str) -> Line {
        let output = Output {
            kind: Kind::Events,
            url: format!("/out/{input}"),
            key: input.to_owned(),
            size: 1,
            sha256: "00".into(),
            offset: None,
            length: None,
        };
        Line {
            input: input.to_owned(),
            size: 1,
            etag: "e".into(),
            sha256: String::new(),
            records: 1,
            events: 1,
            rejects: 0,
            outputs: vec![output],
            mapping: "m".into(),
            fingerprint: fingerprint.to_owned(),
            udmap: "0".into(),
        }
    }

    #[test]
    fn parts_are_open_only_while_the_listing_passes_them() {
        let folder = tempfile::tempdir().unwrap();
        let access = Access::new(false, std::sync::Arc::default()).unwrap();
        let target = Target::open(folder.path().to_str().unwrap(), &access).unwrap();
        let name = |n: usize| format!("s3://b/{n:05}");
        // Runs of ten objects each, one over everything with every hundredth, and another mapping's.
        for part in 0..50 {
            let numbers: Vec<usize> = match part {
                48 => (0..480).step_by(100).map(|n| n + 5).collect(),
                49 => (0..500).collect(),
                _ => (part * 10..part * 10 + 10).filter(|n| n % 100 != 5).collect(),
            };
            let fingerprint = if part == 49 { "other" } else { "f" };
            let lines =
                numbers.iter().map(|n| serde_json::to_string(&line(&name(*n), fingerprint)).unwrap() + "\n");
            target
                .depot
                .put(&format!("r/part-{part:05}.ndjson"), lines.collect::<String>().as_bytes())
                .unwrap();
        }
        let mut index = Index::new(&target, "f", "/out/").unwrap();
        for _ in 0..2 {
            for n in 0..500 {
                let found = index.find(&name(n), "e").unwrap();
                assert_eq!(found.is_some(), n < 480, "{n}");
                assert!(index.open.len() <= 4, "{}", index.open.len());
            }
            index.rewind();
        }
        assert!(index.find(&name(0), "changed").unwrap().is_none());
        assert!(Index::new(&target, "f", "/elsewhere/").unwrap().find(&name(0), "e").unwrap().is_none());
        std::fs::write(folder.path().join("r/part-x.ndjson"), "no line\n").unwrap();
        let error = Index::new(&target, "f", "/out/").unwrap_err();
        assert!(error.to_string().contains("part-x.ndjson`: it is no line of a manifest"), "{error}");
    }
}
