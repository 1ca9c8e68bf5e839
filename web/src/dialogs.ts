// Dialogs: a title, what is in it, a button to close it. Escape closes them, and the focus goes back.

import { h, put } from "./dom";

type Content = Parameters<typeof put>[1];

export interface Dialog {
  element: HTMLDialogElement;
  close: () => void;
}

let made = 0;

export function openDialog(title: string, className: string, ...content: Content[]): Dialog {
  made += 1;
  const id = `dialog-${made}`;
  const close = () => element.close();
  const element = h(
    "dialog",
    { class: className, "aria-labelledby": id },
    h("header", {}, h("h2", { id }, title), h("button", { type: "button", class: "close", "aria-label": "Close", onclick: close }, "×")),
  );
  put(element, ...content);
  element.addEventListener("close", () => element.remove());
  // A click on what is around it.
  element.addEventListener("mousedown", (event) => {
    if (event.target === element && !isInside(event, element)) close();
  });
  document.body.append(element);
  element.showModal();
  return { element, close };
}

function isInside(event: MouseEvent, element: HTMLElement): boolean {
  const box = element.getBoundingClientRect();
  return event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
}

/** A labelled field of a form. */
export function field(label: string, input: HTMLElement): HTMLElement {
  return h("label", { class: "form-field" }, h("span", {}, label), input);
}
