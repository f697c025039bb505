/** The same arithmetic every time: its duration tells whether the machine itself changed between two results. */

const STEPS = 50_000_000;
/** The best of them: a neighbour on the same core comes and goes within seconds, and is no change of the machine. */
const REPEATS = 24;

export function fixedLoopMs(): number {
  let best = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const started = performance.now();
    let value = repeat;
    for (let step = 0; step < STEPS; step += 1) value = (Math.imul(value, 1_664_525) + 1_013_904_223) | 0;
    best = Math.min(best, performance.now() - started + (value === 0 ? 1e-9 : 0));
  }
  return Number(best.toFixed(2));
}
