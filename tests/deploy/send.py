"""The template for sending: who may do what, how messages come and go, and what rings.

    send.py TEMPLATE

Prints one line for each thing that is wrong, and exits with 1 if there is any.
"""

import sys

import policies
import yaml
from policies import Loader, Resolved, allowed, listed, shapes

GIVEN = {"InputBucket": "logs", "Project": "p", "Location": "eu", "Instance": "i"}
CHOICES = [
    GIVEN,
    {**GIVEN, "OwnBucket": "own", "SecretArn": policies.OTHER_SECRET.replace("other", "given")},
    {**GIVEN, "Mapping": "duo_telephony", "InputPrefix": "duo-telephony/"},
    {**GIVEN, "Mapping": "duo_telephony", "OwnBucket": "own"},
]

HERE = "eu-west-1:111122223333"
policies.ARNS.update({name: f"arn:aws:sqs:{HERE}:{name}" for name in ("Queue", "DeadLetters")})
policies.ARNS["Arrivals"] = f"arn:aws:events:{HERE}:rule/udmap-Arrivals"

ALWAYS = {
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "secretsmanager:GetSecretValue",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
}

# `converts`: only where logs are converted first.
REQUESTS = """
allow    s3:GetObject                   {object}
allow    s3:GetObject                   {state}
allow    s3:PutObject                   {state}
allow    s3:GetObject                   {refused}
allow    s3:PutObject                   {refused}
converts s3:PutObject                   {events}
converts s3:GetObject                   {events}
converts s3:PutObject                   {rejects}
converts s3:AbortMultipartUpload        {events}
allow    s3:ListBucket                  {input}     {prefix}x
allow    s3:ListBucket                  {own}       {states}x
converts s3:ListBucket                  {own}       {made}x
allow    sqs:ReceiveMessage             {queue}
allow    secretsmanager:GetSecretValue  {secret}
deny     s3:PutObject                   {object}
deny     s3:DeleteObject                {state}
deny     s3:GetObject                   {elsewhere}
deny     s3:PutObject                   {elsewhere}
deny     s3:ListBucket                  {input}
deny     s3:ListBucket                  {own}       elsewhere
deny     sqs:ReceiveMessage             {dead}
deny     sqs:SendMessage                {queue}
deny     secretsmanager:GetSecretValue  {secrets}
"""

# What rings, and when: the metric, and what it is compared with.
ALARMS = {
    "DeadAlarm": ("ApproximateNumberOfMessagesVisible", "DeadLetters.QueueName", 0),
    "LateAlarm": ("ApproximateAgeOfOldestMessage", "Queue.QueueName", 7200),
    "ErrorAlarm": ("Errors", "Function", 1),
    "NotSentAlarm": ("NotSent", None, 0),
}


def grants(resolved):
    values = resolved.values
    source = f"arn:aws:s3:::{values['InputBucket']}"
    own = f"arn:aws:s3:::{values['OwnBucket'] or values['InputBucket']}"
    things = {
        "input": source,
        "own": own,
        "prefix": values["InputPrefix"],
        "states": values["StatePrefix"],
        "made": values["EventsPrefix"],
        "object": f"{source}/{values['InputPrefix']}dt=2026-01-01/x.ndjson.gz",
        "state": f"{own}/{values['StatePrefix']}0.json",
        "refused": f"{own}/{values['RefusedPrefix']}0.000000000000.ndjson",
        "events": f"{own}/{values['EventsPrefix']}x.0.ndjson.gz",
        "rejects": f"{own}/{values['RejectsPrefix']}x.0.rejects.ndjson.gz",
        "elsewhere": f"{own}/elsewhere",
        "queue": policies.ARNS["Queue"],
        "dead": policies.ARNS["DeadLetters"],
        "secret": values["SecretArn"] or policies.REFS["Secret"],
        "secrets": policies.OTHER_SECRET,
    }
    converts = values["Mapping"] != "none"
    held = {}
    for holder, statement in resolved.statements():
        held.setdefault(holder, []).append(statement)
    for holder in set(held) - {"FunctionRole"}:
        yield f"{holder}: holds a policy, and nobody knows it"
    statements = held.get("FunctionRole", [])
    actual = {action for statement in statements for action in listed(statement.get("Action"))}
    for action in sorted(actual ^ (ALWAYS | ({"s3:AbortMultipartUpload"} if converts else set()))):
        yield f"FunctionRole: {'holds' if action in actual else 'lacks'} {action}"
    for line in filter(None, REQUESTS.splitlines()):
        verdict, action, thing, *prefix = line.split()
        wanted = verdict == "allow" or (verdict == "converts" and converts)
        context = {"s3:prefix": prefix[0].format(**things)} if prefix else {}
        if allowed(statements, action, thing.format(**things), context) != wanted:
            yield f"FunctionRole: {'lacks' if wanted else 'may do'} {action} on {thing}"


