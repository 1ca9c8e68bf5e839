// The UDM event, or why there is none; what `validate` finds; the differences; the rules that gave nothing.

import { count, h, prose, put, replace, short, shownValue, visible } from "./dom";
import { bringIntoView, type Lamp, type Lights, type Lit, traceOf } from "./lights";
import { type Mark, pieces } from "./pieces";
import { firstStop, roving } from "./roving";
import type { Difference, Explained, Finding, ParserValue, Run, Value } from "./types";

interface Spot extends Mark {
  value: number | null;
  finding: Finding | null;
}

const STOP = "[data-path]";

export interface EventCalls {
  toLine: (line: number) => void;
  parserLine: (value: ParserValue | null, isPinned: boolean) => void;
  stopComparing: () => void;
}

export class EventPane implements Lamp {
  lights: Lights | null = null;
  private record: Explained | null = null;
  private parserValues: ParserValue[] = [];
  private spans = new Map<HTMLElement, number>();
  private run: Run | null = null;
  private showsParser = false;

  constructor(
    private readonly text: HTMLElement,
    private readonly lists: HTMLElement,
    private readonly calls: EventCalls,
  ) {
    roving(text, STOP);
    const point = (event: Event) => {
      const span = (event.target as HTMLElement).closest<HTMLElement>(STOP);
      this.point(span ? (this.spans.get(span) ?? null) : null, event.type === "click");
    };
    text.addEventListener("mouseover", point);
    text.addEventListener("focusin", point);
    text.addEventListener("click", point);
    for (const name of ["mouseleave", "focusout"]) text.addEventListener(name, () => this.point(null, false));
  }

  show(run: Run): void {
    this.run = run;
    this.record = run.record;
    this.parserValues = run.parser_run?.values ?? [];
    this.showText();
    this.showLists(run);
  }

  /** Shows the parser's event, or the table's. */
  showParser(shows: boolean): void {
    this.showsParser = shows;
    if (this.run) this.showText();
  }

  light(lit: Lit | null, still: boolean): void {
    if (this.showsParser) return;
    let first: HTMLElement | null = null;
    for (const [span, value] of this.spans) {
      const isLit = !!lit?.values.has(value);
      span.classList.toggle("lit", isLit);
      if (isLit) first ??= span;
    }
    if (first && !still) bringIntoView(first, this.text);
  }

  private point(at: number | null, isPinned: boolean): void {
    if (this.showsParser) {
      this.calls.parserLine(at === null ? null : (this.parserValues[at] ?? null), isPinned);
      return;
    }
    const value = at === null ? null : this.record?.values[at];
    const lit = value && at !== null ? { values: new Set([at]), raw: null, trace: visible(traceOf(value)) } : null;
    if (!isPinned) this.lights?.point(lit, "event");
    else if (lit) this.lights?.pin(lit, "event");
  }

  private showText(): void {
    const hadFocus = this.text.contains(document.activeElement);
    const stops = [...this.text.querySelectorAll<HTMLElement>(STOP)];
    const kept = Math.max(0, stops.findIndex((stop) => stop.tabIndex === 0));
    this.spans.clear();
    const { text, why, values } = this.showsParser ? this.parserText() : this.tableText();
    if (text === null) {
      replace(this.text, why);
      return;
    }
    const findings = this.showsParser ? [] : (this.run?.findings ?? []);
    const spots: Spot[] = [
      ...values.map((value, at) => ({ from: value.from, to: value.to, value: at, finding: null })),
      ...findings.flatMap((finding) =>
        finding.from === null || finding.to === null ? [] : [{ from: finding.from, to: finding.to, value: null, finding }],
      ),
    ];
    this.text.replaceChildren(
      ...pieces(text.length, spots).map((piece) => {
        const inner = piece.marks.find((spot) => spot.value !== null)?.value ?? null;
        const finding = piece.marks.find((spot) => spot.finding)?.finding ?? null;
        return this.piece(text.slice(piece.from, piece.to), inner, finding, values);
      }),
    );
    firstStop(this.text, STOP, kept);
    if (hadFocus) this.text.querySelector<HTMLElement>(`${STOP}[tabindex="0"]`)?.focus();
  }

  private piece(text: string, at: number | null, finding: Finding | null, values: (Value | ParserValue)[]): HTMLElement {
    const value = at === null ? null : values[at];
    const found = finding ? ` found ${finding.severity}` : "";
    if (!value || at === null) return h("span", { class: `between${found}`, title: finding?.message }, text);
    const trace = "rule" in value ? traceOf(value) : `${value.path}: parser line ${value.line ?? "unknown"}`;
    const span = h(
      "span",
      {
        role: "button",
        "data-path": value.path,
        class: `value${found}`,
        title: finding?.message,
        "aria-label": `${short(shownValue(value.value))}: ${trace}${finding ? `; ${finding.message}` : ""}`,
      },
      text,
    );
    this.spans.set(span, at);
    return span;
  }

