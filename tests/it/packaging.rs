//! Ways to get udmap: completions and man pages, the script that finds or gets a program, the hooks, the formula.

use crate::support::{Run, project, run, udmap};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Whether a program is here; if not, the test that needs it says so and is left out, or fails in CI.
fn is_here(program: &str) -> bool {
    let here = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    let required = std::env::var("UDMAP_TEST_ALL").is_ok_and(|value| value == "1");
    assert!(here || !required, "UDMAP_TEST_ALL=1, and `{program}` is not here");
    if !here {
        eprintln!("skipped: `{program}` is not here (Debian: apt-get install {program})");
    }
    here
}

/// Writes the completions for a shell into `folder`, which gets files and folders to complete, too.
fn script(folder: &Path, shell: &str) -> String {
    let script = run(&["completions", shell]);
    assert_eq!(script.status, 0, "{}", script.stderr);
    fs::write(folder.join("script"), script.stdout).unwrap();
    fs::write(folder.join("mine.toml"), "").unwrap();
    format!("{}/script", folder.display())
}

/// What each line is completed to: the beginnings, one of each, and what must not be offered.
const LINES: [(&str, &[&str]); 10] = [
    ("udmap conv", &["convert"]),
    ("udmap convert --mapping duo_t", &["duo_telephony", "duo_telephony_extended", "duo_trust_monitor"]),
    ("udmap mappings show duo_au", &["duo_auth", "duo_auth_extended"]),
    ("udmap convert --engine por", &["portable"]),
    ("udmap convert --compress z", &["zstd", "zstd:3"]),
    ("udmap collect --signature v2-sha5", &["v2-sha512"]),
    ("udmap validate --explain invalid-i", &["invalid-ip"]),
    ("udmap test --report sar", &["sarif="]),
    (
        "udmap validate --severity unknown-field",
        &["unknown-field=error", "unknown-field=info", "unknown-field=off", "unknown-field=warning"],
    ),
    ("udmap convert --after-success delete-", &["delete-empty"]),
];

#[test]
fn bash_completes_names_codes_and_values() {
    if !is_here("bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = script(folder.path(), "bash");
    // As readline calls it: words are taken apart at `=` as well as at blanks.
    let complete = |line: &str| {
        let words = line.replace('=', " = ");
        let mut words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
        if line.ends_with(' ') {
            words.push("");
        }
        let code = "source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1))\n\
            _udmap_words udmap \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"\n\
            for word in \"${COMPREPLY[@]}\"; do echo \"$word\"; done | sort";
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", "-c", code, "bash", &script]).args(words);
        let done = Run::of(&bash.current_dir(folder.path()).output().unwrap());
        assert_eq!((done.status, done.stderr.as_str()), (0, ""), "{line}");
        done.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    for (line, expected) in LINES {
        assert_eq!(complete(line), expected, "{line}");
    }
    assert_eq!(complete("udmap convert --mapping=duo_telephony_"), ["duo_telephony_extended"]);
    assert_eq!(complete("udmap validate --severity unknown-field=w"), ["warning"]);
    assert_eq!(complete("udmap validate --severity unknown-field="), ["error", "info", "off", "warning"]);
    // Nothing of its own: bash then offers files.
    assert_eq!(complete("udmap convert --mapping mi"), [""; 0]);
    assert_eq!(complete("udmap test --report junit=mi"), [""; 0]);
    // Names of arguments are no words.
    assert!(complete("udmap convert ").iter().all(|word| !word.contains('<')));
}

#[test]
fn fish_completes_names_codes_and_values() {
    if !is_here("fish") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = script(folder.path(), "fish");
    let complete = |line: &str| {
        let mut fish = Command::new("fish");
        fish.args(["--no-config", "-c", &format!("source {script}; complete -C '{line}'")]);
        let done = Run::of(&fish.current_dir(folder.path()).env("HOME", folder.path()).output().unwrap());
        assert_eq!(done.status, 0, "{line}: {}", done.stderr);
        // Behind a tab is the description.
        let mut words: Vec<String> =
            done.stdout.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect();
        words.sort();
        words
    };
    for (line, expected) in LINES {
        assert_eq!(complete(line), expected, "{line}");
    }
    assert_eq!(complete("udmap convert --mapping mi"), ["mine.toml"]);
}

#[test]
fn zsh_completes_names_codes_and_values() {
    if !is_here("zsh") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = script(folder.path(), "zsh");
    fs::rename(script, folder.path().join("_udmap")).unwrap();
    // A shell on a terminal of its own, where `compadd` writes down what it is given.
    let start = r#"
        PS1= ; unset zle_bracketed_paste
        fpath=($PWD $fpath); autoload -U compinit; compinit -u -D
        list() {
            compadd() {
                local -a all
                builtin compadd -O all "$@"
                print -rl -- $all >> found
                builtin compadd "$@"
            }
            _main_complete
            unfunction compadd
            print done >> found
            compstate[insert]= compstate[list]=
        }
        zle -C list complete-word list
        bindkey '^T' list
        echo READ''Y"#;
    fs::write(folder.path().join("start"), start).unwrap();
    let code = r#"
        zmodload zsh/zpty
        zpty shell zsh -f -i
        zpty -w shell "source ./start"
        zpty -r shell out '*READY*'
        zpty -n -w shell "$1"$'\C-t'
        for i in {1..300}; do [[ -f found && $(tail -1 found) == done ]] && break; sleep 0.1; done
        zpty -d shell
        cat found
        rm found"#;
    let complete = |line: &str| {
        let mut zsh = Command::new("zsh");
        zsh.args(["-f", "-c", code, "zsh", line]).current_dir(folder.path()).env("HOME", folder.path());
        let done = Run::of(&zsh.output().unwrap());
        let words = done.stdout.lines().filter(|word| !["", "done"].contains(word));
        words.map(str::to_owned).collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    for (line, expected) in LINES {
        assert_eq!(complete(line), expected, "{line}");
    }
    assert_eq!(complete("udmap convert --mapping mi"), ["mine.toml"]);
    assert_eq!(complete("udmap test --report junit=mi"), ["mine.toml"]);
}

#[test]
fn man_pages_have_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let made = run(&["man".as_ref(), folder.path().as_os_str()]);
    assert_eq!((made.status, made.stderr.as_str()), (0, ""));
    let help = run(&["--help"]).stdout;
    let commands =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // What a long description goes on with is indented further.
    let commands = commands.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    let names: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"convert") && names.len() > 10, "{names:?}");
    for name in names.iter().filter(|name| **name != "help") {
        let page = fs::read_to_string(folder.path().join(format!("udmap-{name}.1"))).expect(name);
        assert!(page.contains(&format!("udmap\\-{name}")), "{page}");
    }
    let page = fs::read_to_string(folder.path().join("udmap.1")).unwrap();
    assert!(page.contains("Exit status") && page.contains("nothing was found to work on"), "{page}");

    let failed = run(&["man", "/no/such/folder"]);
    assert_eq!(failed.status, 2);
    assert!(failed.stderr.contains("/no/such/folder"), "{}", failed.stderr);
}

