//! What is told about whole dumps: the closing summary, the plan of a dry run, a verification.

use super::exposed;
use super::summary::{DIM, RED, Summary, bytes, counted, duration, grouped, row};
use crate::jobs::dump::{Exposed, Plan, Progress, Pruned, Verified};
use crate::text::escaped_json;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many failures of one cause are shown.
pub(crate) const MOST_FAILURES: usize = 10;

/// What is known at the end of a run.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) summary: Summary,
    pub(crate) progress: &'a Progress,
    pub(crate) requests: [(&'static str, u64); 5],
    /// Whether it was gone through to the end.
    pub(crate) whole: bool,
}

impl Report<'_> {
    /// The summary for a person, with colours.
    pub(crate) fn text(&self) -> String {
        let mut text = self.summary.text();
        // Writing to a string can't fail.
        let _ = self.write_text(&mut text);
        text
    }

    fn write_text(&self, to: &mut String) -> std::fmt::Result {
        let get = |count: &AtomicU64| count.load(Relaxed);
        let progress = self.progress;
        let mut objects = format!(
            "{} listed, {} converted",
            grouped(get(&progress.listed)),
            grouped(get(&progress.converted))
        );
        for (n, what) in [
            (get(&progress.known), "done before"),
            (progress.failed(), "failed"),
            (get(&progress.filtered), "not wanted"),
            (get(&progress.own), "own outputs skipped"),
            (get(&progress.repeated), "listed before"),
            (get(&progress.deleted), "deleted"),
            (get(&progress.kept), "kept after all"),
        ] {
            if n > 0 {
                let _ = write!(objects, ", {} {what}", grouped(n));
            }
        }
        row(to, "objects", &objects)?;
        before(to, get(&progress.known_rejects), get(&progress.superseded))?;
        let levels = get(&progress.known_at_other_level);
        if levels > 0 {
            row(
                to,
                "level",
                &format!("{} done before at another level of compression, and kept", grouped(levels)),
            )?;
        }
        let written = get(&progress.written);
        row(
            to,
            "wrote",
            &format!("{}, {}", counted(written, "object"), bytes(get(&progress.written_bytes))),
        )?;
        let requests: Vec<String> = self
            .requests
            .iter()
            .filter(|(_, n)| *n > 0)
            .map(|(kind, n)| format!("{kind} {}", grouped(*n)))
            .collect();
        row(to, "requests", &requests.join(", "))?;
        for (i, (cause, failures)) in progress.failures().iter().enumerate() {
            let label = if i == 0 { "failures" } else { "" };
            row(to, label, &format!("{RED}{:15}{RED:#} {:>11}", cause.name(), grouped(failures.count)))?;
        }
        several_rejects(to, get(&progress.several_rejects))?;
        if !self.whole {
            writeln!(to, "interrupted: what is converted stays, and the same command goes on")?;
        }
        exposed::text(to, &progress.exposed())
    }

    /// The summary for a machine: that of a conversion, with `objects`.
    pub(crate) fn json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct FailedCount {
            count: u64,
            shown: Vec<String>,
        }
        #[derive(Serialize)]
        struct Objects {
            listed: u64,
            listed_bytes: u64,
            converted: u64,
            known: u64,
            known_records: u64,
            known_rejects: u64,
            known_outside: u64,
            known_at_other_level: u64,
            superseded: u64,
            several_rejects: u64,
            failed: u64,
            filtered: u64,
            own: u64,
            repeated: u64,
            deleted: u64,
            kept: u64,
            written: u64,
            written_bytes: u64,
            failures: BTreeMap<&'static str, FailedCount>,
            requests: BTreeMap<&'static str, u64>,
            whole: bool,
        }
        #[derive(Serialize)]
        struct Json<S> {
            #[serde(flatten)]
            summary: S,
            objects: Objects,
            below_outputs: Vec<Exposed>,
        }
        let progress = self.progress;
        let get = |count: &AtomicU64| count.load(Relaxed);
        let failures = progress.failures().into_iter();
        let json = Json {
            summary: self.summary.value(),
            below_outputs: progress.exposed(),
            objects: Objects {
                listed: get(&progress.listed),
                listed_bytes: get(&progress.listed_bytes),
                converted: get(&progress.converted),
                known: get(&progress.known),
                known_records: get(&progress.known_records),
                known_rejects: get(&progress.known_rejects),
                known_outside: get(&progress.known_outside),
                known_at_other_level: get(&progress.known_at_other_level),
                superseded: get(&progress.superseded),
                several_rejects: get(&progress.several_rejects),
                failed: progress.failed(),
                filtered: get(&progress.filtered),
                own: get(&progress.own),
                repeated: get(&progress.repeated),
                deleted: get(&progress.deleted),
                kept: get(&progress.kept),
                written: get(&progress.written),
                written_bytes: get(&progress.written_bytes),
                failures: failures
                    .map(|(cause, it)| (cause.name(), FailedCount { count: it.count, shown: it.shown }))
                    .collect(),
                requests: self.requests.into_iter().collect(),
                whole: self.whole,
            },
        };
        pretty(&json)
    }
}

