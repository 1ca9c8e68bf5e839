// Loads pages in headless Chromium: node page.mjs FOLDER FILE...
// Fails on any message of the console, any failed or outgoing request, and a page without content.
// Screenshots of each, in light, dark and as printed, go to FOLDER.
import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";

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
try {
  for (const file of files) {
    for (const [scheme, media] of [["light", "screen"], ["dark", "screen"], ["light", "print"]]) {
      const page = await browser.newPage();
      page.on("console", (message) => complain(file, `console ${message.type()}: ${message.text()}`));
      page.on("pageerror", (error) => complain(file, `error: ${error}`));
      page.on("requestfailed", (request) => complain(file, `failed request: ${request.url()}`));
      page.on("request", (request) => {
        if (!/^(file|data):/.test(request.url())) complain(file, `request: ${request.url()}`);
      });
      await page.setViewport({ width: 1100, height: 1400 });
      // The type first: setting it takes the features back.
      await page.emulateMediaType(media);
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
      const seen = await page.evaluate(() => ({
        headings: document.querySelectorAll("h1").length,
        text: document.body.innerText.length,
        wide: document.documentElement.scrollWidth - window.innerWidth,
        // In dark and light alike: text that can be told from the paper.
        ink: getComputedStyle(document.body).color,
        paper: getComputedStyle(document.body).backgroundColor,
      }));
      if (seen.headings !== 1 || seen.text < 100) complain(file, `no content: ${JSON.stringify(seen)}`);
      if (seen.wide > 0) complain(file, `${seen.wide} pixels too wide`);
      const light = (colour) => colour.match(/\d+/g).slice(0, 3).reduce((sum, n) => sum + Number(n), 0);
      const dark = light(seen.paper) < light(seen.ink);
      if (dark !== (scheme === "dark")) complain(file, `${scheme} is ${seen.ink} on ${seen.paper}`);
      if (seen.ink === seen.paper) complain(file, "ink on ink");
      const name = `${basename(file, ".html")}-${media === "print" ? "print" : scheme}.png`;
      await page.screenshot({ path: `${folder}/${name}`, fullPage: true });
      await page.close();
    }
    console.log(`${file}: loaded`);
  }
} finally {
  await browser.close();
}
process.exit(complaints ? 1 : 0);
