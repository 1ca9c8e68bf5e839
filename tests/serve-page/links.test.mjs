// What belongs together lights up; fields that no rule reads are mapped.
import assert from "node:assert/strict";
import { check } from "./harness.mjs";

const lit = {
  raw: "#raw-text .lit",
  event: "#event-text .lit",
  table: "#table-editor .lit-line",
};

check("a value of the event: its rule and its raw bytes", {}, async ({ page, texts, until, untilText }) => {
  await page.waitForSelector("#event-text [data-path='security_result[0].summary']");
  await page.hover("#event-text [data-path='security_result[0].summary']");
  await page.waitForSelector(lit.table);
  assert.deepEqual(await texts(lit.event), ['"sms"']);
  assert.deepEqual(await texts(lit.raw), ['"sms"']);
  const rule = (await texts(lit.table)).join("\n");
  assert.match(rule, /^\[\[rule\]\]\nudm = "security_result\[0\]\.summary"\nfrom = "type"\ndefault/);
  await untilText("#trace", "from type by the rule at line");
  // The rule is brought into view.
  await until(() => {
    const box = document.querySelector("#table-editor .cm-scroller").getBoundingClientRect();
    const line = document.querySelector("#table-editor .lit-line").getBoundingClientRect();
    return line.top >= box.top && line.bottom <= box.bottom;
  });
  await page.hover("header.top h1");
  await until(() => !document.querySelector(".lit, .lit-line"));
});

check("raw bytes: where they went", {}, async ({ page, until, untilText }) => {
  await page.waitForSelector("#raw-text [data-field='phone']");
  await page.hover("#raw-text [data-field='phone']");
  await page.waitForSelector(lit.event);
  const paths = await page.$$eval(lit.event, (all) => all.map((one) => one.dataset.path).sort());
  assert.deepEqual(paths, ["principal.user.phone_numbers[0]", "principal.user.userid"]);
  await until(() => [...document.querySelectorAll("#table-editor .lit-line")].filter((line) => line.textContent === "[[rule]]").length === 2);
  await untilText("#trace", "phone goes to principal.user.userid");
});

check("a rule in the table: its value and its raw bytes", {}, async ({ page, cursor, texts, until }) => {
  await page.waitForSelector("#event-text [data-path]");
  await cursor('udm = "security_result[0].summary"');
  await page.keyboard.press("ArrowLeft");
  await until(() => document.querySelector("#event-text .lit"));
  assert.deepEqual(await texts(lit.raw), ['"sms"']);
  await cursor("[mapping]");
  await page.keyboard.press("ArrowLeft");
  await until(() => !document.querySelector("#event-text .lit"));
  // The same with the pointer, while the cursor is elsewhere.
  await cursor('udm = "principal.user.userid"');
  await page.focus("#open-table");
  const line = () =>
    page.evaluateHandle(() => [...document.querySelectorAll("#table-editor .cm-line")].find((line) => line.textContent === 'udm = "principal.user.userid"'));
  await until(() => [...document.querySelectorAll("#table-editor .cm-line")].some((line) => line.textContent === 'udm = "principal.user.userid"'));
  // The editor may still scroll to the cursor: then the line is not where it was a moment ago.
  let is_lit = false;
  for (let tries = 0; !is_lit && tries < 50; tries += 1) {
    const box = await (await line()).boundingBox();
    await page.mouse.move(box.x + 40 + (tries % 2), box.y + box.height / 2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    is_lit = await page.evaluate(() => document.querySelector("#event-text .lit")?.dataset.path === "principal.user.userid");
  }
  assert.ok(is_lit);
  assert.deepEqual(await texts(lit.raw), ['"+12125556707"']);
});

check("a click keeps it lit, Escape lets go", {}, async ({ page, until }) => {
  await page.waitForSelector("#event-text [data-path='security_result[0].summary']");
  await page.click("#event-text [data-path='security_result[0].summary']");
  await page.hover("header.top h1");
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok(await page.$(lit.raw));
  await page.hover("#event-text [data-path='principal.user.userid']");
  await until(() => document.querySelector("#event-text .lit")?.dataset.path === "principal.user.userid");
  await page.hover("header.top h1");
  await until(() => document.querySelector("#event-text .lit")?.dataset.path === "security_result[0].summary");
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("Escape");
  await until(() => !document.querySelector(".lit"));
});

check("the same with the keyboard alone", {}, async ({ page, until }) => {
  await page.waitForSelector("#event-text [data-path]");
  await page.focus("#raw-text [tabindex='0']");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.field), "context");
  await until(() => document.querySelector("#event-text .lit")?.dataset.path === "metadata.product_event_type");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.field), "phone");
  assert.match(await page.evaluate(() => document.activeElement.ariaLabel), /^phone .*: goes to principal\.user\.userid/);
  await page.keyboard.press("End");
  await until(() => document.querySelector("#event-text .lit")?.dataset.path === "security_result[0].summary");
  await page.focus("#event-text [tabindex='0']");
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
  await until(() => document.querySelector("#event-text .lit") === document.activeElement);
});

