//! The comparison itself, and making a difference small.

use crate::support::streamed;
use std::ops::ControlFlow;
use std::sync::OnceLock;
use udmap::convert::{
    Batch, CHUNK_BYTES, Converter, Counts, Engine, Input, MAX_RECORD_BYTES, Options, Piece, Reject,
};
use udmap::mapping::Mapping;
use udmap::mapping::builtin_text;

/// The tables that logs are converted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Duo,
    Extended,
    /// One with what Duo's have not: nested fields, numbers and booleans, several times.
    Nested,
    /// Lists, and what is made of fields.
    Authentication,
    /// One with what the language has besides values as they are. Bad fields are noted.
    Language,
}

impl Table {
    /// Those that every log goes through.
    pub(super) const ALL: [Table; 4] = [Table::Duo, Table::Extended, Table::Nested, Table::Language];

    fn mapping(self) -> &'static Mapping {
        static ALL: [OnceLock<Mapping>; 5] = [const { OnceLock::new() }; 5];
        let written = |name: &str, text: &str| {
            let file =
                |name: &str| builtin_text(name).map(str::to_owned).ok_or_else(|| "no such table".to_owned());
            Mapping::load(name, text, &file).expect("the table is right")
        };
        ALL[self as usize].get_or_init(|| match self {
            Table::Duo => Mapping::builtin("duo_telephony").expect("built in"),
            Table::Extended => Mapping::builtin("duo_telephony_extended").expect("built in"),
            Table::Authentication => Mapping::builtin("duo_auth").expect("built in"),
            Table::Nested => written("nested.toml", include_str!("nested.toml")),
            Table::Language => written("language.toml", include_str!("language.toml")),
        })
    }
}

/// The converters of one setting: the exact one, and those that are held against it.
pub(super) struct Oracle {
    exact: Converter,
    others: Vec<(Engine, Converter)>,
}

/// What a conversion gives.
type Result = (Vec<u8>, Vec<Reject>, Counts);

impl Oracle {
    pub(super) fn new(table: Table) -> Oracle {
        Oracle::with(table, CHUNK_BYTES, MAX_RECORD_BYTES)
    }

    pub(super) fn with(table: Table, chunk_bytes: usize, max_record_bytes: usize) -> Oracle {
        Oracle::of(table, &Options::default().chunk_bytes(chunk_bytes).max_record_bytes(max_record_bytes))
    }

    pub(super) fn of(table: Table, options: &Options) -> Oracle {
        let converter = |engine| Converter::new(table.mapping(), &options.clone().engine(engine));
        // `Auto` is one of the others by another name.
        let engines = [Engine::Portable, Engine::Avx2, Engine::Avx512];
        let available = engines.into_iter().filter(|engine| engine.is_available());
        Oracle {
            exact: converter(Engine::Exact),
            others: available.map(|engine| (engine, converter(engine))).collect(),
        }
    }

    /// Holds all engines against the exact one, whose result this gives back.
    pub(super) fn same(&self, log: &[u8]) -> Batch {
        self.same_because(log, "")
    }

    /// The same; `why` says what is wrong if they differ.
    pub(super) fn same_because(&self, log: &[u8], why: &str) -> Batch {
        let exact = self.exact.convert(log);
        if let Some(difference) = self.difference(log, &exact) {
            panic!("{why} {difference}");
        }
        exact
    }

    /// What the first engine that gives something else than the exact one gives.
    fn difference(&self, log: &[u8], exact: &Batch) -> Option<String> {
        self.others.iter().find_map(|(engine, converter)| {
            // A clone has learnt nothing of the logs before.
            let difference = difference(&converter.clone().convert(log), exact)?;
            let small = self.reduced(converter, log);
            let shown = String::from_utf8_lossy(&small);
            Some(format!("{engine:?}: {difference}\nthe least log that differs:\n{shown}\n{small:02x?}"))
        })
    }

    /// The same for logs that are read as streams, and slice by slice.
    pub(super) fn same_streamed(&self, log: &[u8], sizes: &[usize], threads: usize) {
        let whole = self.same(log);
        let expected = (whole.events, whole.rejects, whole.counts);
        for (engine, converter) in &self.others {
            assert!(streamed(&converter.clone(), log, sizes, threads) == expected, "{engine:?}, streamed");
            assert!(sliced(&converter.clone(), log, threads) == expected, "{engine:?}, sliced");
        }
    }

    /// As few lines of `log` as still make a difference.
    fn reduced(&self, converter: &Converter, log: &[u8]) -> Vec<u8> {
        let differs = |lines: &[&[u8]]| {
            let log = lines.concat();
            difference(&converter.clone().convert(&log), &self.exact.convert(&log)).is_some()
        };
        let mut lines: Vec<&[u8]> = log.split_inclusive(|b| *b == b'\n').collect();
        let mut size = lines.len();
        while size > 0 {
            let mut at = 0;
            while at < lines.len() {
                let end = lines.len().min(at + size);
                let fewer = [&lines[..at], &lines[end..]].concat();
                if differs(&fewer) {
                    lines = fewer;
                } else {
                    at = end;
                }
            }
            size /= 2;
        }
        lines.concat()
    }
}

/// What a run over bytes gives that lie in memory.
fn sliced(converter: &Converter, log: &[u8], threads: usize) -> Result {
    let (mut events, mut rejects) = (Vec::new(), Vec::new());
    let counts = converter.run([Input::bytes("log", log)], threads, |piece| {
        let Piece::Batch { batch, .. } = piece else { panic!("{piece:?}") };
        events.extend_from_slice(&batch.events);
        rejects.extend_from_slice(&batch.rejects);
        ControlFlow::Continue(())
    });
    (events, rejects, counts.expect("threads start"))
}

/// What differs first, if anything does.
fn difference(got: &Batch, exact: &Batch) -> Option<String> {
    fn first<'a, T: PartialEq>(got: &'a [T], exact: &'a [T]) -> Option<(Option<&'a T>, Option<&'a T>)> {
        let at = (0..got.len().max(exact.len())).find(|i| got.get(*i) != exact.get(*i))?;
        Some((got.get(at), exact.get(at)))
    }
    if got.events != exact.events {
        let lines = |batch: &Batch| -> Vec<String> {
            String::from_utf8_lossy(&batch.events).split_inclusive('\n').map(str::to_owned).collect()
        };
        return Some(format!("event, and the exact one: {:#?}", first(&lines(got), &lines(exact))));
    }
    if let Some(pair) = first(&got.rejects, &exact.rejects) {
        return Some(format!("reject, and the exact one: {pair:?}"));
    }
    if got.counts != exact.counts || got.end != exact.end {
        return Some(format!("books {:?} {}, exact {:?} {}", got.counts, got.end, exact.counts, exact.end));
    }
    (!got.counts.balances()).then(|| format!("no balance: {:?}", got.counts))
}
