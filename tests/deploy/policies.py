"""What may whom: resolves the template's IAM policies as AWS would, and holds them against a table.

    policies.py TEMPLATE

Prints one line for each thing that is wrong, and exits with 1 if there is any. The template is resolved for several
choices of parameters; for each, every statement must be of a safe shape, each identity must hold exactly the actions
of GRANTS, and the requests of REQUESTS must be allowed or refused as it says there.
"""

import fnmatch
import re
import sys

import yaml

PSEUDO = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::StackName": "udmap",
}
# What a resource's `Ref` and `Arn` are once it exists.
REFS = {
    "Bucket": "made",
    "Secret": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:made-AbCdEf",
    "LogGroup": "/aws/lambda/udmap",
}
ARNS = {
    "Bucket": "arn:aws:s3:::made",
    "LogGroup": "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/udmap:*",
    "Function": "arn:aws:lambda:eu-west-1:111122223333:function:udmap",
}
OTHER_SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:other-AbCdEf"

CHOICES = [
    {},
    {"ExistingBucket": "theirs", "SecretArn": OTHER_SECRET.replace("other", "given")},
    {"Reader": "none"},
    {"Reader": "role", "ReaderSubject": "12345"},
    {"FeedDeletes": "yes"},
    {"ReaderLists": "bucket"},
    {"Convert": "yes"},
    {
        "Logs": "telephony,activity",
        "Prefix": "duo-{log}/",
        "StateKey": "udmap-state/duo-{log}.json",
        "EventsPrefix": "udm/{log}/",
        "RejectsPrefix": "rejects/{log}/",
        "Convert": "yes",
    },
    {"Convert": "yes", "FeedDeletes": "yes", "Reader": "role", "ReaderSubject": "12345"},
]

# Every action that an identity holds, and no other; `if` names the parameter on which it hangs.
GRANTS = """
writer  s3:PutObject
writer  s3:GetObject
writer  s3:ListBucket
writer  secretsmanager:GetSecretValue
writer  logs:CreateLogStream
writer  logs:PutLogEvents
timer   lambda:InvokeFunction
reader  s3:GetObject
reader  s3:GetBucketLocation
reader  s3:ListBucket
reader  s3:DeleteObject                 if FeedDeletes=yes
"""

# Who asks for what, and whether it is granted. The last column is what the request says as s3:prefix (`-`: nothing).
REQUESTS = """
allow                      writer  s3:PutObject                    {logs}      -
allow                      writer  s3:GetObject                    {logs}      -
allow                      writer  s3:PutObject                    {state}     -
allow                      writer  s3:GetObject                    {state}     -
allow                      writer  s3:ListBucket                   {bucket}    {state_key}
allow                      writer  s3:ListBucket                   {bucket}    {prefix}dt=2026-01-01/x.gz
allow                      writer  secretsmanager:GetSecretValue   {secret}    -
allow                      writer  logs:PutLogEvents               {log}       -
deny                       writer  s3:DeleteObject                 {logs}      -
deny                       writer  s3:DeleteObject                 {state}     -
deny                       writer  s3:PutObject                    {elsewhere} -
deny                       writer  s3:PutObject                    {beside}    -
deny                       writer  s3:GetObject                    {elsewhere} -
deny                       writer  s3:ListBucket                   {bucket}    -
deny                       writer  s3:ListBucket                   {bucket}    elsewhere
deny                       writer  s3:ListBucket                   {bucket}    udmap-state/
deny                       writer  s3:PutObject                    {other}     -
deny                       writer  secretsmanager:GetSecretValue   {secrets}   -
deny                       writer  secretsmanager:PutSecretValue   {secret}    -
deny                       writer  logs:PutLogEvents               {logelse}   -
deny                       writer  logs:DeleteLogGroup             {log}       -
allow if Convert=yes       writer  s3:PutObject                    {events}    -
allow if Convert=yes       writer  s3:GetObject                    {events}    -
allow if Convert=yes       writer  s3:PutObject                    {rejects}   -
allow                      timer   lambda:InvokeFunction           {function}  -
deny                       timer   lambda:InvokeFunction           {lambdas}   -
deny                       timer   lambda:UpdateFunctionCode       {function}  -
allow                      reader  s3:GetObject                    {logs}      -
allow                      reader  s3:ListBucket                   {bucket}    {prefix}
allow                      reader  s3:ListBucket                   {bucket}    {prefix}dt=2026-01-01/
allow                      reader  s3:GetBucketLocation            {bucket}    -
allow if FeedDeletes=yes   reader  s3:DeleteObject                 {logs}      -
allow if ReaderLists=bucket reader s3:ListBucket                   {bucket}    -
allow if ReaderLists=bucket reader s3:ListBucket                   {bucket}    udmap-state/
allow if Convert=yes       reader  s3:GetObject                    {events}    -
deny                       reader  s3:GetObject                    {rejects}   -
deny                       reader  s3:GetObject                    {state}     -
deny                       reader  s3:DeleteObject                 {state}     -
deny                       reader  s3:GetObject                    {elsewhere} -
deny                       reader  s3:GetObject                    {other}     -
deny                       reader  s3:DeleteObject                 {elsewhere} -
deny                       reader  s3:PutObject                    {logs}      -
deny                       reader  secretsmanager:GetSecretValue   {secret}    -
"""


