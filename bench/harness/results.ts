/** The JSON files in bench/results: one per set, placement and scenario, every run in it; a later run replaces the file. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resultsFolder } from './places.ts';
import type { ScenarioResult } from './rounds.ts';

export function writeResult(result: ScenarioResult): string {
  mkdirSync(resultsFolder, { recursive: true });
  const name = fileName(result);
  writeFileSync(join(resultsFolder, name), `${JSON.stringify(result, rounded, 1)}\n`);
  return `bench/results/${name}`;
}

export function fileName({ set, placement, scenario }: Pick<ScenarioResult, 'set' | 'placement' | 'scenario'>): string {
  return `${set}-${placement}-${scenario}.json`;
}

export function readResults(): readonly ScenarioResult[] {
  if (!existsSync(resultsFolder)) return [];
  const names = readdirSync(resultsFolder).filter((name) => name.endsWith('.json'));
  return names
    .map((name) => JSON.parse(readFileSync(join(resultsFolder, name), 'utf8')) as Partial<ScenarioResult>)
    .filter((one): one is ScenarioResult => one.scenario !== undefined);
}

/** Six digits are more than any of them is good for. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}
