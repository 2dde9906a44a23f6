// Opens a report in headless Chromium as readers see it: widths from a phone to a wide screen, light and dark, both languages, without
// scripts, and on paper. Checks it with axe-core and with the keyboard, and takes a picture of each view.
//
//     node check.js PAGE FOLDER
//
// CHROMIUM names the browser. The exit code is 1 if a check fails.
import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import puppeteer from "puppeteer-core";

const [page, folder] = process.argv.slice(2).map((path) => resolve(path));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = [
  [360, "light", "en"], [360, "dark", "ko"], [768, "light", "ko"], [1280, "light", "en"], [1280, "light", "ko"],
  [1280, "dark", "en"], [1920, "light", "ko"],
];
let failures = 0;

function check(holds, what) {
  if (holds) return;
  failures += 1;
  console.error(`failed: ${what}`);
}

const count = (tab, selector) => tab.$$eval(selector, (found) => found.length);

async function open(browser, view, scripts = true) {
  const [width, scheme, language] = view;
  const tab = await browser.newPage();
  for (const event of ["pageerror", "requestfailed"]) {
    tab.on(event, (problem) => check(false, `${view}: ${event}: ${problem.message || problem.url()}`));
  }
  tab.on("console", (message) => check(false, `${view}: console: ${message.text()}`));
  await tab.setJavaScriptEnabled(scripts);
  await tab.setViewport({ width, height: 900 });
  await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await tab.goto(`file://${page}`);
  await tab.click(`#show-${language}`);
  return tab;
}

async function checkView(browser, view) {
  const tab = await open(browser, view);
  const [width, , language] = view;
  const overflow = () => {
    const root = document.documentElement;
    return root.scrollWidth - root.clientWidth;
  };
  check((await tab.evaluate(overflow)) === 0, `${view}: the page scrolls sideways`);
  check((await tab.evaluate(() => document.documentElement.lang)) === language, `${view}: language`);
  check(/[가-힣]/.test(await tab.title()) === (language === "ko"), `${view}: title`);
  await tab.screenshot({ path: `${folder}/${view.join("-")}.png`, fullPage: true });
  await tab.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  check((await tab.evaluate(overflow)) === 0, `${view}: the page scrolls sideways with open details`);
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => axe.run({ resultTypes: ["violations"] }));
  for (const found of violations) {
    check(false, `${view}: ${found.id}: ${found.nodes.map((node) => node.html.slice(0, 200)).join("\n  ")}`);
  }
  console.log(`${width} px, ${view.slice(1).join(", ")}: ${violations.length} findings of axe-core`);
  await tab.close();
}

// The picture of the README: the top of the page.
async function takeTop(browser) {
  const tab = await open(browser, VIEWS[3]);
  await tab.setViewport({ width: 1280, height: 1400 });
  await tab.screenshot({ path: `${folder}/top.png` });
  await tab.close();
}

// Values with the keyboard, and sorted and searched tables.
async function checkUse(browser) {
  const tab = await open(browser, VIEWS[3]);
  const tip = () => tab.$eval(".tip", (found) => (found.matches(".shown") ? found.textContent : ""));
  const focus = () => tab.$eval("svg.chart", (chart) => chart.focus());
  await focus();
  const last = await tip();
  check(/^\d{4}-\d{2}-\d{2}.*: ./.test(last), `value at the focus: ${last}`);
  await tab.keyboard.press("ArrowLeft");
  check((await tip()) !== last, "the arrow keys move to another value");
  await tab.keyboard.press("Escape");
  check((await tip()) === "", "Escape hides the value");
  const hits = await tab.$$("svg.chart .hit");
  await hits[0].hover();
  check((await tip()) !== "", "value at the pointer");
  if (await count(tab, ".hit[data-details]")) {
    await tab.$eval("svg.chart", (chart) => chart.blur());
    await focus();
    await tab.keyboard.press("Enter");
    check((await count(tab, "details.days[open] > details[open]")) === 1, "Enter opens the hours of the day");
  }
  const names = () => tab.$$eval("#objects tbody th", (found) => found.map((cell) => cell.textContent));
  await tab.click("#objects thead button");
  const sorted = await names();
  check(String(sorted) === String([...sorted].sort((a, b) => a.localeCompare(b))), `sorted: ${sorted}`);
  await tab.type("#objects input", "no such object");
  check((await count(tab, "#objects tbody tr:not([hidden])")) === 0, "a search hides other rows");
  await tab.close();
}

async function checkWithoutScripts(browser) {
  const tab = await open(browser, VIEWS[3], false);
  await tab.screenshot({ path: `${folder}/without-scripts.png`, fullPage: true });
  await tab.emulateMediaType("print");
  await tab.pdf({ path: `${folder}/a4.pdf`, preferCSSPageSize: true });
  await tab.close();
}

mkdirSync(folder, { recursive: true });
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
for (const view of VIEWS) await checkView(browser, view);
await takeTop(browser);
await checkUse(browser);
await checkWithoutScripts(browser);
await browser.close();
process.exit(failures ? 1 : 0);