/// What a dry run found, for a person.
pub(crate) fn plan_text(plan: &Plan) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = write_plan(plan, &mut text);
    text
}

fn write_plan(plan: &Plan, to: &mut String) -> std::fmt::Result {
    writeln!(
        to,
        "would convert {}, {}  {DIM}nothing was written{DIM:#}",
        counted(plan.convert, "object"),
        bytes(plan.read_bytes)
    )?;
    let mut objects = format!("{} listed, {}", grouped(plan.listed), bytes(plan.listed_bytes));
    for (n, what) in
        [(plan.known, "done before"), (plan.filtered, "not wanted"), (plan.own, "own outputs skipped")]
    {
        if n > 0 {
            let _ = write!(objects, ", {} {what}", grouped(n));
        }
    }
    row(to, "objects", &objects)?;
    before(to, plan.known_rejects, plan.superseded)?;
    row(to, "outputs", &format!("{}, about {}", grouped(plan.outputs), bytes(plan.written_bytes)))?;
    if plan.delete > 0 {
        row(to, "deletes", &counted(plan.delete, "input"))?;
    }
    let requests = [
        ("list", plan.list_requests),
        ("head", plan.head_requests),
        ("get", plan.get_requests),
        ("put", plan.put_requests),
        ("delete", plan.delete_requests),
    ];
    let requests: Vec<String> =
        requests.iter().filter(|(_, n)| *n > 0).map(|(kind, n)| format!("{kind} {}", grouped(*n))).collect();
    row(
        to,
        "requests",
        &if requests.is_empty() { "none".to_owned() } else { format!("about {}", requests.join(", ")) },
    )?;
    several_rejects(to, plan.several_rejects)?;
    exposed::text(to, &plan.below_outputs)
}

/// What a dry run found, for a machine.
pub(crate) fn plan_json(plan: &Plan) -> Vec<u8> {
    pretty(plan)
}

/// That records may be in more than one reject file.
fn several_rejects(to: &mut String, several: u64) -> std::fmt::Result {
    if several == 0 {
        return Ok(());
    }
    let files = counted(several, "reject file");
    writeln!(
        to,
        "{RED}warning{RED:#}: {files} may be of the same input as another one: if one of them is superseded, its records \
         become events twice\nhint: `udmap prune` on the dump that they are of lists what is superseded, and removes it"
    )
}

/// What earlier runs have left.
fn before(to: &mut String, rejects: u64, superseded: u64) -> std::fmt::Result {
    if rejects > 0 {
        row(to, "before", &format!("{RED}{}{RED:#} in what was done before", counted(rejects, "reject")))?;
    }
    if superseded > 0 {
        let what = format!("{} of these inputs superseded by later ones", counted(superseded, "output"));
        row(to, "before", &format!("{what}; `udmap prune` lists and removes them"))?;
    }
    Ok(())
}

/// How a verification went: with what `failed`, and what was `unchecked`.
pub(crate) fn verified_text(
    verified: &Verified,
    deep: bool,
    (failed, unchecked): (u64, u64),
    whole: bool,
) -> String {
    let get = |count: &AtomicU64| grouped(count.load(Relaxed));
    let any = |count: &AtomicU64| count.load(Relaxed) > 0;
    let mut text = format!(
        "{} lines in the manifest: {} outputs are right, {} wrong",
        get(&verified.lines),
        get(&verified.right),
        grouped(failed)
    );
    if deep {
        let _ = write!(text, "; {} inputs converted again", get(&verified.again));
        for (count, what) in [
            (&verified.without_input, "are gone or changed"),
            (&verified.other, "were converted by another mapping or with other options"),
        ] {
            if any(count) {
                let _ = write!(text, ", {} {what}", get(count));
            }
        }
    }
    text.push('\n');
    let mut line = |label: &str, words: &[(&AtomicU64, &str)]| {
        let words: Vec<String> =
            words.iter().filter(|(n, _)| any(n)).map(|(n, what)| format!("{} {what}", get(n))).collect();
        // Writing to a string can't fail.
        let _ = row(&mut text, label, &words.join(", "));
    };
    line(
        "outputs",
        &[
            (&verified.current, "current"),
            (&verified.superseded, "superseded (`udmap prune` lists and removes them)"),
            (&verified.removed, "superseded and removed"),
            (&verified.mixed, "packs that hold both"),
        ],
    );
    line(
        "inputs",
        &[
            (&verified.inputs, "as they were converted"),
            (&verified.deleted, "deleted by udmap after success"),
        ],
    );
    line(
        "older",
        &[(
            &verified.unsealed,
            "parts that don't say how many lines they have: a missing one shows only by its output",
        )],
    );
    let looked = if verified.foreign.load(Relaxed) {
        format!("what no line names was looked for among {} objects", get(&verified.listed))
    } else {
        "what no line names was not looked for: this is not all of a manifest".to_owned()
    };
    let _ = row(&mut text, "others", &looked);
    let _ =
        row(&mut text, "in all", &format!("{} failed, {} not checked", grouped(failed), grouped(unchecked)));
    if deep && verified.none_again() && any(&verified.other) {
        text.push_str(
            "hint: give `--mapping`, `--compress` and the other options that they were converted with\n",
        );
    }
    if !whole {
        text.push_str("interrupted\n");
    }
    text
}

