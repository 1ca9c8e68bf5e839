//! The records of a reader, one by one.

use std::fs::File;
use std::io;
use udmap::convert::{Converter, Options};
use udmap::mapping::Mapping;

fn main() -> io::Result<()> {
    let mapping = Mapping::builtin("duo_telephony").expect("the table comes with udmap");
    let converter = Converter::new(&mapping, &Options::default());

    let log = File::open("fixtures/quickstart/input.ndjson")?;
    for record in converter.records(log) {
        match record? {
            Ok(event) => println!("{}", String::from_utf8_lossy(&event)),
            Err(reject) => println!("rejected: {reject}"),
        }
    }
    Ok(())
}
