"""The template for conversion at scale: who may do what, and where the state machine leads.

    batch.py TEMPLATE

Prints one line for each thing that is wrong, and exits with 1 if there is any.
"""

import sys

import policies
import yaml
from policies import Loader, Resolved, allowed, listed, shapes

GIVEN = {"InputBucket": "logs", "OutputBucket": "udm"}
CHOICES = [GIVEN, {**GIVEN, "InventoryBucket": "inventory"}, {"InputBucket": "one", "OutputBucket": "one"}]

HERE = "eu-west-1:111122223333"
policies.REFS.update({"Queue": "https://queue", "LogGroup": "/aws/lambda/udmap"})
policies.ARNS.update({"Queue": f"arn:aws:sqs:{HERE}:udmap", "DeadLetters": f"arn:aws:sqs:{HERE}:udmap-dead"})

GRANTS = {
    "FunctionRole": {
        "s3:GetObject",
        "s3:PutObject",
        "s3:AbortMultipartUpload",
        "s3:ListBucket",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    },
    "StateMachineRole": {
        "lambda:InvokeFunction",
        "s3:ListBucket",
        "s3:PutObject",
        "s3:GetObject",
        "s3:ListMultipartUploadParts",
        "s3:AbortMultipartUpload",
        "states:StartExecution",
        "states:DescribeExecution",
        "states:StopExecution",
        "states:DescribeMapRun",
    },
}

REQUESTS = """
allow FunctionRole      s3:GetObject              {logs}
allow FunctionRole      s3:PutObject              {events}
allow FunctionRole      s3:GetObject              {events}
allow FunctionRole      s3:PutObject              {manifest}
allow FunctionRole      s3:PutObject              {rejects}
allow FunctionRole      s3:ListBucket             {input}     {prefix}x
allow FunctionRole      s3:ListBucket             {output}    {out}x
allow FunctionRole      sqs:ReceiveMessage        {queue}
deny  FunctionRole      s3:PutObject              {logs}
deny  FunctionRole      s3:GetObject              {elsewhere}
deny  FunctionRole      s3:PutObject              {elsewhere}
deny  FunctionRole      s3:ListBucket             {input}     elsewhere
deny  FunctionRole      sqs:ReceiveMessage        {queue}-dead
allow StateMachineRole  lambda:InvokeFunction     {function}
allow StateMachineRole  s3:ListBucket             {input}     {prefix}2024/
allow StateMachineRole  s3:PutObject              {runs}
allow StateMachineRole  states:StartExecution     {machine}
allow StateMachineRole  states:DescribeMapRun     {run}
deny  StateMachineRole  s3:GetObject              {logs}
deny  StateMachineRole  s3:PutObject              {events}
deny  StateMachineRole  states:StartExecution     {machine}-other
"""


def grants(resolved):
    values = resolved.values
    source, target = (f"arn:aws:s3:::{values[name]}" for name in ("InputBucket", "OutputBucket"))
    out = values["OutputPrefix"]
    things = {
        "input": source,
        "output": target,
        "prefix": values["InputPrefix"],
        "out": out,
        "logs": f"{source}/{values['InputPrefix']}2024/x.gz",
        "events": f"{target}/{out}2024/x.0.ndjson.gz",
        "manifest": f"{target}/{out}manifest/0/part-00001.ndjson",
        "rejects": f"{target}/{values['RejectsPrefix']}2024/x.0.rejects.ndjson.gz",
        "runs": f"{target}/{out}runs/1/SUCCEEDED_0.json",
        "elsewhere": f"{source}/elsewhere",
        "queue": policies.ARNS["Queue"],
        "function": policies.ARNS["Function"],
        "machine": f"arn:aws:states:{HERE}:stateMachine:udmap-convert",
        "run": f"arn:aws:states:{HERE}:mapRun:udmap-convert/Prefix:1",
    }
    held = {}
    for holder, statement in resolved.statements():
        held.setdefault(holder, []).append(statement)
    for holder in set(held) | set(GRANTS):
        actual = {action for statement in held.get(holder, []) for action in listed(statement.get("Action"))}
        for action in sorted(actual ^ GRANTS.get(holder, set())):
            yield f"{holder}: {'holds' if action in actual else 'lacks'} {action}"
    for line in filter(None, REQUESTS.splitlines()):
        verdict, role, action, thing, *prefix = line.split()
        context = {"s3:prefix": prefix[0].format(**things)} if prefix else {}
        if allowed(held.get(role, []), action, thing.format(**things), context) != (verdict == "allow"):
            yield f"{role}: {'lacks' if verdict == 'allow' else 'may do'} {action} on {thing}"


