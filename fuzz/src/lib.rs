//! What the fuzz targets share: every engine held against the exact one.

use udmap::mapping::builtin_text;
use udmap::convert::{Batch, Converter, Engine, Options};
use udmap::mapping::{Mapping, MappingError};

/// The engines that this machine has: the exact one first.
#[derive(Debug)]
pub struct Engines(Vec<(Engine, Converter)>);

impl Engines {
    pub fn new(mapping: &Mapping, options: &Options) -> Engines {
        let engines = [Engine::Exact, Engine::Portable, Engine::Avx2, Engine::Avx512];
        let available = engines.into_iter().filter(|engine| engine.is_available());
        Engines(
            available
                .map(|engine| (engine, Converter::new(mapping, &options.clone().engine(engine))))
                .collect(),
        )
    }

    /// Panics if they don't give the same.
    pub fn same(&self, log: &[u8]) {
        let [(_, exact), others @ ..] = &self.0[..] else { return };
        let exact = exact.convert(log);
        for (engine, converter) in others {
            // A clone has learnt nothing from what came before, so that a finding can be repeated.
            check(*engine, &converter.clone().convert(log), &exact);
        }
    }
}

fn check(engine: Engine, got: &Batch, exact: &Batch) {
    let text = String::from_utf8_lossy;
    assert!(
        got.events == exact.events,
        "{engine:?}: events\n{}\nexact:\n{}",
        text(&got.events),
        text(&exact.events)
    );
    assert_eq!(got.rejects, exact.rejects, "{engine:?}: rejects");
    assert_eq!(got.counts, exact.counts, "{engine:?}: counts");
    assert_eq!(got.end, exact.end, "{engine:?}: end");
    assert!(got.counts.balances(), "{engine:?}: {:?}", got.counts);
}

/// Fields that the records of [`GOOD`] have, or that could be in them.
const FIELDS: [&str; 12] = [
    "context", "host", "type", "a.port", "a.b.c", "x[]", "x[1].y", "x[].y", "d", "d.e[]", "phone", "telephony_id",
];
/// UDM fields of each kind.
const TARGETS: [&str; 10] = [
    "principal.hostname",
    "principal.port",
    "target.ip[]",
    "target.user.group_identifiers[]",
    "extensions.auth.mechanism[]",
    "security_result[0].severity",
    "network.sent_bytes",
    "additional.a",
    "additional.\"x.y\"",
    "metadata.description",
];
/// What rules say, with `F` for a field.
const RULES: [&str; 16] = [
    "from = \"F\"",
    "from = [\"F\", \"F\"]\ndefault = \"80\"",
    "from = \"F\"\nwhen = \"not-ip\"",
    "from = \"F\"\nwhen = { \"F\" = { contains = \"a\" } }",
    "from = \"F\"\nonly_if = { \"F\" = { not = { matches = \"^.e\" }, ignore_case = true } }",
    "from = \"F\"\nmap = { sms = \"OTP\", phone = \"LOCAL\" }",
    "from = \"F\"\nmap = { sms = \"LOW\" }\notherwise = \"UNKNOWN_SEVERITY\"",
    "from = \"F\"\nread = [\"trim\", \"upper\"]\nabsent = [\"sms\"]",
    "from = \"F\"\nread = \"phone\"",
    "from = \"F\"\ncapture = \"([0-9]+)\"",
    "from = \"F\"\nsplit = \"-\"",
    "from = \"F\"\nsplit = { by = \" \", element = 1 }",
    "template = \"${F} by ${F}\"",
    "value = \"x\"\nwhen = { \"F\" = { present = false } }",
    "cases = [{ when = { \"F\" = { in = [\"sms\", \"verify\"] } }, value = \"1\" }, { absent = [\"F\"], value = \"2\" }]",
    "from = \"F\"\nwhen = { \"F\" = { cidr = \"192.0.2.0/24\" } }",
];
/// Sections, and the lines of `[mapping]` that come first.
const SECTIONS: [&str; 10] = [
    "on_bad_field = \"note\"\n",
    "shippers = false\n",
    "[rest]\nudm = \"additional\"\n",
    "[rest]\nudm = \"additional\"\nprefix = \"x.\"\nexcept = [\"F\", \"F\"]\n",
    "[rest]\nudm = \"target.resource.attribute.labels[]\"\nprefix = \"p\"\n",
    "[[embedded]]\nfrom = \"d\"\n",
    "[[embedded]]\nfrom = \"x[]\"\nobjects = true\n",
    "[[embedded]]\nfrom = \"F\"\n",
    "[[envelope]]\nname = \"e\"\nwhen = { \"F\" = { starts_with = \"{\" } }\nrecords = \"F\"\ntext = true\n",
    "[own]\nfields = { type = [\"sms\", \"phone\"] }\n",
];

