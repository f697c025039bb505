/** A store in a temp folder. There is no broker to end: a restart is that of the processors. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Place, Setup } from '../setup.ts';

export const embeddedSetup: Setup = {
  kind: 'embedded',
  server: null,
  eventBytesOver: 8 * 1_048_576, // With its msgpack head it is over maxEventBytes.
  subjects: 10_000,
  start: async (): Promise<Place> => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-conformance-'));
    return {
      url: (name) => `embedded:${join(folder, name)}`,
      restart: async () => undefined,
      stop: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
};
