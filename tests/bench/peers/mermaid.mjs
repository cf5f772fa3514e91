// mmdc's own renderer with one browser for all: `node mermaid.mjs NODE_MODULES CHROMIUM`, sources
// as lines of JSON, a line for each. Every picture has a page of its own, as mmdc gives it.

import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [modules, chromium] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(modules, path)));
const { renderMermaid } = await load("@mermaid-js/mermaid-cli/src/index.js");
const { default: puppeteer } = await load("puppeteer/lib/puppeteer/puppeteer.js");
const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox"] });
try {
  for await (const line of createInterface({ input: process.stdin })) {
    const { data } = await renderMermaid(browser, JSON.parse(line), "svg");
    process.stdout.write(`${JSON.stringify(new TextDecoder().decode(data))}\n`);
  }
} finally {
  await browser.close();
}
