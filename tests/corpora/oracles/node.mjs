// The reference programs that run in Node: `node node.mjs dot|latex|d2 PACKAGES SAMPLES`.
// One JSON line for each sample, in its order. They draw in a thread of their own, which is
// ended where it takes too long, and another goes on after that sample.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const PATIENCE_MS = 10_000;
const START_PATIENCE_MS = 60_000;
const REASON_CHARACTERS = 400;

const makers = {
  async dot(load) {
    const { Graphviz } = await load("wasm-graphviz/dist/index.js");
    let graphviz = await Graphviz.load();
    return async (source) => {
      try {
        return graphviz.layout(source, "svg", "dot");
      } catch (error) {
        // What failed once may have left its memory in any state.
        Graphviz.unload();
        graphviz = await Graphviz.load();
        throw error;
      }
    };
  },
  async latex(load) {
    const katex = (await load("katex/dist/katex.mjs")).default;
    const options = { displayMode: true, trust: true, strict: false };
    return async (source) => katex.renderToString(source, options);
  },
  async d2(load) {
    const { D2 } = await load("d2/dist/node-esm/index.js");
    const d2 = new D2();
    return async (source) => {
      const compiled = await d2.compile(source, { layout: "dagre" });
      return d2.render(compiled.diagram, compiled.renderOptions);
    };
  },
};

if (isMainThread) {
  const [kind, packages, samplesFile] = process.argv.slice(2);
  const samples = JSON.parse(readFileSync(samplesFile, "utf8"));
  let thread;
  for (const { name, source } of samples) {
    thread ??= await started(kind, packages);
    const answer = await asked(thread, source, PATIENCE_MS);
    if (answer.drawn === null) {
      await thread.terminate();
      thread = undefined;
    }
    process.stdout.write(`${JSON.stringify({ name, ...answer })}\n`);
  }
  process.exitCode = 0;
  await thread?.terminate();
} else {
  const load = (path) => import(pathToFileURL(join(workerData.packages, path)));
  const draw = await makers[workerData.kind](load);
  parentPort.on("message", async (source) => {
    try {
      const svg = await draw(source);
      parentPort.postMessage({ drawn: svg.length > 0, reason: "" });
    } catch (error) {
      const reason = String(error?.message ?? error).slice(0, REASON_CHARACTERS);
      parentPort.postMessage({ drawn: false, reason });
    }
  });
  parentPort.postMessage("ready");
}

async function started(kind, packages) {
  // What they print themselves (KaTeX' \\show does) is no answer.
  const quiet = { stdout: true, stderr: true };
  const options = { workerData: { kind, packages }, ...quiet };
  const thread = new Worker(fileURLToPath(import.meta.url), options);
  const said = await heard(thread, START_PATIENCE_MS);
  if (said !== "ready") throw new Error(`${kind} does not start: ${said.reason}`);
  return thread;
}

function asked(thread, source, patience) {
  const answer = heard(thread, patience);
  thread.postMessage(source);
  return answer;
}

function heard(thread, patience) {
  return new Promise((resolve) => {
    const silent = (reason) => settle({ drawn: null, reason });
    const timer = setTimeout(() => silent("no answer in time"), patience);
    const broke = (error) => silent(String(error?.message ?? error).slice(0, REASON_CHARACTERS));
    function settle(answer) {
      clearTimeout(timer);
      thread.off("message", settle);
      thread.off("error", broke);
      resolve(answer);
    }
    thread.on("message", settle);
    thread.on("error", broke);
  });
}
