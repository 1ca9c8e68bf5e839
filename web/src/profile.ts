// The profile of the sample: each count is a link to the records behind it.

import { openDialog } from "./dialogs";
import { count, h, nameOf, short } from "./dom";
import type { Group } from "./records";
import type { Counted, Profile, ProfileField, Sample } from "./types";

/** How many values are shown of a field. */
const MOST_VALUES = 4;

export function showProfile(sample: Sample, profile: Profile, go: (group: Group) => void): void {
  /** A count that leads to its records. */
  const link = ({ count: n, records }: Counted, label: string) => {
    const open = () => {
      dialog.close();
      go({ label, records, total: n });
    };
    return records.length
      ? h("button", { type: "button", class: "link count", "aria-label": `${count(n, "record")} ${label}: show`, onclick: open }, n.toLocaleString("en"))
      : h("span", { class: "count" }, n.toLocaleString("en"));
  };
  const list = (title: string, all: { name: string; counted: Counted; label: string }[]) =>
    all.length > 0 &&
    h(
      "section",
      {},
      h("h3", {}, title),
      h("ul", { class: "counted" }, ...all.map(({ name, counted, label }) => h("li", {}, link(counted, label), h("span", { class: "name" }, name)))),
    );
  const values = (field: ProfileField) =>
    field.examples.slice(0, MOST_VALUES).map((example) =>
      h("li", {}, link(example, `with ${field.path} ${short(example.value, 40)}`), h("span", { class: "name" }, short(example.value, 40))),
    );
  const { first, last } = profile.times;
  const times = first && last ? `, from ${first} to ${last}` : "";
  const dialog = openDialog(
    `Profile of ${nameOf(sample.name)}`,
    "profile",
    h("p", {}, `${count(profile.records, "record")}${times}. A count shows the records behind it.`),
    h(
      "div",
      { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Counts" },
      h(
        "div",
        { class: "counts-lists" },
        list("Rejects", profile.rejects.map((one) => ({ name: one.reason, counted: one, label: `rejected: ${one.reason}` }))),
        list("Forms", profile.forms.map((one) => ({ name: one.form, counted: one, label: `in the form ${one.form}` }))),
        list("Shapes", profile.shapes.map((one) => ({ name: one.shape, counted: one, label: `of shape ${one.shape}` }))),
      ),
      h(
        "table",
        { class: "profile-table" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ...["Field", "Records", "Share", "Type", "Read", "Values"].map((title, at) =>
              h("th", { scope: "col", class: at === 1 || at === 2 ? "number" : null }, title),
            ),
          ),
        ),
        h(
          "tbody",
          {},
          ...profile.fields.map((field) =>
            h(
              "tr",
              { class: field.read ? null : "left" },
              h("th", { scope: "row" }, field.path),
              h("td", { class: "number" }, link(field, `with ${field.path}`)),
              h("td", { class: "number" }, `${(field.share * 100).toFixed(field.share < 1 && field.share > 0.99 ? 2 : 0)} %`),
              h("td", {}, Object.keys(field.types).join(", ")),
              h("td", {}, field.read ? "yes" : "no rule"),
              h(
                "td",
                {},
                h("ul", { class: "counted inline" }, ...values(field)),
                field.distinct > MOST_VALUES && h("p", { class: "note" }, `${field.distinct.toLocaleString("en")} different values`),
              ),
            ),
          ),
        ),
      ),
      profile.fields_not_counted > 0 && h("p", { class: "note" }, `${count(profile.fields_not_counted, "more field")} not listed.`),
    ),
  );
}
