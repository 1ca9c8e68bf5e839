//! A part of a manifest as text: lines about inputs, of which the last also says how the part ends.
//!
//! `{"input":..},{"input":..,"end":{"part":1,"lines":2,"sha256":"..","last":true}}`: the digest is of
//! all bytes before `,"end"`. A part without lines about inputs is one line with nothing but an end.
//! Parts of versions that wrote no ends are read, too; what is missing there can't be noticed.

use super::entry::{End, ManifestEntry};
use aws_lc_rs::digest;
use chrono::{DateTime, Utc};
use std::io::{self, BufRead, Read as _};

/// No line of a manifest is longer.
const LONGEST: u64 = 1 << 20;
/// Before the end, in a line that is about an input. A text in a line has its quotes escaped, so it
/// never holds this.
const MARK: &[u8] = b",\"end\":{";
/// A line that is nothing but an end.
const ALONE: &[u8] = b"{\"end\":{";

/// The text of a part: `lines`, sealed by `end`, whose count and digest are filled in.
pub(super) fn seal(lines: &[&ManifestEntry], mut end: End) -> Vec<u8> {
    let mut text = Vec::new();
    for line in lines {
        // Texts and numbers always serialize, and a vector takes everything.
        let _ = serde_json::to_writer(&mut text, line);
        text.push(b'\n');
    }
    let alone = lines.is_empty();
    if !alone {
        // The last line's newline and brace.
        text.truncate(text.len() - 2);
    }
    end.lines = lines.len() as u64;
    end.sha256 = crate::text::hex(digest::digest(&digest::SHA256, &text).as_ref());
    text.push(if alone { b'{' } else { b',' });
    text.extend_from_slice(b"\"end\":");
    let _ = serde_json::to_writer(&mut text, &end);
    text.extend_from_slice(b"}\n");
    text
}

/// The number in a part's key: `RUN/part-00012.ndjson` is 12.
pub(super) fn number(key: &str) -> Option<u64> {
    let name = key.rsplit('/').next()?.strip_prefix("part-")?.strip_suffix(".ndjson")?;
    (name.len() >= 5 && name.bytes().all(|byte| byte.is_ascii_digit())).then(|| name.parse().ok())?
}

/// The end in a line, if it has one, and where it begins.
pub(super) fn end_in(line: &[u8]) -> Option<(usize, Result<End, serde_json::Error>)> {
    let (at, from) = if line.starts_with(ALONE) {
        (0, ALONE.len() - 1)
    } else {
        let at = memchr::memmem::find(line, MARK)?;
        (at, at + MARK.len() - 1)
    };
    let body = line[from..].trim_ascii_end();
    Some((at, serde_json::from_slice(body.strip_suffix(b"}").unwrap_or(body))))
}

/// When a part was written, as far as that can be known: its run's round (0 if it has none), and its
/// last change by the store's clock.
pub(super) type Written = (u64, DateTime<Utc>);

/// Brings parts, given in the order of their keys, in that in which they were written; of each its
/// rank. Rounds decide, because a
/// run that has seen another has a higher one. Parts without one come behind the rounds that were
/// written before them.
pub(super) fn ranks(parts: &[Written]) -> Vec<u32> {
    let mut rounds: Vec<(DateTime<Utc>, u64)> =
        parts.iter().filter(|it| it.0 > 0).map(|it| (it.1, it.0)).collect();
    rounds.sort_unstable();
    let mut highest = 0;
    for (_, round) in &mut rounds {
        highest = highest.max(*round);
        *round = highest;
    }
    let round = |(round, modified): &Written| match round {
        0 => match rounds.partition_point(|(at, _)| at <= modified) {
            0 => 0,
            n => rounds[n - 1].1,
        },
        _ => *round,
    };
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_cached_key(|at| (round(&parts[*at]), parts[*at].1, *at));
    let mut ranks = vec![0; parts.len()];
    for (rank, at) in order.into_iter().enumerate() {
        ranks[at] = u32::try_from(rank).unwrap_or(u32::MAX);
    }
    ranks
}

