// What is wrong with the table, listed below it: one click goes there, one takes the suggestion.

import { h, Last, prose, replace } from "./dom";
import type { Editor } from "./editor";
import type { Checked, Problem } from "./types";

const lasts = new WeakMap<HTMLElement, Last>();

export function showProblems(list: HTMLElement, editor: Editor, checked: Checked, what: string): void {
  const last = lasts.get(list) ?? new Last();
  lasts.set(list, last);
  if (last.isSame(checked)) return;
  const hadFocus = list.contains(document.activeElement);
  const all: [Problem, "error" | "warning"][] = [
    ...checked.errors.map((problem): [Problem, "error"] => [problem, "error"]),
    ...checked.warnings.map((problem): [Problem, "warning"] => [problem, "warning"]),
  ];
  list.hidden = all.length === 0;
  replace(
    list,
    h("h3", {}, `Problems of the ${what}`, h("span", { class: "badge" }, String(all.length))),
    h("ul", {}, ...all.map(([problem, severity]) => item(editor, problem, severity))),
  );
  editor.keepCursor();
  if (hadFocus && all.length) list.querySelector<HTMLElement>("button")?.focus();
}

function item(editor: Editor, problem: Problem, severity: "error" | "warning"): HTMLElement {
  const { fix } = problem;
  return h(
    "li",
    { class: severity },
    h("span", { class: "severity" }, severity),
    h("button", { type: "button", class: "link", onclick: () => editor.goTo(problem.line, problem.column) }, `line ${problem.line}`),
    h("p", {}, prose(problem.message)),
    problem.hint && h("p", { class: "hint" }, h("b", {}, "hint: "), prose(problem.hint)),
    fix && h("button", { type: "button", class: "fix", onclick: () => editor.apply(fix) }, prose(fix.text)),
  );
}
