//! What stands in deploy/: linted, valid, and no more powerful than it must be. Every rule is broken
//! once, so that it is known to be able to fail.

use crate::support::project;
use crate::tools::{Tool, need};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use udmap::jobs::collect::Settings;

const TEMPLATE: &str = "deploy/aws/template.yaml";
const BATCH: &str = "deploy/aws/batch.yaml";
const SEND: &str = "deploy/aws/send.yaml";
const MANIFESTS: [&str; 2] = ["deploy/kubernetes/cronjob.yaml", "deploy/kubernetes/secret.example.yaml"];

/// The folder of a Python with the checkers' packages.
fn checkers() -> Option<PathBuf> {
    Some(need(Tool::Deploy)?.parent()?.to_owned())
}

/// Whether a command succeeded, and all that it said.
fn said(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// A checker of tests/deploy, over these files.
fn check(checkers: &Path, script: &str, files: &[impl AsRef<OsStr>]) -> (bool, String) {
    said(Command::new(checkers.join("python")).arg(project("tests/deploy").join(script)).args(files))
}

/// Each mutation of a file is complained about: `what stands there => what stands there instead => the complaint`.
fn each_mutation_is_found(file: &str, mutations: &str, run: impl Fn(&Path) -> (bool, String)) {
    let folder = tempfile::tempdir().expect("a folder");
    let text = fs::read_to_string(project(file)).expect(file);
    let mutant = folder.path().join(Path::new(file).file_name().expect("a name"));
    let mut missed = String::new();
    for line in mutations.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let [from, to, complaint] = line.split(" => ").collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert!(text.contains(from), "{file} has no {from:?}");
        fs::write(&mutant, text.replacen(from, to, 1)).expect("written");
        let (success, said) = run(&mutant);
        if success || !said.contains(complaint) || said.contains("Traceback") {
            missed += &format!("{line}\nbut it says: {said}\n");
        }
    }
    assert!(missed.is_empty(), "{missed}");
}

#[test]
fn cfn_lint_has_nothing_to_say() {
    let Some(checkers) = checkers() else { return };
    let lint = |template: &Path| {
        said(Command::new(checkers.join("cfn-lint")).args(["--include-checks", "I", "--"]).arg(template))
    };
    assert_eq!(lint(&project(TEMPLATE)), (true, String::new()));
    each_mutation_is_found(
        TEMPLATE,
        r##"
            Runtime: provided.al2023 => Runtime: python2.7 => python2.7
            ReservedConcurrentExecutions: => ReservedConcurrency: => ReservedConcurrency
            !GetAtt FunctionRole.Arn => !GetAtt NoSuchRole.Arn => NoSuchRole
            Default: duo-telephony/ => Default: duo-telephony => AllowedPattern
        "##,
        lint,
    );
}

#[test]
fn cfn_lint_has_nothing_to_say_of_the_batch_and_its_state_machine() {
    let Some(checkers) = checkers() else { return };
    let lint = |template: &Path| {
        said(Command::new(checkers.join("cfn-lint")).args(["--include-checks", "I", "--"]).arg(template))
    };
    assert_eq!(lint(&project(BATCH)), (true, String::new()));
    each_mutation_is_found(
        BATCH,
        r##"
            Runtime: provided.al2023 => Runtime: python2.7 => python2.7
            FunctionResponseTypes: [ReportBatchItemFailures] => FunctionResponseTypes: [ReportFailures] => ReportFailures
            Type: Choice => Type: Chose => Chose
            BackoffRate: 2 => BackoffRate: fast => fast
        "##,
        lint,
    );
}