check("what no rule reads is grey", {}, async ({ page, texts }) => {
  await page.waitForSelector("#raw-text .left");
  assert.deepEqual(await page.$$eval("#raw-text .left", (all) => all.map((one) => one.dataset.field)), ["telephony_id", "txid"]);
  assert.deepEqual(await texts("#raw-lists .fields .name"), ["telephony_id", "txid"]);
  const looks = (selector) => page.$eval(selector, (one) => [getComputedStyle(one).color, getComputedStyle(one).fontStyle]);
  const [left, read] = [await looks("#raw-text .left"), await looks("#raw-text .read")];
  assert.notEqual(left[0], read[0]);
  assert.deepEqual([left[1], read[1]], ["italic", "normal"]);
});

check("a grey field is mapped: a search, a click, and the rule is in the table", {}, async ({ page, table, text, texts, until, untilText }) => {
  await page.waitForSelector("#raw-text .left");
  const before = await table();
  await page.click("#raw-text [data-field='telephony_id']");
  await untilText("dialog h2", "Map telephony_id to …");
  await page.waitForSelector("#udm-list li");
  await page.type("#udm-search", "product log");
  await until(() => document.querySelector(".search-status").textContent.startsWith("1 field."));
  await page.click("#udm-list [data-udm='metadata.product_log_id']");
  await until(() => !document.querySelector("dialog"));
  await page.waitForSelector("#event-text [data-path='metadata.product_log_id']");
  const after = await table();
  assert.match(after, /\[\[rule\]\]\nudm = "metadata\.product_log_id"\nfrom = "telephony_id"\n/);
  assert.ok(after.length > before.length);
  assert.match(await text("#message"), /telephony_id goes to metadata\.product_log_id now/);
  // Field, rule and value are lit together.
  await until(() => document.querySelector("#event-text .lit")?.dataset.path === "metadata.product_log_id");
  assert.deepEqual(await page.$$eval("#raw-text .lit", (all) => all.map((one) => one.dataset.field)), ["telephony_id"]);
  assert.match((await texts("#table-editor .lit-line")).join("\n"), /metadata\.product_log_id/);
  assert.deepEqual(await texts("#raw-lists .fields .name"), ["txid"]);
  await page.click("#message button");
  await until(() => document.querySelectorAll("#raw-lists .fields .name").length === 2);
  assert.equal(await table(), before);
});

