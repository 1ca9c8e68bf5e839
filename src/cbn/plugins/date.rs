//! `date`: makes a time of a token.

use crate::cbn::build::Build;
use crate::cbn::date_format::DateFormat;
use crate::cbn::failure::Failure;
use crate::cbn::number;
use crate::cbn::options::Options;
use crate::cbn::path::Path;
use crate::cbn::plugin::{Action, Tools};
use crate::cbn::position::ReadError;
use crate::cbn::state::State;
use crate::cbn::template::{Template, kind};
use crate::cbn::value::Value;
use crate::cbn::warning::Code;
use crate::cbn::zone::Zone;
use crate::text::shown;

#[derive(Debug)]
struct Date {
    source: Path,
    formats: Vec<DateFormat>,
    target: Path,
    /// Whether the target is `@timestamp`, which dates events.
    dates_events: bool,
    zone: ZoneSource,
    default_zone: Path,
    rebases: bool,
}

#[derive(Debug)]
enum ZoneSource {
    /// What `@timezone` says.
    Default,
    Known(Option<Zone>),
    Made(Template),
}

pub(super) fn compile(options: &mut Options<'_>, build: &mut Build) -> Result<Box<dyn Action>, ReadError> {
    let words = options.texts("match")?.ok_or_else(|| options.missing("match"))?;
    let Some((source, formats)) = words.split_first() else {
        return Err(ReadError::new(options.at, "expected a token and formats in `match` of `date`"));
    };
    let rebases = options.switch("rebase")?;
    let mut read = Vec::new();
    for word in formats {
        let format = DateFormat::new(&word.text);
        if let DateFormat::Never = format {
            let message = format!("no date has the form `{}` here, so it never fits", shown(&word.text));
            build.warn(word.at, Code::BadFormat, message);
        }
        if let Some(part) = format.twice() {
            let message = format!("`{}` has the {part} twice: the second one counts", shown(&word.text));
            build.warn(word.at, Code::BadFormat, message);
        }
        if !format.has_year() && !rebases {
            let message = format!(
                "`{}` has no year: the date is of the year 0; add `rebase => true`",
                shown(&word.text)
            );
            build.warn(word.at, Code::NoYear, message);
        }
        read.push(format);
    }
    let target = options.text("target")?.map_or("@timestamp", |word| &word.text);
    let zone = match options.text("timezone")? {
        None => ZoneSource::Default,
        Some(word) => {
            let template = build.template(&word.text);
            if template.constant().is_some() {
                let zone = Zone::named(&word.text);
                if zone.is_none() {
                    let message = format!("`{}` is not a time zone, so it fails", shown(&word.text));
                    build.warn(word.at, Code::BadValue, message);
                }
                ZoneSource::Known(zone)
            } else {
                ZoneSource::Made(template)
            }
        }
    };
    options.end(build, &["match", "target", "timezone", "rebase", "on_error"]);
    Ok(Box::new(Date {
        source: build.path(&source.text),
        formats: read,
        dates_events: target == "@timestamp",
        target: build.target(target),
        zone,
        default_zone: build.path("@timezone"),
        rebases,
    }))
}

impl Action for Date {
    fn run<'p>(&'p self, state: &mut State, tools: &mut Tools) -> Result<(), Failure<'p>> {
        let value = self.source.get(state);
        let text = match value {
            Value::Text(text) => text,
            Value::Unset => return Err(Failure::NoSource { source: &self.source.text }),
            value => number::keep(state, value).ok_or_else(|| Failure::WrongSource {
                source: &self.source.text,
                kind: kind(state, value),
            })?,
        };
        let zone = self.zone(state)?;
        for format in &self.formats {
            let found = match format {
                DateFormat::Unix(reading) => {
                    let instant = crate::time::read(state.text(text), *reading).ok();
                    instant.map(|instant| (instant.seconds(), instant.nanos()))
                }
                format => format.read(state.text(text)).map(|date| {
                    let received = (tools.received.seconds(), tools.received.nanos());
                    let is_rebased = self.rebases && !date.has_year;
                    if is_rebased {
                        date.rebased(received, &zone).instant(&zone)
                    } else {
                        date.instant(&zone)
                    }
                }),
            };
            if let Some((seconds, nanos)) = found {
                self.target.set(state, Value::Time { seconds, nanos });
                tools.is_dated |= self.dates_events;
                return Ok(());
            }
        }
        Err(Failure::Other("failed to parse the date with all formats".into()))
    }
}

impl Date {
    fn zone<'p>(&'p self, state: &mut State) -> Result<Zone, Failure<'p>> {
        let named = match &self.zone {
            ZoneSource::Known(zone) => *zone,
            ZoneSource::Made(template) => {
                let name = template.fill(state, "date", "timezone")?;
                Zone::named(state.text(name))
            }
            ZoneSource::Default => match self.default_zone.get(state) {
                Value::Text(name) => Zone::named(state.text(name)),
                _ => Some(Zone::utc()),
            },
        };
        named.ok_or(Failure::Other("date failure: unknown time zone".into()))
    }
}
