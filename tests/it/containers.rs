//! What inputs may be wrapped in: compression within compression, other encodings, archives; and what is no log.

use crate::support::{Run, json_lines, project, run, run_with, udmap};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use udmap::convert::{Converter, Options};
use udmap::mapping::Mapping;

const RECORD: &str = r#"{"context":"enrollment","phone":"+1 800","type":"sms","timestamp":1704067200}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("compressed");
    encoder.finish().expect("compressed")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("compressed")
}

/// An archive of these files, with long names as GNU has them.
fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        if name.len() > 100 {
            builder.append_data(&mut header, name, *bytes).expect("appended");
        } else {
            // Names that no decent writer would take, too.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *bytes).expect("appended");
        }
    }
    builder.into_inner().expect("an archive")
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.path(name), bytes).expect("written");
        self.path(name).to_str().expect("UTF-8").to_owned()
    }
}

/// Converts these inputs; the run, and its rejects.
fn convert(inputs: &[&str]) -> (Run, Vec<serde_json::Value>) {
    let folder = Folder::new();
    let rejects = folder.path("rejects");
    let mut args = vec!["convert", "--rejects", rejects.to_str().expect("UTF-8")];
    args.extend(inputs);
    let run = run(&args);
    let rejects = std::fs::read_to_string(&rejects).unwrap_or_default();
    (run, json_lines(&rejects))
}

/// What the library makes of a text.
fn events(text: &str) -> String {
    let mapping = Mapping::builtin("duo_telephony").expect("a mapping");
    let batch = Converter::new(&mapping, &Options::default()).convert(text.as_bytes());
    String::from_utf8(batch.events).expect("UTF-8")
}

fn errors(run: &Run) -> Vec<&str> {
    run.stderr.lines().filter(|line| line.starts_with("error: ")).collect()
}

/// UTF-16 or UTF-32.
fn wide(text: &str, width: usize, little: bool) -> Vec<u8> {
    let units: Vec<u32> = match width {
        2 => text.encode_utf16().map(u32::from).collect(),
        _ => text.chars().map(u32::from).collect(),
    };
    let bytes = |unit: u32| {
        let mut bytes = unit.to_be_bytes()[4 - width..].to_vec();
        if little {
            bytes.reverse();
        }
        bytes
    };
    units.into_iter().flat_map(bytes).collect()
}

#[test]
fn utf16_from_the_field_gives_its_two_events() {
    let input = project("tests/field/12-utf16le.json");
    let (run, rejects) = convert(&[input.to_str().expect("UTF-8")]);
    assert_eq!((run.status, run.stdout.lines().count(), rejects.len()), (0, 2, 0), "{}", run.stderr);
}

#[test]
fn text_in_other_encodings_gives_the_same_events() {
    let record = RECORD.replace("enrollment", "Zo\u{eb} \u{20ac} \u{1f600}");
    let text = format!("[\r\n{record},\n{record}]\n").repeat(50);
    let lines = format!("{record}\r\n").repeat(3000);
    for text in [&text, &lines] {
        for (width, little) in [(2, true), (2, false), (4, true), (4, false)] {
            for mark in ["", "\u{feff}"] {
                let bytes = wide(&format!("{mark}{text}"), width, little);
                for bytes in [bytes.clone(), gzip(&bytes)] {
                    let run = run_with(&bytes, &["convert", "-"]);
                    assert_eq!(run.status, 0, "{width} {little} {mark:?}: {}", run.stderr);
                    assert!(run.stdout == events(text), "{width} {little} {mark:?}");
                }
            }
        }
    }
}

#[test]
fn half_a_surrogate_pair_is_a_reject_and_never_another_character() {
    let folder = Folder::new();
    let mut bytes = wide(&format!("\u{feff}{RECORD}\n"), 2, true);
    for bad in ["\u{d7ff}", "\u{e000}"] {
        let line = wide(&format!("{}\n", RECORD.replace("sms", bad)), 2, true);
        let at = line.windows(2).position(|it| it == wide(bad, 2, true)).expect("there");
        bytes.extend_from_slice(&line[..at]);
        bytes.extend_from_slice(if bad == "\u{d7ff}" { b"\x3d\xd8" } else { b"\x00\xde" });
        bytes.extend_from_slice(&line[at + 2..]);
    }
    bytes.extend(wide(RECORD, 2, true));
    let (run, rejects) = convert(&[&folder.write("a.json", &bytes)]);
    assert_eq!((run.status, run.stdout.lines().count()), (1, 2), "{}", run.stderr);
    assert!(!run.stdout.contains('\u{fffd}'));
    let length = RECORD.len() as u64;
    for (at, reject) in rejects.iter().enumerate() {
        assert_eq!(reject["reason"], "invalid-utf8");
        // Offsets are those of the text as UTF-8, without a byte order mark.
        let at = at as u64 + 1;
        assert_eq!((&reject["line"], &reject["offset"]), (&(at + 1).into(), &(at * (length + 1)).into()));
    }
    assert_eq!(rejects.len(), 2);

    // A byte that is missing at the end is an error, after what came before it.
    bytes.pop();
    let (run, _) = convert(&[&folder.write("a.json", &bytes)]);
    assert_eq!(run.status, 2);
    assert!(errors(&run)[0].contains("the UTF-16 text is corrupt or cut short at byte"), "{}", run.stderr);
}