/// What was found to be superseded, and done about it.
pub(crate) fn pruned_text(pruned: &Pruned, delete: bool, whole: bool) -> String {
    let get = |count: &AtomicU64| count.load(Relaxed);
    let mut text = format!(
        "{} current, {} superseded, {}",
        counted(get(&pruned.current), "output"),
        grouped(get(&pruned.superseded)),
        bytes(get(&pruned.bytes))
    );
    if delete {
        let _ = write!(text, "; {} removed", grouped(get(&pruned.removed)));
    }
    if get(&pruned.mixed) > 0 {
        let _ = write!(text, "; {} with both in it", counted(get(&pruned.mixed), "pack"));
    }
    text.push('\n');
    if !delete && get(&pruned.superseded) > 0 {
        text.push_str("hint: `--delete` removes the superseded ones\n");
    }
    if !whole {
        text.push_str("interrupted: the same command goes on\n");
    }
    text
}

fn pretty(value: &impl Serialize) -> Vec<u8> {
    // Numbers and texts always serialize.
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    escaped_json(text + "\n").into_bytes()
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Pace {
    seconds: f64,
    objects: u64,
    of_objects: u64,
    bytes: u64,
    of_bytes: u64,
    /// Whether more may be listed.
    listing: bool,
    bytes_per_second: f64,
    /// What is left of what is listed, at this rate.
    eta_seconds: Option<f64>,
    known: u64,
    records: u64,
    rejects: u64,
    failed: u64,
}

impl Pace {
    pub(crate) fn of(progress: &Progress, seconds: f64) -> Pace {
        let get = |count: &AtomicU64| count.load(Relaxed);
        let (bytes, of_bytes) = (get(&progress.done_bytes), get(&progress.listed_bytes));
        // What is read of objects under way counts, but never beyond what is there.
        let bytes = bytes.max(get(&progress.read).saturating_add(get(&progress.known_bytes)).min(of_bytes));
        let rate = bytes as f64 / seconds.max(1e-9);
        let left = of_bytes.saturating_sub(bytes) as f64;
        Pace {
            seconds,
            objects: get(&progress.done).saturating_add(get(&progress.unlisted)),
            of_objects: get(&progress.listed),
            bytes,
            of_bytes,
            listing: !progress.all_listed.load(Relaxed),
            bytes_per_second: rate,
            eta_seconds: (rate > 0.0).then_some(left / rate),
            known: get(&progress.known),
            records: get(&progress.records),
            rejects: get(&progress.rejects),
            failed: progress.failed(),
        }
    }

    /// Bytes done, and bytes listed.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.bytes, self.of_bytes)
    }

    /// Bytes a second, and how many seconds are left at this rate.
    pub(crate) fn rate_and_eta(&self) -> (f64, Option<f64>) {
        (self.bytes_per_second, self.eta_seconds)
    }

    /// How many objects are done.
    pub(crate) fn objects(&self) -> String {
        let more = if self.listing { " so far" } else { "" };
        format!("{} of {} objects{more}", grouped(self.objects), grouped(self.of_objects))
    }

    /// Rejects and failures, if there are any.
    pub(crate) fn trouble(&self) -> impl Iterator<Item = String> + use<> {
        let counts = [(self.failed, "failure"), (self.rejects, "reject")];
        counts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| counted(n, what))
    }

    /// For a person, as a line of its own.
    pub(crate) fn line(&self) -> String {
        let eta = self.eta_seconds.map_or(String::new(), |eta| format!(", ETA {}", duration(eta)));
        format!(
            "{}, {} of {}, {}/s{eta}",
            std::iter::once(self.objects()).chain(self.trouble()).collect::<Vec<_>>().join(", "),
            bytes(self.bytes),
            bytes(self.of_bytes),
            bytes(self.bytes_per_second as u64)
        )
    }
}
