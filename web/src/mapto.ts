// "Map it to ...": a search over UDM's fields, types and enum values. The rule is written into the table.

import { api, type Refusal } from "./api";
import { openDialog } from "./dialogs";
import { count, h, Last, prose, replace, short } from "./dom";
import type { FoundField, RawField } from "./types";

let searches = 0;

/** Asks for a field of UDM, and what the value becomes if it is an enum. */
export function mapTo(field: RawField, chosen: (udm: string, becomes: string | null) => Promise<void>): void {
  let found: FoundField[] = [];
  let active = 0;
  const last = new Last();
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
  const search = h("div", { class: "search" }, h("label", { for: "udm-search" }, "Search UDM's fields, types and enum values"), input, list);
  const status = h("p", { class: "search-status", role: "status" });
  const dialog = openDialog(
    `Map ${field.field} to …`,
    "map-to",
    h("p", { class: "sample-value" }, "Its value here: ", h("code", {}, short(field.value, 200))),
    search,
    status,
  );

  const finish = async (udm: string, becomes: string | null) => {
    try {
      await chosen(udm, becomes);
      dialog.close();
    } catch (error) {
      const refusal = error as Refusal;
      replace(status, prose(`${refusal.message}${refusal.hint ? `. hint: ${refusal.hint}` : ""}`));
    }
  };
  const choose = async (at: number) => {
    const one = found[at];
    if (!one) return;
    if (!one.type.startsWith("enum ")) return finish(one.path, null);
    // A word of the enum must be chosen for the value. Words of the search may have left only some of them.
    const again = await api.fields({ query: one.path, field: field.field, value: field.value }).catch(() => null);
    const values = again?.fields.find((all) => all.path === one.path)?.values ?? one.values;
    const select = h("select", { id: "becomes" }, ...values.map((value) => h("option", { value }, value)));
    select.value = likely(values, field.value) ?? (one.values.length < values.length ? one.values[0] : null) ?? values[0] ?? "";
    const form = h(
      "form",
      { method: "dialog", class: "becomes" },
      h("label", { for: "becomes" }, h("code", {}, short(field.value, 60)), " becomes, in ", h("code", {}, one.path)),
      h("div", { class: "buttons" }, select, h("button", { type: "submit", class: "main" }, "Write the rule")),
      h("p", { class: "note" }, "More values can be added to the rule's map in the table."),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void finish(one.path, select.value);
    });
    replace(status);
    search.remove();
    status.before(form);
    select.focus();
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
  const look = async () => {
    searches += 1;
    const mine = searches;
    const query = input.value.trim();
    try {
      const answer = await api.fields({ query, field: field.field, value: field.value });
      // A later search has begun.
      if (mine !== searches) return;
      found = answer.fields;
      if (!last.isSame(found)) replace(list, ...found.map((one, at) => option(one, at, () => void choose(at))));
      const words = found.length ? `${answer.more ? "The first " : ""}${count(found.length, "field")}` : `No field of UDM has ${query}`;
      replace(status, words, found.length ? ". Enter takes the marked one." : ". Try fewer or other words.");
      if (!found.length) input.removeAttribute("aria-activedescendant");
      activate(0);
    } catch (error) {
      replace(status, (error as Refusal).message);
    }
  };
  input.addEventListener("input", () => void look());
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
  void look();
}

/** The value of the enum that reads like this one. */
function likely(values: string[], value: string): string | undefined {
  const plain = (text: string) => text.toUpperCase().replace(/[^A-Z0-9]+/g, "_");
  return values.find((one) => one === plain(value)) ?? values.find((one) => one.includes(plain(value)));
}

function option(one: FoundField, at: number, choose: () => void): HTMLElement {
  const values = one.values.slice(0, 6).join(", ");
  return h(
    "li",
    { role: "option", id: `udm-${at}`, "aria-selected": "false", "data-udm": one.path, onclick: choose },
    h("span", { class: "path" }, one.path),
    h("span", { class: "type" }, one.type, one.repeated ? ", repeated" : ""),
    values ? h("span", { class: "values" }, values, one.values.length > 6 ? ` and ${one.values.length - 6} more` : "") : null,
  );
}
