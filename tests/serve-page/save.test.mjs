// Save, copy, share, stop.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { check, ended, quickstart } from "./harness.mjs";

const all = (folder) => readdirSync(folder, { recursive: true }).map(String).sort();

check("the table is saved to a name that is asked for; what is there stays", { allowed: /409/ }, async ({ page, cursor, folder, table, text, until, untilText }) => {
  writeFileSync(join(folder, "theirs.toml"), "not ours\n");
  await page.waitForSelector("#event-text [data-path]");
  await cursor();
  await page.keyboard.type("\n# mine\n");
  await untilText("#about-table", "changed");
  assert.deepEqual(all(folder), ["theirs.toml"]);
  await page.click("#save-table");
  await page.keyboard.type("theirs.toml");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector(".form-status")?.textContent);
  assert.equal(readFileSync(join(folder, "theirs.toml"), "utf8"), "not ours\n");
  await page.$eval("dialog input", (input) => (input.value = ""));
  await page.type("dialog input", "mine.toml");
  await page.click("dialog button.main");
  await until(() => !document.querySelector("dialog"));
  await untilText("#message", "Saved");
  assert.equal(readFileSync(join(folder, "mine.toml"), "utf8"), await table());
  assert.doesNotMatch(await text("#about-table"), /changed/);
  // Again, without a question.
  await cursor();
  await page.keyboard.type("# more\n");
  await untilText("#about-table", "changed");
  await page.keyboard.down("Control");
  await page.keyboard.press("s");
  await page.keyboard.up("Control");
  await until(() => !document.querySelector("#about-table .changed"));
  assert.match(readFileSync(join(folder, "mine.toml"), "utf8"), /# mine\n# more\n$/);
});

const own = '[mapping]\nname = "own"\nextends = "duo_telephony"\n';
const withTable = {
  prepare: (folder) => writeFileSync(join(folder, "own.toml"), own),
  args: (folder) => ["--mapping", join(folder, "own.toml"), quickstart],
};
check("the table of --mapping is saved in its place", withTable, async ({ page, cursor, folder, untilText }) => {
  await page.waitForSelector("#event-text [data-path]");
  await untilText("#about-table", "own.toml");
  await cursor();
  await page.keyboard.type("# mine\n");
  await page.click("#save-table");
  await untilText("#message", "Saved");
  assert.equal(readFileSync(join(folder, "own.toml"), "utf8"), `${own}# mine\n`);
  assert.deepEqual(all(folder), ["own.toml"]);
});

check("a case is saved that `udmap test` runs", {}, async ({ page, folder, until, untilText }) => {
  await page.waitForSelector("#event-text [data-path]");
  await page.click("#next");
  await untilText("#raw-text", "+17345551311");
  await page.click("#save-case");
  await page.type("dialog input", "second");
  await page.click("dialog button.main");
  await until(() => !document.querySelector("dialog"));
  await untilText("#message", "Saved");
  const files = all(folder);
  assert.ok(files.some((file) => file.includes("second")), String(files));
  assert.ok(files.some((file) => /\.(ndjson|log)$/.test(file) && readFileSync(join(folder, file), "utf8").includes('"phone":"+17345551311"')), String(files));
  const ran = spawnSync(process.env.UDMAP, ["test", "cases"], { cwd: folder, encoding: "utf8" });
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  assert.match(ran.stdout + ran.stderr, /1 case|1 passed|second/);
});

check("the command can be copied, and does it", {}, async ({ page, context, folder, url, text, untilText }) => {
  await context.overridePermissions(new URL(url).origin, ["clipboard-read", "clipboard-write", "clipboard-sanitized-write"]);
  await page.waitForSelector("#event-text [data-path]");
  await page.click("#show-command");
  await untilText(".command", "udmap");
  await page.click("#copy");
  await untilText("dialog [role=status]", "Copied");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, await text(".command"));
  mkdirSync(join(folder, "bin"));
  symlinkSync(process.env.UDMAP, join(folder, "bin/udmap"));
  const env = { ...process.env, PATH: `${join(folder, "bin")}:${process.env.PATH}` };
  const run = (command) => spawnSync("sh", ["-c", command], { cwd: folder, env, encoding: "utf8" });
  assert.match(run(copied).stdout, /"event_type":"GENERIC_EVENT"/);
  await page.click("dialog input[value='explain']");
  await untilText(".command", "explain");
  const explained = run(await text(".command"));
  assert.equal(explained.status, 0, explained.stderr);
  assert.match(explained.stdout, /principal\.user\.userid/);
});

check("one file to share, without scripts", {}, async ({ page, folder, untilText }) => {
  const session = await page.createCDPSession();
  await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder, browserContextId: page.browserContext().id });
  await page.waitForSelector("#event-text [data-path]");
  await page.click("#share");
  await untilText("#message", "Made");
  let file;
  for (let n = 0; n < 100 && !file; n += 1) {
    file = readdirSync(folder).find((name) => name.endsWith(".html"));
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  const html = readFileSync(join(folder, file), "utf8");
  assert.doesNotMatch(html, /<script|src=|href="http/);
  assert.match(html, /\+12125556707/);
  assert.match(html, /principal\.user\.userid/);
});

check("Stop ends the server, and the page says so", {}, async ({ page, child, text, until }) => {
  await page.waitForSelector("#event-text [data-path]");
  await page.click("#quit");
  await until(() => document.querySelector(".stopped"));
  assert.equal(await ended(child), 0);
  assert.match(await text("body"), /has ended/);
});

const gone = { allowed: /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|failed/ };
check("a server that is gone is said", gone, async ({ page, child, cursor, untilText }) => {
  await page.waitForSelector("#event-text [data-path]");
  child.kill("SIGTERM");
  await ended(child);
  await cursor();
  await page.keyboard.type("#");
  await untilText("#message", "does not answer");
});
