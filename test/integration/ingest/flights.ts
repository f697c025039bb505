/** The flights of vega-datasets as a file of NDJSON: real records, in time order, with natural duplicates. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { realChunks } from '../../../bench/harness/real-data.ts';

/** Writes the first `count` flights, one line each, and gives the lines of each origin in their order. */
export async function writeFlights(path: string, count: number): Promise<Map<string, string[]>> {
  const out = createWriteStream(path);
  const byOrigin = new Map<string, string[]>();
  for await (const chunk of realChunks('flights', count)) {
    for (const line of chunk.trimEnd().split('\n')) {
      const { origin } = JSON.parse(line) as { readonly origin: string };
      const known = byOrigin.get(origin);
      if (known === undefined) byOrigin.set(origin, [line]);
      else known.push(line);
    }
    if (!out.write(chunk)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
  return byOrigin;
}
