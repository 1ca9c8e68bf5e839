//! Everything that a check found, as reports tell it.

use crate::check::baseline::{Baseline, BaselineWriter, Checked, KnownBy, Match};
use crate::check::fingerprint::Fingerprint;
use crate::check::groups::{GroupKey, Groups};
use crate::check::paths::general;
use crate::check::room::Room;
use crate::check::validate::Severity;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How many samples of each kind of finding are shown.
pub(crate) const SAMPLES: usize = 3;

/// Something that was found.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Issue {
    #[serde(serialize_with = "severity_name")]
    pub(crate) severity: Severity,
    /// The kind of finding; stable.
    pub(crate) code: &'static str,
    /// The UDM path; empty for an event, record or file as a whole.
    pub(crate) path: String,
    /// The input.
    pub(crate) source: String,
    /// The line, from 1; 0 for the input as a whole.
    pub(crate) line: u64,
    /// The character of the line, from 1; 0 if it is not known.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) column: u64,
    /// The byte after decompression, from 0.
    pub(crate) byte: u64,
    /// Which event of the input it is in, from 1; 0 for none.
    pub(crate) event: u64,
    pub(crate) message: String,
    /// What it is about, wherever it is.
    pub(crate) fingerprint: Fingerprint,
    /// What SecOps does with it.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) effect: &'static str,
    /// What to do.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) advice: Cow<'static, str>,
    /// Which of the cases it is in.
    #[serde(skip)]
    pub(crate) case: usize,
}

impl Issue {
    /// A difference, which needs no advice: its place is this source, line and byte. `content` is what it is about,
    /// apart from places.
    pub(crate) fn difference(
        code: &'static str,
        path: &str,
        at: (&str, u64, u64),
        message: String,
        content: &[&str],
    ) -> Issue {
        let (source, line, byte) = at;
        Issue {
            severity: Severity::Error,
            code,
            path: path.to_owned(),
            source: source.to_owned(),
            line,
            column: 0,
            byte,
            event: 0,
            message,
            fingerprint: Fingerprint::of(code, &general(path), content),
            effect: "",
            advice: "".into(),
            case: 0,
        }
    }

    /// The kind of finding that it is.
    pub(crate) fn key(&self) -> GroupKey {
        GroupKey { severity: self.severity, code: self.code, path: general(&self.path) }
    }

    fn bytes(&self) -> usize {
        self.path.len() + self.source.len() + self.message.len()
    }
}

fn severity_name<S: serde::Serializer>(severity: &Severity, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(severity.name())
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference.
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// A thing that was checked as a whole: an input, or a test case.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// The file that it is in.
    pub(crate) file: String,
    /// How many of the findings in it are errors.
    pub(crate) errors: u64,
    pub(crate) seconds: f64,
}

/// How many files, and the names of the first.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) count: u64,
    pub(crate) first: Vec<String>,
}

impl Files {
    pub(crate) fn add(&mut self, name: &str) {
        self.count += 1;
        if self.first.len() < SAMPLES {
            self.first.push(name.to_owned());
        }
    }
}

/// Findings of one kind and content in one input, of which only the number was kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Counted {
    pub(crate) key: GroupKey,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) message: String,
}