#[test]
fn compression_within_compression_is_read_up_to_four_times() {
    let folder = Folder::new();
    let text = format!("{RECORD}\n").repeat(2000);
    let mut bytes = text.clone().into_bytes();
    for times in 1..=4 {
        bytes = if times % 2 == 0 { zstd(&bytes) } else { gzip(&bytes) };
        let (run, rejects) = convert(&[&folder.write("a", &bytes)]);
        assert_eq!((run.status, rejects.len()), (0, 0), "{times}: {}", run.stderr);
        assert!(run.stdout == events(&text), "{times}");
    }
    let name = folder.write("a", &gzip(&bytes));
    let (run, rejects) = convert(&[&name, &folder.write("b", text.as_bytes())]);
    assert_eq!((run.status, rejects.len(), run.stdout.lines().count()), (2, 0, 2000));
    assert_eq!(
        errors(&run),
        [format!("error: cannot read `{name}`: it is compressed more than 4 times over")]
    );

    // Damage names the layer in which it is.
    let mut inner = gzip(text.as_bytes());
    inner.truncate(inner.len() - 9);
    let (run, _) = convert(&[&folder.write("a", &zstd(&inner))]);
    assert_eq!(run.status, 2);
    let error = errors(&run)[0];
    assert!(
        error.contains("the gzip stream inside a zstd stream is corrupt or cut short at byte"),
        "{error}"
    );
    let mut outer = zstd(&gzip(text.as_bytes()));
    outer.truncate(outer.len() - 3);
    let (run, _) = convert(&[&folder.write("a", &outer)]);
    assert!(errors(&run)[0].contains(": the zstd stream is corrupt or cut short at byte"), "{}", run.stderr);
}

#[test]
fn tar_from_the_field_gives_its_events() {
    let input = project("tests/field/21-tar.tar.gz");
    let (run, rejects) = convert(&[input.to_str().expect("UTF-8")]);
    assert_eq!((run.status, run.stdout.lines().count(), rejects.len()), (0, 2, 0), "{}", run.stderr);
}

#[test]
fn members_of_an_archive_are_inputs_of_their_own() {
    let folder = Folder::new();
    let long = format!("{}/b.json", "deep/".repeat(40));
    let lines = format!("{RECORD}\n").repeat(3000);
    let pretty = format!("[\n {RECORD},\n {RECORD}\n]\n");
    let packed = gzip(lines.as_bytes());
    let utf16 = wide(&lines, 2, true);
    let archive = tar(&[
        ("a.ndjson", format!("{lines}no record\n{RECORD}").as_bytes()),
        (&long, pretty.as_bytes()),
        ("empty", b""),
        ("../../etc/c\u{1b}[31m\n", b"no record either\n"),
        ("d.gz", &packed),
        ("d.gz", &utf16),
    ]);
    let all = events(&format!("{lines}{RECORD}\n{RECORD}\n{RECORD}\n{lines}{lines}"));
    for (name, bytes) in
        [("a.tar", archive.clone()), ("a.tar.gz", gzip(&archive)), ("a", zstd(&gzip(&archive)))]
    {
        for threads in ["1", "2"] {
            let name = folder.write(name, &bytes);
            let (run, rejects) = convert(&[&name, "--threads", threads]);
            assert_eq!(run.status, 1, "{}", run.stderr);
            assert!(run.stdout == all, "{name} {threads}");
            let places: Vec<_> =
                rejects.iter().map(|it| (it["source"].as_str().expect("text"), &it["line"])).collect();
            let want = [
                (format!("{name}!a.ndjson"), serde_json::Value::from(3001)),
                (format!("{name}!../../etc/c\u{1b}[31m\n"), 1.into()),
            ];
            assert_eq!(places, want.each_ref().map(|(source, line)| (source.as_str(), line)));
            assert_eq!(rejects[1]["offset"], 0);
            assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
        }
    }
    // From a pipe, too, and a file behind it keeps its name.
    let run = run_with(&gzip(&archive), &["convert", "-", &folder.write("z", b"no\n"), "-o", "/dev/null"]);
    assert!(run.stderr.contains("-!a.ndjson:3001"), "{}", run.stderr);
    assert!(run.stderr.contains("/z:1"), "{}", run.stderr);
}

