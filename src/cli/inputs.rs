//! What commands for checks read: the options that they share, and what these list.

use super::nothing;
use super::outputs::Outputs;
use crate::jobs::settings::pattern;
use crate::report::summary::counted;
use crate::store::{ListOptions, PathFilter, Source};

/// Which files and objects are read.
#[derive(Debug, Default, clap::Args)]
pub(super) struct InputOptions {
    /// Only files and objects that match, by their paths below the folder or prefix; `*` matches `/`, too. May be given
    /// several times.
    #[arg(long, value_name = "GLOB", value_parser = pattern)]
    include: Vec<glob::Pattern>,

    /// No files and objects that match.
    #[arg(long, value_name = "GLOB", value_parser = pattern)]
    exclude: Vec<glob::Pattern>,

    /// Send requests to buckets unsigned, for public ones.
    #[arg(long)]
    no_sign_request: bool,
}

/// The inputs of a command, listed.
#[derive(Debug)]
pub(super) struct ListedInputs {
    pub(super) sources: Vec<Source>,
    given: Vec<String>,
    filtered: u64,
}

impl InputOptions {
    /// How inputs are listed.
    pub(super) fn list_options(&self) -> ListOptions {
        list_options(&self.include, &self.exclude, self.no_sign_request)
    }

    /// Lists `inputs`, given by the argument `what`, see [`Outputs::list`]. Says how many of the files are left out,
    /// unless it is to be `quiet`.
    ///
    /// # Errors
    /// If an input is an output, or can't be listed.
    pub(super) fn list(
        &self,
        outputs: &Outputs,
        what: &str,
        inputs: &[String],
        quiet: bool,
    ) -> anyhow::Result<ListedInputs> {
        let listing = outputs.list(what, inputs, &self.list_options())?;
        let filtered = listing.skipped_filtered;
        if !quiet {
            tell_filtered(filtered, "file");
        }
        Ok(ListedInputs { sources: listing.sources, given: inputs.to_vec(), filtered })
    }
}

impl ListedInputs {
    /// What to say where not one `what` (event, record) is in the inputs.
    pub(super) fn nothing(&self, what: &str) -> String {
        ListedInputs::nothing_in(&[self], what)
    }

    /// What to say where not one `what` is in several lists of inputs.
    pub(super) fn nothing_in(all: &[&ListedInputs], what: &str) -> String {
        let given: Vec<String> = all.iter().flat_map(|inputs| inputs.given.clone()).collect();
        let (named, filtered) = (nothing::named(&given), all.iter().map(|inputs| inputs.filtered).sum());
        if filtered > 0 && all.iter().all(|inputs| inputs.sources.is_empty()) {
            nothing_wanted(filtered, &named)
        } else {
            format!("there is no {what} in {named}")
        }
    }
}

/// What to say where none of the files is wanted.
pub(super) fn nothing_wanted(filtered: u64, named: &str) -> String {
    format!("none of the {} in {named} is wanted by `--include` and `--exclude`", counted(filtered, "file"))
}

/// How inputs are listed with these options.
pub(super) fn list_options(
    include: &[glob::Pattern],
    exclude: &[glob::Pattern],
    anonymous: bool,
) -> ListOptions {
    let filter = PathFilter { include: include.to_vec(), exclude: exclude.to_vec() };
    ListOptions { filter, anonymous }
}

/// Says how many files (cases) the options leave out.
pub(super) fn tell_filtered(filtered: u64, what: &str) {
    if filtered > 0 {
        say!("note: left out {} by `--include` and `--exclude`", counted(filtered, what));
    }
}
