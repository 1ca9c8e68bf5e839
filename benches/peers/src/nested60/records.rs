//! Records for the table of 60 rules, the same every time.

use super::{LEAVES, NOUNS};
use std::io::{self, BufWriter, Write};

/// Numbers from Marsaglia's xorshift: nothing depends on how random they are.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Writes `count` records to stdout.
pub fn write(count: u64) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for record in 0..count {
        write!(out, "{{\"id\":\"{:016x}\",\"time\":{}", dice.below(u64::MAX), 1_700_000_000 + record)?;
        for (object, _) in NOUNS {
            write!(out, ",\"{object}\":{{")?;
            let mut inside = None;
            for (at, (path, _)) in LEAVES.iter().enumerate() {
                let (parent, key) = (&path[..path.len() - 1], path[path.len() - 1]);
                if inside.is_some_and(|open| open != parent) {
                    out.write_all(b"}")?;
                    inside = None;
                }
                let comma = if at == 0 { "" } else { "," };
                match (parent, inside) {
                    ([parent], None) => write!(out, "{comma}\"{parent}\":{{\"{key}\":")?,
                    _ => write!(out, "{comma}\"{key}\":")?,
                }
                inside = (!parent.is_empty()).then_some(parent);
                value(key, &mut dice, &mut out)?;
            }
            out.write_all(b"}")?;
        }
        out.write_all(b"}\n")?;
    }
    out.flush()
}

/// A number where logs have numbers; a text of 4 to 27 bytes elsewhere, some with an escape.
fn value(key: &str, dice: &mut Dice, out: &mut impl Write) -> io::Result<()> {
    const TEXT: &str = "lorem-ipsum.dolor_sit amet/consectetur:adipiscing@elit";
    if key == "number" || (key == "id" && dice.below(2) == 0) {
        return write!(out, "{}", dice.below(1_000_000));
    }
    let start = dice.below(26) as usize;
    let escape = if dice.below(500) == 0 { "\\\\" } else { "" };
    write!(out, "\"{escape}{}\"", &TEXT[start..start + 4 + dice.below(24) as usize])
}
