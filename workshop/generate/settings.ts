// Writes what repeats the definitions of the settings: `npm run generate`. A unit test fails when it was forgotten.
import { readFileSync, writeFileSync } from "node:fs";
import { grafanaDashboard } from "../../components/monitoring/dashboard.ts";
import { argumentsFile } from "./arguments.ts";
import { markers, replaceBetween, settingsDeclaration, settingsTable } from "./settings-documentation.ts";

function rewrite(
  file: string,
  marker: { readonly begin: string; readonly end: string },
  content: string,
): void {
  const path = new URL(`../../${file}`, import.meta.url);
  writeFileSync(path, replaceBetween(readFileSync(path, "utf8"), marker, content));
}

rewrite("Pulumi.yaml", markers.yaml, settingsDeclaration());
rewrite("README.md", markers.markdown, settingsTable());
writeFileSync(new URL("../../settings/args.ts", import.meta.url), argumentsFile());
writeFileSync(
  new URL("../../docs/grafana-dashboard.json", import.meta.url),
  `${JSON.stringify(grafanaDashboard(), null, 2)}\n`,
);
