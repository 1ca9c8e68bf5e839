//! Where rejects came from, as a closing summary says it.

use super::layout::{DIM, counted, grouped, row};
use crate::convert::{RejectSource, RejectSources};
use crate::text::escaped;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many sources are shown to a person.
const MOST_SHOWN: usize = 5;
/// How many reasons of each.
const MOST_REASONS: usize = 3;
/// How many are in the summary for a machine.
const MOST_LISTED: usize = 1_000;

/// The sources with most rejects, for a person. `kept` is where rejects are kept, which is said elsewhere.
pub(super) fn text(to: &mut String, sources: &RejectSources, kept: Option<&str>) -> std::fmt::Result {
    let (shown, more, rejects) = sources.clone().top(MOST_SHOWN);
    // Of a single source, all that is not kept was shown as an example.
    if kept.is_none() && shown.len() < 2 && !shown.iter().any(|source| source.earlier) {
        return Ok(());
    }
    for (at, source) in shown.iter().enumerate() {
        let line = source.first.first().map_or(String::new(), |place| format!(":{}", place.line));
        let why = if source.earlier { "converted before".to_owned() } else { reasons(source) };
        let rejects = counted(source.rejects, "reject");
        let label = if at == 0 { "from" } else { "" };
        row(to, label, &format!("{}{line}  {rejects}  {DIM}{why}{DIM:#}", escaped(&source.name)))?;
        if let Some(kept_in) = source.kept_in.as_deref().filter(|it| Some(*it) != kept) {
            row(to, "", &format!("  {DIM}in {}{DIM:#}", escaped(kept_in)))?;
        }
    }
    if more > 0 {
        let more = format!("... and {} with {}", counted(more, "more input"), counted(rejects, "reject"));
        row(to, "", &format!("{DIM}{more}; `--summary FILE` names them{DIM:#}"))?;
    }
    Ok(())
}

/// The most frequent reasons.
fn reasons(source: &RejectSource) -> String {
    let mut reasons: Vec<(&str, u64)> =
        source.by_reason.iter().map(|(reason, n)| (reason.code(), *n)).collect();
    // A stable sort leaves equals in the order of the reasons.
    reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let shown = reasons.iter().take(MOST_REASONS).map(|(reason, n)| format!("{reason} {}", grouped(*n)));
    let more = if reasons.len() > MOST_REASONS { ", ..." } else { "" };
    shown.collect::<Vec<_>>().join(", ") + more
}

/// The sources with most rejects, for a machine.
pub(super) fn value(sources: &RejectSources) -> impl Serialize {
    #[derive(Serialize)]
    struct Place {
        line: u64,
        offset: u64,
        reason: &'static str,
        message: String,
    }
    #[derive(Serialize)]
    struct Source {
        source: String,
        rejects: u64,
        by_reason: BTreeMap<&'static str, u64>,
        first: Vec<Place>,
        kept_in: Option<String>,
        earlier: bool,
    }
    #[derive(Serialize)]
    struct Sources {
        listed: Vec<Source>,
        more_sources: u64,
        more_rejects: u64,
    }
    let (listed, more_sources, more_rejects) = sources.clone().top(MOST_LISTED);
    let source = |it: RejectSource| Source {
        source: it.name,
        rejects: it.rejects,
        by_reason: it.by_reason.iter().map(|(reason, n)| (reason.code(), *n)).collect(),
        first: it
            .first
            .into_iter()
            .map(|it| Place {
                line: it.line,
                offset: it.offset,
                reason: it.reason.code(),
                message: it.message,
            })
            .collect(),
        kept_in: it.kept_in,
        earlier: it.earlier,
    };
    Sources { listed: listed.into_iter().map(source).collect(), more_sources, more_rejects }
}