/// Everything that a checking command found.
#[derive(Debug)]
pub(crate) struct Findings {
    /// `validate`, `test` or `diff`.
    pub(crate) command: &'static str,
    /// Whether reports show every finding that is kept, and not some samples of each kind.
    pub(crate) all: bool,
    /// The first of what was found.
    pub(crate) issues: Vec<Issue>,
    room: Room,
    /// All that was found, by kind, with one sample more than is shown: instead of "and 1 more" it can be shown itself.
    pub(crate) groups: Groups<Issue>,
    /// All that was found.
    pub(crate) counts: BTreeMap<(Severity, &'static str), u64>,
    pub(crate) cases: Vec<Case>,
    /// Inputs that could not be read (to the end), a sentence each.
    pub(crate) failures: Vec<String>,
    /// What was not checked, a sentence each.
    pub(crate) left_out: Vec<String>,
    /// Files that hold no event.
    pub(crate) without_event: Files,
    pub(crate) events: u64,
    pub(crate) seconds: f64,
    pub(crate) exit_status: u8,
    /// What only one command has to say, for the JSON report.
    pub(crate) extra: serde_json::Map<String, serde_json::Value>,
    pub(crate) baseline: Option<Baseline>,
    /// How many findings the baseline knows. They are not among the others.
    pub(crate) known: u64,
    pub(crate) writer: Option<BaselineWriter>,
    /// What the file holds that is written.
    pub(crate) written_over: Option<Baseline>,
    /// What was looked at.
    pub(crate) checked: Checked,
    /// Findings that the baseline knows from other files: whether they are new is known at the end.
    pending: Vec<Issue>,
    pending_room: Room,
}

impl Findings {
    /// Nothing found yet; at most `most` findings are kept.
    pub(crate) fn new(command: &'static str, most: usize) -> Findings {
        Findings {
            command,
            all: false,
            issues: Vec::new(),
            room: Room::new(most),
            groups: Groups::new(SAMPLES + 1, Room::new(most)),
            counts: BTreeMap::new(),
            cases: Vec::new(),
            failures: Vec::new(),
            left_out: Vec::new(),
            without_event: Files::default(),
            events: 0,
            seconds: 0.0,
            exit_status: 0,
            extra: serde_json::Map::new(),
            baseline: None,
            known: 0,
            writer: None,
            written_over: None,
            checked: Checked::default(),
            pending: Vec::new(),
            pending_room: Room::new(most),
        }
    }

    /// Whether anybody asks what the next finding is about: a baseline, or a report that will list it.
    pub(crate) fn asks_for_content(&self) -> bool {
        self.baseline.is_some() || self.writer.is_some() || self.room.clone().take(0)
    }

    /// Begins a case: what is added from now on is in it.
    pub(crate) fn begin(&mut self, name: &str, file: &str) {
        self.cases.push(Case { name: name.to_owned(), file: file.to_owned(), errors: 0, seconds: 0.0 });
    }

    /// Ends the case that was begun last, after this many seconds; how many errors there are in it.
    pub(crate) fn end(&mut self, seconds: f64) -> u64 {
        self.cases.last_mut().map_or(0, |case| {
            case.seconds = seconds;
            case.errors
        })
    }

    /// Adds a finding, and keeps it if there is room. One that the baseline knows is only counted. Whether one that it
    /// knows from another file is new is decided by [`Findings::finish`].
    pub(crate) fn add(&mut self, issue: Issue) {
        let issue = self.placed(issue);
        match self.known_as(&issue) {
            Match::Here => self.known += 1,
            Match::Elsewhere if self.pending_room.take(issue.bytes()) => self.pending.push(issue),
            Match::Elsewhere => self.add_elsewhere(issue),
            Match::New => self.keep(issue),
        }
    }

    /// Adds a finding, as [`Findings::add`] does, but decides at once whether it is new; whether it is.
    pub(crate) fn add_decided(&mut self, issue: Issue) -> bool {
        let issue = self.placed(issue);
        let before = self.known;
        match self.known_as(&issue) {
            Match::Here => self.known += 1,
            Match::Elsewhere => self.add_elsewhere(issue),
            Match::New => self.keep(issue),
        }
        self.known == before
    }

    fn placed(&self, issue: Issue) -> Issue {
        Issue { case: self.cases.len().saturating_sub(1), ..issue }
    }

    fn known_as(&mut self, issue: &Issue) -> Match {
        if self.baseline.is_none() && self.writer.is_none() {
            return Match::New;
        }
        let Issue { code, fingerprint, source, message, .. } = issue;
        let source = self.checked.name(source);
        if let Some(writer) = &mut self.writer {
            writer.add(code, &issue.key().path, *fingerprint, &source, message, 1);
        }
        let path = &issue.key().path;
        let finding = KnownBy { code, path, fingerprint: *fingerprint };
        let checked = &self.checked;
        self.baseline.as_mut().map_or(Match::New, |baseline| baseline.take(finding, &source, checked))
    }

