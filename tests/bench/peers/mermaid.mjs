// Mermaid in one page of one headless Chromium: `node mermaid.mjs NODE_MODULES CHROMIUM`, sources
// as lines of JSON, a line for each. What mmdc spends on a page for each picture is spared.

import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [modules, chromium] = process.argv.slice(2);
const at = join(modules, "puppeteer/lib/puppeteer/puppeteer.js");
const { default: puppeteer } = await import(pathToFileURL(at));
const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage();
  await page.setContent("<!doctype html><meta charset=utf-8><body></body>");
  await page.addScriptTag({ path: join(modules, "mermaid/dist/mermaid.js") });
  await page.evaluate("mermaid.initialize({ startOnLoad: false })");
  const draw = (source, index) => mermaid.render(`picture${index}`, source).then(({ svg }) => svg);
  let index = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const svg = await page.evaluate(draw, JSON.parse(line), index++);
    process.stdout.write(`${JSON.stringify(svg)}\n`);
  }
} finally {
  await browser.close();
}
