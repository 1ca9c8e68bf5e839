//! One record to one event.

use udmap::convert::{Converter, Options};
use udmap::mapping::Mapping;

fn main() {
    let mapping = Mapping::builtin("duo_telephony").expect("the table comes with udmap");
    // Make one converter and keep it: it is faster with each record that it has seen, and threads may share it.
    let converter = Converter::new(&mapping, &Options::default());

    let record = br#"{"context":"enrollment","phone":"+12125556707","ts":"2023-03-21T22:34:49.466370+00:00","type":"sms"}"#;
    let batch = converter.convert(record);
    print!("{}", String::from_utf8_lossy(&batch.events));

    // What can't be an event is a reject, which says why and where.
    let batch = converter.convert(br#"{"context":"enrollment"}"#);
    println!("{}: {}", batch.rejects[0].reason, batch.rejects[0].message);
}
