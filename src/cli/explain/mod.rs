//! `udmap explain`: where each field of an event comes from.

mod chosen;
mod texts;

use crate::check::explain::Explanation;
use crate::check::mistaken::Mistaken;
use crate::cli::inputs::{InputOptions, ListedInputs};
use crate::cli::mappings;
use crate::cli::mistaken::hint_no_raw_log;
use crate::cli::nothing::{self, AllowEmpty};
use crate::cli::outputs::Outputs;
use crate::cli::reports::{now, print_all, print_data};
use crate::cli::spelling::Spelling;
use crate::cli::{DONE, REJECTS};
use crate::report::explain::{page, section, text};
use crate::report::summary::counted;
use crate::store::{Output, store_error};
use crate::text::{escaped, escaped_json};
use anyhow::bail;
use std::io::Write as _;
use std::ops::ControlFlow;

/// Show where each UDM field comes from: the rule and its line, the raw field and its bytes, what was done.
///
/// Also shown: the rules that gave nothing, with the reason, and the raw fields that no rule reads.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit status:
  0  every record makes an event
  1  a record is rejected (and explained)
  2  could not do it: usage, mapping, input, or no record at that line
  3  there is not one record (`--allow-empty` makes it 0)

Examples:
  udmap explain telephony.ndjson:12
  udmap explain s3://bucket/duo-telephony/telephony-7.ndjson.gz:12
  udmap explain 'logs.tar.gz!july.ndjson:12'
  head -1 telephony.ndjson | udmap explain
  udmap explain telephony.ndjson:12 --json | jq .fields
  udmap explain telephony.ndjson --max-records 5 --html explain.html")]
pub(super) struct Args {
    /// Files, folders, glob patterns, URLs of objects and prefixes, or `-` for stdin. A file may come with the line of the
    /// record, a tar archive with the name of a file in it: logs.tar!july.ndjson:12.
    #[arg(value_name = "INPUT[:LINE]", default_value = "-")]
    inputs: Vec<String>,

    #[command(flatten)]
    wanted: InputOptions,

    /// The mapping table: a built-in one's name, or a file.
    #[arg(long, value_name = "NAME|FILE", default_value = "duo_telephony")]
    mapping: String,

    #[command(flatten)]
    spelling: Spelling,

    /// How many records are explained at most, where no line is named.
    #[arg(long, value_name = "N", default_value_t = 20)]
    max_records: usize,

    /// Print JSON, an object a record.
    #[arg(long)]
    json: bool,

    /// Write a page to this file instead of printing; `-` for stdout.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    html: Option<String>,

    #[command(flatten)]
    allow_empty: AllowEmpty,
}

pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let mapping = mappings::load(&args.mapping)?;
    let mut outputs = Outputs::default();
    outputs.add_if("--html", args.html.as_deref())?;
    outputs.spare("--mapping", &args.mapping)?;
    let mut shown = Explained::new(args);
    let (mut lists, mut stdin) = (Vec::new(), false);
    for input in &args.inputs {
        let (chosen, inputs) =
            chosen::find(input, &|input| args.wanted.list(&outputs, "INPUT", &[input.to_owned()]))?;
        if let (true, [_, _, ..]) = (chosen.line.is_some() || chosen.member.is_some(), &inputs.sources[..]) {
            bail!("`{}` holds {} files; name one", escaped(&chosen.file), inputs.sources.len());
        }
        if chosen.file == "-" && std::mem::replace(&mut stdin, true) {
            bail!("stdin is given twice, and can be read only once");
        }
        for source in &inputs.sources {
            let (explained, options) = (shown.explained, args.spelling.options());
            let most = if chosen.line.is_some() { usize::MAX } else { args.max_records };
            texts::explain(&mapping, &options, source, &chosen, &mut |record| shown.take(record, most))?;
            if shown.more || shown.printed.is_err() {
                break;
            }
            if let (Some(line), true) = (chosen.line, shown.explained == explained) {
                bail!("no record begins at line {line} of `{}`", escaped(&chosen.name()));
            }
        }
        lists.push(inputs);
    }
    let mistaken = shown.mistaken.found();
    let Explained { explained, rejected, more, sections, printed, .. } = shown;
    printed?;
    if let Some(file) = &args.html {
        let inputs: Vec<String> =
            lists.iter().flat_map(|it| &it.sources).map(|source| source.name().to_owned()).collect();
        let mut sink = Output::create(file)?;
        sink.write_all(page(&sections, mapping.name(), &inputs, &now(), more).as_bytes())
            .map_err(store_error)?;
        sink.finish()?;
    }
    if more {
        say!(
            "note: only the first {} are explained; name a line (`FILE:LINE`) or give `--max-records`",
            counted(args.max_records as u64, "record")
        );
    }
    let exit_status = match (rejected, explained) {
        (true, _) => REJECTS,
        (false, 0) if !more => args.allow_empty.status(),
        (false, _) => DONE,
    };
    hint_no_raw_log(mistaken);
    let lists: Vec<&ListedInputs> = lists.iter().collect();
    ListedInputs::tell_skipped(&lists);
    nothing::warn(exit_status, &ListedInputs::nothing_in(&lists, "record"));
    Ok(exit_status)
}

/// What has been explained.
struct Explained<'a> {
    args: &'a Args,
    explained: usize,
    rejected: bool,
    /// Whether there are more records than are explained.
    more: bool,
    /// For the page.
    sections: String,
    printed: anyhow::Result<()>,
    /// Sees events among the inputs.
    mistaken: Mistaken,
}

impl Explained<'_> {
    fn new(args: &Args) -> Explained<'_> {
        let (sections, printed) = (String::new(), Ok(()));
        let mistaken = Mistaken::for_raw_logs();
        Explained { args, explained: 0, rejected: false, more: false, sections, printed, mistaken }
    }

    fn take(&mut self, record: &Explanation, most: usize) -> ControlFlow<()> {
        if self.explained >= most {
            self.more = true;
            return ControlFlow::Break(());
        }
        self.explained += 1;
        self.rejected |= record.is_reject();
        if record.is_reject() {
            self.mistaken.look_at(&record.source, record.raw.as_bytes());
        }
        if self.args.html.is_some() {
            self.sections += &section(record);
        } else {
            self.printed = print(record, self.args.json);
        }
        if self.printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

fn print(record: &Explanation, json: bool) -> anyhow::Result<()> {
    if json { print_data(&escaped_json(record.json() + "\n")) } else { print_all(&text(record)) }
}