def queue(resolved):
    resources = {name: resource["Properties"] for name, resource in resolved.resources.items()}
    if resources["Function"]["Environment"]["Variables"].get("UDMAP_FUNCTION") != "convert":
        yield "Function: does not convert"
    if resources["FromQueue"].get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
        yield "FromQueue: a message that fails takes others back with it"
    redrive = resources["Queue"].get("RedrivePolicy", {})
    if redrive.get("maxReceiveCount", 0) < 3:
        yield "Queue: tried only once or twice"
    if redrive.get("deadLetterTargetArn") != policies.ARNS["DeadLetters"]:
        yield "Queue: no dead-letter queue"
    if resources["Queue"]["VisibilityTimeout"] < 6 * 900:
        yield "Queue: handed out again while it is worked on"
    for statement in resources["QueuePolicy"]["PolicyDocument"]["Statement"]:
        source = statement.get("Condition", {}).get("ArnEquals", {}).get("aws:SourceArn")
        if source != f"arn:aws:s3:::{resolved.values['InputBucket']}":
            yield "QueuePolicy: anybody's bucket may send"


# What a Distributed Map may hold (Amazon States Language, "Map state in Distributed mode"): cfn-lint does not look there.
MAP = {
    "": "Type Label MaxConcurrency MaxConcurrencyPath ToleratedFailurePercentage ToleratedFailureCount ItemReader"
    " ItemBatcher ItemSelector ItemProcessor ResultWriter ResultSelector ResultPath InputPath OutputPath Next End Retry"
    " Catch Comment",
    "ItemReader": "Resource Parameters ReaderConfig",
    "ItemReader.ReaderConfig": "InputType CSVHeaderLocation CSVHeaders MaxItems MaxItemsPath",
    "ItemBatcher": "MaxItemsPerBatch MaxItemsPerBatchPath MaxInputBytesPerBatch MaxInputBytesPerBatchPath BatchInput",
    "ItemProcessor": "ProcessorConfig StartAt States",
    "ItemProcessor.ProcessorConfig": "Mode ExecutionType",
    "ResultWriter": "Resource Parameters WriterConfig",
}


def known(name, state):
    for path, keys in MAP.items():
        node = state
        for part in filter(None, path.split(".")):
            node = node.get(part, {})
        for key in sorted(set(node) - set(keys.split())):
            yield f"{name}: {key} is not known in {path or 'a Map'}"
    config = state["ItemProcessor"]["ProcessorConfig"]
    for key, values in (("Mode", ("DISTRIBUTED",)), ("ExecutionType", ("STANDARD", "EXPRESS"))):
        if config.get(key) not in values:
            yield f"{name}: {key} is {config.get(key)}"
    if state["ItemProcessor"]["StartAt"] not in state["ItemProcessor"]["States"]:
        yield f"{name}: starts nowhere"


def machine(resolved):
    """Every state leads on to one that is there, every one is reached, and failures are looked at."""
    definition = resolved.resources["StateMachine"]["Properties"]["Definition"]
    states = definition["States"]
    leads = {}
    for name, state in states.items():
        nexts = [state.get("Next"), state.get("Default")] + [it["Next"] for it in state.get("Choices", [])]
        leads[name] = [it for it in nexts if it]
        if not leads[name] and state["Type"] not in ("Succeed", "Fail"):
            yield f"{name}: leads nowhere"
    reached, todo = set(), [definition["StartAt"]]
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += leads.get(name, [])
    for name in sorted(set(states) ^ reached):
        yield f"{name}: {'never reached' if name in states else 'is not there'}"
    for name, encoded in (("ConvertPrefix", False), ("ConvertInventory", True)):
        state = states[name]
        yield from known(name, state)
        batch = state["ItemBatcher"]["BatchInput"]
        if batch.get("encoded") is not encoded:
            yield f"{name}: keys are {'' if encoded else 'not '}encoded"
        if state["Next"] != "HowItEnded" or state.get("ResultPath") != "$.run":
            yield f"{name}: failures are not looked at"
        if state.get("ToleratedFailurePercentage") != 100:
            yield f"{name}: one that fails stops the others"
        for task in state["ItemProcessor"]["States"].values():
            if task["Parameters"].get("Payload.$") != "$":
                yield f"{name}: the function is not given the batch"
            if not any("States.ALL" in retry["ErrorEquals"] for retry in task["Retry"]):
                yield f"{name}: nothing is tried again"


def main(path):
    with open(path, encoding="utf-8") as file:
        template = yaml.load(file, Loader)
    wrong = []
    for given in CHOICES:
        resolved = Resolved(template, given)
        for check in (shapes(resolved, resolved.values), grants(resolved), queue(resolved), machine(resolved)):
            wrong += [f"{complaint} (given {given})" for complaint in check]
    for complaint in wrong:
        print(complaint)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
