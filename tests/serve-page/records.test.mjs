// What is opened, and which record is shown.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { check, project, quickstart } from "./harness.mjs";

const number = (page) => page.$eval("#record-number", (input) => Number(input.value));

check("without a file, it opens with an example", { args: [] }, async ({ text, texts, until }) => {
  await until(() => document.querySelectorAll("#event-text [data-path]").length > 5);
  assert.match(await text("#sample"), /^An example/);
  assert.deepEqual(await texts("main h2"), ["Record", "Table", "UDM event"]);
  assert.match(await text("#counts"), /\d+ events/);
});

check("previous, next, a number, next reject", {}, async ({ page, text, untilText }) => {
  await untilText("#counts", "11 events");
  assert.match(await text("#sample"), /^input\.ndjson/);
  assert.equal(await text("#record-count"), "of 12");
  await page.click("#next");
  await untilText("#raw-text", "+17345551311");
  assert.equal(await number(page), 2);
  await page.click("#previous");
  await untilText("#raw-text", "+12125556707");
  // There is nothing before the first: it stays.
  await page.click("#previous");
  assert.equal(await number(page), 1);
  await page.click("#next-reject");
  await untilText("#event-text", "Rejected: no-timestamp");
  assert.equal(await number(page), 12);
  await page.$eval("#record-number", (input) => (input.value = ""));
  await page.type("#record-number", "10");
  await page.keyboard.press("Enter");
  await untilText("#raw-text", "CEF:0");
  await page.click("#counts button");
  await untilText("#event-text", "no-timestamp");
  await page.focus("#open-sample");
  await page.keyboard.down("Alt");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.up("Alt");
  assert.equal(await number(page), 11);
});

const plain = { context: "verify", credits: 1, phone: "+15035550100", ts: "2024-05-02T09:15:22+00:00", type: "phone" };
const again = { ...plain, phone: "+15035550101" };
const cef =
  "Nov 23 02:47:28 vm CEF:0|Duo Security|DuoLogSync|2.4.1|telephony|telephony|5|cs1Label=context cs1=authentication cs4Label=phone cs4=+111111111 rt=1683648435000 cs5Label=type cs5=sms";
