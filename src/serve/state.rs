//! What the server keeps: the table and the parser that it was started with, samples, and tables read before.

use super::answer::Refusal;
use super::compared::Golden;
use super::sample::Sample;
use super::table::Table;
use crate::mapping::files::MOST_BYTES;
use crate::sync::lock;
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

/// How many samples are kept.
const MOST_SAMPLES: usize = 6;
/// How many tables are kept as they were read.
const MOST_TABLES: usize = 4;

/// A text that the server was started with.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    /// How it was named.
    pub(crate) name: String,
    pub(crate) text: String,
    /// Its file, if it is not built in.
    pub(crate) file: Option<String>,
}

/// What all requests share.
#[derive(Debug)]
pub(crate) struct State {
    pub(super) mapping: Opened,
    pub(super) parser: Option<Opened>,
    /// The sample that the page opens with.
    pub(super) first: Arc<Sample>,
    pub(super) is_example: bool,
    /// Where files may be saved.
    pub(super) folder: PathBuf,
    /// When logs were received that don't say so themselves.
    #[cfg_attr(not(feature = "parser"), allow(dead_code, reason = "only parsers need it"))]
    pub(super) received: crate::time::Instant,
    /// Set when the server is to stop.
    pub(super) stop: Arc<AtomicBool>,
    /// The tables that were opened or saved, and what their files hold.
    pub(super) saved: Mutex<HashMap<PathBuf, String>>,
    samples: Mutex<VecDeque<Arc<Sample>>>,
    tables: Mutex<VecDeque<Arc<Table>>>,
    /// The expected events that were read last, with their text.
    golden: Mutex<Option<(String, Arc<Golden>)>>,
    /// The last table without errors.
    #[cfg_attr(not(feature = "parser"), allow(dead_code, reason = "only parsers need it"))]
    last_right: Mutex<Option<Arc<Table>>>,
}

impl State {
    pub(crate) fn new(
        mapping: Opened,
        parser: Option<Opened>,
        sample: Sample,
        is_example: bool,
        folder: PathBuf,
        received: crate::time::Instant,
        stop: Arc<AtomicBool>,
    ) -> State {
        let first = Arc::new(sample);
        let saved = mapping.file.iter().map(|file| (folder.join(file), mapping.text.clone()));
        State {
            saved: Mutex::new(saved.collect()),
            mapping,
            parser,
            samples: Mutex::new(VecDeque::from([Arc::clone(&first)])),
            first,
            is_example,
            folder,
            received,
            stop,
            tables: Mutex::default(),
            golden: Mutex::default(),
            last_right: Mutex::default(),
        }
    }

    /// Keeps a sample; of many, the ones that were used last.
    pub(super) fn keep(&self, sample: Sample) -> Arc<Sample> {
        let sample = Arc::new(sample);
        let mut samples = lock(&self.samples);
        samples.push_back(Arc::clone(&sample));
        if samples.len() > MOST_SAMPLES {
            samples.pop_front();
        }
        sample
    }

    /// The sample with this id.
    pub(super) fn sample(&self, id: &str) -> Result<Arc<Sample>, Refusal> {
        if self.first.id == id {
            return Ok(Arc::clone(&self.first));
        }
        let mut samples = lock(&self.samples);
        let place = samples.iter().position(|sample| sample.id == id);
        let sample = place.and_then(|place| samples.remove(place));
        let gone = || Refusal::missing("the sample is not kept any more").hint("paste or drop it again");
        let sample = sample.ok_or_else(gone)?;
        samples.push_back(Arc::clone(&sample));
        Ok(sample)
    }

    /// A text as a table, which is read as the file that the server was started with.
    pub(super) fn table(&self, text: &str) -> Result<Arc<Table>, Refusal> {
        if text.len() as u64 > MOST_BYTES {
            return Err(Refusal::bad(format!(
                "the table has more than {MOST_BYTES} bytes, the limit for a table"
            )));
        }
        let mut tables = lock(&self.tables);
        if let Some(place) = tables.iter().position(|table| table.text == text)
            && let Some(table) = tables.remove(place)
        {
            tables.push_back(Arc::clone(&table));
            return Ok(table);
        }
        // Others need not wait until it is read.
        drop(tables);
        let table = Arc::new(Table::read(&self.mapping.name, text));
        if table.rules.is_some() {
            *lock(&self.last_right) = Some(Arc::clone(&table));
        }
        tables = lock(&self.tables);
        tables.push_back(Arc::clone(&table));
        if tables.len() > MOST_TABLES {
            tables.pop_front();
        }
        Ok(table)
    }

    /// The expected events in a text.
    ///
    /// # Errors
    /// A sentence that says why there are none.
    pub(super) fn golden(&self, text: &str) -> Result<Arc<Golden>, String> {
        if let Some((known, golden)) = &*lock(&self.golden)
            && known == text
        {
            return Ok(Arc::clone(golden));
        }
        let golden = Arc::new(Golden::read(text)?);
        *lock(&self.golden) = Some((text.to_owned(), Arc::clone(&golden)));
        Ok(golden)
    }

    /// The last table without errors, by which records are found while another one has errors.
    #[cfg_attr(not(feature = "parser"), allow(dead_code, reason = "only parsers need it"))]
    pub(super) fn last_right(&self) -> Option<Arc<Table>> {
        lock(&self.last_right).clone()
    }
}
