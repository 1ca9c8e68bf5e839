//! The command `udmap`.

use std::process::ExitCode;

fn main() -> ExitCode {
    udmap::cli::main()
}
