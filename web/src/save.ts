// Save the table, save a case, copy a command, share a page.

import { api, type Refusal } from "./api";
import { field, openDialog } from "./dialogs";
import { byId, h, prose, replace } from "./dom";
import { download } from "./files";
import { say } from "./messages";

/** A form in a dialog; `save` gives the sentence that says what was done. */
function ask(title: string, intro: string, inputs: { label: string; input: HTMLInputElement }[], button: string, save: () => Promise<string>): void {
  const status = h("p", { class: "form-status", role: "alert" });
  const form = h(
    "form",
    { method: "dialog" },
    h("p", {}, prose(intro)),
    ...inputs.map(({ label, input }) => field(label, input)),
    status,
    h("div", { class: "buttons" }, h("button", { type: "submit", class: "main" }, button)),
  );
  const dialog = openDialog(title, "ask", form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save().then(
      (text) => {
        dialog.close();
        say(text);
      },
      (error: Refusal) => replace(status, prose(`${error.message}${error.hint ? `. hint: ${error.hint}` : ""}`)),
    );
  });
  inputs[0]?.input.focus();
  inputs[0]?.input.select();
}

function textInput(value: string): HTMLInputElement {
  return h("input", { type: "text", value, required: true, autocomplete: "off", spellcheck: "false" });
}

/** Saves the table: to its file, or to one that is asked for. */
export function saveTable(text: string, file: string | null, saved: (file: string) => void): void {
  if (file) {
    api.saveTable(text, file).then((answer) => (saved(answer.file), say(`Saved ${answer.file}.`)), (error: Refusal) => say(error.message));
    return;
  }
  const input = textInput("mine.toml");
  ask("Save the table", "The file is written below the folder that `udmap serve` was started in.", [{ label: "File", input }], "Save", async () => {
    const answer = await api.saveTable(text, input.value.trim());
    saved(answer.file);
    return `Saved ${answer.file}.`;
  });
}

export function saveCase(mapping: string, sample: string, record: number, folder: string): void {
  const inputs = { folder: textInput(folder), name: textInput("") };
  ask(
    "Save as a case",
    "The record, and the event that it becomes now, are a case of `udmap test`: it fails once a table makes something else of it.",
    [
      { label: "Name of the case", input: inputs.name },
      { label: "Folder", input: inputs.folder },
    ],
    "Save",
    async () => {
      const [into, name] = [inputs.folder.value.trim(), inputs.name.value.trim()];
      const answer = await api.saveCase({ folder: into, name, mapping, sample, record });
      return `Saved ${answer.files.join(", ")} in ${answer.folder}: \`${answer.command}\` runs it.`;
    },
  );
}

/** Shows commands about a record; `table` is the name of a table, or of its file. */
export function showCommand(request: { sample: string; record: number; mapping: string; mapping_file: string }, isSaved: boolean): void {
  const command = h("pre", { class: "command", tabindex: "0", "aria-label": "Command" });
  const status = h("p", { role: "status" });
  const note = h("p", { class: "note" }, isSaved ? null : "The table has changes that are not saved, and the command does not know of them: save it first.");
  const show = async (what: string) => {
    try {
      const answer = await api.command({ ...request, what });
      replace(command, answer.command);
      replace(status);
    } catch (error) {
      replace(command);
      replace(status, prose((error as Refusal).message));
    }
  };
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(command.textContent ?? "");
      replace(status, "Copied.");
    } catch {
      getSelection()?.selectAllChildren(command);
      replace(status, "The browser does not let this page copy: the command is selected, copy it with Ctrl+C.");
    }
  };
  const choices = { convert: "Convert all records", explain: "Explain this record", test: "Run the cases" };
  openDialog(
    "As a command line",
    "ask",
    h(
      "fieldset",
      { class: "choices" },
      h("legend", {}, "What it does"),
      ...Object.entries(choices).map(([what, label], at) =>
        h("label", {}, h("input", { type: "radio", name: "what", value: what, checked: at === 0, onchange: () => void show(what) }), label),
      ),
    ),
    command,
    note,
    status,
    h("div", { class: "buttons" }, h("button", { type: "button", class: "main", id: "copy", onclick: () => void copy() }, "Copy")),
  );
  byId("copy").focus();
  void show("convert");
}

export async function share(request: Parameters<typeof api.share>[0]): Promise<void> {
  const answer = await api.share(request);
  download(answer.name, answer.html, "text/html");
  say(`Made ${answer.name}: one file with the record, the event and the table, without scripts. The browser saves it.`);
}
