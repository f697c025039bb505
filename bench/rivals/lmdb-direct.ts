/** LMDB without Millrace: JSON.parse, a Set of ids, arrays of 400 packed by msgpackr, `put`s in flight, flushed at the end. */
import { open } from 'lmdb';
import { pack, unpack } from 'msgpackr';
import { expectationOfAll } from '../harness/expectation.ts';
import { idHash } from '../harness/id-hash.ts';
import { inputFile } from '../harness/input.ts';
import { measure } from '../harness/measure.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { warmPageCache, warmUp } from '../harness/warm-up.ts';
import { Flight } from './flight.ts';
import { linesOf } from './lines.ts';
import { inputOf, numberOf } from './params.ts';

const BATCH = 400;
const WINDOW = 32;

/** Params: events, warmUp, duplicates, batch (1 = one value per event). */
export async function run(request: RunRequest): Promise<RunResult> {
  const input = await inputFile(inputOf(request));
  const size = numberOf(request.params, 'batch', BATCH);
  const store = open<Uint8Array, number>({ path: `${request.folder}/lmdb`, encoding: 'binary', keyEncoding: 'uint32' });
  const flight = new Flight(WINDOW * Math.ceil(BATCH / size));
  let key = 0;
  const play = async (file: string): Promise<number> => {
    const seen = new Set<string>();
    let batch: unknown[] = [];
    let events = 0;
    const put = (): Promise<void> | null => {
      const bytes = pack(batch);
      batch = [];
      key += 1;
      return flight.add(store.put(key, bytes));
    };
    for await (const lines of linesOf(file)) {
      for (const line of lines) {
        const event = JSON.parse(line) as { readonly id: string };
        events += 1;
        if (seen.has(event.id)) continue;
        seen.add(event.id);
        const full = batch.push(event) === size ? put() : null;
        if (full !== null) await full;
      }
    }
    if (batch.length > 0) await put();
    await flight.drain();
    await store.flushed;
    return events;
  };
  const warm = await warmUp(request, play);
  warmPageCache(input);
  const { figures } = await measure(() => play(input), { brokerPid: 0, events: (events) => events as number });
  const expected = await expectationOfAll([...warm.inputs, input], 'id');
  let events = 0;
  let sum = 0;
  for (const { value } of store.getRange()) {
    for (const event of unpack(value) as { readonly id: string }[]) {
      events += 1;
      sum = (sum + idHash(event.id)) >>> 0;
    }
  }
  await store.close();
  if (events !== expected.unique || sum !== expected.sumOfUnique)
    throw new Error(`the store holds ${events} events, not ${expected.unique}`);
  return { figures, verified: `store read back: ${events} events, checksum equal`, notes: { warmUpRates: warm.rates } };
}
