/** The table of promises: every row is tried on every kind that declares what it needs. */
import { refusesWhatIsAbsent } from './absent.ts';
import { ackPromises } from './promises/acks.ts';
import { dedupePromises } from './promises/dedupe.ts';
import { handlerPromises } from './promises/handlers.ts';
import { ingestPromises } from './promises/ingest.ts';
import { lifecyclePromises } from './promises/lifecycle.ts';
import { payloadPromises } from './promises/payload.ts';
import { publishPromises } from './promises/publish.ts';
import { readingPromises } from './promises/reading.ts';
import { replayPromises } from './promises/replay.ts';
import { restartPromises } from './promises/restart.ts';
import type { Promised } from './promised.ts';

export const promises: readonly Promised[] = [
  ...publishPromises,
  ...payloadPromises,
  ...dedupePromises,
  ...readingPromises,
  ...ackPromises,
  ...handlerPromises,
  ...replayPromises,
  ...ingestPromises,
  ...lifecyclePromises,
  { name: 'refuses what its kind cannot do, and names the kinds that can', once: true, run: refusesWhatIsAbsent },
  ...restartPromises,
];

export function promiseNamed(name: string): Promised {
  const found = promises.find((promised) => promised.name === name);
  if (found === undefined) throw new Error(`no promise is named ${JSON.stringify(name)}`);
  return found;
}
