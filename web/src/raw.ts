// The raw record: what rules read, what they read and did not use, and what no rule reads.

import { badge, count, h, Last, nameOf, put, replace, short, textNodes, visible } from "./dom";
import { bringIntoView, type Lamp, type Lights, type Lit, traceOf } from "./lights";
import { type Mark, pieces } from "./pieces";
import { firstStop, roving } from "./roving";
import type { Explained, RawField } from "./types";

interface Field extends Mark {
  name: string;
  value: string;
  state: "read" | "unused" | "left";
  values: number[];
}

const STOP = "[data-field]";

export class RawPane implements Lamp {
  lights: Lights | null = null;
  private record: Explained | null = null;
  private fields: Field[] = [];
  private spans = new Map<HTMLElement, Field>();
  private readonly lastText = new Last();
  private readonly lastLists = new Last();

  constructor(
    private readonly text: HTMLElement,
    private readonly about: HTMLElement,
    private readonly lists: HTMLElement,
    private readonly mapTo: (field: RawField) => void,
  ) {
    roving(text, STOP);
    const fieldOf = (event: Event) => {
      const span = (event.target as HTMLElement).closest<HTMLElement>(STOP);
      return span ? this.spans.get(span) : undefined;
    };
    const point = (event: Event) => {
      const field = fieldOf(event);
      this.lights?.point(field ? this.litBy(field) : null, "raw");
    };
    text.addEventListener("mouseover", point);
    text.addEventListener("focusin", point);
    text.addEventListener("mouseleave", () => this.lights?.point(null, "raw"));
    text.addEventListener("focusout", () => this.lights?.point(null, "raw"));
    text.addEventListener("click", (event) => {
      const field = fieldOf(event);
      if (!field || !getSelection()?.isCollapsed) return;
      if (field.state === "read") this.lights?.pin(this.litBy(field), "raw");
      else this.mapTo({ field: field.name, value: field.value, from: field.from, to: field.to });
    });
  }

  show(record: Explained | null, sample: string, hasErrors: boolean): void {
    this.record = record;
    if (!record) {
      this.spans.clear();
      this.lastText.isSame(null);
      this.lastLists.isSame(null);
      replace(this.text, h("p", { class: "empty" }, hasErrors ? "Not shown: the table has errors." : "No record."));
      replace(this.about);
      replace(this.lists);
      return;
    }
    replace(this.about, aboutRecord(record, sample));
    this.fields = fieldsOf(record);
    const paths = record.values.map((value) => value.path);
    if (!this.lastText.isSame([record.index, record.raw, this.fields, paths])) this.showText(record);
    if (!this.lastLists.isSame([record.left, record.unused, record.omitted, !record.reject])) this.showLists(record);
  }

  private showText(record: Explained): void {
    this.spans.clear();
    const hadFocus = this.text.contains(document.activeElement);
    const stops = [...this.text.querySelectorAll<HTMLElement>(STOP)];
    const kept = Math.max(0, stops.findIndex((stop) => stop.tabIndex === 0));
    const nodes = pieces(record.raw.length, this.fields).map((piece) => {
      const text = record.raw.slice(piece.from, piece.to);
      // The innermost is the one that is meant.
      const field = piece.marks.reduce<Field | null>((a, b) => (a && a.to - a.from <= b.to - b.from ? a : b), null);
      return field ? this.span(field, text) : h("span", { class: "between" }, ...withBreaks(text));
    });
    this.text.replaceChildren(...nodes);
    firstStop(this.text, STOP, kept);
    if (hadFocus) this.text.querySelector<HTMLElement>(`${STOP}[tabindex="0"]`)?.focus();
    if (record.cut) put(this.text, h("p", { class: "note" }, "The rest of the record is not shown."));
  }

  light(lit: Lit | null, still: boolean): void {
    let first: HTMLElement | null = null;
    for (const [span, field] of this.spans) {
      const isLit = !!lit && (lit.raw === field.name || field.values.some((value) => lit.values.has(value)));
      span.classList.toggle("lit", isLit);
      if (isLit) first ??= span;
    }
    if (first && !still) bringIntoView(first, this.text);
  }

