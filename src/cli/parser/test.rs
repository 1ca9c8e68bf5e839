//! `udmap parser test`: parsers against their cases.

use crate::check::cases::ByParser;
use crate::cli::case_run::{self, CaseArgs};

/// Run parsers over their cases, and compare their events with the expected ones.
///
/// DIR is a folder, the URL of a prefix (s3://bucket/prefix/) or a tar archive, and holds parsers with their cases at any
/// depth: content-hub's cbn/*.conf with testdata/raw_logs/CASE_log.json and testdata/expected_events/CASE_events.json;
/// secops-toolkit's parser.conf with logs/CASE.txt and events/CASE.yaml; CASE/*.conf with CASE/input.* and
/// CASE/events.ndjson. Extensions of parsers are not run yet. Expected files are rewritten only with --bless.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  every case gives what it expects
  1  a case differs, a parser does not load, a log or an expected file is alone, or, with --full-coverage, a part of a
     parser is never reached
  2  could not do it: usage, or an unreadable file
  3  there is no case with a parser, or nothing in any (`--allow-empty` makes it 0)

Examples:
  udmap parser test parsers/OKTA
  udmap parser test parsers/ --coverage --report junit=junit.xml
  udmap parser test parsers/OKTA --bless && git diff")]
pub(super) struct Args {
    #[command(flatten)]
    cases: CaseArgs,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let mut outputs = args.cases.reports.outputs()?;
    let begun = args.cases.baselines.begin("parser test", &args.cases.reports, &mut outputs)?;
    case_run::run(&args.cases, ByParser::Only, None, outputs, begun)
}
