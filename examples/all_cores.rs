//! Any number of files on all cores, into one file.

use std::fs::File;
use std::io::{self, Write};
use std::ops::ControlFlow;
use udmap::convert::{Converter, Input, Options, Piece};
use udmap::mapping::Mapping;

fn main() -> io::Result<()> {
    let mapping = Mapping::builtin("duo_telephony").expect("the table comes with udmap");
    let converter = Converter::new(&mapping, &Options::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);

    let logs = ["fixtures/quickstart/input.ndjson", "fixtures/real-log-sync-cef/input.log", "no-such-file"];
    let inputs = logs.map(|log| Input::open(log, move || File::open(log)));
    let path = std::env::temp_dir().join(format!("events-{}.ndjson", std::process::id()));
    let mut events = File::create(&path)?;
    let mut failed = None;
    // Batches come in the order of the inputs, however many threads make them.
    let counts = converter.run(inputs, threads, |piece| {
        match piece {
            Piece::Batch { source, batch } => {
                for reject in &batch.rejects {
                    println!("{source}: {reject}");
                }
                failed = events.write_all(&batch.events).err();
            }
            Piece::Failed { source, error } => println!("{source} can't be read: {error}"),
        }
        if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    println!("{} records, {} events, {} rejects", counts.records, counts.events, counts.rejects);
    std::fs::remove_file(path)?;
    failed.map_or(Ok(()), Err)
}