#[test]
fn archives_of_every_writer_are_read() {
    let folder = Folder::new();
    let text = format!("{RECORD}\n");
    let mut builder = tar::Builder::new(Vec::new());
    let long = "n".repeat(300);
    for (name, header) in [
        ("old", tar::Header::new_old()),
        ("ustar", tar::Header::new_ustar()),
        ("gnu", tar::Header::new_gnu()),
        ("pax", tar::Header::new_ustar()),
    ] {
        if name == "pax" {
            builder.append_pax_extensions([("path", long.as_bytes()), ("mtime", b"1.5")]).expect("appended");
        }
        let mut header = header;
        header.set_size(text.len() as u64);
        builder.append_data(&mut header, name, text.as_bytes()).expect("appended");
    }
    for kind in
        [tar::EntryType::Directory, tar::EntryType::Symlink, tar::EntryType::Link, tar::EntryType::Fifo]
    {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        if !matches!(kind, tar::EntryType::Directory | tar::EntryType::Fifo) {
            header.set_link_name("gnu").expect("set");
        }
        builder.append_data(&mut header, "other", &[][..]).expect("appended");
    }
    let mut header = tar::Header::new_gnu();
    header.set_size(3);
    builder.append_data(&mut header, "last", &b"no\n"[..]).expect("appended");
    let archive = builder.into_inner().expect("an archive");
    let name = folder.write("a.tar", &archive);
    let (run, rejects) = convert(&[&name]);
    assert_eq!((run.status, run.stdout.lines().count(), rejects.len()), (1, 4, 1), "{}", run.stderr);
    assert_eq!(rejects[0]["source"], format!("{name}!last"));
    // One behind another, as `cat` puts them, and an empty one.
    let name = folder.write("two.tar", &[&archive[..], &archive].concat());
    assert_eq!(convert(&[&name]).0.stdout.lines().count(), 8);
    let (run, _) = convert(&[&folder.write("none.tar", &[0; 10240]), "--quiet"]);
    assert!(run.stdout.is_empty());
    // Many small ones take no longer than their bytes do.
    let archive = tar(&vec![("a", text.as_bytes()); 10_000]);
    let start = std::time::Instant::now();
    let (run, _) = convert(&[&folder.write("many.tar.zst", &zstd(&archive))]);
    assert_eq!((run.status, run.stdout.lines().count()), (0, 10_000), "{}", run.stderr);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn damaged_archives_are_errors_after_what_came_before() {
    let folder = Folder::new();
    let text = format!("{RECORD}\n");
    let archive = tar(&[("a", text.as_bytes()), ("b", text.as_bytes()), ("c", text.as_bytes())]);
    let with = |at: usize, byte: u8| {
        let mut archive = archive.clone();
        archive[at] = byte;
        archive
    };
    let behind = [&archive[..], &[7; 600]].concat();
    let cases: [(Vec<u8>, &str, usize); 6] = [
        (archive[..1024].to_vec(), "at byte 1024 (after 0 bytes of text): it has no end mark", 1),
        (archive[..1500].to_vec(), "at byte 1024 (after 0 bytes of text): it is cut short", 1),
        (archive[..1540].to_vec(), "a!b`: the tar archive is corrupt or cut short at byte 1540", 1),
        (with(1024, b'x'), "at byte 1024 (after 0 bytes of text): a header's checksum is wrong", 1),
        (with(0, b'x'), "at byte 0 (after 0 bytes of text): a header's checksum is wrong", 0),
        (behind, "what follows its end is not an archive", 3),
    ];
    for (bytes, words, events) in cases {
        let (run, rejects) = convert(&[&folder.write("a", &bytes)]);
        let errors = errors(&run);
        assert_eq!(
            (run.status, run.stdout.lines().count(), errors.len()),
            (2, events, 1),
            "{words}: {}",
            run.stderr
        );
        assert!(errors[0].contains(words), "{}", run.stderr);
        assert!(rejects.len() <= 1, "{words}");
    }
    // A member that can't be read does not take the others with it.
    let mut cut = gzip(text.as_bytes());
    cut.truncate(10);
    let archive = tar(&[
        ("a", text.as_bytes()),
        ("cut.gz", &cut),
        ("in.tar", &archive),
        ("in.zip", b"PK\x03\x04 and so on"),
        ("b", text.as_bytes()),
    ]);
    let (run, rejects) = convert(&[&folder.write("a", &archive)]);
    assert_eq!((run.status, run.stdout.lines().count(), rejects.len()), (2, 2, 0), "{}", run.stderr);
    let errors = errors(&run);
    assert_eq!(errors.len(), 3);
    for (error, words) in errors.iter().zip([
        "a!cut.gz`: the gzip stream is corrupt or cut short",
        "a!in.tar`: it is not a log: it is a tar archive within a tar archive",
        "a!in.zip`: it is not a log: it is a zip archive",
    ]) {
        assert!(error.contains(words), "{error}");
    }
    // A sparse file is not read as if it were whole.
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_size(text.len() as u64);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, "sparse", text.as_bytes()).expect("appended");
    let (run, _) = convert(&[&folder.write("a", &builder.into_inner().expect("an archive"))]);
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("a sparse file"), "{}", run.stderr);
}

