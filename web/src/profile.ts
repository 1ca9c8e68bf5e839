// The profile of the sample: each count is a link to the records behind it.

import { openDialog } from "./dialogs";
import { count, h, short } from "./dom";
import type { Group } from "./records";
import type { Profile, Sample } from "./types";

export function showProfile(sample: Sample, profile: Profile, go: (group: Group) => void): void {
  const link = (n: number, records: number[], label: string) => {
    const open = () => {
      dialog.close();
      go({ label, records, total: n });
    };
    return records.length
      ? h("button", { type: "button", class: "link count", "aria-label": `${count(n, "record")} ${label}: show`, onclick: open }, n.toLocaleString("en"))
      : h("span", { class: "count" }, n.toLocaleString("en"));
  };
  const forms = profile.forms.map((form) => `${form.count.toLocaleString("en")} ${form.form}`).join(", ");
  const times = profile.times ? `, from ${profile.times.first} to ${profile.times.last}` : "";
  const dialog = openDialog(
    `Profile of ${sample.name}`,
    "profile",
    h("p", {}, `${count(profile.records, "record")}: ${forms}${times}. A count shows the records behind it.`),
    profile.rejects.length > 0 &&
      h(
        "section",
        {},
        h("h3", {}, "Rejects"),
        h(
          "ul",
          { class: "reject-counts" },
          ...profile.rejects.map((reject) =>
            h("li", {}, link(reject.count, reject.records, `rejected: ${reject.reason}`), h("span", { class: "name" }, reject.reason)),
          ),
        ),
      ),
    h(
      "div",
      { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Fields" },
      h(
        "table",
        { class: "profile-table" },
        h(
          "thead",
          {},
          h("tr", {}, ...["Field", "Records", "Share", "Type", "Read", "Values, for example"].map((title, at) => h("th", { scope: "col", class: at === 1 || at === 2 ? "number" : null }, title))),
        ),
        h(
          "tbody",
          {},
          ...profile.fields.map((field) =>
            h(
              "tr",
              { class: field.read ? null : "left" },
              h("th", { scope: "row" }, field.path),
              h("td", { class: "number" }, link(field.count, field.records, `with ${field.path}`)),
              h("td", { class: "number" }, `${(field.share * 100).toFixed(field.share < 1 && field.share > 0.99 ? 2 : 0)} %`),
              h("td", {}, field.kinds.join(", ")),
              h("td", {}, field.read ? "yes" : "no rule"),
              h("td", { class: "examples" }, field.examples.map((example) => short(example, 40)).join(" · ")),
            ),
          ),
        ),
      ),
    ),
  );
}
