/** Reads an embedded store back through the public API and compares count and checksum of ids. */
import type { EventProcessor } from 'millrace';
import { expectationOfAll } from '../harness/expectation.ts';
import { idHash } from '../harness/id-hash.ts';

export async function checkStore(
  processor: EventProcessor,
  { inputs, deduped }: { readonly inputs: readonly string[]; readonly deduped: boolean },
): Promise<string> {
  const expected = await expectationOfAll(inputs, 'id');
  const wanted = deduped ? expected.unique : expected.lines;
  let events = 0;
  let sum = 0;
  let finish = (): void => undefined;
  const all = new Promise<void>((resolve) => (finish = resolve));
  const subscription = await processor.subscribe(
    '>',
    (event: { readonly id: string }) => {
      events += 1;
      sum = (sum + idHash(event.id)) >>> 0;
      if (events === wanted) finish();
    },
    { start: 'all', noAck: true, maxInFlight: 10_000 },
  );
  await Promise.race([all, subscription.closed]);
  await subscription.close();
  const wantedSum = deduped ? expected.sumOfUnique : expected.sumOfLines;
  if (events !== wanted || sum !== wantedSum)
    throw new Error(`the store holds ${events} events with checksum ${sum}, not ${wanted} with ${wantedSum}`);
  return `store read back: ${events} events, checksum of ids equal`;
}
