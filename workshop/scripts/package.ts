// Packs the component for other Pulumi programs: JavaScript and types, for `npm install <file>`. The unpacked package is a plugin of
// Pulumi, too, for programs in other languages: `pulumi package add <folder>`.
// npm run package [-- <directory>]. Default: .redis-ha; prints the path of the tarball. The folder is <directory>/package.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

const project = fileURLToPath(new URL("../..", import.meta.url));
const target = resolve(process.argv[2] ?? join(project, ".redis-ha"));
const folder = join(target, "package");
/** What the component imports, and nothing that only the commands and the images' build need. */
const needed = [
  "@kubernetes/client-node",
  "@pulumi/kubernetes",
  "@pulumi/pulumi",
  "@pulumi/random",
  "@pulumi/tls",
  "croner",
  "zod",
];

/** A program has one copy of Pulumi's packages: they are taken in whatever later version of the same line it has. */
function versionOf(dependency: string): string {
  const exact = dependencies[dependency];
  if (exact === undefined) throw new Error(`'${dependency}' is no dependency of the project`);
  return dependency.startsWith("@pulumi/") ? `^${exact}` : exact;
}

/** A package that is missing only shows in somebody else's empty folder. @throws {Error} that names the file that imports it. */
function refuseUnknownImports(): void {
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".js")) continue;
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, specifier = ""] of text.matchAll(/^(?:.*\bfrom |import )"([^."][^"]*)";$/gm)) {
      const [scope = "", rest = ""] = specifier.split("/");
      const packageName = scope.startsWith("@") ? `${scope}/${rest}` : scope;
      if (!specifier.startsWith("node:") && !needed.includes(packageName))
        throw new Error(
          `${file} imports ${packageName}, which the package doesn't bring: add it to 'needed'`,
        );
    }
  }
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const tsc = join(project, "node_modules", "typescript", "bin", "tsc");
const config = join(project, "tsconfig.package.json");
// Node strips no types below node_modules, so a package has to be JavaScript.
await execa(process.execPath, [tsc, "--project", config, "--outDir", folder], { timeout: 300_000 });

refuseUnknownImports();

const { name, version, description, license, type, engines, dependencies } = JSON.parse(
  readFileSync(join(project, "package.json"), "utf8"),
) as Record<string, unknown> & { dependencies: Record<string, string> };
const entry = "./components/redis-ha";
const manifest = {
  ...{ name, version, description, license, type, engines },
  // Pulumi starts the folder as a program: that is the plugin. Who imports the package by its name gets the component.
  main: "./components/plugin/main.js",
  exports: { ".": { types: `${entry}.d.ts`, default: `${entry}.js` } },
  dependencies: Object.fromEntries(needed.map((dependency) => [dependency, versionOf(dependency)])),
};
writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
writeFileSync(join(folder, "PulumiPlugin.yaml"), "runtime: nodejs\n");
for (const file of ["README.md", "LICENSE"]) copyFileSync(join(project, file), join(folder, file));

const { stdout } = await execa("npm", ["pack", "--json", "--pack-destination", target], {
  cwd: folder,
  timeout: 60_000,
});
const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>);
process.stdout.write(`${join(target, packed?.filename ?? "")}\n`);
