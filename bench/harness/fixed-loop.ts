/** The same arithmetic every time: its duration tells whether the machine itself changed between two results. */

import { median } from './statistics.ts';

const STEPS = 50_000_000;
/** The best of them: a neighbour on the same core comes and goes within seconds, and is no change of the machine. */
const REPEATS = 24;
const PACE_REPEATS = 5;

export function fixedLoopMs(): number {
  return Number(Math.min(...loops(REPEATS)).toFixed(2));
}

/** Of a few, the one in the middle: what the machine gives just now, neighbours included. */
export function paceMs(): number {
  return Number(median(loops(PACE_REPEATS)).toFixed(2));
}

function loops(count: number): number[] {
  return Array.from({ length: count }, (_, repeat) => {
    const started = performance.now();
    let value = repeat;
    for (let step = 0; step < STEPS; step += 1) value = (Math.imul(value, 1_664_525) + 1_013_904_223) | 0;
    return performance.now() - started + (value === 0 ? 1e-9 : 0);
  });
}
