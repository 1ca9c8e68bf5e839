// The table is checked at each key stroke; findings, differences and a parser follow it.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { check, project, quickstart } from "./harness.mjs";

const rule = (udm, from) => `\n[[rule]]\nudm = "${udm}"\nfrom = "${from}"\n`;

check("an error is underlined at its place, with the hint; one click takes the suggestion", {}, async ({ page, cursor, table, text, texts, until }) => {
  await page.waitForSelector("#event-text [data-path]");
  await cursor();
  await page.keyboard.type(rule("metadata.descripton", "txid"));
  await page.waitForSelector("#table-editor .cm-lintRange-error");
  assert.match((await texts("#table-editor .cm-lintRange-error")).join(""), /descripton/);
  await until(() => document.querySelectorAll("#problems li").length === 1);
  assert.match(await text("#problems li"), /has no field descripton.*metadata\.description/s);
  // The event from before stays, and is said to be old.
  assert.match(await text("#event-old"), /from before/);
  assert.ok(await page.$("#event-text [data-path]"));
  await page.click("#problems .fix");
  await page.waitForSelector("#event-text [data-path='metadata.description']");
  assert.match(await table(), /udm = "metadata\.description"/);
  assert.equal(await page.$("#table-editor .cm-lintRange-error"), null);
  assert.deepEqual(await page.$$eval("#problems, #event-old", (all) => all.map((one) => one.hidden)), [true, true]);
});

