// What belongs together in the three panes lights up: a UDM value, its rule, its raw bytes.

/** Values of the event, by their places in the answer's list; and what the footer says of them. */
export interface Lit {
  values: ReadonlySet<number>;
  /** The raw field, if one was pointed at. */
  raw: string | null;
  trace: string;
}

export type Origin = "raw" | "table" | "event";

export interface Lamp {
  /** Lights these up, and brings them into view unless it is to keep `still`. */
  light(lit: Lit | null, still: boolean): void;
}

/** How long the pointer must rest before other panes scroll. */
const RESTS_MS = 120;

export class Lights {
  private pinned: Lit | null = null;
  private timer = 0;
  /** Whether what is pinned holds although other things may have come under a pointer that has not moved. */
  private isHeld = false;

  constructor(
    private readonly lamps: Record<Origin, Lamp>,
    private readonly trace: (text: string | null) => void,
  ) {
    let at = "";
    const moved = (event: MouseEvent) => {
      const now = `${event.clientX} ${event.clientY}`;
      if (at !== now) this.isHeld = false;
      at = now;
    };
    // Before the elements under the pointer are told that it is over them.
    for (const name of ["mousemove", "mouseover", "mouseout"] as const) addEventListener(name, moved, true);
    addEventListener("keydown", () => (this.isHeld = false), true);
  }

  /** The pointer or the focus is on something, or has left it. */
  point(lit: Lit | null, origin: Origin): void {
    if (this.isHeld) return;
    clearTimeout(this.timer);
    this.show(lit ?? this.pinned, () => true);
    // A second time, with scrolling.
    if (lit) this.timer = setTimeout(() => this.show(lit, (name) => name === origin), RESTS_MS);
  }

  /** Keeps these lit until another is pinned, or none. */
  pin(lit: Lit | null, origin: Origin): void {
    clearTimeout(this.timer);
    this.pinned = lit;
    this.isHeld = lit !== null;
    this.show(lit, (name) => name === origin);
  }

  /** A new answer: what was lit is of the old one. */
  reset(): void {
    clearTimeout(this.timer);
    this.pinned = null;
    this.isHeld = false;
    this.show(null, () => true);
  }

  private show(lit: Lit | null, isStill: (origin: Origin) => boolean): void {
    for (const [name, lamp] of Object.entries(this.lamps)) lamp.light(lit, isStill(name as Origin));
    this.trace(lit?.trace ?? null);
  }
}

/** The parts of the trace of a value. */
export function traceOf(value: { path: string; rule: { file: string; line: number; here: boolean; text: string } | null; raw: { field: string } | null; how: string }): string {
  const rule = value.rule;
  const at = rule ? `${rule.here ? "line" : `${rule.file} line`} ${rule.line}` : "no rule";
  const from = value.raw ? ` from ${value.raw.field}` : "";
  return `${value.path}:${from} by the rule at ${at}, ${value.how}`;
}

/** Scrolls within the box that scrolls, never the page. */
export function bringIntoView(element: HTMLElement, box: HTMLElement): void {
  const [inner, outer] = [element.getBoundingClientRect(), box.getBoundingClientRect()];
  if (outer.height === 0) return;
  if (inner.top < outer.top) box.scrollTop -= outer.top - inner.top + 24;
  else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + 24;
}