/// `packaging/get.sh` with releases in `folder`, and without an `udmap` on PATH.
fn get(folder: &Path, settings: &[(&str, &str)]) -> Run {
    let mut bash = Command::new("bash");
    bash.arg(project("packaging/get.sh")).env("PATH", "/usr/bin:/bin").env("UDMAP_HOME", folder.join("home"));
    bash.env("UDMAP_RELEASES", format!("file://{}/releases", folder.display()));
    Run::of(&bash.envs(settings.iter().copied()).output().unwrap())
}

#[test]
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn a_release_is_taken_if_its_checksum_is_right() {
    if !is_here("bash") || !is_here("curl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let name = format!("udmap-{version}-{}-unknown-linux-musl", std::env::consts::ARCH);
    let release = folder.path().join(format!("releases/v{version}"));
    fs::create_dir_all(release.join(&name)).unwrap();
    let make = |says: &str| {
        let code = format!(
            "cd {release} && printf '#!/bin/sh\\necho \"{says}\"\\n' > {name}/udmap && chmod +x {name}/udmap && \
             tar -czf {name}.tar.gz {name} && sha256sum *.tar.gz > SHA256SUMS",
            release = release.display()
        );
        assert!(Command::new("bash").args(["-c", &code]).status().unwrap().success());
    };

    let none = get(folder.path(), &[("UDMAP_BUILD", "0")]);
    assert_eq!((none.status, none.stdout.as_str()), (2, ""));
    assert!(none.stderr.contains("there is no release"), "{}", none.stderr);

    make("something else");
    let other = get(folder.path(), &[]);
    assert_eq!((other.status, other.stdout.as_str()), (2, ""));
    assert!(other.stderr.contains(&format!("does not say `udmap {version}`")), "{}", other.stderr);

    make(&format!("udmap {version}"));
    let sums = fs::read_to_string(release.join("SHA256SUMS")).unwrap();
    fs::write(release.join("SHA256SUMS"), sums.replace(&sums[..4], "0000")).unwrap();
    let wrong = get(folder.path(), &[]);
    assert_eq!((wrong.status, wrong.stdout.as_str()), (2, ""));
    assert!(wrong.stderr.contains("expected SHA-256 0000"), "{}", wrong.stderr);

    fs::write(release.join("SHA256SUMS"), sums).unwrap();
    let right = get(folder.path(), &[]);
    assert_eq!((right.status, right.stderr.as_str()), (0, ""));
    let got = right.stdout.trim_end();
    assert!(Path::new(got).is_file() && got.starts_with(folder.path().to_str().unwrap()), "{got}");
    // It is kept, and nothing else is left.
    fs::remove_dir_all(folder.path().join("releases")).unwrap();
    assert_eq!(get(folder.path(), &[]).stdout, right.stdout);
    assert_eq!(crate::support::names(&folder.path().join("home")), [format!("udmap-{version}")]);
}

/// The programs next to the tests': an `udmap` on PATH.
fn with_udmap(command: &mut Command) -> &mut Command {
    let folder = Path::new(env!("CARGO_BIN_EXE_udmap")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders).unwrap())
}

