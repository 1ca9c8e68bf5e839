//! Converts telephony logs from stdin on two threads, events to stdout, rejects to stderr.
//!
//! ```sh
//! cargo run --example convert < fixtures/quickstart/input.ndjson
//! ```

use std::io::{self, Read, Write};
use udmap::convert::{Converter, Input, Options, Piece, Stop};
use udmap::mapping::Mapping;

fn main() -> io::Result<()> {
    let mapping = Mapping::builtin("duo_telephony").expect("it comes with udmap");
    let converter = Converter::new(&mapping, &Options::default());
    let open = || -> io::Result<Box<dyn Read + Send>> { Ok(Box::new(io::stdin())) };
    let input = Input { name: "stdin".into(), open: Box::new(open) };

    let mut failed = None;
    let tally = converter.convert_inputs(vec![input], 2, &mut |piece| {
        match piece {
            Piece::Batch { source, batch } => {
                for reject in &batch.rejects {
                    eprintln!("{source}:{}: {}: {}", reject.line, reject.reason, reject.message);
                }
                failed = io::stdout().write_all(&batch.events).err();
            }
            Piece::Failed { error, .. } => failed = Some(error),
        }
        if failed.is_some() { Err(Stop) } else { Ok(()) }
    })?;
    eprintln!("{} records, {} events, {} rejects", tally.records, tally.events, tally.rejects);
    failed.map_or(Ok(()), Err)
}
