//! `udmap test`: a mapping against cases.

use super::case_run::{self, CaseArgs, Table};
use super::mappings;
use crate::check::cases::ByParser;

/// Run a mapping over cases and compare the values of its events with the expected ones.
///
/// DIR is a folder, the URL of a prefix (s3://bucket/prefix/) or a tar archive, and holds cases in any of three layouts,
/// at any depth: CASE/input.* with CASE/events.ndjson (and rejects.ndjson); content-hub's raw_logs/CASE_log.json with
/// expected_events/CASE_events.json; secops-toolkit's logs/CASE.txt with events/CASE.yaml. Cases that have a parser
/// (.conf) are tested with it, as `udmap parser test` does; with --mapping, those of the table's log type with the table.
/// Other cases whose metadata names another log type are left out. Expected files are rewritten only with --bless.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  every case gives what it expects
  1  a case differs, a log or an expected file is alone, or, with --full-coverage, a part of the table is never
     exercised
  2  could not do it: usage, mapping, or an unreadable file
  3  there is no case, or nothing in any (`--allow-empty` makes it 0)

Examples:
  udmap test fixtures
  udmap test parsers/DUO_TELEPHONY --mapping mine.toml --report junit=junit.xml
  udmap test fixtures --bless && git diff")]
pub(super) struct Args {
    /// The mapping table: a built-in one's name, or a file [default: duo_telephony].
    #[arg(long, value_name = "NAME|FILE")]
    mapping: Option<String>,

    #[command(flatten)]
    cases: CaseArgs,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let mut outputs = args.cases.reports.outputs()?;
    let name = args.mapping.as_deref().unwrap_or("duo_telephony");
    outputs.spare("--mapping", name)?;
    let by_parser = match &args.mapping {
        _ if cfg!(not(feature = "parser")) => ByParser::Never,
        Some(_) => ByParser::Others,
        None => ByParser::All,
    };
    let begun = args.cases.baselines.begin("test", &args.cases.reports, &mut outputs)?;
    let mapping = mappings::load(name)?;
    case_run::run(&args.cases, by_parser, Some(Table::new(&mapping)), outputs, begun)
}