#[test]
fn what_is_no_log_is_one_error_and_the_others_go_on() {
    let folder = Folder::new();
    let noise: Vec<u8> = (0..200_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let tables: [(&str, &[u8]); 8] = [
        ("PK\u{3}\u{4}", b"a zip archive"),
        ("7z\u{fffd}", b"a 7z archive"),
        ("PAR1\u{15}\u{4}\0", b"a Parquet file"),
        ("Obj\u{1}", b"an Avro file"),
        ("SQLite format 3\0", b"an SQLite database"),
        ("\u{7f}ELF", b"a program (ELF)"),
        ("%PDF-1.7\n", b"a PDF document"),
        ("", b"binary data"),
    ];
    for (magic, words) in tables {
        let magic: &[u8] = if magic.starts_with("7z") { b"7z\xbc\xaf\x27\x1c" } else { magic.as_bytes() };
        let bytes = [magic, &noise].concat();
        let good = folder.write("good", format!("{RECORD}\n").as_bytes());
        let words = String::from_utf8_lossy(words);
        for bytes in [bytes.clone(), gzip(&bytes)] {
            let name = folder.write("bad", &bytes);
            let (run, rejects) = convert(&[&name, &good, "-q"]);
            assert_eq!((run.status, run.stdout.lines().count(), rejects.len()), (2, 1, 0), "{}", run.stderr);
            assert_eq!(
                errors(&run),
                [format!("error: cannot read `{name}`: it is not a log: it is {words}")]
            );
        }
    }
    let (run, _) = convert(&[&folder.write("a.zip", b"PK\x03\x04 and so on")]);
    assert!(run.stderr.contains("\nhint: unpack it first, for example with `unzip -p"), "{}", run.stderr);
}

#[test]
fn a_log_with_a_few_binary_lines_is_read_line_by_line() {
    let folder = Folder::new();
    let lines = format!("{RECORD}\n");
    // Zeros where a log was emptied while its writer went on; stray zeros; Latin-1; a line like an archive's beginning.
    let bytes = [
        &[0; 5000][..],
        lines.as_bytes(),
        b"\0\0\0\n",
        lines.as_bytes(),
        b"{\"phone\":\"\xe9\xe8\"}\n",
        b"PK\x03\x04\n",
        lines.as_bytes(),
    ]
    .concat();
    let (run, rejects) = convert(&[&folder.write("a.log", &bytes)]);
    assert_eq!((run.status, run.stdout.lines().count(), rejects.len()), (1, 2, 4), "{}", run.stderr);
    let (run, rejects) = convert(&[&folder.write("b.log", b"\xff\xd9 one bad line\n{\"timestamp\":1}\n")]);
    assert_eq!((run.status, run.stdout.lines().count(), rejects.len()), (1, 1, 1), "{}", run.stderr);
}

#[test]
fn every_command_reads_the_same() {
    let folder = Folder::new();
    let archive = tar(&[("a", RECORD.as_bytes()), ("b", format!("{RECORD}\nno\n").as_bytes())]);
    let archive = folder.write("a.tar", &archive);
    let event = events(RECORD);
    let events = folder.write("events.tar.gz", &gzip(&tar(&[("a", event.as_bytes()), ("b", b"no\n")])));
    let utf16 = folder.write("utf16", &wide(&event, 2, false));

    let checked = run(&["validate", &events]);
    assert!(checked.stdout.contains("events.tar.gz!b:1"), "{}{}", checked.stdout, checked.stderr);
    assert!(!checked.stdout.contains("events.tar.gz!a"), "{}", checked.stdout);
    assert_eq!(run(&["validate", &utf16]).status, 0);
    let profile = run(&["profile", "--json", &archive]);
    let profile: serde_json::Value = serde_json::from_str(&profile.stdout).expect("JSON");
    assert_eq!(profile["records"], 3, "{profile}");

    let compared = run(&["diff", &events, &events]);
    assert_eq!(compared.status, 1, "`no` is an event on neither side: {}", compared.stderr);
    assert!(compared.stdout.contains("events.tar.gz!b:1"), "{}{}", compared.stdout, compared.stderr);
    assert!(compared.stderr.contains("1 in both, 0 pairs that differ, 2 differences"), "{}", compared.stderr);
    let explained = run(&["explain", "--json", &archive]);
    assert_eq!((explained.status, explained.stdout.lines().count()), (1, 3), "{}", explained.stderr);
    assert!(explained.stdout.contains("a.tar!b\""), "{}", explained.stdout);
    let measured = run(&["bench", "--runs", "1", &archive]);
    assert_eq!(measured.status, 0, "{}", measured.stderr);
}

#[test]
fn an_archive_in_a_dump_has_one_output() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("in")).expect("made");
    let archive = gzip(&tar(&[("a", RECORD.as_bytes()), ("b", format!("no\n{RECORD}\n").as_bytes())]));
    let name = folder.write("in/a.tgz", &archive);
    let zip = folder.write("in/b.zip", b"PK\x03\x04 and so on");
    let at = |name: &str| format!("{}/", folder.path(name).display());
    let run = run(&["convert", &at("in"), "-o", &at("out"), "--rejects", &at("rejects")]);
    assert_eq!(run.status, 2, "{}", run.stderr);
    assert!(run.stderr.contains(&format!("`{zip}`: it is not a log: it is a zip archive")), "{}", run.stderr);
    let read = |name: &str| {
        let find = |folder: &Path| -> Vec<PathBuf> {
            let entries = std::fs::read_dir(folder).expect("a folder").map(|it| it.expect("an entry").path());
            entries.filter(|path| path.extension().is_some_and(|it| it == "gz")).collect()
        };
        let found = find(&folder.path(name));
        assert_eq!(found.len(), 1, "{found:?}");
        let mut text = String::new();
        let file = std::fs::File::open(&found[0]).expect("a file");
        flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).expect("gzip");
        text
    };
    assert_eq!(read("out"), events(&format!("{RECORD}\n{RECORD}\n")));
    let rejects = json_lines(&read("rejects"));
    assert_eq!((rejects.len(), &rejects[0]["source"]), (1, &format!("{name}!b").into()));
}

