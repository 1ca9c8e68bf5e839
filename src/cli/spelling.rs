//! How events are spelled: the options that every command has that writes some.

use crate::convert::{Envelope, FieldNames, Options};
use crate::jobs::settings::{self, label};
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// How events are spelled.
#[derive(Debug, clap::Args)]
pub(super) struct Spelling {
    /// How field names of events are spelled: `event_type` or `eventType`.
    #[arg(long, value_name = "STYLE", default_value = "snake", value_parser = one_of(&FieldNames::ALL))]
    field_names: FieldNames,

    /// What is around an event: nothing, or {"event":{"idm":{"read_only_udm":...}}}.
    #[arg(long, value_name = "FORM", default_value = "bare", value_parser = one_of(&Envelope::ALL))]
    envelope: Envelope,

    /// The asset namespace: sets principal.namespace in events that have a principal.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    namespace: Option<String>,

    /// An ingestion label, added to metadata.ingestion_labels; may be given several times.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
}

impl Spelling {
    /// A conversion's options, spelled so.
    pub(super) fn options(&self) -> Options {
        Options {
            field_names: self.field_names,
            envelope: self.envelope,
            namespace: self.namespace.clone(),
            labels: self.labels.clone(),
            ..Options::default()
        }
    }
}

/// Reads one of several names; help and completions list them.
fn one_of<T>(all: &'static [(&'static str, T)]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let parser = PossibleValuesParser::new(all.iter().map(|(name, _)| *name));
    parser.try_map(|given| settings::one_of(&given, all))
}
