//! `udmap send`, against a fake SecOps.

#![cfg_attr(not(feature = "send"), allow(dead_code))]

#[cfg(feature = "send")]
mod answers;
#[cfg(feature = "send")]
mod bytes;
#[cfg(feature = "send")]
mod check;
#[cfg(feature = "send")]
mod cost;
#[cfg(feature = "send")]
mod credentials;
pub(crate) mod fake;
#[cfg(feature = "send")]
mod inputs;
#[cfg(all(unix, feature = "send"))]
mod kills;
#[cfg(feature = "send")]
mod logs;
#[cfg(feature = "send")]
mod ranges;
mod strict;
pub(crate) mod tokens;

use crate::support::{Run, json_lines, udmap};
use fake::{Fake, INSTANCE, LOCATION, Manner, PROJECT};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A fake with a folder for what goes to it.
pub(crate) struct World {
    pub(crate) fake: Fake,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> World {
        World::with(Manner::default())
    }

    pub(crate) fn with(manner: Manner) -> World {
        let world = World { fake: Fake::with(manner), folder: tempfile::tempdir().expect("a folder") };
        let key = tokens::service_account(&world.fake.url).to_string();
        fs::write(world.at("key.json"), key).expect("written");
        world
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, bytes).expect("written");
    }

    /// The command without credentials, state and inputs, in the folder; nothing of this machine is found.
    pub(crate) fn bare(&self) -> Command {
        let mut command = udmap();
        self.at_home(&mut command);
        command.arg("send");
        command
    }

    /// Tells a command of the fake, and lets it run in the folder.
    pub(crate) fn at_home(&self, command: &mut Command) {
        command.current_dir(self.folder.path()).env("HOME", self.folder.path());
        command.env_remove("GOOGLE_APPLICATION_CREDENTIALS").env_remove("CLOUDSDK_CONFIG");
        command.env("GCE_METADATA_HOST", "127.0.0.1:1");
        // By the environment, so that a test can say otherwise.
        for (name, value) in [
            ("PROJECT", PROJECT),
            ("LOCATION", LOCATION),
            ("INSTANCE", INSTANCE),
            ("API_URL", &self.fake.url),
            ("RETRY_WAIT", "1ms"),
            ("RATE", "none"),
        ] {
            command.env(format!("UDMAP_SEND_{name}"), value);
        }
    }

    /// The command with a state and rejects, and credentials of a service account.
    pub(crate) fn send(&self, inputs: &[&str]) -> Command {
        let mut command = self.bare();
        command.env("UDMAP_SEND_CREDENTIALS", "key.json").env("UDMAP_SEND_STATE", "state.json");
        command.env("UDMAP_SEND_REJECTS", "rejects.ndjson").args(inputs);
        command
    }

    /// Runs a command to its end; nothing that it leaves anywhere holds a secret, and no body was malformed.
    pub(crate) fn finish(&self, command: &mut Command) -> Run {
        let run = Run::of(&command.output().expect("the command starts"));
        self.no_secret(&run);
        assert_eq!(self.fake.malformed(), Vec::<String>::new(), "{}", run.stderr);
        run
    }

    /// The same, and it must end with this status.
    pub(crate) fn expect(&self, status: i32, command: &mut Command) -> Run {
        let run = self.finish(command);
        assert_eq!(run.status, status, "{}{}", run.stdout, run.stderr);
        run
    }

    fn no_secret(&self, run: &Run) {
        let mut texts =
            vec![("stdout".to_owned(), run.stdout.clone()), ("stderr".to_owned(), run.stderr.clone())];
        for name in crate::support::names(self.folder.path()) {
            let path = self.at(&name);
            if path.is_file() && !GIVEN.contains(&name.as_str()) {
                let bytes = fs::read(path).expect("read");
                texts.push((name, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        for (name, text) in texts {
            for secret in tokens::secrets() {
                assert!(!text.contains(&secret), "{name} holds {secret}: {text}");
            }
        }
    }

    /// The lines of the rejects, if there are any.
    pub(crate) fn rejects(&self) -> Vec<serde_json::Value> {
        json_lines(&fs::read_to_string(self.at("rejects.ndjson")).unwrap_or_default())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Files that hold secrets because the test puts them there.
const GIVEN: [&str; 2] = ["key.json", "subject"];

/// An event that nobody else is, with so much text in it.
pub(crate) fn event_with(n: usize, more: &str) -> String {
    format!(
        r#"{{"metadata":{{"event_timestamp":"2026-03-10T12:00:{:02}.{:06}Z","event_type":"GENERIC_EVENT","product_log_id":"n{n}","description":"{more}"}},"principal":{{"user":{{"userid":"u{}"}}}}}}"#,
        n % 60,
        n % 1_000_000,
        n % 77,
    )
}

pub(crate) fn event(n: usize) -> String {
    event_with(n, "ok")
}

/// One that udmap has nothing against, and the fake refuses.
pub(crate) fn bad(n: usize) -> String {
    event_with(n, "refuse me")
}

/// Events as lines; those at these places are bad ones.
pub(crate) fn lines(numbers: std::ops::Range<usize>, bad_ones: &[usize]) -> String {
    numbers.map(|n| if bad_ones.contains(&n) { bad(n) } else { event(n) } + "\n").collect()
}

/// The lines of a text, sorted.
pub(crate) fn sorted(text: &str) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = text.lines().map(|line| line.as_bytes().to_vec()).collect();
    lines.sort();
    lines
}
