// What is opened: a sample, a table, a parser, a golden. Pasted, chosen, or dropped.

import { api } from "./api";
import { openDialog } from "./dialogs";
import { byId, h } from "./dom";
import { chosen, dropped, type Named } from "./files";
import { complain } from "./messages";

export interface Opened {
  /** Text, or files; `profiled`: its profile is to be shown. */
  text: (name: string, text: string) => Promise<void>;
  files: (name: string, files: Named[], isFolder: boolean) => Promise<void>;
  table: (name: string, text: string) => void;
  parser: (name: string, text: string) => void;
  golden: (name: string, text: string) => void;
}

function fileInput(label: string, accept: string | null, done: (input: HTMLInputElement) => void, isFolder = false): HTMLElement {
  const input: HTMLInputElement = h("input", { type: "file", class: "hidden", accept, multiple: isFolder, tabindex: "-1", "aria-label": label });
  if (isFolder) input.webkitdirectory = true;
  input.addEventListener("change", () => done(input));
  return h("span", {}, h("button", { type: "button", onclick: () => input.click() }, label), input);
}

export function openSample(opened: Opened): void {
  const area: HTMLTextAreaElement = h("textarea", { id: "pasted", rows: 10, spellcheck: "false", autocomplete: "off" });
  const files = (isFolder: boolean) => (input: HTMLInputElement) => {
    const all = chosen(input);
    const [first] = all;
    if (!first) return;
    dialog.close();
    opened.files(isFolder ? (first.name.split("/")[0] ?? "folder") : first.name, all, isFolder).catch(complain);
  };
  const use = () => {
    dialog.close();
    opened.text("pasted", area.value).catch(complain);
  };
  const dialog = openDialog(
    "Open a sample",
    "open",
    h("label", { for: "pasted" }, "Paste records: JSON lines, an array, an API's answer, CEF, key=value, content-hub's base64"),
    area,
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", class: "main", id: "use-pasted", onclick: use }, "Use this text"),
      fileInput("Choose a file", null, files(false)),
      fileInput("Choose a folder", null, files(true), true),
    ),
    h("p", { class: "note" }, "Or drop a file or a folder on the page. It stays on this machine: only ", h("code", {}, "udmap serve"), " reads it."),
  );
  area.focus();
}

export function openTable(names: string[], opened: Opened): void {
  const select = h("select", { id: "built-in" }, ...names.map((name) => h("option", { value: name }, name)));
  const take = () => {
    dialog.close();
    api.mapping(select.value).then((found) => opened.table(found.name, found.text), complain);
  };
  const file = (input: HTMLInputElement) => {
    dialog.close();
    for (const one of chosen(input)) place(one, opened).catch(complain);
  };
  const dialog = openDialog(
    "Open a table or a parser",
    "open",
    h("label", { for: "built-in" }, "A built-in table, to begin from"),
    h("div", { class: "buttons" }, select, h("button", { type: "button", class: "main", id: "use-table", onclick: take }, "Use this table")),
    h("div", { class: "buttons" }, fileInput("Choose a table (.toml) or a parser (.conf)", ".toml,.conf", file)),
    h("p", { class: "note" }, "Undo (Ctrl+Z) in the table brings back what it was."),
  );
  select.focus();
}

export function openGolden(opened: Opened): void {
  const area: HTMLTextAreaElement = h("textarea", { id: "golden", rows: 10, spellcheck: "false", autocomplete: "off" });
  const dialog = openDialog(
    "Compare the event",
    "open",
    h("label", { for: "golden" }, "Paste the expected event: a golden, or the output of a parser of SecOps"),
    area,
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", class: "main", id: "use-golden", onclick: () => (dialog.close(), opened.golden("pasted", area.value)) }, "Compare"),
      fileInput("Choose a file", null, (input) => {
        const [first] = chosen(input);
        dialog.close();
        first?.file.text().then((text) => opened.golden(first.name, text), complain);
      }),
    ),
    h("p", { class: "note" }, "Or drop the file on the event. The differences follow each change of the table."),
  );
  area.focus();
}

async function place({ name, file }: Named, opened: Opened): Promise<void> {
  const text = await file.text();
  if (/\.conf$/.test(name)) opened.parser(name, text);
  else opened.table(name, text);
}

/** Drops on the page: on the event, a golden; on the table, a table or a parser; else a sample. */
export function takeDrops(opened: Opened): void {
  const zones = [byId("event-pane"), byId("table-pane"), byId("raw-pane")];
  const zoneOf = (event: Event) => zones.find((zone) => zone.contains(event.target as Node)) ?? byId("raw-pane");
  const mark = (marked: HTMLElement | null) => {
    document.body.classList.toggle("dropping", !!marked);
    for (const zone of zones) zone.classList.toggle("drop-here", zone === marked);
  };
  const hasFiles = (event: DragEvent) => !!event.dataTransfer && [...event.dataTransfer.types].some((type) => type === "Files");
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    mark(zoneOf(event));
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) mark(null);
  });
  // Before the editor, which would put the text of the file in.
  addEventListener(
    "drop",
    (event) => {
      if (!hasFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      event.stopPropagation();
      mark(null);
      const zone = zoneOf(event).id;
      const isTable = (name: string) => /\.(toml|conf)$/.test(name);
      dropped(event.dataTransfer)
        .then(async ({ name, files, isFolder }) => {
          const [first] = files;
          if (!first) return;
          if (isFolder) await opened.files(name, files, true);
          else if (zone === "table-pane" || isTable(first.name)) await place(first, opened);
          else if (zone === "event-pane") opened.golden(first.name, await first.file.text());
          else await opened.files(name, files, false);
        })
        .catch(complain);
    },
    true,
  );
}

/** A paste anywhere but into a field is a sample. */
export function takePastes(opened: Opened): void {
  addEventListener("paste", (event) => {
    const target = event.target as HTMLElement;
    if (target.closest("input, textarea, .cm-editor, dialog") || document.querySelector("dialog[open]")) return;
    const text = event.clipboardData?.getData("text/plain");
    if (!text) return;
    event.preventDefault();
    opened.text("pasted", text).catch(complain);
  });
}
