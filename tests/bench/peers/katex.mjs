// KaTeX, as a server in Node has it: `node katex.mjs KATEX`, sources as lines of JSON, a line for
// each. A source that is no JSON is drawn as it is, and ends the input.

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const katex = (await import(pathToFileURL(process.argv[2]))).default;
const options = { displayMode: true, trust: true, strict: false };
for await (const line of createInterface({ input: process.stdin })) {
  const source = line.startsWith('"') ? JSON.parse(line) : line;
  process.stdout.write(`${JSON.stringify(katex.renderToString(source, options))}\n`);
}
