#!/usr/bin/env python3
"""Makes udm_fields.tsv and udm_enums.tsv from Google's published UDM message types.

    python3 schema/make.py            write both files, beside this script
    python3 schema/make.py --check    compare instead; exit 1 where they differ
    python3 schema/make.py --out DIR  write (or compare with) the files in DIR
    python3 schema/make.py --python VENV/bin/python
                                      use an interpreter that has the packages already

Without --python the packages are installed from PyPI into a virtual environment
in a temporary folder, which is removed afterwards. Nothing else is installed.
"""

import argparse
import difflib
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

# The UDM version is google-backstory's. The others are what its message types
# (not its service client) import; pinned so that a run today and one next year agree.
PACKAGES = [
    "google-backstory==0.1.1",
    "google-api-core==2.44.0",
    "googleapis-common-protos==1.76.0",
    "proto-plus==1.29.0",
    "protobuf==7.36.2",
]

FIELD_COLUMNS = ["message", "field", "json_name", "number", "type", "cardinality", "ref", "flags"]
ENUM_COLUMNS = ["enum", "value", "number", "deprecated"]

# Google's .proto files mark what is deprecated by an option, which the Python package
# does not carry. Its comments say so too, except for these six. They are kept by hand, from
# the first edition of the tables, and nothing in the package can confirm them.
DEPRECATED_IN_SILENCE = {
    ("DataAccessLabels", "ingestion_labels"),
    ("EntityMetadata", "structured_fields"),
    ("Metadata", "structured_fields"),
    ("Metadata.EventType", "SCAN_PROCESS_BEHAVIORS"),
    ("Process", "product_specific_parent_process_id"),
    ("SecurityResult.Association", "source_country"),
}

# ---------------------------------------------------------------- introspection
# This part runs in the interpreter that has the packages.


def describe():
    """The rows of both tables."""
    import google.backstory.types as types
    import proto

    # proto-plus builds the descriptors; only its Python classes know the order in
    # which the values of an enum are declared.
    classes = {}
    for name in types.__all__:
        collect(getattr(types, name), name, classes, proto)
    found = {one.pb().DESCRIPTOR.file for one in classes.values() if issubclass(one, proto.Message)}

    fields, enums = [], []
    for file in in_order_of_imports(found):
        for message in file.message_types_by_name.values():
            add_message(message, fields, enums, classes)
        for enum in file.enum_types_by_name.values():
            add_enum(enum, enums, classes)
    return {"fields": fields, "enums": enums}


def collect(kind, name, classes, proto):
    """The class and those declared inside it, by their UDM name."""
    classes[name] = kind
    if issubclass(kind, proto.Message):
        for inner, value in vars(kind).items():
            if isinstance(value, type) and issubclass(value, (proto.Message, proto.Enum)):
                collect(value, f"{name}.{inner}", classes, proto)


def in_order_of_imports(files):
    """Each file after those it imports; by name where that leaves a choice."""
    waiting = {file.name: file for file in files}
    done = []
    while waiting:
        ready = [
            file for file in waiting.values()
            if not any(needed.name in waiting for needed in file.dependencies)
        ]
        for file in sorted(ready, key=lambda one: one.name):
            done.append(waiting.pop(file.name))
    return done


def add_message(message, fields, enums, classes):
    comments = comments_of(classes[short(message)])
    for field in message.fields:
        fields.append(field_row(message, field, comments))
    for nested in message.nested_types:
        if not nested.GetOptions().map_entry:
            add_message(nested, fields, enums, classes)
    for enum in message.enum_types:
        add_enum(enum, enums, classes)


def add_enum(enum, enums, classes):
    owner = short(enum)
    comments = comments_of(classes[owner])
    for name, value in classes[owner].__members__.items():
        enums.append([owner, name, str(value.value), deprecated(owner, name, comments)])


def comments_of(kind):
    """The comment of each field or value, from the class's documentation."""
    comments, name = {}, None
    for line in (inspect.getdoc(kind) or "").splitlines():
        head = re.fullmatch(r" {4}(\w+) \(.*\):", line)
        if head:
            name = head[1]
            comments[name] = ""
        elif name:
            comments[name] += line + "\n"
    return comments


def deprecated(owner, name, comments):
    told = "deprecat" in comments.get(name, "").lower()
    return "deprecated" if told or (owner, name) in DEPRECATED_IN_SILENCE else ""


def field_row(message, field, comments):
    kinds = {getattr(field, name): name[5:].lower() for name in dir(field) if name.startswith("TYPE_")}
    kind = kinds[field.type]
    target = field.message_type or field.enum_type
    cardinality = "singular"
    if target is not None and field.message_type and target.GetOptions().map_entry:
        kind = cardinality = "map"
        value = target.fields_by_name["value"]  # the ref of a map is its value's type
        target = value.message_type or value.enum_type
    elif field.is_repeated:
        cardinality = "repeated"
    elif field.containing_oneof is not None:
        # The field of a one-member "_name" oneof is a proto3 `optional` one.
        oneof = field.containing_oneof
        synthetic = len(oneof.fields) == 1 and oneof.name == "_" + field.name
        cardinality = "optional" if synthetic else "oneof:" + oneof.name
    return [
        short(message),
        field.name.removesuffix("_"),  # `type_`, `from_`: Python's spelling of reserved words
        field.json_name,
        str(field.number),
        kind,
        cardinality,
        short(target) if target is not None else "",
        deprecated(short(message), field.name, comments),
    ]


def short(descriptor):
    return descriptor.full_name.removeprefix("google.backstory.")


# ---------------------------------------------------------------------- the tool


def introspect(python):
    # The script's own folder and the caller's packages must not shadow the pinned ones.
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [python, str(Path(__file__).resolve()), "--describe"],
        stdout=subprocess.PIPE, env=env, check=True,
    )
    return json.loads(done.stdout)


def introspect_in_new_venv():
    with tempfile.TemporaryDirectory(prefix="udm-schema-") as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder, "Scripts/python.exe" if os.name == "nt" else "bin/python"))
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", *PACKAGES],
            stdout=sys.stderr, check=True,
        )
        return introspect(python)


def table(columns, rows):
    return "".join("\t".join(row) + "\n" for row in [columns, *rows])


def same(path, new):
    """Compares, and shows the first lines that differ."""
    old = path.read_bytes().decode("utf-8") if path.exists() else ""
    if old == new:
        print(f"{path.name}: same")
        return True
    diff = list(difflib.unified_diff(old.splitlines(), new.splitlines(), str(path), "made now", n=0, lineterm=""))
    changed = [line for line in diff[2:] if line[0] in "+-"]
    print(f"{path.name}: differs in {len(changed)} lines")
    print("\n".join(diff[:40]))
    return False


def main():
    parser = argparse.ArgumentParser(description="Makes the UDM tables from Google's message types.")
    parser.add_argument("--python", help="interpreter that has the packages already")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="folder of the tables")
    parser.add_argument("--describe", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.describe:
        json.dump(describe(), sys.stdout)
        return 0
    try:
        found = introspect(args.python) if args.python else introspect_in_new_venv()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"make.py: {error}", file=sys.stderr)
        return 2
    tables = {
        "udm_fields.tsv": table(FIELD_COLUMNS, found["fields"]),
        "udm_enums.tsv": table(ENUM_COLUMNS, found["enums"]),
    }
    ok = True
    for name, text in tables.items():
        if args.check:
            ok &= same(args.out / name, text)
        else:
            (args.out / name).write_bytes(text.encode("utf-8"))
            print(f"{name}: {text.count(chr(10)) - 1} rows")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
