//! Any text is read as a mapping table without a panic, and all engines agree on one that is right.

#![no_main]

use libfuzzer_sys::fuzz_target;
use udmap::convert::{Envelope, FieldNames, Options};
use udmap_fuzz::{Engines, GOOD, load, made_table};

/// A right beginning, so that single rules can be tried.
const BASE: &str = "[mapping]\nname = \"fuzz\"\nextends = \"duo_telephony\"\n\n";

fuzz_target!(|text: &str| {
    for text in [text, &format!("{BASE}{text}"), &format!("{BASE}{}", made_table(text.as_bytes()))] {
        match load(text) {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(mapping) => {
                let log = GOOD.map(|line| format!("{line}\n")).concat().repeat(3);
                let other = Options::default()
                    .field_names(FieldNames::Camel)
                    .envelope(Envelope::Event)
                    .namespace("n")
                    .label("k", "v");
                for options in [Options::default(), other] {
                    Engines::new(&mapping, &options).same(log.as_bytes());
                }
            }
        }
    }
});
