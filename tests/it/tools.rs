//! What some tests need and not every machine has: Python with packages, Node.js, servers.
//!
//! A test asks [`need`] for its tool, and is over when that is not there: one line on stderr says what is missing and
//! how to get it. With `UDMAP_TEST_ALL=1`, as in CI, a missing tool is an error. Nothing is installed here:
//! `tests/tools.sh` does that.

use crate::support::project;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// A tool, by the name that `tests/tools.sh` has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tool {
    /// Python, with no package.
    Python,
    /// Python with Google's own UDM messages.
    Oracle,
    /// Python with a checker of XML.
    Checks,
    /// Python with checkers of JSON, YAML, `CloudFormation` and Kubernetes.
    Deploy,
    /// Python with udmap's own package, `DuckDB` and Spark.
    Package,
    /// Python with moto, a mock of S3.
    S3,
    /// Azurite, Microsoft's emulator of Azure Blob Storage: the folder that it is in.
    Azurite,
    /// fake-gcs-server, an emulator of Google Cloud Storage: the program.
    FakeGcs,
    /// Ceph with radosgw, its S3.
    Ceph,
    /// Node.js with headless Chromium: the folder that they are in.
    Pages,
    /// systemd's checker of units.
    Systemd,
}

use Tool::{Azurite, Ceph, Checks, Deploy, FakeGcs, Oracle, Package, Pages, Python, S3, Systemd};

const ALL: [Tool; 11] = [Python, Oracle, Checks, Deploy, S3, Azurite, FakeGcs, Ceph, Pages, Systemd, Package];

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Python => "python",
            Oracle => "oracle",
            Checks => "checks",
            Deploy => "deploy",
            Package => "package",
            S3 => "s3",
            Azurite => "azurite",
            FakeGcs => "fake-gcs",
            Ceph => "ceph",
            Pages => "pages",
            Systemd => "systemd",
        }
    }

    /// What it is that is missing, and how to get it.
    fn remedy(self) -> String {
        match self {
            Python => "`python3` (Python 3.10 or later) is missing: install it".to_owned(),
            Systemd => "`systemd-analyze` is missing: install systemd".to_owned(),
            Package => "the Python package is not built: run `python/test.sh`".to_owned(),
            _ => format!("`{0}` is not installed: run `tests/tools.sh {0}`", self.name()),
        }
    }

    /// Where it is, if it is there and is what the project pins.
    fn find(self) -> Option<PathBuf> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(self.name());
        // The list of what was to be installed is copied when that is done.
        let installed = |list: &str| {
            let wanted = fs::read(project(list)).unwrap_or_else(|error| panic!("{list}: {error}"));
            let name = Path::new(list).file_name().unwrap_or_default();
            let at = fs::read_to_string(folder.join("installed/at")).unwrap_or_default();
            // What was moved is not usable: it names the folder that it was in.
            fs::canonicalize(&folder).is_ok_and(|folder| folder == Path::new(at.trim_end()))
                && fs::read(folder.join("installed").join(name)).is_ok_and(|installed| installed == wanted)
        };
        let python = folder.join("bin/python");
        let with_packages = |list| (installed(list) && runs(&python)).then(|| python.clone());
        let with_node = |list| (installed(list) && runs("node")).then(|| folder.clone());
        match self {
            Python => runs("python3").then(|| "python3".into()),
            Oracle => with_packages("tests/oracles/requirements.txt"),
            Checks => with_packages("tests/checks/requirements.txt"),
            Deploy => with_packages("tests/deploy/requirements.txt"),
            Package => package().filter(|python| runs(python)),
            S3 => with_packages("tests/s3/requirements.txt"),
            Azurite => with_node("tests/services/azurite/package-lock.json").filter(|_| runs("python3")),
            FakeGcs => installed("tests/services/fake-gcs/requirements.txt")
                .then(|| folder.join("fake-gcs-server"))
                .filter(|program| program.is_file() && runs("python3")),
            Ceph => ["ceph", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin"]
                .iter()
                .all(runs)
                .then(|| "ceph".into())
                .filter(|_| runs("python3")),
            Pages => with_node("tests/checks/package-lock.json"),
            Systemd => runs("systemd-analyze").then(|| "systemd-analyze".into()),
        }
    }
}

/// The Python that `python/test.sh` has udmap's package in, or another one that has it (`UDMAP_TEST_PYTHON`).
fn package() -> Option<PathBuf> {
    if let Some(python) = std::env::var_os("UDMAP_TEST_PYTHON") {
        return Some(python.into());
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?.join("python-requirements");
    let wanted = fs::read(project("python/tests/requirements.txt")).ok()?;
    let installed = fs::read(folder.join("installed")).ok()?;
    (installed == wanted).then(|| folder.join("bin/python"))
}

/// Whether a program can be started.
fn runs(program: impl AsRef<std::ffi::OsStr>) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A tool that a test needs. Without it there is nothing to test: the test ends, and one line says so.
///
/// # Panics
/// If it is not there and all tests are to run (`UDMAP_TEST_ALL=1`), unless it is one of `UDMAP_TEST_WITHOUT`.
pub(crate) fn need(tool: Tool) -> Option<PathBuf> {
    static SAID: Mutex<BTreeSet<(String, Tool)>> = Mutex::new(BTreeSet::new());
    if let Some(found) = tool.find() {
        return Some(found);
    }
    let (thread, remedy) = (std::thread::current(), tool.remedy());
    let test = thread.name().unwrap_or("a test");
    assert!(!all_are_required() || is_excused(tool), "{test} needs a tool: {remedy}");
    if SAID.lock().unwrap_or_else(PoisonError::into_inner).insert((test.to_owned(), tool)) {
        say(&format!("skipped {test}: {remedy}"));
    }
    None
}

fn all_are_required() -> bool {
    std::env::var_os("UDMAP_TEST_ALL").is_some_and(|value| value == "1")
}

/// Whether the machine is known not to have it.
fn is_excused(tool: Tool) -> bool {
    let without = std::env::var("UDMAP_TEST_WITHOUT").unwrap_or_default();
    without.split([',', ' ']).any(|name| name == tool.name())
}

/// A line on stderr that the test harness does not keep to itself.
fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Says in one line which tools are not there.
#[test]
fn which_tools_are_missing() {
    let missing: Vec<&str> =
        ALL.iter().filter(|tool| tool.find().is_none()).map(|tool| tool.name()).collect();
    if !missing.is_empty() {
        let all = missing.join(", ");
        say(&format!(
            "not on this machine: {all}; tests that need them are skipped (`tests/tools.sh` installs them)"
        ));
    }
    let unexcused: Vec<&Tool> =
        ALL.iter().filter(|tool| missing.contains(&tool.name()) && !is_excused(**tool)).collect();
    assert!(
        !all_are_required() || unexcused.is_empty(),
        "UDMAP_TEST_ALL is set, and {unexcused:?} are missing"
    );
}

/// The script installs each tool by the name that the tests tell.
#[test]
fn the_script_knows_every_tool() {
    let script = fs::read_to_string(project("tests/tools.sh")).expect("the script");
    for tool in ALL.iter().filter(|tool| !matches!(tool, Python | Systemd | Package)) {
        assert!(script.contains(&format!("\n{})", tool.name())), "{tool:?}");
    }
}
