// Builds web/dist, which `udmap` has in it: fixed names, no source maps, the same bytes from the same lockfile.
import { readFileSync } from "node:fs";
import { defineConfig } from "vite";

/** Writes the licences of the packages whose code is in the bundle. */
function licences() {
  return {
    name: "licences",
    generateBundle() {
      const folders = new Set();
      for (const id of this.getModuleIds()) {
        const folder = /^.*\/node_modules\/(@[^/]+\/[^/]+|[^/]+)/.exec(id.replaceAll("\\", "/"))?.[0];
        if (folder && !folder.startsWith("\0")) folders.add(folder);
      }
      const texts = [...folders].map((folder) => {
        const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
        return `${name} ${version} (${license})\n\n${readFileSync(`${folder}/LICENSE`, "utf8").trim()}\n`;
      });
      const source = `app.js has code of these packages in it.\n\n${texts.sort().join("\n----\n\n")}`;
      this.emitFile({ type: "asset", fileName: "LICENSES.txt", source });
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [licences()],
  build: {
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: {
      output: {
        entryFileNames: "app.js",
        assetFileNames: "app[extname]",
        codeSplitting: false,
      },
    },
  },
});
