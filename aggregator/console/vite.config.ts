import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// `npm run dev` serves the console from its sources against an aggregator that runs already.
const aggregator = process.env["FLYBALL_API"] ?? "http://127.0.0.1:8766";

export default defineConfig({
  plugins: [svelte()],
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
