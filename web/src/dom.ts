// Elements, made without HTML: all text, from wherever it is, becomes text nodes, and what can't be seen in it or would
// turn it around is shown as an escape.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | null | undefined | ((event: never) => void)>;

/** Control characters but tab and line feed, formatting ones such as bidi overrides, lone surrogates, blank letters. */
const UNSEEN = /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0]/gu;

/** A character as `\u202e`. */
export function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16).padStart(4, "0");
  return code > 0xffff ? `\\u{${digits}}` : `\\u${digits}`;
}

/** A text with escapes for what can't be seen, for attributes. */
export function visible(text: string): string {
  return text.replace(UNSEEN, escapeOf);
}

/** A text as nodes: its escapes are marked as such. */
export function textNodes(text: string): Node[] {
  const nodes: Node[] = [];
  let done = 0;
  for (const match of text.matchAll(UNSEEN)) {
    if (match.index > done) nodes.push(document.createTextNode(text.slice(done, match.index)));
    const escape = document.createElement("span");
    escape.className = "escape";
    escape.textContent = escapeOf(match[0]);
    nodes.push(escape);
    done = match.index + match[0].length;
  }
  if (done < text.length) nodes.push(document.createTextNode(text.slice(done)));
  return nodes;
}

/** A sentence: what is between backticks becomes code. */
export function prose(text: string): HTMLElement {
  const sentence = document.createElement("span");
  text.split(/`([^`]*)`/).forEach((part, at) => sentence.append(...(at % 2 ? [h("code", {}, part)] : textNodes(part))));
  return sentence;
}

/** An element. Attributes with a function are listeners: `onclick`. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, visible(String(value)));
  }
  put(element, ...children);
  return element;
}

/** Adds children. */
export function put(element: Element, ...children: Child[]): void {
  for (const child of children) {
    if (typeof child === "string") element.append(...textNodes(child));
    else if (child) element.append(child);
  }
}

/** Puts these children in place of the ones that are there. */
export function replace(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  put(element, ...children);
}

/** The element of the page with this id. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found as T;
}

/** `1 record`, `2 records`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

/** A path as nodes, with places where lines may break. */
export function breakable(path: string): Node[] {
  return path.split(/(?<=[._])/).flatMap((part, at) => (at ? [document.createElement("wbr"), ...textNodes(part)] : textNodes(part)));
}

/** A number in a pill, after a title. */
export function badge(n: number): HTMLElement {
  return h("span", { class: "badge" }, n.toLocaleString("en"));
}

/** The beginning of a text, on one line. */
export function short(text: string, most = 80): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > most ? `${[...line].slice(0, most - 1).join("")}…` : line;
}

/** A file's name without its folders. */
export function nameOf(path: string): string {
  return path.replace(/^.*[/\\](?=.)/, "");
}

/** Tells whether what is to be shown is what was shown last: then it stays, with its focus, scrolling and half a click. */
export class Last {
  private key: string | null = null;

  isSame(shown: unknown): boolean {
    const key = JSON.stringify(shown);
    const isSame = key === this.key;
    this.key = key;
    return isSame;
  }
}
