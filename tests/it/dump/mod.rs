//! Whole dumps: every object converted exactly once, whatever happens on the way.

mod again;
mod bucket;
mod faults;
mod folder;
#[cfg(target_os = "linux")]
mod kills;
mod large;
mod prune;
mod range;
mod silence;
mod summary;
mod verify;

use crate::support::Run;
use flate2::read::MultiGzDecoder;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use udmap::convert::{Converter, Options};
use udmap::lab::{Generator, Mix};
use udmap::mapping::Mapping;

/// Records of a seed, as lines.
pub(crate) fn log(seed: u64, records: u64) -> Vec<u8> {
    let mix: Mix = "v2=70,v1=25,awkward=5".parse().expect("a mix");
    Generator::records(seed, &mix, records)
}

/// Compressed with gzip.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    std::io::Write::write_all(&mut encoder, bytes).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

pub(crate) fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut text).expect("gzip");
    text
}

/// The events of a log, by the library.
pub(crate) fn events(log: &[u8]) -> Vec<u8> {
    let mapping = Mapping::builtin("duo_telephony").expect("it comes with udmap");
    Converter::new(&mapping, &Options::default()).convert(log).events
}

pub(crate) fn finish(command: &mut Command) -> Run {
    Run::of(&command.output().expect("the command runs"))
}

/// Objects without the manifests, which have a run's time in their keys.
pub(crate) fn outputs(all: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    all.iter().filter(|(key, _)| !key.contains("manifest/")).map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// The lines of all manifests that are about inputs.
pub(crate) fn manifest(all: &BTreeMap<String, Vec<u8>>) -> Vec<serde_json::Value> {
    let parts = all.iter().filter(|(key, _)| key.contains("manifest/"));
    let lines = parts.flat_map(|(_, bytes)| bytes.split(|byte| *byte == b'\n'));
    let lines = lines.filter(|line| !line.is_empty());
    let lines = lines.map(|line| serde_json::from_slice::<serde_json::Value>(line).expect("JSON"));
    lines.filter(|line| line.get("input").is_some()).collect()
}

/// The files below a folder, by their paths in it.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let key = path.strip_prefix(root).expect("below").to_str().expect("UTF-8").to_owned();
                found.insert(key, std::fs::read(&path).expect("a file"));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

/// `sha256sum`, so that digests are not held against the code that made them.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