def arrivals(resolved):
    """An object's message comes to the function, and goes back alone if it fails."""
    values = resolved.values
    resources = {name: resource["Properties"] for name, resource in resolved.resources.items()}
    rule = resources["Arrivals"]
    detail = rule["EventPattern"].get("detail", {})
    if rule["EventPattern"].get("source") != ["aws.s3"] or rule["EventPattern"].get("detail-type") != ["Object Created"]:
        yield "Arrivals: not new objects"
    if detail.get("bucket", {}).get("name") != [values["InputBucket"]]:
        yield "Arrivals: another bucket's objects"
    if detail.get("object", {}).get("key") != [{"prefix": values["InputPrefix"]}]:
        yield "Arrivals: other objects of the bucket"
    if [target["Arn"] for target in rule["Targets"]] != [policies.ARNS["Queue"]]:
        yield "Arrivals: not into the queue"
    for statement in resources["QueuePolicy"]["PolicyDocument"]["Statement"]:
        source = statement.get("Condition", {}).get("ArnEquals", {}).get("aws:SourceArn")
        if statement["Principal"] != {"Service": "events.amazonaws.com"} or source != policies.ARNS["Arrivals"]:
            yield "QueuePolicy: others may send"
    function, queue, mapping = resources["Function"], resources["Queue"], resources["FromQueue"]
    if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
        yield "FromQueue: a message that fails takes others back with it"
    if mapping.get("ScalingConfig", {}).get("MaximumConcurrency") != values["Concurrency"]:
        yield "FromQueue: any number at once, and the rate is the tenant's"
    redrive = queue.get("RedrivePolicy", {})
    if redrive.get("deadLetterTargetArn") != policies.ARNS["DeadLetters"] or redrive.get("maxReceiveCount", 0) < 10:
        yield "Queue: gives up early"
    if queue["VisibilityTimeout"] < 6 * function["Timeout"]:
        yield "Queue: handed out again while it is worked on"
    if queue["MessageRetentionPeriod"] != 14 * 86400 or resources["DeadLetters"]["MessageRetentionPeriod"] != 14 * 86400:
        yield "Queue: messages are lost early"
    variables = function["Environment"]["Variables"]
    if variables.get("UDMAP_FUNCTION") != "send" or function["Timeout"] < 60:
        yield "Function: does not send"
    for name in ("UDMAP_SEND_STATE", "UDMAP_SEND_REJECTS"):
        if variables[name].startswith(variables["UDMAP_INPUT"]) or not variables[name].endswith("/"):
            yield f"Function: {name} is below the input, or not a prefix"


def alarms(resolved):
    found = {name: it for name, it in resolved.resources.items() if it["Type"] == "AWS::CloudWatch::Alarm"}
    for name in sorted(set(found) ^ set(ALARMS)):
        yield f"{name}: {'not known here' if name in found else 'is missing'}"
    for name in sorted(set(found) & set(ALARMS)):
        properties, (metric, of, threshold) = found[name]["Properties"], ALARMS[name]
        dimensions = [it["Value"] for it in properties.get("Dimensions", [])]
        if (properties["MetricName"], dimensions, properties["Threshold"]) != (metric, [of] if of else [], threshold):
            yield f"{name}: rings for something else"
        if properties["TreatMissingData"] != "notBreaching":
            yield f"{name}: rings when nothing arrives"
    filters = {
        it["Properties"]["FilterPattern"]
        for it in resolved.resources.values()
        if it["Type"] == "AWS::Logs::MetricFilter" and it["Properties"]["MetricTransformations"][0]["MetricName"] == "NotSent"
    }
    if filters != {'{ $.event = "send" && $.%s > 0 }' % field for field in ("refused", "rejects")}:
        yield "NotSent: does not count refused events and rejects"


def main(path):
    with open(path, encoding="utf-8") as file:
        template = yaml.load(file, Loader)
    wrong = []
    for given in CHOICES:
        resolved = Resolved(template, given)
        for check in (shapes(resolved, resolved.values), grants(resolved), arrivals(resolved), alarms(resolved)):
            wrong += [f"{complaint} (given {given})" for complaint in check]
    for complaint in wrong:
        print(complaint)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
