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
    r#"{"context":"a \"b\"","credits":2,"eventtype":"telephony","host":"192.0.2.7","isotimestamp":"2020-03-20T15:38:12+00:00","phone":"+1é","timestamp":1584718693,"type":"sms","x":[1,{"y":null}],"time":{"s":1,"ms":"2"},"a":{"port":80,"b":{"c":"d"}},"flag":true,"score":1.5}"#,
];
