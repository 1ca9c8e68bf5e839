// Which record is shown: previous, next, next reject, or the records behind a count.

import { byId, count, h, replace } from "./dom";
import type { Counts, Sample } from "./types";

/** Records behind a count. */
export interface Group {
  label: string;
  /** Their places in the sample; the first ones, if they are many. */
  records: number[];
  total: number;
}

export class Records {
  index = 0;
  private group: Group | null = null;
  private counts: Counts | null = null;
  private records = 0;

  constructor(private readonly changed: () => void) {
    byId("previous").addEventListener("click", () => this.step(-1));
    byId("next").addEventListener("click", () => this.step(1));
    byId("previous-reject").addEventListener("click", () => this.go(this.counts?.previous_reject ?? null));
    byId("next-reject").addEventListener("click", () => this.go(this.counts?.next_reject ?? null));
    byId<HTMLInputElement>("record-number").addEventListener("change", (event) => {
      const wanted = Number((event.target as HTMLInputElement).value);
      if (Number.isInteger(wanted)) this.go(Math.max(1, Math.min(wanted, this.records)) - 1);
      this.show();
    });
  }

  setSample(sample: Sample): void {
    this.index = 0;
    this.group = null;
    this.counts = null;
    this.records = sample.records;
    this.show();
  }

  setCounts(counts: Counts | null): void {
    this.counts = counts;
    if (counts) {
      // Another table may find more records, or fewer, in the same text.
      this.records = counts.records;
      this.index = Math.max(0, Math.min(this.index, counts.records - 1));
    }
    this.show();
  }

  setGroup(group: Group | null): void {
    this.group = group;
    if (group?.records.length && !group.records.includes(this.index)) this.go(group.records[0] ?? null);
    this.show();
  }

  go(index: number | null): void {
    if (index === null || index === this.index || index < 0 || index >= this.records) return;
    this.index = index;
    this.show();
    this.changed();
  }

  /** The next record, or the previous one: of the group, if there is one. */
  step(by: 1 | -1): void {
    this.go(this.neighbour(by));
  }

  private neighbour(by: 1 | -1): number | null {
    if (!this.group) {
      const to = this.index + by;
      return to >= 0 && to < this.records ? to : null;
    }
    const found = this.group.records.filter((at) => (by > 0 ? at > this.index : at < this.index));
    return (by > 0 ? found[0] : found.at(-1)) ?? null;
  }

  private show(): void {
    const input = byId<HTMLInputElement>("record-number");
    input.value = String(this.records ? this.index + 1 : 0);
    input.max = String(this.records);
    replace(byId("record-count"), `of ${this.records.toLocaleString("en")}`);
    disable("previous", this.neighbour(-1) === null);
    disable("next", this.neighbour(1) === null);
    disable("previous-reject", this.counts?.previous_reject == null);
    disable("next-reject", this.counts?.next_reject == null);
    const { group, counts } = this;
    byId("group").hidden = !group;
    if (group) {
      const first = group.records.length < group.total ? `, the first ${group.records.length}` : "";
      replace(
        byId("group"),
        h("span", {}, `${count(group.total, "record")} ${group.label}${first}`),
        h("button", { type: "button", "aria-label": "Show all records again", onclick: () => this.setGroup(null) }, "×"),
      );
    }
    replace(byId("counts"));
    if (!counts) return;
    const reasons = counts.by_reason.map(({ reason, count: n, first }) =>
      h("button", { type: "button", class: "link", title: "Show the first of them", onclick: () => this.go(first) }, `${reason} ${n.toLocaleString("en")}`),
    );
    replace(
      byId("counts"),
      h("span", { class: "events" }, count(counts.events, "event")),
      h("span", { class: counts.rejects ? "rejects" : "" }, count(counts.rejects, "reject")),
      ...reasons,
    );
  }
}

/** Buttons keep the focus when there is nothing more to step to. */
function disable(id: string, isDisabled: boolean): void {
  byId(id).setAttribute("aria-disabled", String(isDisabled));
}
