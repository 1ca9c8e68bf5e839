//! What the lines of a manifest say of one output, and whether that can be.

use super::content::Piece;
use super::entry::{Kind, ManifestEntry, OutputObject};
use super::history::{History, Mentioned, Place, State, no_room};
use super::name::{Follows, id};
use super::outputs::endings;
use super::place::order;
use super::spool::Span;
use super::stores::split;
use crate::store::Error;
use std::collections::{BTreeSet, HashMap, HashSet};

/// An input that became a part of an output, and whether that is its current one.
type NamedMember = (ManifestEntry, OutputObject, bool);

/// What the lines that name an output say of it.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) output: OutputObject,
    pub(super) state: State,
    /// Whether it holds something that is superseded, and something that is not.
    pub(super) mixed: bool,
    pub(super) pieces: Vec<Piece>,
    /// Of its inputs, in their order.
    pub(super) lines: Vec<ManifestEntry>,
    /// The current lines about the same inputs.
    pub(super) current: Vec<Span>,
    /// Where the run's outputs go.
    pub(super) place: Option<Place>,
    /// What can't be.
    pub(super) wrong: Option<String>,
}

impl Named {
    pub(super) fn read(history: &History, mentioned: &Mentioned) -> Result<Named, Error> {
        let mut members: HashMap<_, NamedMember> = HashMap::new();
        let mut state: Option<State> = None;
        let mut wrong = None;
        let mut first: Option<OutputObject> = None;
        let mut place = None;
        let mut successors = BTreeSet::new();
        for mention in &mentioned.mentions {
            let (line, output) = mention.read(history.spool())?;
            state = Some(match (state, mention.state) {
                (Some(State::Current), _) | (_, State::Current) => State::Current,
                (Some(State::Superseded), _) | (_, State::Superseded) => State::Superseded,
                _ => State::Removed,
            });
            successors.insert(mention.current);
            place = place.or_else(|| history.place_of(mention.part));
            let same = |a: &OutputObject, b: &OutputObject| {
                (a.kind, &a.key, a.size, &a.sha256, a.offset.is_some())
                    == (b.kind, &b.key, b.size, &b.sha256, b.offset.is_some())
            };
            match &first {
                None => first = Some(output.clone()),
                Some(first) if !same(first, &output) => {
                    wrong = Some(format!(
                        "lines of the manifest say different things of it: one is about `{}`",
                        crate::text::escaped(&line.input)
                    ));
                }
                Some(_) => {}
            }
            let current = mention.state == State::Current;
            members
                .entry((line.identity(), output.offset, output.length))
                .and_modify(|(_, _, known)| *known |= current)
                .or_insert((line, output, current));
        }
        let mut members: Vec<NamedMember> = members.into_values().collect();
        members.sort_by(|a, b| order(&a.0.input, &b.0.input).then(a.1.offset.cmp(&b.1.offset)));
        // Of no lines there is no output.
        let Some(output) = first else {
            return Err(no_room(std::io::Error::other("it was changed meanwhile")));
        };
        let pack = output.offset.is_some();
        let wrong = wrong.or_else(|| follows(&output, &members, pack, place));
        let mixed =
            members.iter().any(|(_, _, current)| *current) && members.iter().any(|(_, _, current)| !current);
        let pieces = members.iter().map(|(line, output, _)| Piece {
            offset: output.offset.unwrap_or_default(),
            length: if pack { Some(output.length.unwrap_or_default()) } else { None },
            lines: if output.kind == Kind::Rejects { line.rejects } else { line.events },
        });
        let pieces = pieces.collect();
        let lines = members.into_iter().map(|(line, _, _)| line).collect();
        let (state, current) = (state.unwrap_or(State::Removed), successors.into_iter().collect());
        Ok(Named { output, state, mixed, pieces, lines, current, place: place.cloned(), wrong })
    }
}

/// Why an output is not the one of these inputs, if it is not.
fn follows(
    output: &OutputObject,
    members: &[NamedMember],
    pack: bool,
    place: Option<&Place>,
) -> Option<String> {
    let inputs: HashSet<&str> = members.iter().map(|(line, _, _)| line.input.as_str()).collect();
    if inputs.len() != members.len() || (!pack && members.len() > 1) {
        let which = members.first().map(|(line, _, _)| line.input.as_str()).unwrap_or_default();
        let which = crate::text::escaped(which);
        return Some(format!(
            "the manifest names it for several inputs, or several times for one: `{which}`, and others"
        ));
    }
    let (first, _, _) = members.first()?;
    let ids: Vec<String> = members.iter().map(|(line, _, _)| line.identity()).collect();
    // Of a pack that had rejects, or sources of events, only those inputs that had some name them; but its events have
    // the same identity.
    let of_pack = pack && output.kind != Kind::Events;
    let id = match (pack, first.outputs.iter().find(|output| output.kind == Kind::Events)) {
        (true, Some(events)) if of_pack => identity_in(&events.key).to_owned(),
        (true, _) => id(&ids.iter().map(String::as_str).collect::<Vec<_>>()),
        (false, _) => first.identity(),
    };
    let (root, key) = split(&output.url);
    let remote = root.contains("://");
    let place = place.and_then(|place| match output.kind {
        Kind::Events => Some(place.output.as_str()).filter(|output| !output.is_empty()),
        Kind::Rejects => place.rejects.as_deref(),
        // They lie where the manifest does.
        Kind::Sources => None,
    });
    let below = place.is_none_or(|place| output.url.starts_with(place));
    let named = if remote { key == output.key } else { output.url.ends_with(&format!("/{}", output.key)) };
    let prefix = match place {
        _ if of_pack => None,
        Some(place) if remote => Some(split(place).1),
        Some(_) => Some(""),
        None => None,
    };
    let follows = Follows { prefix, input: &first.input, id: &id, pack, files: !remote };
    if below && named && follows.is(&output.key, &endings(output.kind, None)) {
        return None;
    }
    let input = crate::text::escaped(&first.input);
    let whose =
        if pack { format!("the {} inputs from `{input}` on", members.len()) } else { format!("`{input}`") };
    Some(format!(
        "it is not where the output of {whose} goes: its key does not follow from input, ETag and fingerprint"
    ))
}

/// The identity in an output's key.
fn identity_in(key: &str) -> &str {
    let name = endings(Kind::Events, None)
        .iter()
        .find_map(|ending| key.strip_suffix(ending.as_str()))
        .unwrap_or(key);
    name.get(name.len().saturating_sub(16)..).unwrap_or_default()
}
