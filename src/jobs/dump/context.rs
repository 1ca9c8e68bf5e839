//! What everything in a run needs: where things are, and what was told.

use super::budget::MemoryBudget;
use super::place::{Origin, Target};
use super::{Progress, Settings};
use crate::convert::Converter;
use crate::store::Error;
use crate::store::objects::Access;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What everything in a run needs.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) settings: &'a Settings,
    pub(super) converter: &'a Converter,
    pub(super) progress: &'a Progress,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) origins: Vec<Origin>,
    pub(super) output: Target,
    pub(super) rejects: Option<Target>,
    pub(super) manifest: Target,
    /// Where it goes from where each record came that was a reject before.
    pub(super) sources: Target,
    pub(super) budget: MemoryBudget,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        settings: &'a Settings,
        converter: &'a Converter,
        progress: &'a Progress,
        access: &Access,
    ) -> Result<Context<'a>, Error> {
        let output = Target::open(&settings.output, access)?;
        let rejects = settings.rejects.as_deref().map(|text| Target::open(text, access)).transpose()?;
        let manifest = match &settings.manifest {
            Some(text) => Target::open(text, access)?,
            None => output.below("manifest"),
        };
        let mut names = vec![output.whole_name(), manifest.whole_name()];
        names.extend(rejects.iter().map(Target::whole_name));
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            // A reader of all events below a prefix would read the others, too.
            return Err(Error::same_target(&twice[0]));
        }
        let mut origins = Vec::new();
        for text in &settings.inputs {
            let origin = Origin::open(text, access)?;
            let targets = [Some(&output), rejects.as_ref(), Some(&manifest)];
            if targets.into_iter().flatten().any(|target| origin.is(target)) {
                return Err(Error::input_is_output(text));
            }
            origins.push(origin);
        }
        Ok(Context {
            settings,
            converter,
            progress,
            stop: Arc::clone(access.stop()),
            origins,
            output,
            rejects,
            sources: manifest.below("sources"),
            manifest,
            budget: MemoryBudget::new(settings.memory),
        })
    }
}