#[test]
fn the_batch_may_do_what_is_needed_and_ends_as_it_should() {
    let Some(checkers) = checkers() else { return };
    let run = |template: &Path| check(&checkers, "batch.py", &[template]);
    let (success, said) = run(&project(BATCH));
    assert!(success, "{said}");
    each_mutation_is_found(
        BATCH,
        r##"
            # Too much, too little.
            Action: s3:GetObject => Action: [s3:GetObject, s3:DeleteObject] => FunctionRole: holds s3:DeleteObject
            [s3:PutObject, s3:GetObject, s3:AbortMultipartUpload] => [s3:PutObject, s3:GetObject] => FunctionRole: lacks s3:AbortMultipartUpload
            ${OutputBucket}/${RejectsPrefix}* => ${OutputBucket}/x* => FunctionRole: lacks s3:PutObject on {rejects}
            ${InputBucket}/${InputPrefix}* => ${InputBucket}/* => FunctionRole: may do s3:GetObject on {elsewhere}
            s3:prefix: => s3:max-keys: => ListBucket without a condition
            Action: states:DescribeMapRun => Action: states:ListMapRuns => StateMachineRole: lacks states:DescribeMapRun
            stateMachine:${AWS::StackName}-convert => stateMachine:* => StateMachineRole: may do states:StartExecution
            ${OutputPrefix}runs/* => ${OutputPrefix}* => StateMachineRole: may do s3:PutObject on {events}
            aws:SourceArn: => aws:Arn: => QueuePolicy: anybody's bucket
            # The queue.
            [ReportBatchItemFailures] => [] => FromQueue: a message that fails takes others back
            maxReceiveCount: 5 => maxReceiveCount: 1 => Queue: tried only once
            VisibilityTimeout: 5400 => VisibilityTimeout: 300 => Queue: handed out again
            # The state machine.
            Mode: DISTRIBUTED => Mode: SPREAD => ConvertPrefix: Mode is SPREAD
            MaxItemsPerBatchPath: => MaxItemsPerBatchPaths: => ConvertPrefix: MaxItemsPerBatchPaths is not known
            Next: HowItEnded => Next: Done => ConvertPrefix: failures are not looked at
            Default: SomeFailed => Default: Done => SomeFailed: never reached
            { bucket: "${InputBucket}", encoded: true } => { bucket: "${InputBucket}", encoded: false } => ConvertInventory: keys are encoded
            Payload.$: $ => Payload.$: $.Items => ConvertPrefix: the function is not given the batch
            ToleratedFailurePercentage: 100 => ToleratedFailurePercentage: 5 => ConvertPrefix: one that fails stops
            UDMAP_FUNCTION: convert => UDMAP_FUNCTION: collect => Function: does not convert
        "##,
        run,
    );
    // Each setting is one that the function reads.
    let read: String = ["settings.rs", "mod.rs", "../mod.rs"]
        .iter()
        .map(|name| fs::read_to_string(project("src/lambda/objects").join(name)).expect("the source"))
        .collect();
    let given = settings(BATCH, ":");
    assert!(given.len() >= 5, "{given:?}");
    for (name, _) in given {
        assert!(read.contains(&format!("\"{name}\"")), "{name} is not read");
    }
    let guide = fs::read_to_string(project("docs/scale.md")).expect("the guide");
    for name in parameters(BATCH) {
        assert!(guide.contains(&format!("`{name}`")), "not in docs/scale.md: {name}");
    }
}

/// The names of a template's parameters.
fn parameters(template: &str) -> Vec<String> {
    let text = fs::read_to_string(project(template)).expect(template);
    let rest = text.split_once("\nParameters:\n").expect("parameters").1;
    let end = ["\nRules:\n", "\nConditions:\n"].iter().filter_map(|it| rest.find(it)).min();
    let names = rest[..end.expect("an end")].lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?.strip_suffix(':')?;
        name.chars().all(char::is_alphanumeric).then(|| name.to_owned())
    });
    names.collect()
}

#[test]
fn cfn_lint_has_nothing_to_say_of_sending() {
    let Some(checkers) = checkers() else { return };
    let lint = |template: &Path| {
        said(Command::new(checkers.join("cfn-lint")).args(["--include-checks", "I", "--"]).arg(template))
    };
    assert_eq!(lint(&project(SEND)), (true, String::new()));
    each_mutation_is_found(
        SEND,
        r##"
            Runtime: provided.al2023 => Runtime: python2.7 => python2.7
            MaximumConcurrency: => MaximumConcurency: => MaximumConcurency
            [ReportBatchItemFailures] => [ReportFailures] => ReportFailures
        "##,
        lint,
    );
}

#[test]
fn sending_may_do_what_is_needed_and_loses_no_message() {
    let Some(checkers) = checkers() else { return };
    let run = |template: &Path| check(&checkers, "send.py", &[template]);
    let (success, said) = run(&project(SEND));
    assert!(success, "{said}");
    each_mutation_is_found(
        SEND,
        r##"
            # Too much, too little.
            Action: s3:GetObject => Action: [s3:GetObject, s3:DeleteObject] => holds s3:DeleteObject
            Action: [s3:GetObject, s3:PutObject] => Action: s3:GetObject => lacks s3:PutObject
            ${InputBucket}/${InputPrefix}* => ${InputBucket}/* => may do s3:GetObject on {elsewhere}
            ${Own}/${StatePrefix}* => ${Own}/* => may do s3:PutObject on {elsewhere}
            - Converts => - HasOwnBucket => s3:AbortMultipartUpload
            - !Sub "${RefusedPrefix}*" => - !Sub "*" => may do s3:ListBucket
            Resource: !If [MakeSecret, !Ref Secret, => Resource: !If [MakeSecret, "*", => not one thing's name
            Resource: !GetAtt LogGroup.Arn => Resource: "*" => not one thing's name
            aws:SourceArn: => aws:Arn: => QueuePolicy: others may send
            # What arrives.
            detail-type: [Object Created] => detail-type: [Object Deleted] => not new objects
            { prefix: !Ref InputPrefix } => { prefix: "" } => other objects of the bucket
            Arn: !GetAtt Queue.Arn => Arn: !GetAtt DeadLetters.Arn => not into the queue
            [ReportBatchItemFailures] => [] => a message that fails takes others back
            MaximumConcurrency: !Ref Concurrency => MaximumConcurrency: 50 => any number at once
            maxReceiveCount: 20 => maxReceiveCount: 2 => gives up early
            VisibilityTimeout: 1800 => VisibilityTimeout: 300 => handed out again
            MessageRetentionPeriod: 1209600 => MessageRetentionPeriod: 86400 => messages are lost early
            UDMAP_FUNCTION: send => UDMAP_FUNCTION: convert => does not send
            # What rings.
            MetricName: ApproximateAgeOfOldestMessage => MetricName: NumberOfMessagesSent => LateAlarm: rings for something
            Value: !GetAtt DeadLetters.QueueName => Value: !GetAtt Queue.QueueName => DeadAlarm: rings for something
            $.rejects > 0 => $.reject > 0 => NotSent: does not count
            TreatMissingData: notBreaching => TreatMissingData: breaching => rings when nothing arrives
        "##,
        run,
    );
    // Each setting is one that the function reads, and each parameter is in the guide.
    let read: String = ["send/settings.rs", "objects/settings.rs", "mod.rs"]
        .iter()
        .map(|name| fs::read_to_string(project("src/lambda").join(name)).expect("the source"))
        .collect();
    let given = settings(SEND, ":");
    assert!(given.len() >= 10, "{given:?}");
    for (name, _) in given {
        assert!(read.contains(&format!("\"{name}\"")), "{name} is not read");
    }
    let guide = fs::read_to_string(project("docs/deploy.md")).expect("the guide");
    for name in parameters(SEND) {
        assert!(guide.contains(&format!("`{name}`")), "not in docs/deploy.md: {name}");
    }
    // The fields that alarms are made of are in the line that the guide shows.
    let line = guide.lines().find(|line| line.contains(r#""event":"send""#)).expect("the line");
    let line: serde_json::Value = serde_json::from_str(line).expect(line);
    assert!(line["refused"].is_u64() && line["rejects"].is_u64());
}

#[test]
fn policies_grant_what_is_needed_and_nothing_else() {
    let Some(checkers) = checkers() else { return };
    let run = |template: &Path| check(&checkers, "policies.py", &[template]);
    let (success, said) = run(&project(TEMPLATE));
    assert!(success, "{said}");
    each_mutation_is_found(
        TEMPLATE,
        r##"
            # Too much.
            [s3:PutObject, s3:GetObject] => [s3:PutObject, s3:GetObject, s3:DeleteObject] => holds s3:DeleteObject
            [s3:PutObject, s3:GetObject] => s3:* => s3:* has a wildcard
            ${Name}/${Prefix}* => ${Name}/* => writer: may do s3:PutObject on {elsewhere}
            ${Name}/${StateKey} => ${Name}/* => writer: may do s3:GetObject on {elsewhere}
            Resource: !GetAtt LogGroup.Arn => Resource: "*" => * is not one thing's name
            ${Name}/${Prefix}* => ${Name}/*/${Prefix}* => wildcard before its end
            s3:prefix: => s3:max-keys: => ListBucket without a condition
            Resource: !If [MakeSecret, !Ref Secret, => Resource: !If [MakeSecret, "*", => * is not one thing's name
            secretsmanager:GetSecretValue => secretsmanager:PutSecretValue => holds secretsmanager:PutSecret
            - Deletes => - HasReader => reader: holds s3:DeleteObject (given {})
            - ListsBucket => - HasReader => ListBucket without a condition
            Resource: !GetAtt Function.Arn => Resource: !Sub ${Function.Arn}* => timer: may do
            Role: !GetAtt FunctionRole.Arn => Policies: [] => SAM would make policies
            Service: lambda.amazonaws.com => AWS: "*" => FunctionRole: may be assumed by
            StringEquals: { aws:SourceAccount: !Ref AWS::AccountId } => {} => another account's
            StringEquals: { accounts.google.com:sub: !Ref ReaderSubject } => {} => any account of Google's
            # Too little.
            [s3:GetObject, s3:PutObject] => [s3:GetObject] => writer: lacks s3:PutObject on {state}
            - !Ref StateKey => - x => writer: lacks s3:ListBucket
            [s3:PutObject, s3:GetObject] => s3:PutObject => writer: lacks s3:GetObject on {logs}
            - !Sub ["${Prefix}*", => - !Sub ["x*", => writer: lacks s3:ListBucket
            # The bucket.
            BlockPublicPolicy: true => BlockPublicPolicy: false => public access is not blocked
            aws:SecureTransport: "false" => aws:SecureTransport: "true" => plain HTTP is not refused
            Prefix: !Select [0, !Split ["{log}", !Ref EventsPrefix]] => Prefix: udmap- => the state expires
            # The parameters.
            ^(?!udmap-state/) => ^ => Prefix: takes `udmap-state/`
            ^udmap-state/[A-Za-z0-9_.=/-]*(\{log\})?[A-Za-z0-9_.=/-]+$ => ^.+$ => StateKey: takes `duo-telephony/state.json`
            [A-Za-z0-9_.=-]+(-\{log\})?/([A-Za-z0-9_.=-]+/)*(\{log\}/)?$ => .+/$ => Prefix: takes `*/`
            (?!udmap-\{) => (?!x) => Prefix: takes `udmap-{log}/`
        "##,
        run,
    );
}

#[test]
fn manifests_are_valid_and_restricted() {
    let Some(checkers) = checkers() else { return };
    let secret = project(MANIFESTS[1]);
    let run = |cron_job: &Path| check(&checkers, "manifests.py", &[cron_job, &secret]);
    let (success, said) = run(&project(MANIFESTS[0]));
    assert!(success && said == "4 documents: 0 wrong\n", "{said}");
    each_mutation_is_found(
        MANIFESTS[0],
        r##"
            concurrencyPolicy: Forbid => concurrencyPolicy: Allow => not Forbid
            concurrencyPolicy: => concurencyPolicy: => concurencyPolicy
            schedule: "17 * * * *" => schedule: 17 => 17
            runAsNonRoot: true => runAsNonRoot: false => runAsNonRoot
            readOnlyRootFilesystem: true => readOnlyRootFilesystem: false => readOnlyRootFilesystem
            drop: [ALL] => drop: [NET_RAW] => capabilities.drop
            limits: { memory: 256Mi } => limits: {} => no limit of memory
            activeDeadlineSeconds: 3000 => activeDeadlineSeconds: 4000 => may last into the next
            secretName: udmap-duo => secretName: udmap => no secret udmap
            udmap:0.1.0 => udmap:latest => names no version
            STATE_KEY: udmap-state/ => STATE_KEY: duo-telephony/ => where the feed reads
        "##,
        run,
    );
}

/// A service file whose programs are there on this machine.
fn unit_in(folder: &Path, service: &Path) -> PathBuf {
    let text = fs::read_to_string(service).expect("the unit");
    let unit = folder.join("udmap-collect.service");
    fs::write(&unit, text.replace("/usr/local/bin/udmap", env!("CARGO_BIN_EXE_udmap"))).expect("written");
    unit
}

#[test]
fn units_are_valid_and_confined() {
    if need(Tool::Systemd).is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let run = |service: &Path| {
        let unit = unit_in(folder.path(), service);
        let timer = project("deploy/systemd/udmap-collect.timer");
        let (valid, complaints) = said(Command::new("systemd-analyze").arg("verify").args([&unit, &timer]));
        // It only warns of a name that it doesn't know.
        if !valid || complaints.contains("udmap-collect") {
            return (false, complaints);
        }
        // Out of 100, where 0 is a service that can do nothing.
        let confined = ["security", "--offline=true", "--no-pager", "--threshold=14"];
        said(Command::new("systemd-analyze").args(confined).arg(&unit))
    };
    let service = "deploy/systemd/udmap-collect.service";
    let (success, said) = run(&project(service));
    assert!(success, "{said}");
    each_mutation_is_found(
        service,
        r##"
            Type=oneshot => Type=oneshoot => oneshoot
            ProtectSystem= => ProtectSistem= => ProtectSistem
            ExecStart=/usr/local/bin/udmap => ExecStart=/no/such => /no/such
            CapabilityBoundingSet= => CapabilityBoundingSet=CAP_SYS_ADMIN => exposure
            DynamicUser=yes => User=root => exposure
        "##,
        run,
    );
}

/// Pairs of a setting's name and what stands behind it, in lines like `S3_BUCKET=x` or `  S3_BUCKET: x`.
fn settings(file: &str, separator: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(project(file)).expect(file);
    let pairs = text.lines().filter_map(|line| line.trim_start().split_once(separator));
    let named = |name: &str| {
        name.contains('_') && name.chars().all(|c| c.is_ascii_uppercase() || "_0123456789".contains(c))
    };
    pairs
        .filter(|(name, _)| named(name))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

#[test]
fn every_setting_is_one_that_the_collector_reads() {
    let files = [
        ("deploy/systemd/collect.env.example", "="),
        ("deploy/kubernetes/cronjob.yaml", ":"),
        (TEMPLATE, ":"),
    ];
    for (file, separator) in files {
        let given = settings(file, separator);
        let asked = RefCell::new(BTreeSet::new());
        let read = Settings::read(&|name| {
            asked.borrow_mut().insert(name.to_owned());
            let (_, value) = given.iter().find(|(given, _)| given == name)?;
            // The keys' files are not there, and what the template fills in may be anything.
            let filled = if name == "UDMAP_LOGS" { "telephony" } else { "yes" };
            let value = if value.starts_with('!') { filled.to_owned() } else { value.clone() };
            (!name.ends_with("_FILE")).then_some(value)
        });
        let others = ["DUO_SECRET_ARN", "AWS_REGION"];
        let unknown: Vec<&String> = given
            .iter()
            .map(|(name, _)| name)
            .filter(|name| !asked.borrow().contains(*name) && !others.contains(&name.as_str()))
            .collect();
        assert!(given.len() >= 5 && unknown.is_empty(), "{file}: {unknown:?}");
        let settings = read.expect(file);
        if file != TEMPLATE {
            assert_eq!(settings.to.as_deref(), Some("s3://duo-telephony-logs/duo-telephony/"), "{file}");
            let state = Some("s3://duo-telephony-logs/udmap-state/duo-telephony.json");
            assert_eq!(settings.state.as_deref(), state, "{file}");
            assert!(settings.host.is_some(), "{file}");
        }
    }
}

#[test]
fn the_guide_knows_every_parameter_and_the_line_that_is_alarmed_on() {
    let guide = fs::read_to_string(project("docs/deploy.md")).expect("the guide");
    let template = fs::read_to_string(project(TEMPLATE)).expect("the template");
    let names = parameters(TEMPLATE);
    let table: Vec<&str> = guide.lines().filter(|line| line.starts_with("| ")).collect();
    let missing: Vec<&String> =
        names.iter().filter(|name| !table.iter().any(|row| row.contains(name.as_str()))).collect();
    assert!(missing.is_empty(), "not in docs/deploy.md: {missing:?}");

    let line = guide.lines().find(|line| line.contains(r#""event":"collect""#)).expect("the line");
    let line: serde_json::Value = serde_json::from_str(line).expect(line);
    assert!(line["watermark_age_seconds"].is_u64());
    assert!(template.contains(r#"'{ $.event = "collect" && $.watermark_age_seconds >= 0 }'"#));
}
