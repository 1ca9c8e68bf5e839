// A server and a page for each test: UDMAP is the program, OUT the folder for screenshots.
// A test fails on any message of the console, a script's error, a breach of the Content-Security-Policy, a request to
// another host, and anything that the page stores.
import chromium from "@sparticuz/chromium";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";

export const project = process.env.PROJECT;
export const out = process.env.OUT ?? join(tmpdir(), "serve-page");
export const quickstart = join(project, "fixtures/quickstart/input.ndjson");
mkdirSync(out, { recursive: true });

let browser;
before(async () => {
  browser = await puppeteer.launch({
    // A process for each page: in a single one, a page that is closed ends the browser.
    args: chromium.args.filter((flag) => flag !== "--single-process"),
    executablePath: await chromium.executablePath(),
    headless: "shell",
  });
});
/** The servers that run: none outlives the tests. */
const servers = new Set();
after(async () => {
  for (const child of servers) child.kill("SIGKILL");
  await browser?.close();
});

/** Waits until a server has ended. */
export async function ended(child) {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit", { signal: AbortSignal.timeout(5_000) });
  return child.exitCode;
}

/** Starts `udmap serve` in a folder of its own; the address is a line of its own. */
async function serve(args, folder) {
  const child = spawn(process.env.UDMAP, ["serve", "--no-open", ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  servers.add(child);
  child.on("exit", () => servers.delete(child));
  let said = "";
  const url = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on("line", (line) => {
        said += `${line}\n`;
        const address = line.trim().match(/^http:\/\/127\.0\.0\.1:\d+\/\S+$/)?.[0];
        if (address) resolve(address);
      });
    }
    child.on("exit", (status) => reject(new Error(`udmap serve ended with ${status}: ${said}`)));
  });
  return { child, url };
}

/** A test with a server and a page; `allowed`: what the console may say. */
export function check(name, options, run) {
  test(name, { timeout: 30_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "serve-page-"));
    const { width = 1280, height = 860, scheme = "light", args = [quickstart], allowed = null, prepare } = options;
    prepare?.(folder);
    const { child, url } = await serve(typeof args === "function" ? args(folder) : args, folder);
    let context;
    try {
      context = await browser.createBrowserContext();
      const page = await context.newPage();
      page.setDefaultTimeout(15_000);
      const complaints = [];
      const complain = (text) => allowed?.test(text) || complaints.push(text);
      page.on("console", (message) => complain(`console ${message.type()}: ${message.text()}`));
      page.on("pageerror", (error) => complain(`error: ${error.stack}`));
      page.on("requestfailed", (request) => complain(`failed: ${request.url()} ${request.failure()?.errorText}`));
      page.on("request", (request) => {
        if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url())) complain(`request: ${request.url()}`);
      });
      page.on("dialog", (dialog) => dialog.accept());
      await page.exposeFunction("breach", (text) => complain(`breach: ${text}`));
      await page.evaluateOnNewDocument(() => {
        addEventListener("securitypolicyviolation", (event) => window.breach(`${event.violatedDirective} ${event.blockedURI}`));
      });
      await page.setViewport({ width, height });
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.goto(url);
      await page.waitForSelector("#raw-text > *");
      const tools = helpers(page);
      await run({ page, url, folder, child, complaints, context, ...tools });
      if (page.url().startsWith(url) && servers.has(child)) {
        assert.deepEqual(await page.evaluate(stored), { local: 0, session: 0, cookies: "", databases: 0 });
      }
      assert.deepEqual(complaints, []);
    } finally {
      await context?.close();
      child.kill("SIGTERM");
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

async function stored() {
  return {
    local: localStorage.length,
    session: sessionStorage.length,
    cookies: document.cookie,
    databases: (await indexedDB.databases()).length,
  };
}

function helpers(page) {
  const text = (selector) => page.$eval(selector, (element) => element.textContent);
  const texts = (selector) => page.$$eval(selector, (elements) => elements.map((element) => element.textContent));
  const table = () => page.$eval("#table-editor .cm-content", (element) => element.cmTile.view.state.doc.toString());
  return {
    text,
    texts,
    table,
    /** Waits until `condition`, run in the page, holds. */
    until: (condition, ...args) => page.waitForFunction(condition, { polling: 10 }, ...args),
    untilText: (selector, wanted) =>
      page.waitForFunction(
        (selector, wanted) => document.querySelector(selector)?.textContent.includes(wanted),
        { polling: 10 },
        selector,
        wanted,
      ),
    /** Puts the cursor at the end of the table, or behind a text in it. */
    cursor: (behind = null) =>
      page.$eval(
        "#table-editor .cm-content",
        (element, behind) => {
          const view = element.cmTile.view;
          const at = behind === null ? view.state.doc.length : view.state.doc.toString().indexOf(behind) + behind.length;
          view.dispatch({ selection: { anchor: at }, scrollIntoView: true });
          view.focus();
        },
        behind,
      ),
    /** Drops files on an element, as a file manager does. */
    drop: async (selector, paths) => {
      const box = await (await page.$(selector)).boundingBox();
      const session = await page.createCDPSession();
      const data = { items: [], files: paths, dragOperationsMask: 1 };
      const at = { x: box.x + box.width / 2, y: box.y + box.height / 2, data };
      for (const type of ["dragEnter", "dragOver", "drop"]) await session.send("Input.dispatchDragEvent", { type, ...at });
      await session.detach();
    },
    paste: async (text) => {
      await page.click("#open-sample");
      await page.$eval("#pasted", (area, text) => (area.value = text), text);
      await page.click("#use-pasted");
    },
  };
}
