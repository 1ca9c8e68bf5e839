//! Every kind of finding: its code, how bad it is, what SecOps does, and what to do.

use super::severity::Severity;
use crate::record::Reason;
use crate::udm::nearest;
use std::str::FromStr;

/// A kind of finding. Its name is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[allow(missing_docs)] // `about` documents each.
pub enum Code {
    InvalidJson,
    InvalidYaml,
    TooDeep,
    TooLong,
    NoEvent,
    ParserError,
    UnknownField,
    WrongType,
    ListExpected,
    ListUnexpected,
    NullInList,
    DuplicateField,
    OneofConflict,
    OutOfRange,
    UnknownEnum,
    UnknownEnumNumber,
    InvalidTimestamp,
    InvalidDuration,
    InvalidBase64,
    DeprecatedField,
    NoTimestamp,
    NoEventType,
    NoNoun,
    NoNounGeneric,
    MissingPart,
    DocumentedPart,
    HostnameTooLong,
    ValueTooLong,
    InvalidHostname,
    InvalidIp,
    InvalidMac,
    InvalidUrl,
    InvalidEmail,
    InvalidHash,
    InvalidAssetId,
    InvalidPort,
    InvalidScore,
    PortWithoutIp,
    TagsSet,
    PrincipalHolds,
}

/// What is to be known of a [`Code`].
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The code.
    pub code: Code,
    /// Its name, as reports and settings spell it.
    pub name: &'static str,
    /// How bad it is, unless it is set otherwise.
    pub severity: Severity,
    /// What was found.
    pub title: &'static str,
    /// What SecOps does with such an event, as far as that is known.
    pub effect: &'static str,
    /// What to do.
    pub advice: &'static str,
    /// Where this is known from.
    pub source: &'static str,
}

impl Code {
    /// The code for a text that can't be read, by the reason for which a record of it is rejected.
    pub(crate) fn of_reject(reason: Reason) -> Code {
        match reason {
            Reason::TooLong => Code::TooLong,
            Reason::TooDeep => Code::TooDeep,
            _ => Code::InvalidJson,
        }
    }

    /// All codes, in the order of the checks.
    pub fn all() -> impl Iterator<Item = Code> {
        ABOUT.iter().map(|about| about.code)
    }

    /// The code of this name.
    pub fn named(name: &str) -> Option<Code> {
        ABOUT.iter().find(|about| about.name == name).map(|about| about.code)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.about().name
    }

    /// What is known of it.
    pub fn about(self) -> &'static About {
        // The table is in the order of the enum, which a test holds.
        &ABOUT[self as usize]
    }
}

impl FromStr for Code {
    type Err = String;

    /// The code of this name, or a sentence that says that there is none.
    fn from_str(name: &str) -> Result<Code, String> {
        Code::named(name).ok_or_else(|| {
            let near = nearest(name, Code::all().map(Code::name));
            let near = near.map_or("`udmap validate --explain all` lists them".to_owned(), |near| {
                format!("did you mean `{near}`?")
            });
            format!("there is no code `{name}`; {near}")
        })
    }
}

use Code as C;
use Severity::{Error, Info, Warning};

const PROTO: &str = "Google's public protos and protobuf's own strict JSON reading";
const GUIDE: &str = "documented: Google's UDM usage guide; whether the service enforces it is not known";
const REFUSED: &str = "the event can't be read as UDM: the parser's output fails (LOG_PARSING_GENERATED_INVALID_EVENT), \
and events:import refuses the whole batch, naming no event";
const DROPPED: &str = "UDM validation fails and the log is dropped (LOG_PARSING_GENERATED_INVALID_EVENT)";
const UNENFORCED: &str = "the event is probably taken, but searches and rules that rely on the field miss it";

const fn about(
    code: Code,
    name: &'static str,
    severity: Severity,
    title: &'static str,
    effect: &'static str,
    advice: &'static str,
    source: &'static str,
) -> About {
    About { code, name, severity, title, effect, advice, source }
}

