//! The command `udmap`.

use std::process::ExitCode;

/// Runs before std opens /dev/null in the place of a stdout that is closed: afterwards nobody can tell.
#[ctor::ctor(unsafe)]
fn before_main() {
    udmap::cli::look_at_stdout();
}

fn main() -> ExitCode {
    udmap::cli::main()
}
