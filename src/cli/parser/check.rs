//! `udmap parser check`: whether parsers load, and what in them does not do what it says.

use super::load::text_of;
use crate::cbn::{Code, Parser, Position};
use crate::check::findings::{Findings, Issue};
use crate::check::fingerprint::Fingerprint;
use crate::check::validate::Severity;
use crate::cli::inputs::{InputOptions, ListedInputs};
use crate::cli::nothing::{self, AllowEmpty};
use crate::cli::reports::{Reports, print_all, print_failures};
use crate::cli::{DONE, FAILED, RED, REJECTS, YELLOW};
use crate::report::summary::counted;
use crate::text::escaped;
use std::time::Instant;

/// Check whether parsers load, and warn of what does not do what it says.
///
/// Warned of are options and operations that do not exist, regexes that don't compile or never match, tokens that a
/// condition reads and nothing sets, texts in conditions whose escapes are read twice, `statedump`, and what depends on a
/// choice of this reading (docs/parser.md).
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  all parsers load (warnings are not errors)
  1  a parser does not load; with --deny-warnings, or has a warning
  2  could not do it: usage, or an unreadable file
  3  there is no parser (`--allow-empty` makes it 0)

Examples:
  udmap parser check default_okta.conf
  udmap parser check parsers/ --deny-warnings --report sarif=udmap.sarif,junit=junit.xml
  udmap parser check --explain all")]
pub(super) struct Args {
    /// Files, folders (their *.conf), glob patterns, or `-` for stdin; s3://bucket/prefix/ and its like.
    #[arg(value_name = "CONF", required_unless_present = "explain")]
    parsers: Vec<String>,

    #[command(flatten)]
    wanted: InputOptions,

    /// Say what a code means and do nothing else; `all` lists them.
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,

    /// Fail if there are warnings.
    #[arg(long)]
    deny_warnings: bool,

    #[command(flatten)]
    reports: Reports,

    #[command(flatten)]
    allow_empty: AllowEmpty,

    /// No findings on stdout and no summary on stderr.
    #[arg(short, long)]
    quiet: bool,
}

/// The code of a parser that does not load.
const NOT_LOADED: &str = "not-loaded";

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    if let Some(code) = &args.explain {
        return explain(code);
    }
    let outputs = args.reports.outputs()?;
    let mut findings = args.reports.findings("parser check");
    let start = Instant::now();
    let mut inputs = args.wanted.list(&outputs, "CONF", &args.parsers)?;
    if !args.quiet {
        ListedInputs::tell_skipped(&[&inputs]);
    }
    // In folders there are logs and events, too.
    inputs.sources.retain(|source| {
        let name = source.name();
        name.ends_with(".conf") || args.parsers.iter().any(|given| given == name)
    });
    let mut parsers: u64 = 0;
    for source in &inputs.sources {
        let name = source.name();
        findings.checked.add(name);
        findings.begin(name, name);
        let begun = Instant::now();
        match text_of(source) {
            Err(error) => findings.failures.push(format!("{error:#}")),
            Ok(text) => {
                parsers += 1;
                check(name, &text, &mut findings);
            }
        }
        findings.end(begun.elapsed().as_secs_f64());
    }
    findings.finish();
    findings.seconds = start.elapsed().as_secs_f64();
    let (errors, warnings) = (findings.of(Severity::Error), findings.of(Severity::Warning));
    findings.exit_status = if !findings.failures.is_empty() {
        FAILED
    } else if errors > 0 || (args.deny_warnings && warnings > 0) {
        REJECTS
    } else if parsers == 0 {
        args.allow_empty.status()
    } else {
        DONE
    };
    if !args.quiet && !args.reports.on_stdout() {
        print_all(&lines(&findings))?;
    }
    args.reports.write(&findings)?;
    print_failures(&findings.failures);
    if !args.quiet {
        say!(
            "{}: {}, {}",
            counted(parsers, "parser"),
            counted(errors, "error"),
            counted(warnings, "warning")
        );
    }
    nothing::warn(findings.exit_status, &inputs.nothing("parser"));
    Ok(findings.exit_status)
}

fn check(name: &str, text: &str, findings: &mut Findings) {
    match Parser::read(text) {
        Err(error) => {
            let advice = error.hint.unwrap_or("");
            findings.add(issue(name, Severity::Error, NOT_LOADED, error.at, error.message, advice));
        }
        Ok(parser) => {
            for warning in parser.warnings() {
                let code = warning.code.name();
                findings.add(issue(name, Severity::Warning, code, warning.at, warning.message, ""));
            }
        }
    }
}

fn issue(
    name: &str,
    severity: Severity,
    code: &'static str,
    at: Position,
    message: String,
    advice: &'static str,
) -> Issue {
    Issue {
        severity,
        code,
        path: String::new(),
        source: name.to_owned(),
        line: u64::from(at.line),
        column: u64::from(at.column),
        byte: 0,
        event: 0,
        fingerprint: Fingerprint::of(code, "", &[&message]),
        message,
        effect: "",
        advice: advice.into(),
        case: 0,
    }
}

/// The findings as compilers show theirs, a line each.
fn lines(findings: &Findings) -> String {
    let mut text = String::new();
    for issue in &findings.issues {
        let color = if issue.severity == Severity::Error { RED } else { YELLOW };
        let (source, severity) = (escaped(&issue.source), issue.severity.name());
        let Issue { line, column, code, message, advice, .. } = issue;
        text.push_str(&format!("{source}:{line}:{column}: {color}{severity}[{code}]{color:#}: {message}\n"));
        if !advice.is_empty() {
            text.push_str(&format!("  hint: {advice}\n"));
        }
    }
    if findings.omitted() > 0 {
        text.push_str(&format!(
            "... and {} more (`--max-findings`)\n",
            counted(findings.omitted(), "finding")
        ));
    }
    text
}

/// Says what a code means.
fn explain(name: &str) -> anyhow::Result<u8> {
    let known: Vec<(&str, &str)> = std::iter::once((NOT_LOADED, "The parser can't be read."))
        .chain(Code::ALL.iter().map(|code| (code.name(), code.description())))
        .filter(|(code, _)| name == "all" || *code == name)
        .collect();
    if known.is_empty() {
        anyhow::bail!("there is no code `{}`; `--explain all` lists them", escaped(name));
    }
    let lines = known.iter().map(|(code, about)| format!("{code:20} {about}\n"));
    print_all(&lines.collect::<String>())?;
    Ok(DONE)
}
