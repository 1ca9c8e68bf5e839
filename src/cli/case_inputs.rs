//! Where `udmap test` finds cases: folders, patterns over folders, prefixes of buckets, and archives.

use super::inputs::{InputOptions, tell_filtered};
use super::outputs::Outputs;
use crate::check::cases::{self, CaseFiles, Cases, WantedCases};
use crate::store::{self, PathFilter};
use crate::text::escaped;
use anyhow::bail;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// All cases in `inputs`, and the folders that they are in. With several inputs a case's name begins with that of its input.
///
/// # Errors
/// If there is nothing of a name, or if it can't be listed; if cases are to be rewritten (`bless`) that are not on disk.
pub(super) fn find(
    inputs: &[String],
    options: &InputOptions,
    wanted: &WantedCases<'_>,
    outputs: &Outputs,
    bless: bool,
) -> anyhow::Result<(Cases, Vec<String>)> {
    let (mut all, mut roots, mut known) = (Cases::default(), Vec::new(), HashSet::new());
    let mut several = inputs.len() > 1;
    for input in inputs {
        let path = if store::is_url(input) { store::path_of(input)? } else { Some(input.into()) };
        let found = match path {
            Some(path) if path.is_dir() => {
                vec![(path.to_string_lossy().into_owned(), on_disk(&path, wanted)?)]
            }
            Some(path) if !path.exists() && store::is_pattern(input) => {
                let mut folders = store::expand(input)?;
                folders.retain(|folder| folder.is_dir());
                folders.sort();
                if folders.is_empty() {
                    bail!("`{}` matches no folder", escaped(input));
                }
                several = true;
                let cases =
                    |folder: PathBuf| Ok((folder.to_string_lossy().into_owned(), on_disk(&folder, wanted)?));
                folders.into_iter().map(cases).collect::<anyhow::Result<Vec<_>>>()?
            }
            _ if bless => bail!(
                "`--bless` rewrites files of a folder on disk, and `{}` is not one: copy the cases first",
                escaped(input)
            ),
            _ => vec![(input.clone(), elsewhere(input, options, wanted, outputs)?)],
        };
        for (root, found) in found {
            for mut case in found.cases {
                if several {
                    case.name = Path::new(&root).join(&case.name).to_string_lossy().into_owned();
                }
                // Inputs may overlap.
                if known.insert(case.raw.clone()) {
                    all.cases.push(case);
                }
            }
            all.orphans.extend(found.orphans.into_iter().filter(|file| known.insert(file.clone())));
            all.filtered += found.filtered;
            all.without_parser += found.without_parser;
            all.extensions.extend(found.extensions);
            all.without_case.extend(found.without_case);
            for (log_type, cases) in found.others {
                *all.others.entry(log_type).or_default() += cases;
            }
            roots.push(root);
        }
    }
    tell_filtered(all.filtered, "case");
    Ok((all, roots))
}

fn on_disk(folder: &Path, wanted: &WantedCases<'_>) -> anyhow::Result<Cases> {
    cases::find(&folder.to_string_lossy(), wanted)
}

/// Cases below a URL, or in an archive.
fn elsewhere(
    input: &str,
    options: &InputOptions,
    wanted: &WantedCases<'_>,
    outputs: &Outputs,
) -> anyhow::Result<Cases> {
    // A case is more than one file, so they are listed without the filter.
    let mut everything = options.list_options();
    everything.filter = PathFilter::default();
    let sources = outputs.list("DIR", &[input.to_owned()], &everything)?.sources;
    let root = input.trim_end_matches('/');
    if let [source] = &sources[..]
        && source.name() == input
    {
        let Some(files) = CaseFiles::members(source, &cases::is_part)? else {
            bail!(
                "`{}` is one file: name the folder that its case is in, or an archive of cases",
                escaped(input)
            );
        };
        return Ok(cases::among(Path::new(root), files.paths(), &files, wanted));
    }
    let sources = sources.into_iter().filter(|source| cases::is_part(Path::new(source.name()))).collect();
    let files = CaseFiles::listed(sources)?;
    Ok(cases::among(Path::new(root), files.paths(), &files, wanted))
}
