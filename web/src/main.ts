// The page of `udmap serve`: a record, a table, and the event that the table makes of it.

import { api, type RunRequest } from "./api";
import { byId, count, h, nameOf, replace } from "./dom";
import { Editor, type Lines } from "./editor";
import { EventPane } from "./event";
import { bytes, sampleOf } from "./files";
import { Lights, type Lit } from "./lights";
import { mapTo } from "./mapto";
import { announce, complain, say } from "./messages";
import { type Opened, openGolden, openSample, openTable, takeDrops, takePastes } from "./open";
import { setUpPanes, showPane } from "./panes";
import { showProblems } from "./problems";
import { showProfile } from "./profile";
import { RawPane } from "./raw";
import { Records } from "./records";
import { Runner } from "./runner";
import { saveCase, saveTable, share, showCommand } from "./save";
import type { ParserLine, RawField, Run, Sample, Start } from "./types";

function main(start: Start): void {
  let sample = start.sample;
  let file = start.mapping.file;
  let saved = start.mapping.text;
  let golden: string | null = null;
  let hasParser = start.parser !== null;
  let answer: Run | null = null;
  /** The last answer about this record that was made with a table without errors. */
  let good: Run | null = null;
  /** The table as it was when it last had no errors. */
  let readable = start.mapping.text;
  /** Where a rule was written: it lights up with the next answer. */
  let written: number | null = null;

  const records = new Records(() => runner.changed());
  const raw = new RawPane(byId("raw-text"), byId("about-record"), byId("raw-lists"), (field) => map(field));
  const event = new EventPane(byId("event-text"), byId("event-old"), byId("event-lists"), {
    toLine: (line) => (showPane("table"), chooseEditor(false), table.goTo(line)),
    toParserLine: (line, column) => (showPane("table"), chooseEditor(true), parser.goTo(line, column)),
    parserLine: (line, isPinned) => lightParser(line, isPinned),
    stopComparing: () => compare(null),
  });
  const table = new Editor(byId("table-editor"), "Mapping table", "toml", {
    changed: () => (showTable(), runner.changed()),
    line: (line) => lights.point(line === null ? null : litByLine(line), "table"),
  });
  const parser = new Editor(byId("parser-editor"), "Parser", "logstash", { changed: () => runner.changed(), line: () => {} });
  const lights: Lights = new Lights({ raw, event, table: { light: (lit, still) => table.light(linesOf(lit), still) } }, (text) =>
    replace(byId("trace"), text ?? ""),
  );
  raw.lights = lights;
  event.lights = lights;

  const runner = new Runner(
    (): RunRequest => ({ mapping: table.text, parser: hasParser ? parser.text : null, sample: sample.id, record: records.index, golden }),
    (run, request) => {
      answer = run;
      checkPlaces(run, request.mapping);
      if (!run.table.errors.length) readable = request.mapping;
      if (run.record || good?.record?.index !== request.record) good = run.record ? run : null;
      lights.reset();
      raw.show(good?.record ?? null, sample.name, run.table.errors.length > 0);
      event.show(run, good);
      table.setProblems(request.mapping, run.table);
      showProblems(byId("problems"), table, run.table, "table");
      if (run.parser && request.parser !== null) {
        parser.setProblems(request.parser, run.parser);
        showProblems(byId("parser-problems"), parser, run.parser, "parser");
      }
      records.setCounts(run.counts);
      replace(byId("elapsed"), `${run.elapsed_ms.toFixed(1)} ms`);
      announce(inWords(run));
      const line = written ?? table.focusedLine();
      const lit = line === null ? null : litByLine(line);
      if (lit && written !== null) lights.pin(lit, "table");
      else if (lit) lights.point(lit, "table");
      written = null;
    },
    complain,
    (isLate) => byId("panes").classList.toggle("late", isLate),
  );

  /** The lines of the rules of these values. */
  function linesOf(lit: Lit | null): Lines[] {
    const rules = [...(lit?.values ?? [])].flatMap((at) => answer?.record?.values[at]?.rule ?? []);
    const firsts = [...new Set(rules.filter((rule) => rule.here).map((rule) => rule.line))].sort((a, b) => a - b);
    return firsts.map((line) => table.part(line)).filter((part, at, all) => all[at - 1]?.first !== part.first);
  }

  function litByLine(line: number): Lit | null {
    const { first, last } = table.part(line);
    const values = new Set<number>();
    answer?.record?.values.forEach((value, at) => {
      if (value.rule?.here && value.rule.line >= first && value.rule.line <= last) values.add(at);
    });
    if (!values.size) return null;
    const paths = [...values].map((at) => answer?.record?.values[at]?.path).join(", ");
    return { values, raw: null, trace: `the rule at line ${first} gives ${paths}` };
  }

  function lightParser(line: ParserLine | null, isPinned: boolean): void {
    if (isPinned && line) chooseEditor(true);
    parser.light(line ? [{ first: line.line, last: line.line }] : [], false);
    replace(byId("trace"), line ? `${line.path}: line ${line.line} of the parser` : "");
  }

  function map(field: RawField): void {
    mapTo(field, async (udm, becomes) => {
      const found = await api.rule({ mapping: table.text, field: field.field, udm, value: field.value, becomes });
      table.setText(found.mapping);
      chooseEditor(false);
      table.scrollTo(table.part(found.line));
      written = found.line;
      const note = found.note ? ` ${found.note}` : "";
      say(`${field.field} goes to ${udm} now: the rule is at line ${found.line} of the table.${note}`, { name: "Undo", run: () => table.undo() });
    });
  }

  function compare(text: string | null, name = ""): void {
    golden = text;
    if (text !== null) say(`The event is compared with ${name}: the differences follow each change.`);
    if (text !== null) showPane("event");
    runner.changed();
  }

  function chooseEditor(showsParser: boolean): void {
    byId("table-editor").hidden = showsParser;
    byId("parser-editor").hidden = !showsParser;
    byId("show-table").setAttribute("aria-pressed", String(!showsParser));
    byId("show-parser").setAttribute("aria-pressed", String(showsParser));
  }

  function chooseEvent(showsParser: boolean): void {
    byId("event-of-table").setAttribute("aria-pressed", String(!showsParser));
    byId("event-of-parser").setAttribute("aria-pressed", String(showsParser));
    event.showParser(showsParser);
  }

  function showTable(): void {
    const isChanged = table.text !== saved;
    replace(byId("about-table"), file ?? `${start.mapping.name}, not a file yet`, isChanged && h("span", { class: "changed" }, " · changed"));
  }

  function showSample(): void {
    const cut = sample.truncated ? ", only its beginning" : "";
    const example = start.is_example && sample === start.sample ? "An example: " : "";
    replace(
      byId("sample"),
      example,
      h("strong", { title: sample.name }, nameOf(sample.name)),
      h("span", { class: "size" }, `${count(sample.records, "record")}, ${bytes(sample.bytes)}${cut}`),
    );
    replace(byId("form"), sample.form);
  }

  function setSample(found: Sample): void {
    sample = found;
    good = null;
    records.setSample(sample);
    showSample();
    runner.changed();
    const forms = sample.forms.map((one) => `${one.count.toLocaleString("en")} ${one.form}`).join(", ");
    const failures = sample.failures.length ? ` Not read: ${sample.failures.join("; ")}` : "";
    say((sample.records ? `${sample.name}: taken for ${sample.form} (${forms}).` : `${sample.name}: no record was found in it.`) + failures);
  }

  async function profile(): Promise<void> {
    const found = await api.profile(sample.id, readable);
    showProfile(sample, found, (group) => {
      records.setGroup(group);
      showPane("raw");
    });
  }

  const opened: Opened = {
    text: async (name, text) => setSample(await api.sample({ name, text, mapping: readable })),
    files: async (name, files, isFolder) => {
      const request = await sampleOf(name, files, isFolder, start.limits.sample_bytes);
      setSample(await api.sample({ ...request, mapping: readable }));
      await profile();
    },
    table: (name, text) => {
      start.mapping.name = name;
      file = null;
      saved = text;
      table.setText(text);
      chooseEditor(false);
      showTable();
    },
    parser: (_, text) => {
      if (!start.has_parser) return say("This udmap is built without parsers.");
      hasParser = true;
      parser.setText(text);
      showChoices();
      chooseEditor(true);
      runner.changed();
    },
    golden: (name, text) => compare(text, name),
  };

  function showChoices(): void {
    byId("table-choice").hidden = !hasParser;
    byId("event-choice").hidden = !hasParser;
  }

  const clicks: Record<string, () => void> = {
    "open-sample": () => openSample(opened),
    "show-profile": () => void profile().catch(complain),
    "open-table": () => openTable(start.mappings, opened),
    compare: () => openGolden(opened),
    "show-table": () => chooseEditor(false),
    "show-parser": () => chooseEditor(true),
    "event-of-table": () => chooseEvent(false),
    "event-of-parser": () => chooseEvent(true),
    "save-table": () => {
      const text = table.text;
      saveTable(text, file, (name) => {
        file = name;
        saved = text;
        showTable();
      });
    },
    "save-case": () => saveCase(table.text, sample.id, records.index, "cases"),
    "show-command": () => showCommand({ sample: sample.id, record: records.index, mapping: readable, mapping_file: file ?? start.mapping.name }, table.text === saved),
    share: () =>
      void share({ mapping: table.text, parser: hasParser ? parser.text : null, sample: sample.id, record: records.index, golden }).catch(complain),
    quit: () => void api.quit().then(stopped, complain),
  };
  for (const [id, run] of Object.entries(clicks)) byId(id).addEventListener("click", run);
  addEventListener("keydown", (key) => {
    if ((key.ctrlKey || key.metaKey) && key.key === "s" && !document.querySelector("dialog[open]")) {
      key.preventDefault();
      byId("save-table").click();
      return;
    }
    const keys: Record<string, string> = { ArrowUp: "previous", ArrowDown: "next", r: "next-reject" };
    const id = key.altKey && !key.ctrlKey ? keys[key.key] : undefined;
    // In the editor, Alt with an arrow moves a line.
    if (!id || (key.target as HTMLElement).closest(".cm-editor, dialog")) {
      if (key.key === "Escape" && !document.querySelector("dialog[open]")) lights.pin(null, "raw");
      return;
    }
    key.preventDefault();
    byId(id).click();
  });
  addEventListener("beforeunload", (leaving) => {
    if (table.text !== saved) leaving.preventDefault();
  });
  function stopped(): void {
    saved = table.text;
    replace(document.body, h("main", { class: "stopped" }, h("h1", {}, "Stopped"), h("p", {}, h("code", {}, "udmap serve"), " has ended. This page can be closed.")));
  }

  setUpPanes();
  takeDrops(opened);
  takePastes(opened);
  records.setSample(sample);
  showSample();
  showChoices();
  if (start.parser) parser.setText(start.parser.text);
  table.setText(start.mapping.text);
  table.forget();
  parser.forget();
  showTable();
  runner.changed();
}

/** A rule is in the table only if its line says so: a table may have the name of the one that it builds on. */
function checkPlaces(run: Run, text: string): void {
  const lines = text.split("\n");
  const rules = [...(run.record?.values ?? []).flatMap((value) => value.rule ?? []), ...(run.record?.skipped ?? [])];
  for (const rule of rules) {
    if (!lines[rule.line - 1]?.replaceAll("\\", "").includes(rule.udm)) rule.here = false;
  }
}

/** An answer for screen readers, in a sentence. */
function inWords(run: Run): string {
  const [error] = run.table.errors;
  if (error) return `${count(run.table.errors.length, "error")} in the table. Line ${error.line}: ${error.message}`;
  const record = run.record;
  if (!record) return "No record.";
  if (record.reject) return `Record ${record.index + 1} is rejected: ${record.reject.reason}`;
  const diff = run.diff ? `, ${count(run.diff.differences.length, "difference")}` : "";
  return `Record ${record.index + 1}: an event with ${count(record.values.length, "value")}, ${count(run.findings.length, "finding")}${diff}`;
}

api.start().then(main, complain);
