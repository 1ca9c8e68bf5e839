"""Writes the first corpus of `parser`: the cases of fixtures/parsers, and the file with every form of syntax.

python3 fuzz/seeds/parser.py fuzz/corpus/parser
"""

import json
import pathlib
import sys

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures/parsers"
BETWEEN = "\n====\n"

corpus = pathlib.Path(sys.argv[1])
corpus.mkdir(parents=True, exist_ok=True)
for number, case in enumerate(json.loads((FIXTURES / "cases.json").read_text())):
    (corpus / f"case-{number}").write_text(BETWEEN.join([case["parser"], case["log"], "{}"]))
syntax = (FIXTURES / "syntax.conf").read_text()
(corpus / "syntax").write_text(BETWEEN.join([syntax, '{"n":1,"tags":["T1"],"o":{"k":"v"}}']))
