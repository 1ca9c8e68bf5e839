//! What lies below the outputs and is not an output: a feed that reads their prefix reads it, too.

use super::Context;
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

impl Context<'_> {
    /// What a reader of the outputs, or of the rejects, would read, too. `has_manifest` says whether there is one.
    pub(super) fn exposed(&self, has_manifest: bool) -> Vec<Exposed> {
        let output = self.output.whole_name();
        let rejects = self.rejects.as_ref().map(Target::whole_name);
        let mut exposed = Vec::new();
        let manifest = self.manifest.whole_name();
        let below =
            [Some(&output), rejects.as_ref()].into_iter().flatten().find(|it| manifest.starts_with(*it));
        if let Some(below) = below {
            let instead = self.sibling(Sort::Manifest);
            let moved = instead.as_deref().filter(|_| has_manifest);
            exposed.push(Exposed {
                what: Sort::Manifest,
                place: manifest.clone(),
                below: below.clone(),
                exists: has_manifest,
                option: instead.as_deref().map(|place| option(Sort::Manifest, place)),
                move_with: moved.and_then(|to| move_with(&manifest, to)),
            });
        }
        if let Some(rejects) = rejects.filter(|rejects| rejects.starts_with(&output)) {
            exposed.push(Exposed {
                what: Sort::Rejects,
                place: rejects,
                below: output,
                exists: has_manifest,
                option: self.sibling(Sort::Rejects).as_deref().map(|place| option(Sort::Rejects, place)),
                // The manifest names them where they are.
                move_with: None,
            });
        }
        exposed
    }

    /// A place next to the outputs' that lies in none of the others: `s3://bucket/manifest-duo/` for `s3://bucket/duo/`.
    fn sibling(&self, what: Sort) -> Option<String> {
        let output = self.output.whole_name();
        // Nothing lies next to a bucket, or to all of a disk.
        if self.output.store.is_remote() && self.output.prefix.is_empty() {
            return None;
        }
        let (root, name) =
            output.trim_end_matches('/').rsplit_once('/').filter(|(_, name)| !name.is_empty())?;
        let place = format!("{root}/{}-{name}/", what.name());
        let others = [Some(&self.output), self.rejects.as_ref(), Some(&self.manifest)];
        let free = |it: &Target| {
            let it = it.whole_name();
            !place.starts_with(&it) && !it.starts_with(&place)
        };
        others.into_iter().flatten().all(free).then_some(place)
    }
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
