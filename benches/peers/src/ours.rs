//! udmap as a library.

use crate::harness::Job;
use std::ops::ControlFlow;
use udmap::convert::{Converter, Input, Options, Piece};
use udmap::mapping::Mapping;

/// udmap with Duo's telephony table.
pub fn duo() -> Udmap {
    Udmap::new(&Mapping::builtin("duo_telephony").expect("it comes with udmap"))
}

/// udmap with Duo's authentication table.
pub fn auth() -> Udmap {
    Udmap::new(&Mapping::builtin("duo_auth").expect("it comes with udmap"))
}

/// udmap with the table of 60 rules.
pub fn nested60() -> Udmap {
    let table = include_str!("../nested60.toml");
    Udmap::new(&Mapping::load("nested60.toml", table, &|base| Err(base.into())).expect("a sound table"))
}

/// A converter at work.
pub struct Udmap(Converter);

impl Udmap {
    fn new(mapping: &Mapping) -> Udmap {
        Udmap(Converter::new(mapping, &Options::default()))
    }
}

impl Job for Udmap {
    fn lines(&mut self, lines: &[u8], out: &mut Vec<u8>) {
        let batch = self.0.convert(lines);
        assert!(batch.rejects.is_empty(), "no event for {:?}", batch.rejects[0]);
        out.extend_from_slice(&batch.events);
    }

    fn all(&mut self, input: &[u8]) -> u64 {
        let mut written = 0;
        let ran = self.0.run([Input::bytes("log", input)], 1, |piece| {
            if let Piece::Batch { batch, .. } = piece {
                written += std::hint::black_box(&batch.events).len() as u64;
            }
            ControlFlow::Continue(())
        });
        ran.expect("no threads are needed");
        written
    }
}
