//! Running the command and conversions, and finding things.

use std::ffi::OsStr;
use std::io::{self, Read, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use udmap::convert::{Converter, Counts, Input, Piece, Reject};

/// A folder of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The command, with no arguments yet.
pub(crate) fn udmap() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_udmap"));
    command.env("NO_COLOR", "1");
    command
}

/// What a run of the command gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the command with `stdin` and these arguments.
pub(crate) fn run_with(stdin: &[u8], args: &[impl AsRef<OsStr>]) -> Run {
    let mut child = udmap()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut pipe = child.stdin.take().expect("stdin is piped");
    let stdin = stdin.to_vec();
    // A command that does not read its stdin closes it: no failure of the test.
    let feeder = std::thread::spawn(move || drop(pipe.write_all(&stdin)));
    let output = child.wait_with_output().expect("the command ends");
    feeder.join().expect("the feeder ends");
    Run::of(&output)
}

/// Runs the command with these arguments.
pub(crate) fn run(args: &[impl AsRef<OsStr>]) -> Run {
    run_with(b"", args)
}

impl Run {
    pub(crate) fn of(output: &Output) -> Run {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Run {
            status: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

/// A small generator of random numbers, by its seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n.max(1)
    }
}

/// The names in a folder, hidden ones too, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read");
    let mut names: Vec<String> =
        entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The JSON values in a file, one a line.
pub(crate) fn json_lines(text: &str) -> Vec<serde_json::Value> {
    text.split_terminator('\n').map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// Gives its bytes in pieces of the sizes that it is told, over and over.
struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    sizes: Vec<usize>,
    turn: usize,
}

impl Read for Pieces {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()].max(1);
        self.turn += 1;
        let n = size.min(to.len()).min(self.bytes.len() - self.at);
        to[..n].copy_from_slice(&self.bytes[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

/// Everything that a conversion of one stream gives, read in pieces of these sizes.
pub(crate) fn streamed(
    converter: &Converter,
    bytes: &[u8],
    sizes: &[usize],
    threads: usize,
) -> (Vec<u8>, Vec<Reject>, Counts) {
    let reader = Pieces { bytes: bytes.to_vec(), at: 0, sizes: sizes.to_vec(), turn: 0 };
    let (mut events, mut rejects) = (Vec::new(), Vec::new());
    let counts = converter.run([Input::reader("x", reader)], threads, |piece| {
        match piece {
            Piece::Batch { batch, .. } => {
                events.extend_from_slice(&batch.events);
                rejects.extend_from_slice(&batch.rejects);
            }
            Piece::Failed { error, .. } => panic!("{error}"),
        }
        ControlFlow::Continue(())
    });
    (events, rejects, counts.expect("threads start"))
}
