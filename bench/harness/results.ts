/**
 * The JSON files in bench/results: one per set, placement and scenario, every run in it; a later run replaces the file. Those of another machine
 * lie in a folder with its name.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resultsFolder } from './places.ts';
import type { ScenarioResult } from './rounds.ts';

export function writeResult(result: ScenarioResult, machine = ''): string {
  mkdirSync(join(resultsFolder, machine), { recursive: true });
  const name = join(machine, fileName(result));
  writeFileSync(join(resultsFolder, name), `${JSON.stringify(result, rounded, 1)}\n`);
  return `bench/results/${name}`;
}

/** The machines that have results of their own beside the first. */
export function otherMachines(): readonly string[] {
  if (!existsSync(resultsFolder)) return [];
  const folders = readdirSync(resultsFolder, { withFileTypes: true }).filter((one) => one.isDirectory());
  return folders.map(({ name }) => name).filter((name) => readResults(name).length > 0);
}

export function fileName({ set, placement, scenario }: Pick<ScenarioResult, 'set' | 'placement' | 'scenario'>): string {
  return `${set}-${placement}-${scenario}.json`;
}

export function readResults(machine = ''): readonly ScenarioResult[] {
  const folder = join(resultsFolder, machine);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Partial<ScenarioResult>)
    .filter((one): one is ScenarioResult => one.scenario !== undefined);
}

/** Six digits are more than any of them is good for. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}
