// Lists below the event: how it differs from what is expected; the rules that gave nothing.

import { badge, breakable, count, h, prose, put } from "./dom";
import type { Difference, Run, SkippedRule } from "./types";

export function differences(run: Run, isOpen: boolean, stop: () => void): HTMLElement {
  const { diff, golden_error: error } = run;
  const isGolden = diff?.against !== "parser";
  return h(
    "details",
    { class: "differences", open: isOpen },
    h("summary", {}, isGolden ? "Differences from the golden" : "Differences from the parser's event", diff && badge(diff.differences.length)),
    error !== null && h("p", { class: "reject" }, prose(error)),
    diff && diff.events > 1 && h("p", { class: "note" }, `Of its ${count(diff.events, "event")}, the nearest is compared.`),
    diff?.alone && h("p", { class: "note" }, "None of its events belongs to this record."),
    diff?.same && h("p", { class: "same" }, "The same, field by field."),
    diff && diff.differences.length > 0 && table(diff.differences, isGolden ? "Golden" : "Parser"),
    isGolden && h("button", { type: "button", id: "stop-comparing", onclick: stop }, "Stop comparing"),
  );
}

function table(all: Difference[], theirs: string): HTMLElement {
  const head = ["Field", "Here", theirs].map((title) => h("th", { scope: "col" }, title));
  const body = h("tbody");
  const cell = (value: string | null) => (value === null ? h("td", { class: "none" }, "—") : h("td", {}, value));
  for (const one of all) put(body, h("tr", { class: one.kind }, h("th", { scope: "row" }, ...breakable(one.path)), cell(one.ours), cell(one.theirs)));
  return h("table", { class: "difference-table" }, h("thead", {}, h("tr", {}, ...head)), body);
}

export function skippedRules(rules: SkippedRule[], isOpen: boolean, toLine: (line: number) => void): HTMLElement {
  const item = (rule: SkippedRule) =>
    h(
      "li",
      {},
      h("span", { class: "name" }, rule.udm),
      h("span", { class: "why" }, prose(rule.why)),
      rule.here
        ? h("button", { type: "button", class: "link", onclick: () => toLine(rule.line) }, `line ${rule.line}`)
        : h("span", { class: "why" }, `${rule.file}:${rule.line}`),
    );
  return h(
    "details",
    { class: "skipped", open: isOpen },
    h("summary", {}, "Rules that gave nothing", badge(rules.length)),
    h("ul", { class: "skipped-list" }, ...rules.map(item)),
  );
}
