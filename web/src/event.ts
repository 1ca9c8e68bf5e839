// The UDM event, or why there is none; what `validate` finds; the differences; the rules that gave nothing.

import { badge, h, Last, prose, replace, short, visible } from "./dom";
import { differences, skippedRules } from "./eventlists";
import { bringIntoView, type Lamp, type Lights, type Lit, traceOf } from "./lights";
import { type Mark, pieces } from "./pieces";
import { firstStop, roving } from "./roving";
import type { Finding, ParserLine, Run } from "./types";

/** A value that is shown: of the table's event, or of the parser's. */
interface Shown {
  path: string;
  from: number | null;
  to: number | null;
  trace: string;
}

interface Spot extends Mark {
  value: number | null;
  finding: Finding | null;
}

const STOP = "[data-path]";

export interface EventCalls {
  toLine: (line: number) => void;
  toParserLine: (line: number, column: number) => void;
  parserLine: (line: ParserLine | null, isPinned: boolean) => void;
  stopComparing: () => void;
}

export class EventPane implements Lamp {
  lights: Lights | null = null;
  private spans = new Map<HTMLElement, number>();
  private run: Run | null = null;
  private showsParser = false;
  private readonly lastText = new Last();
  private readonly lastLists = new Last();

  constructor(
    private readonly text: HTMLElement,
    private readonly note: HTMLElement,
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

  /** Shows an answer; `old` is the last one with an event, which stays while the table has errors. */
  show(run: Run, old: Run | null): void {
    const isOld = run.record === null && old !== null;
    this.run = isOld ? { ...old, parser: run.parser, parser_run: run.parser_run ?? old.parser_run } : run;
    this.note.hidden = !isOld;
    this.text.classList.toggle("old", isOld);
    replace(this.note, isOld && "The table has errors: this is the event from before them.");
    this.showText();
    const { diff, golden_error, findings, record } = this.run;
    if (!this.lastLists.isSame([diff, golden_error, findings, record?.skipped, record?.event_text == null])) this.showLists(this.run);
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
      this.calls.parserLine(at === null ? null : (this.run?.parser_run?.lines[at] ?? null), isPinned);
      return;
    }
    const value = at === null ? null : this.run?.record?.values[at];
    const lit = value && at !== null ? { values: new Set([at]), raw: null, trace: visible(traceOf(value)) } : null;
    if (!isPinned) this.lights?.point(lit, "event");
    else if (lit) this.lights?.pin(lit, "event");
  }