/// A table of these parts, which the bytes choose: most are right. What comes before it ends in `[mapping]`.
pub fn made_table(bytes: &[u8]) -> String {
    let mut bytes = bytes.iter().map(|byte| usize::from(*byte));
    let mut next = |of: usize| bytes.next().map(|byte| byte % of);
    let (mut head, mut text) = (String::new(), String::new());
    let chosen = next(1 << 8).unwrap_or(0) | next(1 << 8).unwrap_or(0) << 8;
    for (number, section) in SECTIONS.iter().enumerate().filter(|(number, _)| chosen >> number & 1 == 1) {
        let section = with_fields(section, &mut next);
        if number < 2 { head.push_str(&section) } else { text.push_str(&section) }
    }
    while let Some(target) = next(TARGETS.len()) {
        let rule = with_fields(RULES[next(RULES.len()).unwrap_or(0)], &mut next);
        text.push_str(&format!("[[rule]]\nudm = '{}'\n{rule}\n", TARGETS[target]));
    }
    format!("{head}\n{text}")
}

/// The text with a field in each place for one.
fn with_fields(text: &str, next: &mut dyn FnMut(usize) -> Option<usize>) -> String {
    let mut parts = text.split('F');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        whole.push_str(FIELDS[next(FIELDS.len()).unwrap_or(0)]);
        whole.push_str(part);
    }
    whole
}

/// Reads a mapping table, which may build on those that come with udmap.
pub fn load(text: &str) -> Result<Mapping, MappingError> {
    Mapping::load("fuzz.toml", text, &|name| {
        builtin_text(name).map(str::to_owned).ok_or_else(|| "no such table".to_owned())
    })
}

/// Records that the engines learn before they see the fuzzer's.
pub const GOOD: [&str; 4] = [
    r#"{"context":"enrollment","credits":1,"phone":"+12125556707","telephony_id":"5bf1a860-fe39-49e3-be29-217659663a74","ts":"2023-03-21T22:34:49.466370+00:00","txid":"fb0c129b-f994-4d3d-953b-c3e764272eb7","type":"sms"}"#,
    r#"{"context":"verify","credits":12,"phone":"+15552223333","telephony_id":"220f89ff-bff8-4466-b6cb-b7787940ce68","ts":"2023-03-21T22:34:49.5Z","txid":"2f5d34d3-053f-422c-9dd4-77a5d58706b1","type":"phone"}"#,
    r#"{"context":"authentication","credits":1,"eventtype":"telephony","host":"api-1234abcd.duosecurity.com","isotimestamp":"2020-03-20T15:38:12+00:00","phone":"+15035550100","timestamp":1584718692,"type":"sms"}"#,
    r#"{"context":"a \"b\"","credits":2,"eventtype":"telephony","host":"192.0.2.7","isotimestamp":"2020-03-20T15:38:12+00:00","phone":"+1é","timestamp":1584718693,"type":"sms","x":[1,{"y":null}],"time":{"s":1,"ms":"2"},"a":{"port":80,"b":{"c":"d"}},"flag":true,"score":1.5,"d":"{\"e\":[1,\"f\"],\"h\":null}"}"#,
];
