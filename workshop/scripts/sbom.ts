// Writes the bill of materials (CycloneDX, JSON) of everything that the lockfile installs and the images start from:
// npm run sbom [-- <file>]. Default: .redis-ha/sbom.cdx.json
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { baseImagesOf } from "../cluster/base-images.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));
const file = process.argv[2] ?? join(project, ".redis-ha", "sbom.cdx.json");

// By the lockfile and not by what happens to be installed.
const { stdout } = await execa("npm", ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"], {
  cwd: project,
  timeout: 60_000,
});
const bill = JSON.parse(stdout) as { components: object[] };
const images = new Set(
  ["sentinel-image", "proxy"].flatMap((folder) => [
    ...baseImagesOf(readFileSync(join(project, folder, "Dockerfile"), "utf8")).values(),
  ]),
);
for (const image of images) {
  const [, name = image, version = ""] = /^(.*?):([^/]+)$/.exec(image) ?? [];
  bill.components.push({ "bom-ref": image, type: "container", name, version, scope: "required" });
}
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(bill, null, 2)}\n`);
process.stdout.write(`${file}: ${bill.components.length} components\n`);