/// A small file that holds much is read in bounded memory.
#[cfg(target_os = "linux")]
#[test]
fn bombs_are_read_in_bounded_memory() {
    let folder = Folder::new();
    let zeros = zstd(&vec![0; 64 << 20]).repeat(32);
    let tree = tar(&[("a", &vec![b' '; 64 << 20][..])]);
    for (what, bytes) in [("2 GiB of zeros", zstd(&zeros)), ("an archive", zstd(&zstd(&tree)))] {
        assert!(bytes.len() < 100_000);
        let input = folder.write("bomb", &bytes);
        let summary = folder.path("peak");
        // The shell's own report of the child's memory is not portable: the kernel's is read at the end.
        let mut child = udmap()
            .args(["convert", &input, "-q", "-o", "/dev/null", "--rejects", summary.to_str().expect("UTF-8")])
            .args(["--threads", "2", "--allow-empty"])
            .spawn()
            .expect("started");
        let mut peak = 0;
        let status = loop {
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
            let line = status.lines().find(|line| line.starts_with("VmHWM:"));
            peak = peak.max(line.and_then(|it| it.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0));
            if let Some(status) = child.try_wait().expect("waited for") {
                break status;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        assert!(status.code().is_some_and(|code| code < 2), "{what}: {status}");
        assert!((1..64 * 1024).contains(&peak), "{what}: {peak} KiB");
    }
}