/// pre-commit shows what a hook prints if the hook fails: so it must print what it found.
#[test]
fn hooks_show_their_findings() {
    if !is_here("bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let hook = |name: &str, arguments: &[&str]| {
        let hooks = fs::read_to_string(project(".pre-commit-hooks.yaml")).unwrap();
        let hook = hooks.split("- id: ").find(|hook| hook.starts_with(name)).unwrap();
        let entry = hook.lines().find_map(|line| line.trim().strip_prefix("entry: ")).unwrap();
        let (script, words) = entry.split_once(' ').unwrap();
        let mut bash = Command::new("bash");
        with_udmap(&mut bash).arg(project(script)).args(words.split(' ')).args(arguments);
        Run::of(&bash.current_dir(folder.path()).output().unwrap())
    };
    let bad = "{\"metadata\":{\"event_type\":\"NO_SUCH\",\"event_timestamp\":\"2024-01-01T00:00:00Z\"}}\n";
    fs::write(folder.path().join("events.ndjson"), bad).unwrap();
    let found = hook("udmap-validate", &["events.ndjson"]);
    assert_eq!(found.status, 1, "{}", found.stderr);
    assert!(found.stdout.contains("NO_SUCH") && found.stdout.contains("events.ndjson"), "{}", found.stdout);

    fs::write(folder.path().join("parser.conf"), "filter { mutat {} }").unwrap();
    let found = hook("udmap-parser", &["parser.conf"]);
    assert_eq!(found.status, 1, "{}", found.stderr);
    assert!(found.stdout.contains("parser.conf:1:10: error[not-loaded]"), "{}", found.stdout);

    let fixtures = project("fixtures");
    let passed = hook("udmap-test", &[fixtures.to_str().unwrap()]);
    assert_eq!((passed.status, passed.stdout.as_str()), (0, ""), "{}", passed.stderr);
    let case = folder.path().join("cases/one");
    fs::create_dir_all(&case).unwrap();
    fs::copy(fixtures.join("quickstart/input.ndjson"), case.join("input.ndjson")).unwrap();
    fs::write(case.join("events.ndjson"), bad).unwrap();
    let failed = hook("udmap-test", &["cases"]);
    assert_eq!(failed.status, 1, "{}", failed.stderr);
    assert!(failed.stdout.contains("NO_SUCH"), "{}", failed.stdout);
}

#[test]
fn one_version_and_one_address_are_named_everywhere() {
    if !is_here("bash") || !is_here("git") || !project(".git").exists() {
        return;
    }
    let versions = |arguments: &[&str]| {
        Run::of(&Command::new("bash").arg(project("packaging/versions.sh")).args(arguments).output().unwrap())
    };
    let right = versions(&[]);
    assert_eq!(right.status, 0, "{}", right.stderr);
    assert_eq!(right.stdout.trim_end(), env!("CARGO_PKG_VERSION"));
    assert!(versions(&["v0.0.0"]).stderr.contains("found `v0.0.0`"));
    assert!(versions(&["", "someone/else"]).stderr.contains("someone/else"));
}

#[test]
fn the_formula_takes_a_release_s_checksums() {
    if !is_here("bash") || !is_here("git") || !project(".git").exists() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sums = folder.path().join("SHA256SUMS");
    let mut text = String::new();
    let targets = [
        "aarch64-apple-darwin",
        "x86_64-apple-darwin",
        "aarch64-unknown-linux-musl",
        "x86_64-unknown-linux-musl",
    ];
    for (number, target) in targets.iter().enumerate() {
        text += &format!("{number:064}  udmap-{}-{target}.tar.gz\n", env!("CARGO_PKG_VERSION"));
    }
    let fill =
        || Run::of(&Command::new("bash").arg(project("packaging/formula.sh")).arg(&sums).output().unwrap());
    fs::write(&sums, &text).unwrap();
    let filled = fill();
    assert_eq!(filled.status, 0, "{}", filled.stderr);
    assert!(!filled.stdout.contains('@'), "{}", filled.stdout);
    for (number, target) in targets.iter().enumerate() {
        let place = filled.stdout.find(&format!("{target}.tar.gz\"\n      sha256 \"{number:064}\""));
        assert!(place.is_some(), "{target}: {}", filled.stdout);
    }
    fs::write(&sums, text.lines().next().unwrap()).unwrap();
    assert_eq!(fill().status, 1);
}

#[test]
fn help_hides_the_man_pages_and_nothing_else() {
    let help = Run::of(&udmap().arg("--help").output().unwrap()).stdout;
    assert!(!help.contains("  man "), "{help}");
    assert!(help.contains("  completions "), "{help}");
}