check("the suggestion is at the underlined place, too", {}, async ({ page, cursor, table, until, untilText }) => {
  await page.waitForSelector("#event-text [data-path]");
  await cursor();
  await page.keyboard.type(rule("metadata.descripton", "txid"));
  await page.waitForSelector("#table-editor .cm-lintRange-error");
  await page.hover("#table-editor .cm-lintRange-error");
  await page.waitForSelector(".cm-tooltip .cm-diagnosticAction");
  await untilText(".cm-tooltip", "hint:");
  await page.click(".cm-tooltip .cm-diagnosticAction");
  await until(() => document.querySelector("#event-text [data-path='metadata.description']"));
  assert.match(await table(), /metadata\.description"/);
});

check("each key stroke counts: the event follows", {}, async ({ page, cursor, untilText }) => {
  await page.waitForSelector("#event-text [data-path]");
  await cursor('value = "Telephony');
  for (const letter of ["X", "Y", "Z"]) {
    await page.keyboard.type(letter);
    await untilText("#event-text", `"Telephony${"XYZ".slice(0, "XYZ".indexOf(letter) + 1)}"`);
  }
});

check("findings of validate, with what SecOps does", {}, async ({ page, text, untilText }) => {
  await page.type("#record-number", "");
  for (let n = 0; n < 3; n += 1) await page.click("#next");
  await untilText("#raw-text", "api-1111111.duosecurity.com");
  await untilText("details.findings", "SecOps:");
  assert.match(await text("details.findings"), /target\.user/);
  assert.match(await text("details.findings .outcome"), /SecOps: .{10,}/);
});

check("a golden: the differences, field by field, live", {}, async ({ page, cursor, folder, drop, text, texts, until, untilText }) => {
  await page.waitForSelector("#event-text [data-path]");
  const event = JSON.parse(readFileSync(join(project, "fixtures/quickstart/events.ndjson"), "utf8").split("\n")[0]);
  event.metadata.product_name = "Duo";
  const file = join(folder, "golden.json");
  writeFileSync(file, JSON.stringify(event));
  await drop("#event-pane", [file]);
  await page.waitForSelector(".difference-table tbody tr");
  assert.deepEqual(await texts(".difference-table tbody th"), ["metadata.product_name"]);
  assert.match(await text(".difference-table tbody"), /"Telephony".*"Duo"/);
  await cursor('udm = "metadata.product_name"\nvalue = "');
  await page.keyboard.type("Duo");
  await untilText(".difference-table tbody", '"DuoTelephony"');
  for (let n = 0; n < "Telephony".length; n += 1) await page.keyboard.press("Delete");
  await untilText("details.differences", "The same, field by field");
  await page.click("#stop-comparing");
  await until(() => !document.querySelector("details.differences"));
  // Pasted, and not an event: said.
  await page.click("#compare");
  await page.type("#golden", "[1]");
  await page.click("#use-golden");
  await page.waitForSelector("details.differences .reject");
});

check("another table is opened: built in, or dropped", {}, async ({ page, folder, drop, table, text, until, untilText }) => {
  await page.waitForSelector("#event-text [data-path]");
  await page.click("#open-table");
  await page.select("#built-in", "duo_telephony_extended");
  await page.click("#use-table");
  await page.waitForSelector("#event-text [data-path='metadata.product_log_id']");
  assert.match(await text("#about-table"), /duo_telephony_extended/);
  const file = join(folder, "other.toml");
  writeFileSync(file, '[mapping]\nname = "other"\nextends = "duo_telephony"\nwithout = ["principal.user.userid"]\n');
  await drop("#raw-pane", [file]);
  await until(() => !document.querySelector("#event-text [data-path='principal.user.userid']"));
  assert.match(await table(), /^\[mapping\]\nname = "other"/);
  // Rules of the table that it builds on are named with their file.
  await page.hover("#event-text [data-path='principal.user.phone_numbers[0]']");
  await untilText("#trace", "duo_telephony line");
  assert.equal(await page.$("#table-editor .lit-line"), null);
});

const few = `[mapping]
name = "few"
log_type = "FEW"

[[rule]]
udm = "metadata.event_timestamp"
time = [{ from = "ts", read = "iso8601" }]

[[rule]]
udm = "metadata.event_type"
value = "GENERIC_EVENT"
`;
check("records are counted as the table finds them", {}, async ({ page, folder, drop, paste, untilText }) => {
  const record = (n) => ({ context: "verify", phone: `+1503555010${n}`, ts: "2024-05-02T09:15:22+00:00", type: "phone" });
  await page.waitForSelector("#event-text [data-path]");
  await paste(JSON.stringify({ stat: "OK", response: { items: [record(1), record(2)], metadata: {} } }));
  await untilText("#record-count", "of 2");
  await page.click("#next");
  await untilText("#event-text", "+15035550102");
  writeFileSync(join(folder, "few.toml"), few);
  await drop("#table-pane", [join(folder, "few.toml")]);
  await untilText("#record-count", "of 1");
  await page.waitForSelector("#event-text .reject");
  assert.equal(await page.$eval("#record-number", (input) => input.value), "1");
});

const parser = `filter {
  json { source => "message" on_error => "not_json" }
  mutate { replace => { "event.idm.read_only_udm.metadata.event_type" => "GENERIC_EVENT" } }
  mutate { replace => { "event.idm.read_only_udm.metadata.vendor_name" => "%{type}" } }
  mutate { merge => { "@output" => "event" } }
}
`;
const withParser = {
  prepare: (folder) => writeFileSync(join(folder, "mine.conf"), parser),
  args: (folder) => ["--parser", join(folder, "mine.conf"), quickstart],
};
check("a parser: its event, its lines, and how the table's event differs", withParser, async ({ page, cursor, text, texts, until, untilText }) => {
  await page.waitForSelector("#event-text [data-path]");
  await untilText("details.differences summary", "parser");
  assert.ok((await texts(".difference-table tbody th")).includes("metadata.vendor_name"));
  await page.click("#event-of-parser");
  await untilText("#event-text", '"sms"');
  await page.click("#event-text [data-path='metadata.vendor_name']");
  await page.waitForSelector("#parser-editor .lit-line");
  assert.match(await text("#parser-editor .lit-line"), /vendor_name/);
  await page.click("#parser-editor .cm-content");
  await page.keyboard.down("Control");
  await page.keyboard.press("End");
  await page.keyboard.up("Control");
  await page.keyboard.type("}");
  await untilText("#parser-problems", "error");
  await page.keyboard.press("Backspace");
  await until(() => document.getElementById("parser-problems").hidden);
  await page.click("#event-of-table");
  await page.click("#show-table");
  await cursor();
  assert.ok(await page.$("#event-text [data-path='principal.user.userid']"));
});
