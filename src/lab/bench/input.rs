//! What is measured: synthetic logs, or the user's, held in memory.

use crate::convert::Counts;
use crate::lab::{Generator, Mix};
use crate::report::bench as report;
use crate::store::store_error;
use crate::store::{self, Source};
use crate::text::NextText;
use std::io::{self, Read};
use std::sync::Arc;

/// The seed of the synthetic logs.
const SEED: u64 = 1;
/// How much is read at a time: so much that plain files are read straight into the buffer.
const BLOCK: usize = 256 * 1024;

/// The input of a measurement.
#[derive(Debug)]
pub(crate) struct Material {
    pub(crate) parts: Vec<Part>,
    /// What the synthetic logs are.
    synthetic: Option<Mix>,
    /// Whether there was more than is measured.
    cut: bool,
}

/// One input.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    /// What is in it, decompressed.
    pub(crate) bytes: Vec<u8>,
    /// Where it came from, if it can be read again.
    pub(crate) source: Option<Source>,
    /// How it is compressed.
    compression: Option<&'static str>,
}

impl Material {
    /// Synthetic logs of about `size` bytes, in whole lines.
    pub(crate) fn synthetic(size: usize, mix: Mix) -> Material {
        let mut generator = Generator::new(SEED, &mix);
        let mut bytes = Vec::with_capacity(size + BLOCK);
        while bytes.len() < size {
            generator.line(1, &mut bytes);
        }
        let part = Part { name: "synthetic".to_owned(), bytes, source: None, compression: None };
        Material { parts: vec![part], synthetic: Some(mix), cut: false }
    }

    /// What the user named, up to `most` bytes after decompression.
    pub(crate) fn load(inputs: &[String], most: usize) -> anyhow::Result<Material> {
        let mut material = Material { parts: Vec::new(), synthetic: None, cut: false };
        let mut left = most;
        for source in store::list(inputs, &[])?.sources {
            if left == 0 {
                material.cut = true;
                break;
            }
            let mut input = source.open(Arc::default(), Arc::default())?.with_members();
            let (mut name, mut is_member) = (source.name().to_owned(), false);
            loop {
                let mut bytes = Vec::new();
                // One byte more than is wanted, to see whether there is more.
                let (whole, next) = match read(&mut input, left, &mut bytes) {
                    Ok(whole) => (whole, None),
                    Err(error) => (true, Some(NextText::of(error).map_err(store_error)?)),
                };
                if !whole {
                    material.cut = true;
                    // A line without end is cut where it is.
                    let end = memchr::memrchr(b'\n', &bytes).map_or(bytes.len(), |at| at + 1);
                    bytes.truncate(end);
                }
                left = if whole { left - bytes.len() } else { 0 };
                if !bytes.is_empty() {
                    // Only whole files are read again; and a bucket's pace is not this machine's.
                    let is_file = !is_member && source.size().is_some() && !store::is_url(source.name());
                    let (compression, source) = (input.compression(), is_file.then(|| source.clone()));
                    material.parts.push(Part { name, bytes, source, compression });
                }
                let Some(next) = next else { break };
                if let Some(failed) = next.failed {
                    return Err(store_error(failed));
                }
                if left == 0 {
                    material.cut = true;
                    break;
                }
                (name, is_member) = (next.name, true);
            }
        }
        Ok(material)
    }

    /// How many bytes it is.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.bytes.len()).sum()
    }

    /// Whether all of it can be read again from files.
    pub(crate) fn is_files(&self) -> bool {
        self.parts.iter().all(|part| part.source.is_some())
    }

    /// What a report says of it, and of its records.
    pub(crate) fn describe(&self, counts: &Counts) -> report::Input {
        let mut compressions: Vec<_> = self.parts.iter().filter_map(|part| part.compression).collect();
        compressions.sort_unstable();
        compressions.dedup();
        report::Input {
            synthetic: self
                .synthetic
                .as_ref()
                .map(|mix| report::Synthetic { seed: SEED, mix: mix.to_string() }),
            names: self.parts.iter().map(|part| part.name.clone()).collect(),
            compressions,
            cut: self.cut,
            records: counts.records,
            events: counts.events,
            rejects: counts.rejects,
            blank: counts.blank,
            bytes_in: counts.bytes_in,
            bytes_out: counts.bytes_out,
            by_reason: counts.by_reason.iter().map(|(reason, n)| (reason.code(), *n)).collect(),
            mostly_rejects: counts.rejects > counts.events,
        }
    }
}

/// Reads at most `most` bytes; whether those were all.
fn read(input: &mut dyn Read, most: usize, bytes: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        let start = bytes.len();
        bytes.resize(start + BLOCK.min(most + 1 - start), 0);
        let got = input.read(&mut bytes[start..]);
        bytes.truncate(start + got.as_ref().map_or(0, |got| *got));
        let got = got?;
        if got == 0 {
            return Ok(true);
        }
        if bytes.len() > most {
            bytes.truncate(most);
            return Ok(false);
        }
    }
}

pub(crate) fn quoted(inputs: &[String]) -> String {
    let inputs: Vec<String> =
        inputs.iter().map(|input| format!("`{}`", crate::text::escaped(input))).collect();
    inputs.join(", ")
}
