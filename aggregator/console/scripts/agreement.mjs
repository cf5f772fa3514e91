// Compiles the console's idea of the API against the document that the aggregator's own code
// renders. The types made from the document are not kept: nothing can then be out of date.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("..", import.meta.url));
const openapi = fileURLToPath(new URL("../../../docs/openapi/v1.json", import.meta.url));

if (!existsSync(openapi)) {
  console.log("docs/openapi/v1.json is not there: the console's types are not compared with it");
  process.exit(0);
}

/** Runs one of the installed programs; what it prints is shown where it fails. */
function run(program, ...given) {
  execFileSync(`node_modules/.bin/${program}`, given, { cwd: folder, stdio: "pipe" });
}

try {
  run("openapi-typescript", openapi, "--output", "node_modules/.flyball/v1.d.ts");
  run("tsc", "-p", "tests/agreement");
} catch (error) {
  process.stderr.write(`${error.stdout}${error.stderr}`);
  console.error("src/api/types.ts does not agree with docs/openapi/v1.json");
  process.exit(1);
}
