//! What lies below the outputs and is not an output: a feed that reads their prefix reads it, too.

use super::place::Target;
use crate::text::shell_word;
use serde::Serialize;

/// A place that a reader of everything below another one reads, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Exposed {
    /// What is there.
    pub what: Sort,
    /// The place.
    pub place: String,
    /// The place that it lies in.
    pub below: String,
    /// Whether something is there already.
    pub exists: bool,
    /// A place for it that lies in none of the others, as an option of `udmap convert`; nothing where a bucket or a disk
    /// has no room for one.
    pub option: Option<String>,
    /// How to move what is there, as a command; nothing where nothing is, or must not be moved.
    pub move_with: Option<String>,
}

/// What an exposed place holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// Manifests.
    Manifest,
    /// Rejects.
    Rejects,
}

impl Sort {
    /// Its name, which is also that of the option that says where it goes.
    pub fn name(self) -> &'static str {
        match self {
            Sort::Manifest => "manifest",
            Sort::Rejects => "rejects",
        }
    }
}

/// What a reader of everything below `output`, or below `rejects`, would read, too. `has_manifest` says whether there is a
/// manifest already.
pub(super) fn exposed(
    output: &Target,
    rejects: Option<&Target>,
    manifest: &Target,
    has_manifest: bool,
) -> Vec<Exposed> {
    let instead = |what| sibling(what, output, [Some(output), rejects, Some(manifest)]);
    let (output_name, manifest_name) = (output.whole_name(), manifest.whole_name());
    let rejects_name = rejects.map(Target::whole_name);
    let mut exposed = Vec::new();
    let places = [Some(&output_name), rejects_name.as_ref()];
    let below = places.into_iter().flatten().find(|place| manifest_name.starts_with(*place));
    if let Some(below) = below {
        let instead = instead(Sort::Manifest);
        let moved = instead.as_deref().filter(|_| has_manifest);
        exposed.push(Exposed {
            what: Sort::Manifest,
            place: manifest_name.clone(),
            below: below.clone(),
            exists: has_manifest,
            option: instead.as_deref().map(|place| option(Sort::Manifest, place)),
            move_with: moved.and_then(|to| move_with(&manifest_name, to)),
        });
    }
    if let Some(rejects_name) = rejects_name.filter(|rejects| rejects.starts_with(&output_name)) {
        exposed.push(Exposed {
            what: Sort::Rejects,
            place: rejects_name,
            below: output_name,
            exists: has_manifest,
            option: instead(Sort::Rejects).map(|place| option(Sort::Rejects, &place)),
            // The manifest names them where they are.
            move_with: None,
        });
    }
    exposed
}

/// A place next to the output's that is in none of the others, and none of them in it: `s3://bucket/manifest-duo/` for
/// `s3://bucket/duo/`.
fn sibling(what: Sort, output: &Target, others: [Option<&Target>; 3]) -> Option<String> {
    // Nothing is next to a bucket, or to all of a disk.
    if output.store.is_remote() && output.prefix.is_empty() {
        return None;
    }
    let name = output.whole_name();
    let (root, name) = name.trim_end_matches('/').rsplit_once('/').filter(|(_, name)| !name.is_empty())?;
    let place = format!("{root}/{}-{name}/", what.name());
    let is_free = |other: &Target| {
        let other = other.whole_name();
        !place.starts_with(&other) && !other.starts_with(&place)
    };
    others.into_iter().flatten().all(is_free).then_some(place)
}

fn option(what: Sort, place: &str) -> String {
    format!("--{} {}", what.name(), shell_word(place))
}

/// The command that moves everything below a place to another one.
fn move_with(from: &str, to: &str) -> Option<String> {
    let bare = |text: &str| shell_word(text.trim_end_matches('/')).into_owned();
    match from.split_once("://") {
        None => Some(format!("mv {} {}", bare(from), bare(to))),
        Some(("s3", _)) => Some(format!("aws s3 mv --recursive {} {}", shell_word(from), shell_word(to))),
        Some(("gs", _)) => Some(format!("gcloud storage mv {} {}", bare(from), bare(to))),
        // No common tool knows these names.
        Some(_) => None,
    }
}
