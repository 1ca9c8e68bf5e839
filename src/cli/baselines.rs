//! Findings that are known: the options, reading them and writing them.

use super::config::{ConfigArgs, Configuration};
use super::outputs::Outputs;
use super::reports::{Reports, write_file};
use crate::check::baseline::{Baseline, BaselineWriter, Checked, MOST_OF_A_FILE, without_dots};
use crate::check::findings::Findings;
use crate::check::whole_file;
use crate::report::summary::counted;
use crate::text::escaped;
use anyhow::anyhow;
use std::path::{Path, PathBuf};

/// Which findings are known.
#[derive(Debug, clap::Args)]
pub(super) struct BaselineArgs {
    /// Leave out the findings in this file, which `--write-baseline` wrote: only new ones count. They are matched by
    /// code, UDM path and content, not by line.
    #[arg(long, value_name = "FILE")]
    baseline: Option<String>,

    /// Write all findings into this file, to be given to `--baseline`. Then none of them is a reason to fail. What the
    /// file has of other commands, and of files that are not looked at, stays.
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<String>,

    #[command(flatten)]
    config: ConfigArgs,
}

impl BaselineArgs {
    /// Reads the configuration and the baseline for a command; nothing is found yet. Adds what is written to `outputs`.
    pub(super) fn begin(
        &self,
        command: &'static str,
        reports: &Reports,
        outputs: &mut Outputs,
    ) -> anyhow::Result<(Configuration, Findings)> {
        outputs.add_if("--write-baseline", self.write_baseline.as_deref())?;
        let configuration = self.config.read(outputs)?;
        let mut findings = reports.findings(command);
        findings.writer = self.write_baseline.as_ref().map(|_| BaselineWriter::new());
        let file = self.file(&configuration);
        let home = self.write_baseline.as_deref().map(Path::new).or(file.as_deref());
        findings.checked = Checked::below(home.and_then(Path::parent).unwrap_or(Path::new("")));
        let read = |file: &Path, checked: &Checked| {
            let name = file.to_string_lossy();
            let text = whole_file::read_text(file, MOST_OF_A_FILE)?;
            let folder = file.parent().unwrap_or(Path::new(""));
            let baseline = Baseline::read(&text, command, folder, checked);
            baseline.map_err(|error| anyhow!("`{}`: {error}", escaped(&name)))
        };
        // What is written over may know more than this run looks at.
        if let Some(to) = self.write_baseline.as_deref().map(Path::new).filter(|to| holds_something(to)) {
            findings.written_over = Some(read(to, &findings.checked)?);
        }
        if let Some(file) = file {
            // It may be written over itself, and the first time it is not there yet.
            let itself = self.write_baseline.as_deref().is_some_and(|to| same_file(Path::new(to), &file));
            if !itself {
                outputs.spare("--baseline", &file.to_string_lossy())?;
            }
            if !itself || holds_something(&file) {
                findings.baseline = Some(read(&file, &findings.checked)?);
            }
        }
        Ok((configuration, findings))
    }

    /// The baseline's file: the option's, else the configuration's.
    fn file(&self, configuration: &Configuration) -> Option<PathBuf> {
        let named = self.baseline.as_ref().map(PathBuf::from);
        let configured =
            || configuration.config.baseline.as_ref().map(|file| configuration.folder().join(file));
        named.or_else(configured)
    }

    /// Whether findings are written to a baseline, and so none of them is a reason to fail.
    pub(super) fn accepts(&self) -> bool {
        self.write_baseline.is_some()
    }

    /// Writes the baseline, if every input was read.
    pub(super) fn write(&self, findings: &Findings) -> anyhow::Result<()> {
        let (Some(file), Some(writer)) = (&self.write_baseline, &findings.writer) else { return Ok(()) };
        if !findings.failures.is_empty() {
            say!("note: no baseline is written, because not every input could be read");
            return Ok(());
        }
        let known = findings.written_over.as_ref().or(findings.baseline.as_ref());
        let text = writer.text(findings.command, known, &findings.checked);
        let (text, count) = text.map_err(|error| anyhow!(error))?;
        write_file(file, &text)?;
        say!("wrote {} to `{}`", counted(count, "finding"), escaped(file));
        Ok(())
    }

    /// Says on stderr which configuration counted, if nobody named it, and what the baseline knew.
    pub(super) fn tell(&self, configuration: &Configuration, findings: &Findings) {
        configuration.tell(&self.config);
        let Some(baseline) = &findings.baseline else { return };
        if findings.known > 0 {
            say!("  {} left out, which the baseline has", counted(findings.known, "finding"));
        }
        let left = baseline.left(&findings.checked);
        if left > 0 && !self.accepts() {
            let left = counted(left, "known finding");
            say!(
                "hint: the baseline has {left} that this run did not find; `--write-baseline` takes them out"
            );
        }
    }
}

/// Whether there is a file that is not empty.
fn holds_something(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|metadata| metadata.len() > 0)
}

/// Whether two names lead to one file, which may not be there yet.
fn same_file(a: &Path, b: &Path) -> bool {
    without_dots(a) == without_dots(b)
        || matches!((std::fs::canonicalize(a), std::fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}
