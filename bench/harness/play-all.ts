/** Plays scenarios one after another and writes each result as soon as it is there, so that a run that is cut short can go on with the rest. */
import { minutes, nameOf } from './plan.ts';
import type { Part } from './plan.ts';
import { printResult } from './print.ts';
import { writeResult } from './results.ts';
import { play } from './rounds.ts';
import type { SetName } from './types.ts';

export interface PlayChoice {
  readonly set: SetName;
  readonly seed: number;
  readonly contenders: readonly string[] | null;
  readonly rounds: number | null;
  /** Write no result. */
  readonly look: boolean;
  /** Folder of the results; '' = those of the first machine. */
  readonly machine: string;
}

/** Names of the parts in which a contender failed. */
export async function playAll(parts: readonly Part[], { set, seed, contenders, rounds, look, machine }: PlayChoice): Promise<string[]> {
  const started = performance.now();
  const failed: string[] = [];
  let left = parts.reduce((sum, { seconds }) => sum + seconds, 0);
  for (const [index, { scenario, placement, seconds }] of parts.entries()) {
    const name = nameOf(scenario, placement);
    const passed = (performance.now() - started) / 1_000;
    console.log(`\n# ${name} (${index + 1} of ${parts.length}; ${minutes(passed)} passed, about ${minutes(left)} left)`);
    const wanted = (one: string): boolean => contenders === null || contenders.includes(one);
    const narrowed = { ...scenario, contenders: (of: SetName) => scenario.contenders(of).filter((one) => wanted(one.name)) };
    const onRun = (contender: { readonly name: string }, text: string): void => console.log(`  ${contender.name}: ${text}`);
    const result = await play(narrowed, { set, placement, rounds, seed, onRun });
    printResult(scenario, result);
    // A narrowed run is a look, not a result.
    if (contenders === null && !look) console.log(`  → ${writeResult(result, machine)} after ${result.tookSeconds} s`);
    if (result.contenders.some((entry) => entry.failed !== undefined)) failed.push(name);
    left -= seconds;
  }
  console.log(`\n${minutes((performance.now() - started) / 1_000)}${failed.length === 0 ? '' : `; FAILED: ${failed.join(', ')}`}`);
  return failed;
}
