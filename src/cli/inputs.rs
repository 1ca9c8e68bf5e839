//! What commands for checks read: the options that they share, and what these list.

use super::nothing;
use super::outputs::Outputs;
use crate::jobs::settings::pattern;
use crate::report::summary::counted;
use crate::store::{ListOptions, Listing, PathFilter, Source};

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
    /// The listing without its sources: what was left out.
    rest: Listing,
}

impl InputOptions {
    /// How inputs are listed.
    pub(super) fn list_options(&self) -> ListOptions {
        list_options(&self.include, &self.exclude, self.no_sign_request)
    }

    /// Lists `inputs`, given by the argument `what`, see [`Outputs::list`]. What is left out is to be told, see
    /// [`ListedInputs::tell_skipped`].
    ///
    /// # Errors
    /// If an input is an output, or can't be listed.
    pub(super) fn list(
        &self,
        outputs: &Outputs,
        what: &str,
        inputs: &[String],
    ) -> anyhow::Result<ListedInputs> {
        let mut rest = outputs.list(what, inputs, &self.list_options())?;
        let sources = std::mem::take(&mut rest.sources);
        Ok(ListedInputs { sources, given: inputs.to_vec(), rest })
    }
}

impl ListedInputs {
    /// Says what of several lists of inputs is not read, once for all of them.
    pub(super) fn tell_skipped(all: &[&ListedInputs]) {
        let mut sum = Listing::default();
        for ListedInputs { rest, .. } in all {
            sum.skipped_hidden += rest.skipped_hidden;
            sum.skipped_outputs += rest.skipped_outputs;
            sum.skipped_special += rest.skipped_special;
            sum.skipped_repeated += rest.skipped_repeated;
            sum.skipped_filtered += rest.skipped_filtered;
        }
        tell_skipped(&sum);
    }

    /// What to say where not one `what` (event, record) is in the inputs.
    pub(super) fn nothing(&self, what: &str) -> String {
        ListedInputs::nothing_in(&[self], what)
    }

    /// What to say where not one `what` is in several lists of inputs.
    pub(super) fn nothing_in(all: &[&ListedInputs], what: &str) -> String {
        let given: Vec<String> = all.iter().flat_map(|inputs| inputs.given.clone()).collect();
        let (named, filtered) =
            (nothing::named(&given), all.iter().map(|inputs| inputs.rest.skipped_filtered).sum());
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

/// Says what of the folders is not read.
pub(super) fn tell_skipped(listing: &Listing) {
    for (n, what) in [
        (listing.skipped_hidden, "hidden file or folder"),
        (listing.skipped_outputs, "own output"),
        (listing.skipped_special, "special file"),
    ] {
        if n > 0 {
            say!(
                "note: skipped {} in folders",
                counted(n, what).replace("file or folders", "files or folders")
            );
        }
    }
    if listing.skipped_repeated > 0 {
        say!(
            "note: skipped {} listed before, by another input or a link",
            counted(listing.skipped_repeated, "file")
        );
    }
    tell_filtered(listing.skipped_filtered, "file");
}

/// Says how many files (cases) the options leave out.
pub(super) fn tell_filtered(filtered: u64, what: &str) {
    if filtered > 0 {
        say!("note: left out {} by `--include` and `--exclude`", counted(filtered, what));
    }
}