check("a grey field is mapped with the keyboard alone", {}, async ({ page, table, until, untilText }) => {
  await page.waitForSelector("#raw-lists [data-map='txid']");
  await page.focus("#raw-lists [data-map='txid']");
  await page.keyboard.press("Enter");
  await untilText("dialog h2", "Map txid to …");
  await page.keyboard.press("Escape");
  await until(() => !document.querySelector("dialog"));
  assert.equal(await page.evaluate(() => document.activeElement.dataset.map), "txid");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#udm-list li");
  await page.keyboard.type("session id");
  await until(() => document.querySelector("#udm-list li")?.dataset.udm.includes("session_id"));
  const all = await page.$$eval("#udm-list li", (options) => options.map((option) => option.dataset.udm));
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  const active = await page.$eval("#udm-search", (input) => document.getElementById(input.getAttribute("aria-activedescendant")).dataset.udm);
  assert.equal(active, all[0]);
  await page.keyboard.press("Enter");
  await until(() => !document.querySelector("dialog"));
  assert.ok((await table()).includes(`udm = "${active}"`));
  await until((path) => document.querySelector(`#event-text [data-path="${path}"]`), active);
});

check("the search looks in types and enum values, too", {}, async ({ page, texts, until, untilText }) => {
  await page.waitForSelector("#raw-lists [data-map='txid']");
  await page.click("#raw-lists [data-map='txid']");
  await page.type("#udm-search", "UNKNOWN_SEVERITY");
  await until(() => document.querySelector("#udm-list .values")?.textContent.includes("UNKNOWN_SEVERITY"));
  await page.$eval("#udm-search", (input) => (input.value = ""));
  await page.type("#udm-search", "time");
  await until(() => [...document.querySelectorAll("#udm-list .type")].some((type) => type.textContent.startsWith("time")));
  await page.type("#udm-search", "qqqqq");
  await untilText(".search-status", "No field of UDM has");
  assert.deepEqual(await texts("#udm-list li"), []);
  await page.keyboard.press("Enter");
  assert.ok(await page.$("dialog"));
});

check("for an enum, the value that the raw one becomes is chosen", {}, async ({ page, table, until }) => {
  await page.waitForSelector("#raw-lists [data-map='txid']");
  await page.click("#raw-lists [data-map='txid']");
  await page.type("#udm-search", "security_result priority HIGH_PRIORITY");
  await page.waitForSelector('#udm-list li[data-udm="security_result[0].priority"]');
  await until(() => document.querySelectorAll("#udm-list li").length < 20);
  await page.click('#udm-list li[data-udm="security_result[0].priority"]');
  await page.waitForSelector("#becomes");
  const values = await page.$$eval("#becomes option", (options) => options.map((option) => option.value));
  assert.ok(values.includes("LOW_PRIORITY"), String(values));
  assert.equal(await page.$eval("#becomes", (select) => select.value), "HIGH_PRIORITY");
  await page.select("#becomes", "LOW_PRIORITY");
  await page.click("dialog button.main");
  await until(() => document.querySelector("#event-text [data-path='security_result[0].priority']")?.textContent === '"LOW_PRIORITY"');
  assert.match(await table(), /from = "txid"\nmap = \{ "2f5d34d3-053f-422c-9dd4-77a5d58706b1" = "LOW_PRIORITY" \}/);
});

check("what can't be mapped is said in the dialog", { allowed: /409/ }, async ({ page, table, until, untilText }) => {
  await page.waitForSelector("#raw-lists [data-map='txid']");
  const before = await table();
  await page.click("#raw-lists [data-map='txid']");
  await page.type("#udm-search", "metadata product_name");
  await until(() => document.querySelector("#udm-list li")?.dataset.udm === "metadata.product_name");
  await page.keyboard.press("Enter");
  await untilText(".search-status", "has a rule on line ");
  assert.equal(await table(), before);
});

check("one click and Enter map a field to what its name and value say", {}, async ({ page, text, until }) => {
  await page.waitForSelector("#raw-lists [data-map='telephony_id']");
  await page.click("#raw-lists [data-map='telephony_id']");
  await until(() => document.querySelector("#udm-list [aria-selected='true']")?.dataset.udm === "metadata.product_log_id");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#event-text [data-path='metadata.product_log_id'].lit");
  assert.match(await text("#event-text .lit"), /220f89ff-bff8-4466-b6cb-b7787940ce68/);
});