/// What is read of a part.
#[derive(Debug)]
pub(super) enum Item {
    /// A line about an input, with its number in the part from 1.
    Entry(Box<ManifestEntry>, u64),
    /// Something is wrong; what follows can still be read.
    Damage(String),
}

/// Reads a part.
#[derive(Debug)]
pub(super) struct Reader<R> {
    reader: R,
    number: Option<u64>,
    digest: Sum,
    read: u64,
    lines: u64,
    /// Whether lines say in which part they stand, so that there must be an end.
    sealed: bool,
    end: Option<End>,
    whole: bool,
    done: bool,
}

struct Sum(digest::Context);

impl std::fmt::Debug for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sum")
    }
}

impl<R: BufRead> Reader<R> {
    /// A part whose key is `key`.
    pub(super) fn new(reader: R, key: &str) -> Reader<R> {
        Reader {
            reader,
            number: number(key),
            digest: Sum(digest::Context::new(&digest::SHA256)),
            read: 0,
            lines: 0,
            sealed: false,
            end: None,
            whole: true,
            done: false,
        }
    }

    /// How it ends, when everything was read.
    pub(super) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// The next line or damage.
    pub(super) fn next(&mut self) -> io::Result<Option<Item>> {
        loop {
            if self.done {
                return Ok(None);
            }
            let mut text = Vec::new();
            self.reader.by_ref().take(LONGEST).read_until(b'\n', &mut text)?;
            if text.is_empty() {
                self.done = true;
                return Ok(self.damage().map(Item::Damage));
            }
            self.read += 1;
            if !text.ends_with(b"\n") {
                self.whole = false;
                if text.len() as u64 >= LONGEST {
                    self.done = true;
                    return Ok(Some(Item::Damage(format!("line {} is too long for a manifest", self.read))));
                }
            }
            if self.end.is_some() {
                return Ok(Some(Item::Damage(format!("line {} comes after its end", self.read))));
            }
            let mut about = &text[..];
            if let Some((at, end)) = end_in(&text) {
                about = &text[..at];
                match end {
                    Ok(end) => self.end = Some(end),
                    Err(error) => {
                        self.sealed = true;
                        self.digest.0.update(about);
                        return Ok(Some(Item::Damage(format!("its end is not one: {error}"))));
                    }
                }
            }
            self.digest.0.update(about);
            if about.is_empty() {
                continue;
            }
            self.lines += 1;
            return Ok(Some(match serde_json::from_slice::<ManifestEntry>(&text) {
                Ok(line) => {
                    self.sealed |= line.part > 0;
                    Item::Entry(Box::new(line), self.read)
                }
                Err(error) => Item::Damage(format!("not a line of a manifest: {error} (line {})", self.read)),
            }));
        }
    }

