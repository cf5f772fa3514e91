// The reference programs that need a page: `node browser.mjs mermaid|plantuml PACKAGES SAMPLES CHROMIUM`.
// Serves their packages on the loopback address, lets a headless Chromium draw one sample after
// the other, and prints one JSON line for each. Where the page hangs, the sample is left
// unanswered, and a new Chromium goes on after it.

import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";

const PATIENCE_MS = 10_000;
const START_PATIENCE_MS = 60_000;
const [kind, packages, samplesFile, chromium] = process.argv.slice(2);
const samples = JSON.parse(readFileSync(samplesFile, "utf8"));
const answers = new Map();

const drawers = {
  mermaid: `
    import mermaid from "/packages/mermaid/dist/mermaid.esm.min.mjs";
    mermaid.initialize({ startOnLoad: false, securityLevel: "strict", suppressErrorRendering: true });
    const draw = async (source, index) => (await mermaid.render("sample" + index, source)).svg;`,
  plantuml: `
    import { renderToString } from "/packages/plantuml-js/plantuml.js";
    const draw = (source) => new Promise((resolve, reject) =>
      renderToString(source.split("\\n"), resolve, (message) => reject(new Error(message))));`,
};
const page = `<!doctype html><meta charset="utf-8"><body>
  ${kind === "plantuml" ? '<script src="/packages/plantuml-js/viz-global.js"></script>' : ""}
  <script type="module">${drawers[kind]}
    const failed = (svg) => /\\[From \\w+ \\(line|Syntax Error\\?|An error has occured|Your\\sdata\\sdoes\\snot\\ssound\\slike/.test(svg);
    // PlantUML for pages lacks kinds that PlantUML has: no answer, rather than a refusal.
    const missing = (svg) => /Diagram\\snot\\ssupported\\sby\\sthis\\srelease/.test(svg);
    // A picture of an error ends with what is wrong, in a text of its own.
    const last = (svg) => {
      const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\\/text>/g)].map((text) => text[1].trim());
      return (texts.filter((text) => text !== "").at(-1) ?? "an error").slice(0, 400);
    };
    for (;;) {
      const next = await (await fetch("/next")).json();
      if (next === null) break;
      let answer;
      try {
        const svg = await draw(next.source, next.index);
        answer = missing(svg)
          ? { drawn: null, reason: "this build of it lacks the kind" }
          : failed(svg)
          ? { drawn: false, reason: last(svg) }
          : { drawn: true, reason: "" };
      } catch (error) {
        answer = { drawn: false, reason: String(error?.message ?? error).slice(0, 400) };
      }
      await fetch("/answer", { method: "POST", body: JSON.stringify({ index: next.index, ...answer }) });
    }
  </script>`;

let next = 0;
let watch;
let finished;
const done = new Promise((resolve) => (finished = resolve));
const server = createServer((request, response) => {
  const send = (type, body) => response.writeHead(200, { "content-type": type }).end(body);
  const url = decodeURIComponent(request.url.split("?")[0]);
  if (url === "/") return send("text/html", page);
  if (url === "/next") {
    const index = next++;
    if (index >= samples.length) {
      clearTimeout(watch);
      send("application/json", "null");
      return finished();
    }
    expect(PATIENCE_MS);
    return send("application/json", JSON.stringify({ index, source: samples[index].source }));
  }
  if (url === "/answer") {
    let body = "";
    request.on("data", (piece) => (body += piece));
    return request.on("end", () => {
      const { index, ...answer } = JSON.parse(body);
      answers.set(index, answer);
      send("text/plain", "");
    });
  }
  const type = { ".js": "text/javascript", ".mjs": "text/javascript" }[extname(url)] ?? "application/octet-stream";
  try {
    send(type, readFileSync(join(packages, normalize(url.replace("/packages", "")))));
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

let browser;
const profile = mkdtempSync(join(tmpdir(), "flyball-corpora-"));
function start() {
  const address = `http://127.0.0.1:${server.address().port}/`;
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"];
  browser = spawn(chromium, [...flags, `--user-data-dir=${profile}`, address], { stdio: "ignore" });
  expect(START_PATIENCE_MS);
}
function expect(ms) {
  clearTimeout(watch);
  watch = setTimeout(async () => {
    const gone = new Promise((resolve) => browser.once("exit", resolve));
    browser.kill("SIGKILL");
    await gone;
    start();
  }, ms);
}
// A machine on which the page never comes up ends the run instead of starting browsers for ever.
const overall = setTimeout(finished, START_PATIENCE_MS + samples.length * 2_000);
start();
await done;
clearTimeout(watch);
clearTimeout(overall);
const gone = new Promise((resolve) => browser.once("exit", resolve));
browser.kill("SIGKILL");
await gone;
server.close();
server.closeAllConnections();
rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
samples.forEach(({ name }, index) => {
  const answer = answers.get(index) ?? { drawn: null, reason: "no answer in time" };
  process.stdout.write(`${JSON.stringify({ name, ...answer })}\n`);
});