  private tableText(): { text: string | null; why: HTMLElement; values: (Value | ParserValue)[] } {
    const record = this.record;
    if (record?.event_text != null) return { text: record.event_text, why: h("p"), values: record.values };
    const reject = record?.reject;
    let why = h("p", { class: "empty" }, "No record.");
    if (this.run?.table.errors.length) {
      why = h("p", { class: "empty" }, "No event: the table has errors. They are listed below it.");
    } else if (reject) {
      why = h("p", { class: "reject" }, h("strong", {}, `Rejected: ${reject.reason}`), h("br"), prose(reject.message));
    }
    return { text: null, why, values: [] };
  }

  private parserText(): { text: string | null; why: HTMLElement; values: (Value | ParserValue)[] } {
    const run = this.run?.parser_run;
    if (run?.event_text != null) return { text: run.event_text, why: h("p"), values: run.values };
    const words = { events: "Events", dropped: "The parser drops this record", "no-output": "The parser has no output", failed: "The parser fails" };
    const why = run
      ? h("p", { class: "reject" }, h("strong", {}, words[run.outcome]), run.message && h("br"), run.message && prose(run.message))
      : h("p", { class: "empty" }, this.run?.parser?.errors.length ? "No event: the parser has errors." : "No record.");
    return { text: null, why, values: [] };
  }

  private showLists(run: Run): void {
    const open = new Map([...this.lists.querySelectorAll("details")].map((details) => [details.className, details.open]));
    const isOpen = (name: string, otherwise: boolean) => open.get(name) ?? otherwise;
    const skipped = run.record?.skipped ?? [];
    const top = this.lists.scrollTop;
    replace(
      this.lists,
      run.diff &&
        h(
          "details",
          { class: "differences", open: isOpen("differences", true) },
          h(
            "summary",
            {},
            run.diff.against === "golden" ? "Differences from the golden" : "Differences from the parser",
            h("span", { class: "badge" }, String(run.diff.differences.length)),
          ),
          run.diff.same ? h("p", { class: "same" }, "The same, field by field.") : differences(run.diff.differences, run.diff.against),
          run.diff.against === "golden" &&
            h("button", { type: "button", id: "stop-comparing", onclick: this.calls.stopComparing }, "Stop comparing"),
        ),
      h(
        "details",
        { class: "findings", open: isOpen("findings", true) },
        h("summary", {}, "What ", h("code", {}, "validate"), " finds", h("span", { class: "badge" }, String(run.findings.length))),
        run.record?.event_text == null
          ? h("p", { class: "empty" }, "There is no event.")
          : run.findings.length
            ? h("ul", { class: "finding-list" }, ...run.findings.map((finding) => this.finding(finding)))
            : h("p", { class: "same" }, "Nothing: the event follows the schema and the rules of its type."),
      ),
      skipped.length > 0 &&
        h(
          "details",
          { class: "skipped", open: isOpen("skipped", false) },
          h("summary", {}, "Rules that gave nothing", h("span", { class: "badge" }, String(skipped.length))),
          h(
            "ul",
            { class: "skipped-list" },
            ...skipped.map((rule) =>
              h(
                "li",
                {},
                h("span", { class: "name" }, rule.udm),
                h("span", { class: "why" }, prose(rule.why)),
                rule.here
                  ? h("button", { type: "button", class: "link", onclick: () => this.calls.toLine(rule.line) }, `line ${rule.line}`)
                  : h("span", { class: "why" }, `${rule.file}:${rule.line}`),
              ),
            ),
          ),
        ),
    );
    this.lists.scrollTop = top;
  }

  private finding(finding: Finding): HTMLElement {
    const go = () => {
      const span = [...this.spans].find(([, at]) => {
        const path = this.record?.values[at]?.path ?? "";
        return path === finding.path || path.startsWith(`${finding.path}.`) || path.startsWith(`${finding.path}[`);
      })?.[0];
      span?.focus();
      if (span) bringIntoView(span, this.text);
    };
    return h(
      "li",
      { class: finding.severity },
      h("span", { class: "severity" }, finding.severity),
      finding.from === null
        ? h("span", { class: "name" }, finding.path)
        : h("button", { type: "button", class: "link name", onclick: go }, finding.path),
      h("p", {}, prose(finding.message), " ", h("code", {}, finding.code)),
      finding.outcome !== "" && h("p", { class: "outcome" }, h("b", {}, "SecOps: "), prose(finding.outcome)),
    );
  }
}

function differences(all: Difference[], against: string): HTMLElement {
  const table = h(
    "table",
    { class: "difference-table" },
    h("caption", { class: "hidden" }, count(all.length, "difference")),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Field"), h("th", { scope: "col" }, "Here"), h("th", { scope: "col" }, against === "golden" ? "Golden" : "Parser"))),
  );
  const body = h("tbody");
  for (const one of all) {
    const cell = (value: unknown) => (value == null ? h("td", { class: "none" }, "—") : h("td", {}, shownValue(value)));
    put(body, h("tr", { class: one.kind }, h("th", { scope: "row" }, one.path), cell(one.ours), cell(one.theirs)));
  }
  table.append(body);
  return table;
}