    /// What is wrong with the part as a whole.
    fn damage(&mut self) -> Option<String> {
        let digest = std::mem::replace(&mut self.digest.0, digest::Context::new(&digest::SHA256)).finish();
        if self.read == 0 {
            return Some("it is empty: what it said is lost".to_owned());
        }
        if !self.whole {
            return Some("it is cut short: its last line has no end".to_owned());
        }
        let Some(end) = &self.end else {
            return self.sealed.then(|| "it is cut short: lines at its end are missing".to_owned());
        };
        if self.number.is_some_and(|number| number != end.part) {
            return Some(format!("it is part {} of another manifest or under another name", end.part));
        }
        if end.lines != self.lines {
            return Some(format!("it has {} lines, and says that it has {}", self.lines, end.lines));
        }
        (crate::text::hex(digest.as_ref()) != end.sha256)
            .then(|| "its lines are not those that were written: their digest is another one".to_owned())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::entry::{Kind, OutputObject};
    use super::*;

    /// A line about an input with one output.
    pub(in super::super) fn line(input: &str, fingerprint: &str, url: &str, key: &str) -> ManifestEntry {
        let output = OutputObject {
            kind: Kind::Events,
            url: url.to_owned(),
            key: key.to_owned(),
            size: 1,
            sha256: "00".into(),
            offset: None,
            length: None,
        };
        ManifestEntry {
            input: input.to_owned(),
            size: 1,
            etag: "e".into(),
            sha256: String::new(),
            records: 1,
            events: 1,
            rejects: 0,
            outside: 0,
            bad_fields: 0,
            outputs: vec![output],
            mapping: "m".into(),
            fingerprint: fingerprint.to_owned(),
            udmap: "0".into(),
            part: 3,
            deletes: false,
            pruned: false,
        }
    }

    pub(in super::super) fn end(part: u64, last: bool) -> End {
        let (sha256, output) = (String::new(), "/out/".to_owned());
        let (inputs, interrupted) = (Vec::new(), Default::default());
        End { part, lines: 0, sha256, last, round: 1, output, rejects: None, inputs, interrupted }
    }

    fn damage(text: &[u8]) -> (usize, Vec<String>) {
        let mut reader = Reader::new(text, "run/part-00003.ndjson");
        let (mut lines, mut damaged) = (0, Vec::new());
        while let Some(item) = reader.next().unwrap() {
            match item {
                Item::Entry(..) => lines += 1,
                Item::Damage(damage) => damaged.push(damage),
            }
        }
        (lines, damaged)
    }

    #[test]
    fn whatever_is_missing_is_noticed() {
        let lines: Vec<ManifestEntry> =
            [",\"end\":{", "b\n", "c"].iter().map(|input| line(input, "f", "/out/x", "x")).collect();
        let all: Vec<&ManifestEntry> = lines.iter().collect();
        let text = seal(&all, end(3, true));
        assert_eq!(damage(&text), (3, vec![]));
        assert_eq!(damage(&seal(&[], end(3, true))), (0, vec![]));
        let newlines: Vec<usize> = memchr::memchr_iter(b'\n', &text).map(|at| at + 1).collect();
        // Cut anywhere, at the border of a line or not.
        for at in 0..text.len() {
            let (_, damaged) = damage(&text[..at]);
            assert!(!damaged.is_empty(), "{at}");
        }
        // A line left out, doubled, or put in another order.
        for cut in [&text[newlines[0]..], &[&text[..newlines[0]], &text[newlines[1]..]].concat()] {
            assert_eq!(damage(cut).1, ["it has 2 lines, and says that it has 3"]);
        }
        let swapped = [&text[newlines[0]..newlines[1]], &text[..newlines[0]], &text[newlines[1]..]].concat();
        assert!(damage(&swapped).1[0].contains("digest"));
        assert_eq!(damage(&[&text[..], &text[..]].concat()).1.len(), 3);
        // A byte changed.
        let at = memchr::memmem::find(&text, b"\"records\":1").unwrap() + 10;
        let mut changed = text.clone();
        changed[at] = b'2';
        assert!(damage(&changed).1[0].contains("digest"));
        assert!(damage(&seal(&all, end(2, true))).1[0].contains("it is part 2"));
        // What versions wrote that knew no ends.
        let mut old = lines.clone();
        old.iter_mut().for_each(|line| line.part = 0);
        let old: String = old.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
        assert!(!old.contains("part\"") && !old.contains("pruned"));
        assert_eq!(damage(old.as_bytes()), (3, vec![]));
        assert_eq!(damage(&old.as_bytes()[..old.len() - 5]).1.len(), 2);
    }

    /// Clocks that lie, copies that were made at once, and parts that know no rounds.
    #[test]
    fn rounds_decide_which_part_is_later() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let part = |round, seconds| (round, at(seconds));
        let parts = [part(2, 10), part(1, 50), part(3, 5), part(3, 5)];
        assert_eq!(ranks(&parts), [1, 0, 2, 3]);
        let parts = [part(0, 30), part(1, 20), part(2, 40), part(0, 10), part(0, 50)];
        assert_eq!(ranks(&parts), [2, 1, 3, 0, 4]);
    }

    #[test]
    fn numbers_of_parts() {
        let table = [
            ("run/part-00012.ndjson", Some(12)),
            ("part-123456.ndjson", Some(123_456)),
            ("part-1.ndjson", None),
            ("part-00001.0123456789abcdef.ndjson", None),
            ("part-0000x.ndjson", None),
        ];
        for (key, want) in table {
            assert_eq!(number(key), want, "{key}");
        }
    }
}
