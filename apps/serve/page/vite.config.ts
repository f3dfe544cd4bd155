import { defineConfig } from "vite";

// Addresses are relative, so that the page works below any --root-path. Nothing is inlined: the content policy allows no data: script
// and no inline style. PAGE_OUT is the folder of the build; without it the page is built beside its sources, in dist/, which git ignores.
export default defineConfig({
  base: "./",
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  build: {
    target: "es2022",
    outDir: process.env.PAGE_OUT ?? "dist",
    emptyOutDir: true,
    // steps/pack.mjs reads in it what is loaded with what.
    manifest: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 800,
  },
  // `npm run dev` beside a service that runs: the same addresses.
  server: { proxy: { "/api": process.env.TIDEMILL_SERVICE ?? "http://127.0.0.1:8321" } },
  test: { include: ["test/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