    fn add_elsewhere(&mut self, issue: Issue) {
        let path = &issue.key().path;
        let finding = KnownBy { code: issue.code, path, fingerprint: issue.fingerprint };
        let checked = &self.checked;
        if self.baseline.as_mut().is_some_and(|baseline| baseline.take_elsewhere(finding, checked)) {
            self.known += 1;
        } else {
            self.keep(issue);
        }
    }

    /// A finding that is new.
    fn keep(&mut self, issue: Issue) {
        self.count_in(issue.case, issue.severity, issue.code, 1);
        let bytes = issue.bytes();
        let key = issue.key();
        let sample = self.groups.takes(&key).then(|| (bytes, issue.clone()));
        self.groups.add(key, 1, sample);
        if self.room.take(bytes) {
            self.issues.push(issue);
        }
    }

    /// Adds `count` findings in `source` that nobody kept.
    pub(crate) fn add_counted(&mut self, counted: Counted, source: &str, count: u64) {
        let Counted { key, fingerprint, message } = counted;
        let source = &self.checked.name(source);
        if let Some(writer) = &mut self.writer {
            writer.add(key.code, &key.path, fingerprint, source, &message, count);
        }
        let mut new = count;
        if let Some(baseline) = &mut self.baseline {
            let finding = KnownBy { code: key.code, path: &key.path, fingerprint };
            while new > 0
                && (baseline.take(finding, source, &self.checked) == Match::Here
                    || baseline.take_elsewhere(finding, &self.checked))
            {
                new -= 1;
            }
        }
        self.known += count - new;
        self.count_new(key, new);
    }

    /// Adds `count` findings of which nothing is known but their kind. No baseline can know them.
    pub(crate) fn add_unlisted(&mut self, key: GroupKey, count: u64) {
        if let Some(writer) = &mut self.writer {
            writer.missed(count);
        }
        self.count_new(key, count);
    }

    fn count_new(&mut self, key: GroupKey, count: u64) {
        if count > 0 {
            self.count_in(self.cases.len().saturating_sub(1), key.severity, key.code, count);
            self.groups.add(key, count, None);
        }
    }

    fn count_in(&mut self, case: usize, severity: Severity, code: &'static str, count: u64) {
        *self.counts.entry((severity, code)).or_default() += count;
        if let Some(case) = self.cases.get_mut(case).filter(|_| severity == Severity::Error) {
            case.errors += count;
        }
    }

    /// Decides what is new of the findings that the baseline knows from other files. To be called when everything was
    /// added.
    pub(crate) fn finish(&mut self) {
        for issue in std::mem::take(&mut self.pending) {
            self.add_elsewhere(issue);
        }
        self.issues.sort_by_key(|issue| issue.case);
    }

    /// The findings that reports show: all that were kept, or some samples of each kind, with how many there are of
    /// that kind.
    pub(crate) fn shown(&self) -> Vec<(&Issue, u64)> {
        if self.all {
            return self.issues.iter().map(|issue| (issue, 1)).collect();
        }
        let groups = self.groups.sorted();
        groups
            .iter()
            .flat_map(|(_, group)| group.samples.iter().take(SAMPLES).map(|issue| (issue, group.count)))
            .collect()
    }

    /// How many findings have this severity.
    pub(crate) fn of(&self, severity: Severity) -> u64 {
        self.counts.iter().filter(|((s, _), _)| *s == severity).map(|(_, n)| n).sum()
    }

    /// How many findings there are, without those that are known.
    pub(crate) fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// How many findings are not among the items.
    pub(crate) fn omitted(&self) -> u64 {
        self.total() - self.issues.len() as u64
    }
}