# The template ------------------------------------------------------------------------------------------------------


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags: `!Sub x` is read as {"Fn::Sub": x}."""


def tagged(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt":
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", tagged)
GONE = object()  # AWS::NoValue


class Resolved:
    """The template with its parameters filled in, and what its conditions exclude left out."""

    def __init__(self, template, given):
        unknown = set(given) - set(template["Parameters"])
        if unknown:
            raise SystemExit(f"no such parameter: {unknown}")
        defaults = {name: p.get("Default") for name, p in template["Parameters"].items()}
        self.values = {**PSEUDO, **defaults, **given}
        self.conditions = template["Conditions"]
        self.resources = {
            name: self.resolve(resource)
            for name, resource in template["Resources"].items()
            if self.holds(resource.get("Condition"))
        }

    def holds(self, condition):
        if condition is None:
            return True
        if isinstance(condition, str):
            return self.holds(self.conditions[condition])
        ((name, args),) = condition.items()
        if name == "Condition":
            return self.holds(args)
        if name == "Fn::Equals":
            first, second = map(self.resolve, args)
            return str(first) == str(second)
        if name == "Fn::Not":
            return not self.holds(args[0])
        combine = {"Fn::And": all, "Fn::Or": any}[name]
        return combine(map(self.holds, args))

    def resolve(self, node):
        if isinstance(node, list):
            return [value for value in map(self.resolve, node) if value is not GONE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, args),) = node.items()
            if name == "Ref":
                return self.ref(args)
            if name == "Fn::If":
                return self.resolve(args[1] if self.holds(args[0]) else args[2])
            if name == "Fn::GetAtt":
                return self.attribute(args)
            if name == "Fn::Sub":
                return self.substitute(args)
            if name == "Fn::Split":
                return self.resolve(args[1]).split(args[0])
            if name == "Fn::Select":
                return self.resolve(args[1])[args[0]]
            if name.startswith("Fn::"):
                raise SystemExit(f"{name} is not known here")
        pairs = ((key, self.resolve(value)) for key, value in node.items())
        return {key: value for key, value in pairs if value is not GONE}

    def ref(self, name):
        if name == "AWS::NoValue":
            return GONE
        return self.values[name] if name in self.values else REFS.get(name, name)

    def attribute(self, path):
        name, attribute = path
        return ARNS.get(name, f"arn:of:{name}") if attribute == "Arn" else f"{name}.{attribute}"

    def substitute(self, args):
        text, local = (args, {}) if isinstance(args, str) else (args[0], self.resolve(args[1]))

        def value(match):
            name = match[1]
            if name in local:
                return str(local[name])
            return str(self.attribute(name.split(".", 1)) if "." in name else self.ref(name))

        return re.sub(r"\$\{([^}!]+)\}", value, text)

    # Who holds what ------------------------------------------------------------------------------------------------

    def statements(self):
        """Pairs of an identity's resource name and a statement, for identity policies."""
        for name, resource in self.resources.items():
            properties = resource.get("Properties", {})
            if resource["Type"] in ("AWS::IAM::Role", "AWS::IAM::User"):
                for policy in properties.get("Policies", []):
                    for statement in policy["PolicyDocument"]["Statement"]:
                        yield name, statement
            elif resource["Type"] in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
                for holder in properties.get("Users", []) + properties.get("Roles", []):
                    for statement in properties["PolicyDocument"]["Statement"]:
                        yield holder, statement


