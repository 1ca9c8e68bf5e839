// One line of message at the bottom, read out by screen readers; and what is read out only.

import { Refusal } from "./api";
import { byId, h, prose, replace, textNodes } from "./dom";

/** Says something; `action` is a button after it. */
export function say(text: string, action?: { name: string; run: () => void }): void {
  const box = byId("message");
  box.hidden = false;
  box.className = "message";
  replace(
    box,
    prose(text),
    action && h("button", { type: "button", onclick: () => (hush(), action.run()) }, action.name),
    h("button", { type: "button", class: "close", "aria-label": "Dismiss", onclick: hush }, "×"),
  );
}

/** Says that something did not work. */
export function complain(error: unknown): void {
  const hint = error instanceof Refusal && error.hint ? `. hint: ${error.hint}` : "";
  say(`${error instanceof Error ? error.message : String(error)}${hint}`);
  byId("message").className = "message error";
}

export function hush(): void {
  byId("message").hidden = true;
  byId("message").replaceChildren();
}

let timer = 0;
let last = "";

/** For screen readers, once nothing has changed for a moment. */
export function announce(text: string): void {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (text !== last) byId("announced").replaceChildren(...textNodes(text));
    last = text;
  }, 600);
}
