// "Map it to ...": a search over UDM's fields, types and enum values. The rule is written into the table.

import { api, type Refusal } from "./api";
import { openDialog } from "./dialogs";
import { h, prose, replace, short } from "./dom";
import type { FoundField, RawField } from "./types";

let searches = 0;

/** Asks for a field of UDM; `chosen` gets its path. */
export function mapTo(field: RawField, chosen: (udm: string) => Promise<void>): void {
  let found: FoundField[] = [];
  let active = 0;
  const input = h("input", {
    type: "text",
    id: "udm-search",
    role: "combobox",
    "aria-expanded": "true",
    "aria-controls": "udm-list",
    "aria-autocomplete": "list",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "hostname, user id, severity HIGH …",
  });
  const list = h("ul", { id: "udm-list", role: "listbox", "aria-label": "Fields of UDM", tabindex: "-1" });
  const status = h("p", { class: "search-status", role: "status" });
  const dialog = openDialog(
    `Map ${field.field} to …`,
    "map-to",
    h("p", { class: "sample-value" }, "Its value here: ", h("code", {}, short(field.value, 200))),
    h("label", { for: "udm-search" }, "Search UDM's fields, types and enum values"),
    input,
    list,
    status,
  );

  const choose = async (at: number) => {
    const one = found[at];
    if (!one) return;
    try {
      await chosen(one.path);
      dialog.close();
    } catch (error) {
      const refusal = error as Refusal;
      replace(status, prose(`${refusal.message}${refusal.hint ? `. hint: ${refusal.hint}` : ""}`));
    }
  };
  const activate = (at: number) => {
    active = Math.max(0, Math.min(at, found.length - 1));
    list.querySelectorAll("li").forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === active));
      if (index === active) {
        input.setAttribute("aria-activedescendant", option.id);
        option.scrollIntoView({ block: "nearest" });
      }
    });
  };
  const search = async () => {
    searches += 1;
    const mine = searches;
    const query = input.value.trim();
    try {
      const answer = await api.fields({ query, field: field.field, value: field.value });
      // A later search has begun.
      if (mine !== searches) return;
      found = answer.fields;
      replace(list, ...found.map((one, at) => option(one, at, () => void choose(at))));
      const words = found.length ? `${answer.more ? "The first " : ""}${found.length} fields` : `No field of UDM has ${query}`;
      replace(status, words, found.length ? ". Enter takes the marked one." : ". Try fewer or other words.");
      if (!found.length) input.removeAttribute("aria-activedescendant");
      activate(0);
    } catch (error) {
      replace(status, (error as Refusal).message);
    }
  };
  input.addEventListener("input", () => void search());
  input.addEventListener("keydown", (event) => {
    const steps: Record<string, number> = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + 8, PageUp: active - 8 };
    const to = steps[event.key];
    if (to !== undefined) {
      event.preventDefault();
      activate(to);
    } else if (event.key === "Enter") {
      event.preventDefault();
      void choose(active);
    }
  });
  input.focus();
  void search();
}

function option(one: FoundField, at: number, choose: () => void): HTMLElement {
  const values = one.values.slice(0, 6).join(", ");
  return h(
    "li",
    { role: "option", id: `udm-${at}`, "aria-selected": "false", "data-udm": one.path, onclick: choose },
    h("span", { class: "path" }, one.path),
    h("span", { class: "type" }, one.type, one.repeated ? ", repeated" : ""),
    one.doc ? h("span", { class: "doc" }, one.doc) : null,
    values ? h("span", { class: "values" }, values, one.values.length > 6 ? ` and ${one.values.length - 6} more` : "") : null,
  );
}
