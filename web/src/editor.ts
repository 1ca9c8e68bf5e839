// The editor of the table, and that of a parser.

import { defaultKeymap, history, historyKeymap, undo } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, StreamLanguage, type StreamParser, syntaxHighlighting } from "@codemirror/language";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { type Diagnostic, diagnosticCount, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorSelection, EditorState, type Extension, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { escapeOf, h, visible } from "./dom";
import type { Checked, Fix, Place, Problem } from "./types";

/** Lines from the first to the last, counted from 1. */
export interface Lines {
  first: number;
  last: number;
}

const setLit = StateEffect.define<Lines[]>();
const litLine = Decoration.line({ class: "lit-line" });
const lit = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(old, transaction) {
    let now = old.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(setLit)) continue;
      const builder = new RangeSetBuilder<Decoration>();
      for (const { first, last } of effect.value) {
        for (let line = first; line <= Math.min(last, transaction.state.doc.lines); line += 1) {
          const at = transaction.state.doc.line(line).from;
          builder.add(at, at, litLine);
        }
      }
      now = builder.finish();
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const highlighting = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--key)" },
  { tag: [tags.string], color: "var(--string)" },
  { tag: [tags.number, tags.bool, tags.atom, tags.keyword], color: "var(--number)" },
  { tag: [tags.comment], color: "var(--quiet)", fontStyle: "italic" },
  { tag: [tags.bracket], color: "var(--bracket)" },
]);

/** Parsers of SecOps: Logstash's language. */
const logstash: StreamParser<null> = {
  startState: () => null,
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/^#.*/)) return "comment";
    if (stream.match(/^"(\\.|[^"\\])*"?/) || stream.match(/^'(\\.|[^'\\])*'?/)) return "string";
    if (stream.match(/^\d+(\.\d+)?/)) return "number";
    if (stream.match(/^(filter|if|else|for|in|and|or|not|true|false)\b/)) return "keyword";
    if (stream.match(/^[\w@-]+(?=\s*(=>|\{))/)) return "propertyName";
    if (stream.match(/^[\w@.-]+/)) return null;
    stream.next();
    return null;
  },
};

const past = new Compartment();
const languages = { toml, logstash };

export interface EditorCalls {
  changed: () => void;
  /** The pointer or the cursor is on a line. */
  line: (line: number | null) => void;
}

export class Editor {
  readonly view: EditorView;
  /** The text that the problems are of. */
  private checked = "";

