import { svelte } from "@sveltejs/vite-plugin-svelte";
import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

/** The reference pages at /api/docs and /api/v1/docs load RapiDoc from here, without a CDN. */
function rapidoc(): Plugin {
  return {
    name: "flyball-rapidoc",
    generateBundle() {
      const source = readFileSync("node_modules/rapidoc/dist/rapidoc-min.js", "utf8");
      // The map is not shipped, so the browser must not ask for it.
      const code = source.replace(/\n?\/\/# sourceMappingURL=.*$/m, "");
      this.emitFile({ type: "asset", fileName: "assets/rapidoc-min.js", source: code });
    },
  };
}

// `npm run dev` serves the console from its sources against an aggregator that runs already.
const aggregator = process.env["FLYBALL_API"] ?? "http://127.0.0.1:8766";

export default defineConfig({
  plugins: [svelte(), rapidoc()],
  build: {
    target: "es2022",
    // Data URIs are allowed for pictures only; everything else is a file of its own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/api": aggregator,
      "/ws": { target: aggregator, ws: true },
    },
  },
});
