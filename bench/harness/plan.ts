/** What a set is going to play and how long that takes: by the result that is there, else by the scenario's own estimate. */
import { readResults } from './results.ts';
import type { Placement, Scenario, SetName } from './types.ts';

const SECONDS_PER_MINUTE = 60;

export interface Part {
  readonly scenario: Scenario;
  readonly placement: Placement;
  readonly seconds: number;
}

export function planOf(parts: readonly { readonly scenario: Scenario; readonly placement: Placement }[], set: SetName): Part[] {
  const known = readResults();
  return parts.map(({ scenario, placement }) => {
    const before = known.find((one) => one.scenario === scenario.name && one.set === set && one.placement === placement);
    // A result from before there was this figure, or of fewer rounds, says nothing.
    return { scenario, placement, seconds: Math.max(before?.tookSeconds ?? 0, scenario.seconds[set]) };
  });
}

export function printPlan(parts: readonly Part[], more: readonly (readonly [name: string, seconds: number])[]): void {
  const rows = [...parts.map(({ scenario, placement, seconds }) => [nameOf(scenario, placement), seconds] as const), ...more];
  console.log(`plan: ${rows.length} parts, about ${minutes(rows.reduce((sum, [, seconds]) => sum + seconds, 0))}`);
  for (const [name, seconds] of rows) console.log(`  ${name.padEnd(24)} ${minutes(seconds)}`);
}

export function nameOf({ name }: Scenario, placement: Placement): string {
  return placement === 'shared' ? name : `${name}, ${placement}`;
}

export function minutes(seconds: number): string {
  return seconds < 2 * SECONDS_PER_MINUTE ? `${Math.round(seconds)} s` : `${(seconds / SECONDS_PER_MINUTE).toFixed(1)} min`;
}