  constructor(parent: HTMLElement, label: string, language: keyof typeof languages, calls: EditorCalls) {
    let pointed = 0;
    const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
    const extensions: Extension[] = [
      EditorView.cspNonce.of(nonce),
      lineNumbers(),
      lintGutter(),
      lit,
      past.of(history()),
      drawSelection(),
      highlightActiveLine(),
      highlightSelectionMatches(),
      bracketMatching(),
      highlightSpecialChars({
        addSpecialChars: /[\u202a-\u202c\u2068\u200c\u200d\u2060-\u2064]/g,
        render: (code) => h("span", { class: "escape" }, escapeOf(String.fromCodePoint(code))),
      }),
      StreamLanguage.define(languages[language]),
      syntaxHighlighting(highlighting),
      keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, ...lintKeymap]),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", spellcheck: "false" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) calls.changed();
        else if (update.selectionSet && update.view.hasFocus) {
          calls.line(update.state.doc.lineAt(update.state.selection.main.head).number);
        }
      }),
      EditorView.domEventHandlers({
        mousemove: (event, view) => {
          const at = view.posAtCoords({ x: event.clientX, y: event.clientY });
          const line = at === null ? 0 : view.state.doc.lineAt(at).number;
          if (line !== pointed) calls.line(line || null);
          pointed = line;
        },
        mouseleave: () => {
          pointed = 0;
          calls.line(null);
        },
        blur: () => calls.line(null),
      }),
    ];
    this.view = new EditorView({ parent, state: EditorState.create({ extensions }) });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  /** Puts another text in place, as one step that can be undone, which changes only what differs. */
  setText(text: string): void {
    const old = this.text;
    let from = 0;
    while (from < old.length && from < text.length && old[from] === text[from]) from += 1;
    let kept = 0;
    const most = Math.min(old.length, text.length) - from;
    while (kept < most && old[old.length - 1 - kept] === text[text.length - 1 - kept]) kept += 1;
    if (from === old.length && from === text.length) return;
    this.view.dispatch({ changes: { from, to: old.length - kept, insert: text.slice(from, text.length - kept) } });
  }

  undo(): void {
    undo(this.view);
  }

  /** What it has now is where undoing ends. */
  forget(): void {
    this.view.dispatch({ effects: past.reconfigure([]) });
    this.view.dispatch({ effects: past.reconfigure(history()) });
  }

  /** Underlines what was found in `text`. */
  setProblems(text: string, checked: Checked): void {
    if (text !== this.text) return;
    this.checked = text;
    const diagnostics = [
      ...checked.errors.map((problem) => this.diagnostic(problem, "error")),
      ...checked.warnings.map((problem) => this.diagnostic(problem, "warning")),
    ].sort((a, b) => a.from - b.from);
    if (!diagnostics.length && !diagnosticCount(this.view.state)) return;
    this.view.dispatch(setDiagnostics(this.view.state, diagnostics));
  }

  /** Takes a suggestion. */
  apply(fix: Fix): void {
    // Of another text: its places mean nothing here, and the next answer is on its way.
    if (this.checked !== this.text) return;
    const { from, to } = this.range(fix);
    this.view.dispatch({ changes: { from, to, insert: fix.replacement }, selection: { anchor: from + fix.replacement.length } });
    this.view.focus();
  }

  /** The line of the cursor, if it is in use. */
  focusedLine(): number | null {
    if (!this.view.hasFocus) return null;
    return this.view.state.doc.lineAt(this.view.state.selection.main.head).number;
  }

  light(lines: Lines[], still: boolean): void {
    if (lines.length || this.view.state.field(lit).size) this.view.dispatch({ effects: setLit.of(lines) });
    if (lines[0] && !still) this.scrollTo(lines[0]);
  }

  /** Brings lines into view. */
  scrollTo({ first, last }: Lines): void {
    // Hidden, as on a small screen: there is nothing to scroll.
    if (this.view.dom.offsetHeight === 0) return;
    const [from, to] = [this.position(first, 1), this.position(last, Number.MAX_SAFE_INTEGER)];
    this.view.dispatch({ effects: EditorView.scrollIntoView(EditorSelection.range(from, to), { yMargin: 30 }) });
  }

  /** Keeps the cursor in view where the editor has become smaller. */
  keepCursor(): void {
    if (this.view.hasFocus) this.view.dispatch({ effects: EditorView.scrollIntoView(this.view.state.selection.main.head, { yMargin: 30 }) });
  }

  /** Puts the cursor there. */
  goTo(line: number, column = 1): void {
    const at = this.position(line, column);
    this.view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    this.view.focus();
  }

  /** The lines of the part with this line in it: from its `[header]` to the line before the next one's, without blanks. */
  part(line: number): Lines {
    const doc = this.view.state.doc;
    const at = Math.max(1, Math.min(line, doc.lines));
    const isHeader = (n: number) => /^\s*\[[\w[]/.test(doc.line(n).text);
    let first = at;
    while (first > 1 && !isHeader(first)) first -= 1;
    let last = at;
    while (last < doc.lines && !isHeader(last + 1)) last += 1;
    while (last > at && /^\s*(#.*)?$/.test(doc.line(last).text)) last -= 1;
    return { first, last };
  }

  private position(line: number, column: number): number {
    const found = this.view.state.doc.line(Math.max(1, Math.min(line, this.view.state.doc.lines)));
    return Math.min(found.from + Math.max(0, column - 1), found.to);
  }

  private range(place: Place): { from: number; to: number } {
    const from = this.position(place.line, place.column);
    return { from, to: Math.max(from, this.position(place.end_line, place.end_column)) };
  }

  private diagnostic(problem: Problem, severity: "error" | "warning"): Diagnostic {
    const { fix } = problem;
    const found: Diagnostic = {
      ...this.range(problem),
      severity,
      message: visible(problem.hint ? `${problem.message}\nhint: ${problem.hint}` : problem.message),
    };
    if (fix) found.actions = [{ name: visible(fix.text), apply: () => this.apply(fix) }];
    return found;
  }
}
