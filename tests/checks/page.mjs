// Loads pages in headless Chromium: node page.mjs FOLDER FILE...
// Fails on any message of the console, any failed or outgoing request, a page without content, anything that is cut off
// or beyond the window, and what axe-core finds serious. Screenshots of each, narrow and wide, light and dark and as
// printed, go to FOLDER.
import axe from "axe-core";
import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";

const WAYS = [
  { name: "400-light", width: 400, scheme: "light", media: "screen" },
  { name: "400-dark", width: 400, scheme: "dark", media: "screen" },
  { name: "720-light", width: 720, scheme: "light", media: "screen" },
  { name: "1280-light", width: 1280, scheme: "light", media: "screen" },
  { name: "1280-dark", width: 1280, scheme: "dark", media: "screen" },
  // As wide as A4 without its margins.
  { name: "print", width: 688, scheme: "light", media: "print" },
];

const [folder, ...files] = process.argv.slice(2);
const browser = await puppeteer.launch({
  args: chromium.args,
  executablePath: await chromium.executablePath(),
  headless: "shell",
});
let complaints = 0;
const complain = (file, what) => {
  complaints += 1;
  console.error(`${file}: ${what}`);
};

// What a reader would not see, and what the page is like; runs in the page.
const look = () => {
  const shown = (element) => element.getClientRects().length > 0;
  const clipped = [...document.querySelectorAll("h1, h2, p, li, dd, td, th, pre, code, .tile, .x span, .y span")]
    .filter(shown)
    .filter((element) => {
      const box = element.getBoundingClientRect();
      // The head of a table that is shown as cards is there for those who listen.
      const hidden = element.closest("thead") && getComputedStyle(element.closest("thead")).position === "absolute";
      const inPicture = element.closest(".flows");
      if (hidden || inPicture) return false;
      return box.right > window.innerWidth + 1 || box.left < -1 || element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0;
    })
    .map((element) => `${element.tagName} ${element.textContent.slice(0, 40)}`);
  return {
    clipped,
    headings: document.querySelectorAll("h1").length,
    text: document.body.innerText.length,
    wide: document.documentElement.scrollWidth - window.innerWidth,
    ink: getComputedStyle(document.body).color,
    paper: getComputedStyle(document.body).backgroundColor,
  };
};

try {
  for (const file of files) {
    for (const { name, width, scheme, media } of WAYS) {
      const at = `${file}, ${name}`;
      const page = await browser.newPage();
      page.on("console", (message) => complain(at, `console ${message.type()}: ${message.text()}`));
      page.on("pageerror", (error) => complain(at, `error: ${error}`));
      page.on("requestfailed", (request) => complain(at, `failed request: ${request.url()}`));
      page.on("request", (request) => {
        if (!/^(file|data):/.test(request.url())) complain(at, `request: ${request.url()}`);
      });
      await page.setViewport({ width, height: 1400 });
      // The type first: setting it takes the features back.
      await page.emulateMediaType(media);
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
      const seen = await page.evaluate(look);
      if (seen.headings !== 1 || seen.text < 100) complain(at, `no content: ${JSON.stringify(seen)}`);
      if (seen.wide > 0) complain(at, `${seen.wide} pixels too wide`);
      for (const what of seen.clipped.slice(0, 5)) complain(at, `cut off: ${what}`);
      // In dark and light alike: text that can be read on its paper.
      const light = (colour) => colour.match(/\d+/g).slice(0, 3).reduce((sum, n) => sum + Number(n), 0);
      const dark = light(seen.paper) < light(seen.ink);
      if (dark !== (scheme === "dark")) complain(at, `${scheme} is ${seen.ink} on ${seen.paper}`);
      if (seen.ink === seen.paper) complain(at, "ink on ink");
      // A picture has no more than 16,384 pixels.
      const height = Math.min(await page.evaluate(() => document.documentElement.scrollHeight), 16_000);
      const clip = { x: 0, y: 0, width, height };
      await page.screenshot({ path: `${folder}/${basename(file, ".html")}-${name}.png`, clip, captureBeyondViewport: true });
      if (media === "print") {
        await page.pdf({ path: `${folder}/${basename(file, ".html")}.pdf`, format: "A4", printBackground: true });
      }
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() => globalThis.axe.run(document));
      for (const { id, impact, help, nodes } of violations) {
        if (impact === "serious" || impact === "critical") {
          complain(at, `axe ${impact} ${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.target).join(", ")}`);
        }
      }
      await page.close();
    }
    console.log(`${file}: loaded`);
  }
} finally {
  await browser.close();
}
process.exit(complaints ? 1 : 0);