const base64 = (text) => Buffer.from(text).toString("base64");
const forms = {
  "JSON lines": [`${JSON.stringify(plain)}\n${JSON.stringify(again)}\n`, 2, /NDJSON|JSON lines|line/i],
  "an array": [JSON.stringify([plain, again], null, 2), 2, /array|JSON/i],
  "an answer of the API": [JSON.stringify({ stat: "OK", response: { items: [plain, again], metadata: {} } }), 2, /Duo's API|answer/i],
  CEF: [cef, 1, /CEF/],
  "key=value": [
    '1683648435,host="api-1111111.duosecurity.com", eventtype="telephony", context="authentication", type="sms", phone="+111111111", credits="1"',
    1,
    /key/i,
  ],
  "content-hub's base64": [
    JSON.stringify({ raw_logs: { entries: [{ data: base64(JSON.stringify(plain)) }, { data: base64(JSON.stringify(again)) }] } }),
    2,
    /content-hub/,
  ],
};
check("each form that is pasted is recognised and said", {}, async ({ paste, text, until }) => {
  const said = new Set();
  for (const [name, [pasted, records, words]] of Object.entries(forms)) {
    const before = await text("#form");
    await paste(pasted);
    await until((before) => document.getElementById("form").textContent !== before, before);
    const form = await text("#form");
    assert.match(await text("#sample"), /^pasted/);
    assert.equal(await text("#record-count"), `of ${records}`, name);
    assert.match(form, words, name);
    assert.match(await text("#message"), /taken for/);
    assert.ok(!said.has(form), `${name} has no words of its own: ${form}`);
    said.add(form);
    await until(() => document.querySelectorAll("#event-text [data-path]").length > 5);
  }
});

check("a paste anywhere but in a field is a sample", {}, async ({ page, text, untilText }) => {
  const paste = (selector, text) =>
    page.$eval(
      selector,
      (element, text) => {
        const data = new DataTransfer();
        data.setData("text/plain", text);
        element.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
      },
      text,
    );
  await paste("#record-number", "99");
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.match(await text("#sample"), /^input\.ndjson/);
  await paste("main", JSON.stringify(plain));
  await untilText("#sample", "pasted");
  await untilText("#raw-text", "+15035550100");
});

check("a file that is dropped shows its profile, and counts lead to records", {}, async ({ page, folder, drop, text, texts, until, untilText }) => {
  const file = join(folder, "dropped.ndjson");
  writeFileSync(file, readFileSync(quickstart));
  await page.waitForSelector("#event-text [data-path]");
  await drop("#raw-pane", [file]);
  await page.waitForSelector("dialog.profile tbody tr");
  assert.match(await text("dialog.profile h2"), /dropped\.ndjson/);
  const rows = await texts("dialog.profile tbody th");
  assert.ok(rows.includes("telephony_id") && rows.includes("phone"), String(rows));
  const read = await page.$$eval("dialog.profile tbody tr", (rows) => rows.map((row) => [row.cells[0].textContent, row.cells[4].textContent]));
  assert.equal(Object.fromEntries(read).telephony_id, "no rule");
  assert.equal(Object.fromEntries(read).phone, "yes");
  await page.$$eval("dialog.profile tbody tr", (rows) => rows.find((row) => row.cells[0].textContent === "telephony_id").querySelector("button").click());
  await until(() => !document.querySelector("dialog"));
  await untilText("#group", "with telephony_id");
  const seen = [];
  for (;;) {
    seen.push(await number(page));
    assert.match(await text("#raw-text"), /telephony_id/);
    if ((await page.$eval("#next", (button) => button.getAttribute("aria-disabled"))) === "true") break;
    await page.click("#next");
    const before = seen.at(-1);
    await until((before) => Number(document.getElementById("record-number").value) !== before, before);
    await untilText("#about-record", `:${await number(page)} `);
  }
  assert.deepEqual(seen, [1, 2, 3, 6, 9]);
  await page.click("#group button");
  assert.equal(await page.$eval("#group", (group) => group.hidden), true);
  await page.click("#show-profile");
  await page.waitForSelector("dialog.profile .counts-lists button");
  await page.click("dialog.profile .counts-lists button");
  await untilText("#event-text", "Rejected: no-timestamp");
});

check("a folder that is dropped is one sample", {}, async ({ page, folder, drop, text, untilText }) => {
  mkdirSync(join(folder, "logs/inner"), { recursive: true });
  writeFileSync(join(folder, "logs/a.ndjson"), `${JSON.stringify(plain)}\n`);
  writeFileSync(join(folder, "logs/inner/b.ndjson"), `${JSON.stringify(again)}\n`);
  await page.waitForSelector("#event-text [data-path]");
  await drop("#raw-pane", [join(folder, "logs")]);
  await page.waitForSelector("dialog.profile tbody tr");
  await page.keyboard.press("Escape");
  assert.equal(await text("#record-count"), "of 2");
  await untilText("#about-record", "a.ndjson");
  await page.click("#next");
  await untilText("#about-record", "inner/b.ndjson");
});

check("what a hostile record holds is text, with escapes for what can't be seen", {}, async ({ page, paste, text, untilText }) => {
  const evil = `<img src=x onerror="breach('run')"><script>breach('run')</script>`;
  const record = { ...plain, context: evil, phone: "+1\u202e5035\u200b", txid: `${evil}\u0007\u202e`, [`${evil}\u202e`]: "\u2066x" };
  await paste(JSON.stringify(record));
  await untilText("#raw-text", "<img src=x");
  assert.equal(await page.$("main img, main script"), null);
  assert.match(await text("#event-text"), /\\u202e5035/);
  assert.doesNotMatch(await text("main"), /[\u202e\u200b\u0007]/u);
  await page.hover("#event-text [data-path='metadata.product_event_type']");
  await untilText("#trace", "context");
  await page.click("#raw-lists [data-map='txid']");
  await untilText("dialog h2", "txid");
  await page.keyboard.press("Escape");
  await page.click("#show-profile");
  await page.waitForSelector("dialog.profile tbody tr");
  assert.equal(await page.$("dialog img, dialog script"), null);
  assert.doesNotMatch(await text("dialog"), /[\u202e\u200b\u0007]/u);
});

check("of a file that is too big, the beginning is read, and said", {}, async ({ page, folder, drop, text, untilText }) => {
  const file = join(folder, "big.ndjson");
  const limit = await page.evaluate(async () => (await (await fetch("api/start", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" })).json()).limits.sample_bytes);
  const line = `${JSON.stringify({ ...plain, txid: "x".repeat(20_000) })}\n`;
  writeFileSync(file, line.repeat(Math.ceil(limit / line.length) + 10));
  await page.waitForSelector("#event-text [data-path]");
  await drop("#raw-pane", [file]);
  await page.waitForSelector("dialog.profile tbody tr", { timeout: 20_000 });
  assert.match(await text("#sample"), /only its beginning/);
  await page.keyboard.press("Escape");
  await untilText("#raw-text", "+15035550100");
});

check("logs of other products are shown, and why they give no event", { args: [join(project, "fixtures/content-hub")] }, async ({ page, text, until }) => {
  await until(() => document.querySelector("#event-text .reject"));
  assert.match(await text("#form"), /content-hub/);
  assert.ok((await text("#raw-text")).length > 0);
  await page.click("#next");
  await until(() => document.querySelector("#about-record").textContent.length > 0);
});