  private showText(): void {
    const { table, parser, parser_run: run, record, findings } = this.run ?? {};
    const parts = this.showsParser ? [run, parser?.errors.length] : [record?.event_text, record?.values, record?.reject, findings, table?.errors.length];
    if (this.lastText.isSame([this.showsParser, parts])) return;
    const hadFocus = this.text.contains(document.activeElement);
    const stops = [...this.text.querySelectorAll<HTMLElement>(STOP)];
    const kept = Math.max(0, stops.findIndex((stop) => stop.tabIndex === 0));
    this.spans.clear();
    const text = this.showsParser ? this.run?.parser_run?.event_text : this.run?.record?.event_text;
    if (text == null) {
      replace(this.text, this.showsParser ? this.whyNoParserEvent() : this.whyNoEvent());
      return;
    }
    const values = this.showsParser ? this.parserValues() : this.tableValues();
    const spot = (place: { from: number | null; to: number | null }, value: number | null, finding: Finding | null): Spot[] =>
      place.from === null || place.to === null ? [] : [{ from: place.from, to: place.to, value, finding }];
    const spots = [
      ...values.flatMap((value, at) => spot(value, at, null)),
      // Of a whole message, such as one that lacks a part, nothing is underlined.
      ...(this.showsParser ? [] : (this.run?.findings ?? []))
        .filter((finding) => !/[{[]/.test(text[finding.from ?? 0] ?? ""))
        .flatMap((finding) => spot(finding, null, finding)),
    ];
    this.text.replaceChildren(
      ...pieces(text.length, spots).map((piece) => {
        const value = piece.marks.find((mark) => mark.value !== null)?.value ?? null;
        const finding = piece.marks.find((mark) => mark.finding)?.finding ?? null;
        return this.piece(text.slice(piece.from, piece.to), value, values, finding);
      }),
    );
    firstStop(this.text, STOP, kept);
    if (hadFocus) this.text.querySelector<HTMLElement>(`${STOP}[tabindex="0"]`)?.focus();
  }

  private piece(text: string, at: number | null, values: Shown[], finding: Finding | null): HTMLElement {
    const value = at === null ? null : values[at];
    const found = finding ? ` found ${finding.severity}` : "";
    if (!value || at === null) return h("span", { class: `between${found}`, title: finding?.message }, text);
    const span = h(
      "span",
      {
        role: "button",
        "data-path": value.path,
        class: `value${found}`,
        title: finding?.message,
        "aria-label": `${short(text)}: ${value.trace}${finding ? `; ${finding.message}` : ""}`,
      },
      text,
    );
    this.spans.set(span, at);
    return span;
  }

  private tableValues(): Shown[] {
    return (this.run?.record?.values ?? []).map((value) => ({ ...value, trace: traceOf(value) }));
  }

  private parserValues(): Shown[] {
    return (this.run?.parser_run?.lines ?? []).map((line) => ({ ...line, trace: `${line.path}: line ${line.line} of the parser` }));
  }

  private whyNoEvent(): HTMLElement {
    const reject = this.run?.record?.reject;
    if (reject) return h("p", { class: "reject" }, h("strong", {}, `Rejected: ${reject.reason}`), h("br"), prose(reject.message));
    return h("p", { class: "empty" }, this.run?.table.errors.length ? "No event: the table has errors. They are listed with it." : "No record.");
  }

  private whyNoParserEvent(): HTMLElement {
    const run = this.run?.parser_run;
    if (!run) return h("p", { class: "empty" }, this.run?.parser?.errors.length ? "No event: the parser has errors." : "No record.");
    const words = { events: "The parser gives no event", dropped: "The parser drops this record", "no-output": "The parser has no output", failed: "The parser fails" };
    const at = run.at;
    return h(
      "p",
      { class: "reject" },
      h("strong", {}, words[run.outcome]),
      run.message !== "" && h("br"),
      prose(run.message),
      at && h("button", { type: "button", class: "link", onclick: () => this.calls.toParserLine(at.line, at.column) }, `line ${at.line}`),
    );
  }

  private showLists(run: Run): void {
    const open = new Map([...this.lists.querySelectorAll("details")].map((details) => [details.className, details.open]));
    const top = this.lists.scrollTop;
    const record = run.record;
    const findings = h(
      "details",
      { class: "findings", open: open.get("findings") ?? true },
      h("summary", {}, "What ", h("code", {}, "validate"), " finds", badge(run.findings.length)),
      record?.event_text == null
        ? h("p", { class: "empty" }, "There is no event.")
        : run.findings.length
          ? h("ul", { class: "finding-list" }, ...run.findings.map((finding) => this.finding(finding)))
          : h("p", { class: "same" }, "Nothing: the event follows the schema and the rules of its type."),
    );
    const skipped = record?.skipped ?? [];
    replace(
      this.lists,
      (run.diff || run.golden_error) && differences(run, open.get("differences") ?? true, this.calls.stopComparing),
      findings,
      skipped.length > 0 && skippedRules(skipped, open.get("skipped") ?? false, this.calls.toLine),
    );
    this.lists.scrollTop = top;
  }

  private finding(finding: Finding): HTMLElement {
    const go = () => {
      const span = [...this.spans].find(([, at]) => {
        const path = this.run?.record?.values[at]?.path ?? "";
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
      h("p", { class: "outcome" }, h("b", {}, "SecOps: "), prose(finding.outcome)),
      finding.advice !== "" && h("p", { class: "outcome" }, h("b", {}, "Do: "), prose(finding.advice)),
    );
  }
}
