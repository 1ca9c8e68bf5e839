//! Options that the environment may give, for commands that run as jobs.

/// An option as the environment gives it: a blank variable counts as not set, and no value is shown in the help.
pub(super) fn from_environment(option: clap::Arg) -> clap::Arg {
    let blank = option
        .get_env()
        .and_then(std::env::var_os)
        .is_some_and(|text| text.to_string_lossy().trim().is_empty());
    let option = if blank { option.env(None::<&'static str>) } else { option };
    option.hide_env_values(true)
}
