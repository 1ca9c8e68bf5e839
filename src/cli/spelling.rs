//! How events are spelled: the options that every command has that writes some.

use crate::convert::{Envelope, FieldNames, Options};

/// How events are spelled.
#[derive(Debug, clap::Args)]
pub(super) struct Spelling {
    /// How field names of events are spelled: `event_type` or `eventType`.
    #[arg(long, value_enum, value_name = "STYLE", default_value = "snake")]
    field_names: FieldNamesArg,

    /// What stands around an event: nothing, or {"event":{"idm":{"read_only_udm":...}}}.
    #[arg(long, value_enum, value_name = "FORM", default_value = "bare")]
    envelope: EnvelopeArg,

    /// The asset namespace: sets principal.namespace wherever a principal stands.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    namespace: Option<String>,

    /// An ingestion label, added to metadata.ingestion_labels; may be given several times.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FieldNamesArg {
    Snake,
    Camel,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum EnvelopeArg {
    Bare,
    Event,
}

impl Spelling {
    /// A conversion's options, spelled so.
    pub(super) fn options(&self) -> Options {
        Options {
            field_names: match self.field_names {
                FieldNamesArg::Snake => FieldNames::Snake,
                FieldNamesArg::Camel => FieldNames::Camel,
            },
            envelope: match self.envelope {
                EnvelopeArg::Bare => Envelope::Bare,
                EnvelopeArg::Event => Envelope::Event,
            },
            namespace: self.namespace.clone(),
            labels: self.labels.clone(),
            ..Options::default()
        }
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a label is KEY=VALUE, neither of them empty".into()),
    }
}
