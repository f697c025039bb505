/** Rewrites the generated parts of PERF.md from bench/results, and the charts; nothing that no run has measured gets in. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder, resultsFolder } from '../harness/places.ts';
import { otherMachines, readResults } from '../harness/results.ts';
import type { ScenarioResult } from '../harness/rounds.ts';
import type { Placement } from '../harness/types.ts';
import { scenarios } from '../scenarios/all.ts';
import { chartOf } from './charts.ts';
import { markersOf, replaceBetween } from './markers.ts';
import { profileText } from './profile-text.ts';
import type { Found } from './tables.ts';
import { goalTable, machinesTable, scenarioText } from './tables.ts';

const pagePath: string = join(projectFolder, 'PERF.md');
const chartsFolder: string = join(resultsFolder, 'charts');

export async function writeReport(): Promise<void> {
  const results = readResults();
  const found = foundIn(results);
  rmSync(chartsFolder, { recursive: true, force: true });
  mkdirSync(chartsFolder, { recursive: true });
  let page = replaceBetween(readFileSync(pagePath, 'utf8'), 'goals', goalTable(found));
  for (const name of markersOf(page))
    if (name !== 'goals' && name !== 'machines') page = replaceBetween(page, name, await sectionOf(name, found, results));
  page = replaceBetween(page, 'machines', machinesTable([found, ...otherMachines().map((machine) => foundIn(readResults(machine)))]));
  writeFileSync(pagePath, page);
  console.log(
    `PERF.md: ${found.length} of ${scenarios.length} scenarios have results; ${found.filter(({ result }) => result.set === 'full').length} of the full set`,
  );
}

function foundIn(results: readonly ScenarioResult[]): readonly Found[] {
  return scenarios.flatMap((scenario): Found[] => {
    const result = best(results, scenario.name, 'shared');
    return result === null ? [] : [{ scenario, result }];
  });
}

async function sectionOf(name: string, found: readonly Found[], results: readonly ScenarioResult[]): Promise<string> {
  if (name.startsWith('profile-')) return profileText(name.slice('profile-'.length));
  const one = found.find(({ scenario }) => scenario.name === name);
  if (one === undefined) return `Not measured yet: \`npm run bench:full -- --only ${name}\`.`;
  const parts = [scenarioText(one.scenario, one.result)];
  const svg = await chartOf(one.scenario, one.result);
  if (svg !== null) {
    writeFileSync(join(chartsFolder, `${name}.svg`), svg);
    parts.push(`![${one.scenario.title}](bench/results/charts/${name}.svg)`);
  }
  const split = best(results, name, 'split');
  if (split !== null)
    parts.push(
      `**Split placement** (the system under test on core 0, the broker on core 1):`,
      scenarioText({ ...one.scenario, about: '', goals: [], also: [] }, split),
    );
  return parts.join('\n\n');
}

/** A full result before a quick one. */
function best(results: readonly ScenarioResult[], name: string, placement: Placement): ScenarioResult | null {
  const of = results.filter((result) => result.scenario === name && result.placement === placement);
  return of.find(({ set }) => set === 'full') ?? of[0] ?? null;
}

if (!existsSync(pagePath)) throw new Error('PERF.md is not there');