def listed(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def matches(pattern, text):
    """IAM's `*` and `?`; fnmatch's brackets mean nothing to IAM."""
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def met(condition, context):
    """Whether a statement's condition holds for a request's context; an absent key does not match."""
    for operator, keys in (condition or {}).items():
        if operator not in ("StringEquals", "StringLike"):
            raise SystemExit(f"{operator} is not known here")
        for key, wanted in keys.items():
            if key not in context:
                return False
            wild = operator == "StringLike"
            if not any(matches(w, context[key]) if wild else w == context[key] for w in listed(wanted)):
                return False
    return True


def allowed(statements, action, resource, context):
    return any(
        any(a.lower() == action.lower() or matches(a.lower(), action.lower()) for a in listed(s.get("Action")))
        and any(matches(r, resource) for r in listed(s.get("Resource")))
        and met(s.get("Condition"), context)
        for s in statements
        if s["Effect"] == "Allow"
    )


# The rules ---------------------------------------------------------------------------------------------------------


def shapes(resolved, values):
    """What no statement may look like."""
    for name, statement in resolved.statements():
        where = f"{name}, {statement.get('Sid', 'a statement without Sid')}"
        for key in ("NotAction", "NotResource", "NotPrincipal"):
            if key in statement:
                yield f"{where}: {key}"
        for action in listed(statement.get("Action")):
            if "*" in action:
                yield f"{where}: action {action} has a wildcard"
        for resource in listed(statement.get("Resource")):
            if re.match(r"arn:aws:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:[^*?]", resource) is None:
                yield f"{where}: resource {resource} is not one thing's name"
            elif re.search(r"[*?].", resource):
                yield f"{where}: resource {resource} has a wildcard before its end"
        if "s3:ListBucket" in listed(statement.get("Action")):
            prefixed = any("s3:prefix" in keys for keys in statement.get("Condition", {}).values())
            widened = values.get("ReaderLists") == "bucket" and name.startswith("Reader")
            if not prefixed and not widened:
                yield f"{where}: ListBucket without a condition on s3:prefix"
        if any(a.startswith("secretsmanager:") for a in listed(statement.get("Action"))):
            if len(listed(statement.get("Resource"))) != 1:
                yield f"{where}: more than one secret"
    for name, resource in resolved.resources.items():
        properties = resource.get("Properties", {})
        for key in ("ManagedPolicyArns", "PermissionsBoundary"):
            if properties.get(key):
                yield f"{name}: {key}: what it grants can't be read here"
        if resource["Type"] == "AWS::Serverless::Function":
            if "Role" not in properties or "Policies" in properties or "Events" in properties:
                yield f"{name}: SAM would make policies of its own"
        for statement in listed(properties.get("AssumeRolePolicyDocument", {}).get("Statement")):
            yield from trust(name, statement)


def trust(name, statement):
    """Who may take on a role."""
    principal = statement.get("Principal")
    known = {"FunctionRole": {"Service": "lambda.amazonaws.com"}, "TimerRole": {"Service": "scheduler.amazonaws.com"}}
    known["ReaderRole"] = {"Federated": "accounts.google.com"}
    known["StateMachineRole"] = {"Service": "states.amazonaws.com"}
    if principal != known.get(name):
        yield f"{name}: may be assumed by {principal}"
    conditions = statement.get("Condition", {}).get("StringEquals", {})
    if name in ("TimerRole", "StateMachineRole") and conditions.get("aws:SourceAccount") != PSEUDO["AWS::AccountId"]:
        yield f"{name}: may be assumed for another account's schedules"
    if name == "ReaderRole" and not conditions.get("accounts.google.com:sub"):
        yield f"{name}: may be assumed by any account of Google's"


def bucket(resolved):
    """The bucket that is made: closed, encrypted, and reached over TLS alone."""
    made = resolved.resources.get("Bucket")
    if made is None:
        return
    properties = made["Properties"]
    blocked = [name for name, yes in properties.get("PublicAccessBlockConfiguration", {}).items() if yes is True]
    if sorted(blocked) != ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"]:
        yield "Bucket: public access is not blocked"
    if "BucketEncryption" not in properties:
        yield "Bucket: not encrypted"
    if made.get("DeletionPolicy") != "Retain" or made.get("UpdateReplacePolicy") != "Retain":
        yield "Bucket: does not outlive the stack"
    expiring = [r["Prefix"] if "Prefix" in r else "" for r in rules(properties) if "ExpirationInDays" in r]
    if any(resolved.values["StateKey"].startswith(prefix) for prefix in expiring):
        yield "Bucket: the state expires"
    policy = resolved.resources.get("BucketPolicy", {}).get("Properties", {}).get("PolicyDocument", {})
    for statement in listed(policy.get("Statement")):
        if statement["Effect"] != "Deny":
            yield "BucketPolicy: grants something"
        refuses = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false"
        whole = {ARNS["Bucket"], ARNS["Bucket"] + "/*"} <= set(listed(statement.get("Resource")))
        if refuses and whole and statement.get("Principal") == "*" and statement.get("Action") == "s3:*":
            return
    yield "BucketPolicy: plain HTTP is not refused"


def rules(properties):
    return properties.get("LifecycleConfiguration", {}).get("Rules", [])


def parse(line):
    """A line's words, and its `if PARAMETER=VALUE`."""
    when = re.search(r"\bif (\w+)=(\w+)", line)
    words = re.sub(r"\bif \w+=\w+", "", line).split()
    return words, when and when.groups()


def table(text):
    return map(parse, filter(None, text.splitlines()))


def grants(resolved):
    """Each identity holds exactly its actions, and answers as the table says."""
    # What begins as the logs' folder does, and is none; with a name's place in it, all that begins so may be one.
    beside = resolved.values["Prefix"].rstrip("/").replace("{log}", "x").replace("duo-x", "xduo")
    # The places of one of the logs, where there are several.
    values = {name: str(value).replace("{log}", "activity") for name, value in resolved.values.items()}
    name = values["ExistingBucket"] or REFS["Bucket"]
    arn = f"arn:aws:s3:::{name}"
    reader = {"user": "ReaderUser", "role": "ReaderRole", "none": None}[values["Reader"]]
    who = {"writer": "FunctionRole", "timer": "TimerRole", "reader": reader}
    things = {
        "bucket": arn,
        "logs": f"{arn}/{values['Prefix']}dt=2026-01-01/telephony-api-1-7.ndjson",
        "events": f"{arn}/{values['EventsPrefix']}dt=2026-01-01/telephony-api-1-7.ndjson",
        "rejects": f"{arn}/{values['RejectsPrefix']}dt=2026-01-01/telephony-api-1-7.ndjson",
        "state": f"{arn}/{values['StateKey']}",
        "state_key": values["StateKey"],
        "prefix": values["Prefix"],
        "elsewhere": f"{arn}/elsewhere",
        "beside": f"{arn}/{beside}-other/x",
        "other": f"arn:aws:s3:::{name}-other/{values['Prefix']}x",
        "secret": values["SecretArn"] or REFS["Secret"],
        "secrets": OTHER_SECRET,
        "log": ARNS["LogGroup"].replace("*", "log-stream:x"),
        "logelse": ARNS["LogGroup"].replace("udmap:*", "other:log-stream:x"),
        "function": ARNS["Function"],
        "lambdas": ARNS["Function"] + "-other",
    }
    held = {}
    for holder, statement in resolved.statements():
        held.setdefault(holder, []).append(statement)
    for holder in set(held) - set(who.values()):
        yield f"{holder}: holds a policy, and nobody knows it"
    expected = {}
    for (role, action), when in table(GRANTS):
        if when is None or str(values[when[0]]) == when[1]:
            expected.setdefault(who[role], set()).add(action)
    for role, holder in who.items():
        actual = {a for s in held.get(holder, []) for a in listed(s.get("Action"))}
        for action in sorted(actual ^ expected.get(holder, set())) if holder else []:
            yield f"{role}: {'holds' if action in actual else 'lacks'} {action}"
    for (verdict, role, action, thing, prefix), when in table(REQUESTS):
        if who[role] is None:
            continue
        wanted = verdict == "allow" and (when is None or str(values[when[0]]) == when[1])
        context = {} if prefix == "-" else {"s3:prefix": prefix.format(**things)}
        if allowed(held.get(who[role], []), action, thing.format(**things), context) != wanted:
            yield f"{role}: {'lacks' if wanted else 'may do'} {action} on {thing} with prefix {prefix}"


def patterns(template):
    """No choice of parameters puts the state under the feed's prefix, or a wildcard into a policy."""
    right = {
        "Prefix": ["duo-telephony/", "a/b.c/", "duo-{log}/", "a/b/{log}/"],
        "StateKey": ["udmap-state/duo.json", "udmap-state/{log}.json"],
    }
    wrong = {
        "Prefix": ["", "/", "a", "a//", "*/", "a?/", "${aws:username}/", "udmap-state/", "udmap-state/a/"]
        + ["udmap-{log}/", "udmap-state/{log}/", "{log}/", "u{log}/", "duo-{x}/", "a/{log}-b/"],
        "StateKey": ["", "duo-telephony/state.json", "state.json", "udmap-state/", "udmap-state/*"],
    }
    for name in ("EventsPrefix", "RejectsPrefix"):
        right[name], wrong[name] = right["Prefix"], wrong["Prefix"]
    right["SecretArn"], wrong["SecretArn"] = ["", OTHER_SECRET], ["*", OTHER_SECRET[:-3] + "*"]
    right["ExistingBucket"], wrong["ExistingBucket"] = ["", "duo-telephony-logs"], ["a*", "bucket/key"]
    for verdict, examples in (("refuses", right), ("takes", wrong)):
        for name, values in examples.items():
            pattern = re.compile(template["Parameters"][name].get("AllowedPattern", ".*"))
            for value in values:
                if (pattern.fullmatch(value) is None) == (verdict == "refuses"):
                    yield f"{name}: {verdict} `{value}`"


def main(path):
    with open(path, encoding="utf-8") as file:
        template = yaml.load(file, Loader)
    wrong = list(patterns(template))
    for given in CHOICES:
        resolved = Resolved(template, given)
        for check in (shapes(resolved, resolved.values), bucket(resolved), grants(resolved)):
            wrong += [f"{complaint} (given {given})" for complaint in check]
    for complaint in wrong:
        print(complaint)
    count = len(list(table(REQUESTS)))
    print(f"{len(CHOICES)} choices of parameters, {count} requests: {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
