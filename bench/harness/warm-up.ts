/** Plays other events on the same connection until their rate is steady, so that the timed part meets compiled code, open streams and a warm page cache. */
import { closeSync, openSync, readSync } from 'node:fs';
import { inputOf, numberOf } from '../rivals/params.ts';
import { inputFile } from './input.ts';
import type { RunRequest } from './types.ts';

const PARTS_MIN = 3;
const PARTS_MAX = 8;
/** Two rates in a row this close are steady. */
const STEADY = 0.05;
const MS_MAX = 3_000;
const READ_BYTES = 1_048_576;

export interface WarmUp {
  /** Files whose events are in the stream now, beside those of the timed part. */
  readonly inputs: readonly string[];
  readonly events: number;
  /** Of the parts, as notes on the run: they show whether the last were steady. */
  readonly rates: readonly number[];
}

/** Params: warmUp (events of a part; 0 = none, a cold start). `play` resolves with the events of a file once all of them are acknowledged. */
export async function warmUp(request: RunRequest, play: (input: string) => Promise<number>): Promise<WarmUp> {
  const count = numberOf(request.params, 'warmUp');
  const [inputs, rates]: [string[], number[]] = [[], []];
  let events = 0;
  if (count === 0) return { inputs, events, rates };
  const files = await warmUpFiles(request, PARTS_MAX);
  const started = performance.now();
  for (const input of files) {
    const before = performance.now();
    const played = await play(input);
    events += played;
    inputs.push(input);
    rates.push(Math.round((played / (performance.now() - before)) * 1_000));
    if (rates.length >= PARTS_MIN && (isSteady(rates) || performance.now() - started > MS_MAX)) break;
  }
  return { inputs, events, rates };
}

function isSteady(rates: readonly number[]): boolean {
  const [before, last] = [rates.at(-2)!, rates.at(-1)!];
  return Math.abs(last / before - 1) <= STEADY;
}

/** Files of the same kind as the timed input, with other ids. */
export async function warmUpFiles(request: RunRequest, parts: number): Promise<string[]> {
  const input = inputOf(request);
  const count = numberOf(request.params, 'warmUp');
  const files: string[] = [];
  for (let part = 0; part < parts; part += 1) {
    // Real data has no seed: its parts come after the timed one.
    const other = input.data === '' ? { seed: input.seed + 1 + part } : { skip: input.count + part * count };
    files.push(await inputFile({ ...input, ...other, count }));
  }
  return files;
}

/** Whoever made the file may have made it long ago: reads it once, so that no contender waits for the disk. */
export function warmPageCache(path: string): void {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  const file = openSync(path, 'r');
  while (readSync(file, buffer, 0, READ_BYTES, null) > 0);
  closeSync(file);
}