  private span(field: Field, text: string): HTMLElement {
    const words = {
      read: `goes to ${field.values.map((at) => this.record?.values[at]?.path).join(", ")}`,
      unused: "rules read it, but took nothing from it: map it",
      left: "no rule reads it: map it",
    };
    const span = h(
      "span",
      {
        role: "button",
        "data-field": field.name,
        class: `field ${field.state}`,
        "aria-label": `${field.name} ${short(field.value)}: ${words[field.state]}`,
        title: field.state === "read" ? null : `Map ${field.name} to …`,
      },
      text,
    );
    this.spans.set(span, field);
    return span;
  }

  private litBy(field: Field): Lit {
    const values = field.values.flatMap((at) => this.record?.values[at] ?? []);
    const trace = {
      read: `${field.name} goes to ${values.map(traceOf).join("; ")}`,
      unused: `${field.name}: rules read it, but took nothing from it. Click to map it`,
      left: `${field.name}: no rule reads it. Click to map it`,
    };
    return { values: new Set(field.values), raw: field.name, trace: visible(trace[field.state]) };
  }

  private showLists(record: Explained): void {
    const hadFocus = this.lists.contains(document.activeElement);
    const isOpen = (this.lists.querySelector("details.unused") as HTMLDetailsElement | null)?.open ?? false;
    replace(
      this.lists,
      h(
        "section",
        { "aria-labelledby": "left-title" },
        h("h3", { id: "left-title" }, "Fields that no rule reads", badge(record.left.length + record.omitted)),
        record.left.length
          ? this.list(record.left)
          : h("p", { class: "empty" }, record.reject ? "Not looked for: the record is rejected." : "None: the table reads every field of this record."),
        record.omitted > 0 && h("p", { class: "note" }, `${count(record.omitted, "more field")} not listed.`),
      ),
      record.unused.length > 0 &&
        h(
          "details",
          { class: "unused", open: isOpen },
          h("summary", {}, "Fields that rules read, but did not use", badge(record.unused.length)),
          this.list(record.unused),
        ),
    );
    if (hadFocus) this.lists.querySelector<HTMLElement>("button")?.focus();
  }

  private list(fields: RawField[]): HTMLElement {
    return h(
      "ul",
      { class: "fields" },
      ...fields.map((field) =>
        h(
          "li",
          {},
          h(
            "button",
            {
              type: "button",
              class: "field-button",
              "data-map": field.field,
              onclick: () => this.mapTo(field),
              onmouseenter: () => this.lights?.point({ values: new Set(), raw: field.field, trace: visible(`${field.field}: click to map it`) }, "event"),
              onmouseleave: () => this.lights?.point(null, "event"),
            },
            h("span", { class: "name" }, field.field),
            h("span", { class: "value" }, short(field.value)),
            h("span", { class: "do" }, "Map to …"),
          ),
        ),
      ),
    );
  }
}

/** Text between fields, with places where lines may break: a record is often one long line. */
function withBreaks(text: string): Node[] {
  return text.split(/(?<=[,{[|])/).flatMap((part, at) => (at ? [document.createElement("wbr"), ...textNodes(part)] : textNodes(part)));
}

function fieldsOf(record: Explained): Field[] {
  const found = new Map<string, Field>();
  const add = (raw: RawField | null, state: Field["state"], value?: number) => {
    if (!raw || raw.from === null || raw.to === null) return;
    const key = `${raw.from} ${raw.to}`;
    const field = found.get(key) ?? { from: raw.from, to: raw.to, name: raw.field, value: raw.value, state, values: [] };
    if (value !== undefined) field.values.push(value);
    found.set(key, field);
  };
  record.values.forEach((value, at) => add(value.raw, "read", at));
  for (const raw of record.unused) add(raw, "unused");
  for (const raw of record.left) add(raw, "left");
  return [...found.values()];
}

function aboutRecord(record: Explained, sample: string): string {
  // Within a folder, the path below it tells files apart.
  const source = record.source.startsWith(`${sample}/`) ? record.source.slice(sample.length + 1) : nameOf(record.source);
  const parts = [record.form_words, record.shape && `shape ${record.shape}`, record.table && `table ${record.table}`];
  return `${source}:${record.line} — ${[...parts.filter(Boolean), count(record.length, "byte")].join(", ")}`;
}
