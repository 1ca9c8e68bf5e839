//! The configuration of checks: the file that is named, or the nearest `udmap.toml`.

use super::outputs::Outputs;
use crate::check::validate::Config;
use crate::check::whole_file;
use crate::text::escaped;
use anyhow::anyhow;
use std::path::{Path, PathBuf};

/// What the file is called.
const NAME: &str = "udmap.toml";
/// How many bytes it may have.
const MOST: u64 = 1 << 20;

/// Which configuration counts.
#[derive(Debug, clap::Args)]
pub(super) struct ConfigArgs {
    /// A TOML file with severities, allowed findings and a baseline (see docs/checks.md) [default: `udmap.toml` in the
    /// working folder or the nearest folder above it, up to the root of the repository].
    #[arg(long, value_name = "FILE")]
    config: Option<String>,

    /// Look for no configuration.
    #[arg(long, conflicts_with = "config")]
    no_config: bool,
}

/// A configuration, and where it is.
#[derive(Debug, Default)]
pub(super) struct Configuration {
    pub(super) config: Config,
    /// The file, if there is one.
    pub(super) file: Option<PathBuf>,
}

impl ConfigArgs {
    /// Reads the configuration, if there is one and it is not one of the outputs.
    pub(super) fn read(&self, outputs: &Outputs) -> anyhow::Result<Configuration> {
        let file = match &self.config {
            Some(file) => Some(PathBuf::from(file)),
            None if self.no_config => None,
            None => nearest(&std::env::current_dir().unwrap_or_default()),
        };
        let Some(file) = file else { return Ok(Configuration::default()) };
        outputs.spare("--config", &file.to_string_lossy())?;
        let text = whole_file::read_text(&file, MOST)?;
        let config = Config::read(&text).map_err(|error| wrong(&file, &error))?;
        Ok(Configuration { config, file: Some(file) })
    }
}

impl Configuration {
    /// The folder that its paths begin at.
    pub(super) fn folder(&self) -> &Path {
        self.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""))
    }

    /// The error for what is wrong with it.
    pub(super) fn wrong(&self, error: &str) -> anyhow::Error {
        wrong(self.file.as_deref().unwrap_or(Path::new(NAME)), error)
    }

    /// Says on stderr which file decides, if nobody named it.
    pub(super) fn tell(&self, args: &ConfigArgs) {
        if let (Some(file), None) = (&self.file, &args.config) {
            say!("configuration: {}", escaped(&file.to_string_lossy()));
        }
    }
}

fn wrong(file: &Path, error: &str) -> anyhow::Error {
    anyhow!("`{}`: {error}", escaped(&file.to_string_lossy()))
}

/// The nearest configuration in `folder` or above it. Above a repository nobody looks.
fn nearest(folder: &Path) -> Option<PathBuf> {
    for folder in folder.ancestors() {
        let file = folder.join(NAME);
        if file.is_file() {
            return Some(file);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}
