"""Checks of events, mappings and logs."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Literal, Mapping as MappingOf, Optional, Sequence, Tuple, Union, cast

from . import _native
from ._command import Files, files
from ._converter import File, Table
from ._inputs import Input, source_of
from ._results import (
    Case,
    Code,
    Compared,
    Converted,
    FieldDifference,
    Finding,
    Group,
    NewValue,
    Profile,
    RawField,
    Sample,
    Shape,
    Tested,
    Validated,
)
from ._runs import OnProgress, Progress, result_of

Level = Literal["error", "warning", "info", "off"]

#: How many findings `test` and `diff` keep; all are counted.
MAX_FINDINGS = 5000

#: As many as there are.
_ALL = 1 << 62
_ORDER = {"error": 0, "warning": 1, "info": 2}
_Validated = Tuple[int, List["_native.Finding"], List["_native.Group"]]


def validate(
    data: Union[Input, Converted],
    *,
    severities: Optional[MappingOf[str, Level]] = None,
    strict: bool = False,
    config: Optional[File] = None,
    baseline: Optional[File] = None,
    max_event_bytes: int = 64 << 20,
    max_findings: Optional[int] = None,
    progress: Optional[OnProgress] = None,
) -> Validated:
    """Checks UDM events, in any wrapping that `udmap validate` knows, against the schema and the rules beyond it.

    data: as for `convert`, or what that gave.
    severities: `error`, `warning`, `info` or `off` by code; `codes()` lists the codes.
    strict: counts every warning as an error.
    config: a file like `udmap.toml`, with severities, allowed findings and a baseline. None is looked for.
    baseline: a file that `udmap validate --write-baseline` wrote: its findings are left out.
    max_findings: how many findings are kept; all are counted. By default all are kept that have 32 MiB of text.
    progress: is told how far it is; of paths, which the command reads on all cores, only at the end.

    Raises InputError if the input or a file can't be read, ValueError for a code or severity that is none.

    >>> udmap.validate({"metadata": {"event_type": "NO_SUCH"}}).ok
    False
    """
    source = source_of(data.ndjson if isinstance(data, Converted) else data)
    most = _ALL if max_findings is None else max_findings
    levels: List[Tuple[str, str]] = list((severities or {}).items())
    # Wrong ones are found before anything is read.
    run = _native.validate(b"" if isinstance(source.data, list) else source.data, source.name, levels, strict, max_event_bytes, most)
    if isinstance(source.data, list) or config is not None or baseline is not None:
        run.stop()
        with files() as to:
            options = [f"--severity={code}={level}" for code, level in levels] + ["--strict"] * strict
            options += [*_known(config, baseline), f"--max-findings={most}", f"--max-event-bytes={max_event_bytes}", "-q"]
            report = to.report(["validate", *options, "--", *to.paths(source, "data")])
        validated = Validated(report["events"], _findings(report), _groups(report), report["known"])
        if progress is not None:
            size = sum(os.path.getsize(case["file"]) for case in report["cases"] if os.path.isfile(case["file"]))
            progress(Progress(size, size, validated.events, 0))
        return validated
    events, found, counted = cast(_Validated, result_of(run, source, progress))
    findings = [Finding(*finding) for finding in found]
    groups = [
        Group(severity, code, path, count, tuple(findings[place] for place in samples))
        for severity, code, path, count, samples in counted
    ]
    groups.sort(key=lambda group: (_ORDER[group.severity], -group.count))
    return Validated(events, findings, groups)


def codes() -> List[Code]:
    """All kinds of findings of `validate`, with what they mean and what to do."""
    return [Code(*about) for about in _native.codes()]


def test(
    folder: Union[File, Sequence[File]],
    *,
    mapping: Table = "duo_telephony",
    ignore: Sequence[str] = (),
    set: Sequence[str] = (),
    bless: bool = False,
    full_coverage: bool = False,
    config: Optional[File] = None,
    baseline: Optional[File] = None,
    max_findings: int = MAX_FINDINGS,
) -> Tested:
    """Runs a mapping over cases and compares its events with the expected ones: `udmap test`.

    folder: has cases in any of the layouts that `udmap test --help` names, at any depth: a folder, the URL of a prefix,
        an archive, or several of these.
    ignore: UDM paths, without indexes, that are left out.
    set: paths of lists that are compared in any order; `all` for every list.
    bless: rewrites the expected files of cases that differ.
    full_coverage: whether `ok` needs every part of the table to be exercised.
    config, baseline: as for `validate`.

    Raises MappingError, and InputError for what can't be read.
    """
    folders = [folder] if isinstance(folder, (str, os.PathLike)) else folder
    with files() as to:
        options = [*_mapping(to, mapping), *_rules(ignore, set), *["--bless"] * bless]
        options += ["--full-coverage"] * full_coverage
        options += [*_known(config, baseline), f"--max-findings={max_findings}", "-q"]
        report = to.report(["test", *options, "--", *[os.fspath(it) for it in folders]])
    coverage = report["coverage"]
    return Tested(
        ok=report["exit_status"] == 0,
        cases=[Case(case["name"], case["errors"]) for case in report["cases"]],
        findings=_findings(report),
        groups=_groups(report),
        known=report["known"],
        omitted=report["omitted"],
        parts=coverage["parts"],
        never_exercised=coverage["never_exercised"],
        report=report,
    )


# pytest: a function, and not a test.
test.__test__ = False  # type: ignore[attr-defined]


def diff(
    a: Union[Input, Converted],
    b: Union[Input, Converted],
    *,
    raw: bool = False,
    mapping: Table = "duo_telephony",
    ignore: Sequence[str] = (),
    set: Sequence[str] = (),
    samples: int = 3,
    threads: Optional[int] = None,
    config: Optional[File] = None,
    baseline: Optional[File] = None,
    max_event_bytes: int = 64 << 20,
    max_findings: int = MAX_FINDINGS,
) -> Compared:
    """Compares two sets of UDM events by their values: `udmap diff`.

    a, b: as for `convert`, or what that gave; a path of one file, folder or pattern.
    raw: A is raw logs: compares what the mapping makes of them with B.
    ignore: UDM paths, without indexes, that are left out.
    set: paths of lists that are compared in any order; `all` for every list.
    samples: how many samples of each difference are kept.
    threads: how many threads read; by default one a core.
    config, baseline: as for `validate`.

    Raises MappingError, and InputError for what can't be read.
    """
    with files() as to:
        sets = [_one(to, data, name) for data, name in ((a, "A"), (b, "B"))]
        options = ["--raw", *_mapping(to, mapping)] if raw else []
        options += [*_rules(ignore, set), f"--samples={samples}", f"--max-findings={max_findings}", "-q"]
        options += [f"--max-event-bytes={max_event_bytes}", *_threads(threads), *_known(config, baseline)]
        report = to.report(["diff", *options, "--", *sets])
    return Compared(
        ok=report["exit_status"] == 0,
        events_a=report["events_a"],
        events_b=report["events_b"],
        equal=report["equal"],
        pairs_that_differ=report["pairs_that_differ"],
        fields=[_difference(field) for field in report["fields"]],
        findings=_findings(report),
        groups=_groups(report),
        known=report["known"],
        omitted=report["omitted"],
        report=report,
    )


def profile(
    data: Input, *, mapping: Table = "duo_telephony", values: bool = True, threads: Optional[int] = None
) -> Profile:
    """Says what is in a log: shapes, fields with types and values, times, and what the mapping uses of it.

    data: as for `convert`.
    values: whether the fields' values are given, which may be personal data.
    threads: how many threads read; by default one a core.

    Raises MappingError, and InputError for what can't be read.
    """
    with files() as to:
        options = ["--json", "-q", *_mapping(to, mapping), *_threads(threads), *["--no-values"] * (not values)]
        report = to.report(["profile", *options, "--", *to.inputs(data, "data")], printed=True)
    fields = [
        RawField(**{name: field[name] for name in RawField.__dataclass_fields__ if name != "values"}, values=[(v, n) for v, n in field["values"]])
        for field in report["fields"]
    ]
    return Profile(
        mapping=report["mapping"],
        records=report["records"],
        rejects=report["rejects"],
        formats=report["formats"],
        shapes=[Shape(**shape) for shape in report["shapes"]],
        fields=fields,
        new_values=[NewValue(**value) for value in report["new_values"]],
        first=report["first"],
        last=report["last"],
        report=report,
    )


def _one(to: Files, data: Union[Input, Converted], name: str) -> str:
    paths = to.inputs(data.ndjson if isinstance(data, Converted) else data, name)
    if len(paths) != 1:
        raise ValueError(f"{name} is {len(paths)} paths: give one of a file, a folder or a pattern")
    return paths[0]


def _mapping(to: Files, mapping: Table) -> List[str]:
    return [f"--mapping={to.mapping(mapping)}"]


def _rules(ignore: Sequence[str], set: Sequence[str]) -> List[str]:
    for name, paths in (("ignore", ignore), ("set", set)):
        if isinstance(paths, str):
            raise TypeError(f"`{name}` is a list of paths: give [{paths!r}]")
    return [f"--ignore={path}" for path in ignore] + [f"--set={path}" for path in set]


def _threads(threads: Optional[int]) -> List[str]:
    return [] if threads is None else [f"--threads={threads}"]


def _known(config: Optional[File], baseline: Optional[File]) -> List[str]:
    """The options for a configuration. A program's checks do not depend on the folder that it is started in."""
    options = ["--no-config"] if config is None else [f"--config={os.fspath(config)}"]
    return options if baseline is None else [*options, f"--baseline={os.fspath(baseline)}"]


def _findings(report: Dict[str, Any]) -> List[Finding]:
    return [_finding(it) for it in report["findings"]]


def _finding(it: Dict[str, Any]) -> Finding:
    given: Dict[str, Any] = {"column": 0}
    given.update((name, value) for name, value in it.items() if name in Finding.__dataclass_fields__)
    return Finding(**given)


def _groups(report: Dict[str, Any]) -> List[Group]:
    def group(it: Dict[str, Any]) -> Group:
        return Group(it["severity"], it["code"], it["path"], it["count"], tuple(map(_finding, it["samples"])))

    return [group(it) for it in report["groups"]]


def _difference(field: Dict[str, Any]) -> FieldDifference:
    nothing = {"value": None, "at": None}

    def sample(it: Dict[str, Any]) -> Sample:
        a, b = it["a"] or nothing, it["b"] or nothing
        return Sample(it["path"], a["value"], b["value"], a["at"], b["at"])

    samples = tuple(sample(it) for it in field["samples"])
    return FieldDifference(field["path"], field["code"], field["count"], samples)
