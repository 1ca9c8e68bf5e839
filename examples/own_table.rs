//! A mapping table of one's own, which builds on one that comes with udmap.

use std::error::Error;
use udmap::convert::{Converter, Options};
use udmap::mapping::{Mapping, builtin_text};

const TABLE: &str = r#"
[mapping]
name = "acme_telephony"
extends = "duo_telephony"

[[rule]]
udm = "principal.location.name"
value = "Acme"
"#;

fn main() -> Result<(), Box<dyn Error>> {
    // A table is checked against UDM's schema; an error names each wrong line, and what would be right.
    let base = |name: &str| builtin_text(name).map(str::to_owned).ok_or_else(|| "no such table".to_owned());
    let mapping = Mapping::load("acme.toml", TABLE, &base)?;

    let options = Options::default().namespace("acme").label("env", "prod");
    let converter = Converter::new(&mapping, &options);
    let batch = converter.convert(br#"{"timestamp":1683648435,"host":"vpn","type":"phone"}"#);
    print!("{}", String::from_utf8_lossy(&batch.events));

    let wrong = TABLE.replace("principal.location.name", "principal.location.nam");
    if let Err(error) = Mapping::load("acme.toml", &wrong, &base) {
        println!("{error}");
    }
    Ok(())
}
