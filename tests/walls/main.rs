//! The rooms and their walls: which part of udmap may name which, and that no files name each other in a circle.
//!
//! Every file of `src` is read for what it names. An arrow goes from a file to the file that defines the name, however
//! many modules hand the name on. Code for tests alone does not count.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use source::{Arrow, Source};

/// Each room, with the rooms that it may name. All of them come before it in this table, so rooms form no circle.
/// A part of a room that needs walls of its own has a row of its own.
const ROOMS: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("simd", &[]),
    ("sync", &[]),
    ("panics", &["text"]),
    ("time", &["text"]),
    ("json", &["text"]),
    ("udm", &["json", "text", "time"]),
    ("record", &["json", "simd", "text", "time"]),
    ("mapping", &["record", "text", "time", "udm"]),
    ("columns", &["json", "text", "time"]),
    ("convert", &["columns", "mapping", "panics", "record", "simd", "sync", "text", "time"]),
    // It writes tables as parsers.
    ("cbn::export", &["mapping", "record", "text", "time", "udm"]),
    ("cbn", &["cbn::export", "convert", "json", "text", "time", "udm"]),
    // It holds bytes, and knows nothing of what is in them.
    ("store", &["panics", "sync", "text", "time"]),
    (
        "check",
        &["cbn", "convert", "json", "mapping", "panics", "record", "store", "sync", "text", "time", "udm"],
    ),
    ("jobs::settings", &["store", "text", "time"]),
    ("jobs::waiting", &[]),
    ("jobs::finding", &["text"]),
    // What else is made of the records that it collects comes in through its trait `Derive`.
    ("jobs::collect", &["jobs::finding", "jobs::settings", "jobs::waiting", "store", "sync", "text", "time"]),
    (
        "jobs::dump",
        &[
            "columns",
            "convert",
            "jobs::settings",
            "mapping",
            "panics",
            "record",
            "store",
            "sync",
            "text",
            "time",
        ],
    ),
    // It checks events before it sends them, and reads the times of raw records.
    (
        "jobs::send",
        &[
            "check",
            "convert",
            "jobs::finding",
            "jobs::settings",
            "jobs::waiting",
            "json",
            "mapping",
            "panics",
            "store",
            "sync",
            "text",
            "time",
        ],
    ),
    ("jobs", &["convert", "jobs::collect", "jobs::dump", "jobs::settings"]),
    (
        "report",
        &["check", "convert", "jobs::dump", "jobs::send", "json", "mapping", "record", "text", "time"],
    ),
    (
        "serve",
        &[
            "cbn", "check", "convert", "json", "mapping", "panics", "record", "report", "store", "sync",
            "text", "time", "udm",
        ],
    ),
    ("lab", &["convert", "mapping", "report", "store", "sync", "text", "time"]),
    (
        "lambda",
        &[
            "convert",
            "jobs",
            "jobs::collect",
            "jobs::dump",
            "jobs::send",
            "jobs::settings",
            "jobs::waiting",
            "mapping",
            "panics",
            "store",
            "sync",
            "text",
            "time",
        ],
    ),
    (
        "cli",
        &[
            "cbn",
            "cbn::export",
            "check",
            "columns",
            "convert",
            "jobs",
            "jobs::collect",
            "jobs::dump",
            "jobs::finding",
            "jobs::send",
            "jobs::settings",
            "jobs::waiting",
            "json",
            "lab",
            "mapping",
            "panics",
            "record",
            "report",
            "serve",
            "store",
            "sync",
            "text",
            "time",
            "udm",
        ],
    ),
];

/// The rooms that others embed. They know no file, network, clock or terminal.
const CORE: &[&str] =
    &["text", "simd", "time", "json", "udm", "record", "mapping", "convert", "cbn", "cbn::export"];

/// What the core must not name: crates, and parts of std.
const OUTSIDE: &[&str] = &[
    "async_trait",
    "clap",
    "object_store",
    "reqwest",
    "tokio",
    "std::env",
    "std::fs",
    "std::io::stderr",
    "std::io::stdin",
    "std::io::stdout",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::process",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// The one file of the core that reads files: tables that are given by name.
const READS_TABLES: &str = "src/mapping/files.rs";

#[test]
fn rooms_name_only_the_rooms_that_they_may() {
    let order: Vec<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    for (at, (room, may)) in ROOMS.iter().enumerate() {
        for other in *may {
            assert!(
                order[..at].contains(other),
                "the table lets `{room}` name `{other}`, which comes after it"
            );
        }
    }

    let mut wrong = BTreeSet::new();
    for arrow in arrows().iter().filter(|arrow| arrow.to.starts_with("src/")) {
        let (from, to) = (room(&arrow.from), room(&arrow.to));
        let may = ROOMS.iter().find(|(room, _)| *room == from).map(|(_, may)| *may);
        let may = may.unwrap_or_else(|| panic!("{}: `{from}` is not in the table of rooms", arrow.from));
        if from == to || may.contains(&to.as_str()) {
            continue;
        }
        wrong.insert(format!("{}: `{from}` must not name `{to}`", shown(arrow)));
    }
    assert!(wrong.is_empty(), "{}", lines(&wrong));
}

#[test]
fn the_core_knows_no_file_network_clock_or_terminal() {
    let is_outside = |name: &str| {
        OUTSIDE
            .iter()
            .any(|part| name.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with("::")))
    };
    let wrong: BTreeSet<String> = arrows()
        .iter()
        .filter(|arrow| CORE.contains(&room(&arrow.from).as_str()) && arrow.from != READS_TABLES)
        .filter(|arrow| is_outside(&arrow.name))
        .map(shown)
        .collect();
    assert!(
        wrong.is_empty(),
        "files, networks, clocks and terminals are not for the core:\n{}",
        lines(&wrong)
    );
}