#[rustfmt::skip]
const ABOUT: &[About] = &[
    about(C::InvalidJson, "invalid-json", Error, "the text is not valid JSON",
        REFUSED, "look at the place: often it is a text cut short, a missing quote, or two values on one line",
        "RFC 8259, as serde_json and protobuf read it"),
    about(C::InvalidYaml, "invalid-yaml", Error, "the text is not valid YAML",
        "no tool that reads the file can read its events", "look at the place: often it is an indentation or a missing quote",
        "the YAML specification"),
    about(C::TooDeep, "too-deep", Error, "objects and lists nest too deeply",
        REFUSED, "flatten the value: protobuf reads at most 100 levels of messages, and JSON here at most 127",
        "protobuf's json_format (max_recursion_depth)"),
    about(C::TooLong, "too-long", Error, "the value is longer than what is read at once",
        "events:import takes at most 4 MB a request; a longer value can't be one event",
        "split the file, or raise `--max-event-bytes`", "documented: Google's limits of events:import"),
    about(C::NoEvent, "no-event", Error, "there is no event where one should be",
        REFUSED, "an event is a JSON object, bare or in one of the known envelopes", PROTO),
    about(C::ParserError, "parser-error", Error, "the parser gave an error instead of events",
        "the log is not parsed: it can be found by raw log search only",
        "read the error; it comes from the parser's code, not from this tool", "runParser's answer"),
    about(C::UnknownField, "unknown-field", Warning, "UDM has no field of this name",
        "the live service knows some fields that the public schema lacks; any other field fails the parser's output",
        "correct the name; if the field is right, allow it by its path in the configuration", PROTO),
    about(C::WrongType, "wrong-type", Error, "the value is not of the field's type",
        REFUSED, "write the value as UDM has it: texts in quotes, objects for messages", PROTO),
    about(C::ListExpected, "list-expected", Error, "a single value where UDM has a list",
        REFUSED, "put the value into brackets; in a parser, merge it into the repeated field", PROTO),
    about(C::ListUnexpected, "list-unexpected", Error, "a list where UDM has a single value",
        REFUSED, "keep one value, or use a repeated field", PROTO),
    about(C::NullInList, "null-in-list", Error, "`null` as an element of a list or as a map's value",
        REFUSED, "leave the element out", PROTO),
    about(C::DuplicateField, "duplicate-field", Error, "a field is given twice in one object",
        "protobuf's reading refuses a name given twice; in two spellings one of the values is lost",
        "keep one of them: `event_type` and `eventType` are the same field", PROTO),
    about(C::OneofConflict, "oneof-conflict", Error, "two fields of which only one can be there",
        REFUSED, "keep one of them", PROTO),
    about(C::OutOfRange, "out-of-range", Error, "the number does not fit the field's type",
        REFUSED, "use a field of a wider type, or put the number into a text field", PROTO),
    about(C::UnknownEnum, "unknown-enum", Error, "the enum has no value of this name",
        REFUSED, "use a value of the enum, in capitals as UDM spells it", PROTO),
    about(C::UnknownEnumNumber, "unknown-enum-number", Warning, "the enum has no value of this number",
        "the number is kept, but shown as no name and matched by no rule", "use a value of the enum, by its name", PROTO),
    about(C::InvalidTimestamp, "invalid-timestamp", Error, "the text is not a time",
        REFUSED, "write `2024-01-31T23:59:59.123Z`: RFC 3339 with `T`, `Z` or an offset, at most 9 digits of a fraction", PROTO),
    about(C::InvalidDuration, "invalid-duration", Error, "the text is not a duration",
        REFUSED, "write seconds with an `s`: `90s`, `0.5s`", PROTO),
    about(C::InvalidBase64, "invalid-base64", Error, "the text is not base64",
        REFUSED, "encode the bytes in base64", PROTO),
    about(C::DeprecatedField, "deprecated-field", Info, "Google marks the field as deprecated",
        "the event is taken; the field may no longer be searched", "see the proto's comment for what takes its place", PROTO),
    about(C::NoTimestamp, "no-timestamp", Error, "the event has no metadata.event_timestamp",
        DROPPED, "set metadata.event_timestamp: in a parser, use the date filter", "documented: Google's UDM usage guide"),
    about(C::NoEventType, "no-event-type", Error, "the event has no metadata.event_type",
        DROPPED, "set metadata.event_type; GENERIC_EVENT, if nothing fits",
        "documented: Google's UDM usage guide; that EVENTTYPE_UNSPECIFIED counts as none is our reading"),
    about(C::NoNoun, "no-noun", Error, "none of principal, src and target holds anything",
        DROPPED, "say who did it, where from, or to what", "documented: Google's UDM overview"),
    about(C::NoNounGeneric, "no-noun-generic", Warning, "a GENERIC_EVENT without principal, src and target",
        "the event is taken (Google's own parsers give such events), but no entity leads to it",
        "say who did it, where from, or to what", "documented for all events, but 14 of 31 golden GENERIC_EVENTs have none"),
    about(C::MissingPart, "missing-part", Error, "the event's type needs a part that is not there",
        "UDM validation fails, with a message such as `udm validation failed: target field is not set`, and the log is dropped",
        "fill the part, or give the event a type that does without, such as GENERIC_EVENT",
        "documented, and seen in Google's own golden events or in messages of the service"),
    about(C::DocumentedPart, "documented-part", Warning, "Google's guide requires a part for this event type that is not there",
        "the guide says that the event fails; the service is known to take some such events",
        "fill the part, or give the event a type that does without", GUIDE),
    about(C::HostnameTooLong, "hostname-too-long", Error, "a hostname of more than 256 characters",
        DROPPED, "shorten it, or put it into a label", "documented: Google's UDM overview (`Caution`)"),
    about(C::ValueTooLong, "value-too-long", Warning, "the text is longer than documented",
        "not known: it may be cut, or the event dropped", "shorten it, or put it into a label", GUIDE),
    about(C::InvalidHostname, "invalid-hostname", Warning, "the text can't be a hostname",
        UNENFORCED, "a hostname has no scheme, path, port or spaces; URLs go into `url`", GUIDE),
    about(C::InvalidIp, "invalid-ip", Error, "the text is not an IP address",
        "the field is indexed as an address: UDM validation fails", "leave it out, or put a name into `hostname`", GUIDE),
    about(C::InvalidMac, "invalid-mac", Warning, "the text is not a MAC address",
        UNENFORCED, "write `00:11:22:aa:bb:cc`", GUIDE),
    about(C::InvalidUrl, "invalid-url", Warning, "the text is not a URL with a scheme",
        UNENFORCED, "write the whole URL: `https://host/path`", GUIDE),
    about(C::InvalidEmail, "invalid-email", Warning, "the text is not an e-mail address",
        UNENFORCED, "keep the address alone, without name and brackets", GUIDE),
    about(C::InvalidHash, "invalid-hash", Warning, "the text is not a hash of this kind",
        UNENFORCED, "write hexadecimal digits: 32 for MD5, 40 for SHA-1, 64 for SHA-256", GUIDE),
    about(C::InvalidAssetId, "invalid-asset-id", Warning, "an asset ID without its `VENDOR:`",
        "the asset is not distinguished from others with the same ID", "write `VENDOR:ID`", "documented: comment in udm.proto"),
    about(C::InvalidPort, "invalid-port", Warning, "the number is not a port",
        UNENFORCED, "ports are 1 to 65535; leave it out if there is none", GUIDE),
    about(C::InvalidScore, "invalid-score", Warning, "a CVSS score outside of 0 to 10",
        UNENFORCED, "give the base score as CVSS has it", GUIDE),
    about(C::PortWithoutIp, "port-without-ip", Info, "a port, but not exactly one IP address with it",
        "which address the port belongs to is not known", "give one address where there is a port", GUIDE),
    about(C::TagsSet, "tags-set", Warning, "metadata.tags is set",
        "the service fills it: `It is an error to populate this field from within a parser`", "leave it out",
        "documented: comment in udm.proto"),
    about(C::PrincipalHolds, "principal-holds", Warning, "principal holds an e-mail, a file or a registry key",
        UNENFORCED, "put it into target, src or about; a user's address into principal.user.email_addresses",
        "documented: comment in udm.proto"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_codes_and_names_are_unique() {
        for (place, about) in ABOUT.iter().enumerate() {
            assert_eq!(about.code as usize, place, "{}", about.name);
            assert_eq!(Code::named(about.name), Some(about.code));
            for text in [about.title, about.effect, about.advice, about.source] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{}", about.name);
            }
        }
        assert_eq!(Code::PrincipalHolds as usize, ABOUT.len() - 1);
    }
}