#[test]
fn no_files_name_each_other() {
    let mut wrong = BTreeSet::new();
    for circle in circles(&arrows()) {
        // One name is enough for each two of them.
        let pairs: BTreeMap<_, _> = circle.iter().map(|arrow| ((&arrow.from, &arrow.to), arrow)).collect();
        wrong.extend(pairs.into_values().map(shown));
    }
    assert!(wrong.is_empty(), "these files name each other, directly or around others:\n{}", lines(&wrong));
}

/// Names are found however they are written, and lead to the file that defines them.
#[test]
fn the_reader_reads() {
    let files: BTreeMap<&str, &str> = BTreeMap::from([
        ("src/lib.rs", "mod a; mod b; pub use b::inner::Deep; fn f() {}"),
        (
            "src/a.rs",
            r#"
            //! crate::b::in_a_comment
            use crate::b::{self, Handed as Renamed, inner::{self as i, g}};
            use std::fmt;
            fn f() -> b::Own { "crate::b::in_a_text"; i::h(); println!("{}", crate::b::inner::Deep::new()); crate::Deep }
            fn h() -> impl Sized + use<> {}
            mod within { use super::super::f; fn k() { super::f(); super::super::b::Last } }
            #[cfg(test)] use crate::b::InTests;
            #[cfg(test)] mod tests { use crate::b::InTests; }
            #[cfg(all(test, unix))] fn only() { crate::b::InTests }
            "#,
        ),
        (
            "src/b/mod.rs",
            "pub mod inner; mod tests; pub(crate) use inner::Handed; pub struct Own; pub struct Last;",
        ),
        ("src/b/inner.rs", "pub struct Handed; pub struct Deep; use super::super::b::Own; use tokio::sync;"),
        ("src/b/tests.rs", ""),
    ]);
    let arrows = Source::read(|path| files.get(path.to_str()?).map(ToString::to_string)).arrows();
    let found: Vec<String> =
        arrows.iter().map(|arrow| format!("{} -> {} {}", arrow.from, arrow.to, arrow.name)).collect();
    let expected = [
        "src/a.rs -> src/b/inner.rs crate::Deep",
        "src/a.rs -> src/b/inner.rs crate::b::Handed",
        "src/a.rs -> src/b/inner.rs crate::b::inner::Deep::new",
        "src/a.rs -> src/b/inner.rs crate::b::inner::g",
        "src/a.rs -> src/b/inner.rs i::h",
        "src/a.rs -> src/b/mod.rs b::Own",
        "src/a.rs -> src/b/mod.rs super::b::Last",
        "src/a.rs -> src/lib.rs super::f",
        "src/a.rs -> std std::fmt",
        "src/b/inner.rs -> src/b/mod.rs super::super::b::Own",
        "src/b/inner.rs -> tokio tokio::sync",
    ];
    assert_eq!(found, expected);
}

#[test]
fn circles_are_found() {
    let arrow =
        |from: &str, to: &str| Arrow { from: from.into(), to: to.into(), name: String::new(), line: 1 };
    let arrows =
        [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e"), ("f", "g"), ("g", "f"), ("e", "f")];
    let found: Vec<Vec<String>> = circles(&arrows.map(|(from, to)| arrow(from, to)))
        .iter()
        .map(|circle| circle.iter().map(|arrow| format!("{}{}", arrow.from, arrow.to)).collect())
        .collect();
    assert_eq!(found, [vec!["ab", "bc", "ca"], vec!["fg", "gf"]]);
}

fn arrows() -> Vec<Arrow> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    Source::read(|path| std::fs::read_to_string(package.join(path)).ok()).arrows()
}

/// The room that a file belongs to: the longest row of the table that its module begins with.
fn room(file: &str) -> String {
    let module =
        file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
    let is_in = |room: &&str| {
        module.strip_prefix(*room).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let known = ROOMS.iter().map(|(room, _)| *room).filter(is_in).max_by_key(|room| room.len());
    known.unwrap_or(&module).to_owned()
}

/// For each set of files that can be reached from each other, the arrows between them.
fn circles(arrows: &[Arrow]) -> Vec<Vec<Arrow>> {
    let mut named: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for arrow in arrows {
        named.entry(&arrow.from).or_default().insert(&arrow.to);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> = named
        .keys()
        .map(|&file| {
            let mut reached = BTreeSet::new();
            let mut open = vec![file];
            while let Some(file) = open.pop() {
                let next = named.get(file).into_iter().flatten();
                open.extend(next.filter(|next| reached.insert(**next)));
            }
            (file, reached)
        })
        .collect();
    let reach_each_other = |a: &str, b: &str| {
        let reaches = |from: &str, to: &str| reached.get(from).is_some_and(|reached| reached.contains(to));
        reaches(a, b) && reaches(b, a)
    };
    let mut circles: BTreeMap<&str, Vec<Arrow>> = BTreeMap::new();
    for arrow in arrows.iter().filter(|arrow| reach_each_other(&arrow.from, &arrow.to)) {
        let first = named.keys().find(|file| reach_each_other(file, &arrow.from));
        circles.entry(first.unwrap_or(&"")).or_default().push(arrow.clone());
    }
    circles.into_values().collect()
}

fn shown(arrow: &Arrow) -> String {
    format!("{}:{} names `{}` of {}", arrow.from, arrow.line, arrow.name, arrow.to)
}

fn lines(all: &BTreeSet<String>) -> String {
    all.iter().map(|line| format!("  {line}\n")).collect()
}
