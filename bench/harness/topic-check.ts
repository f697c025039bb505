/** Reads a Kafka topic back with the plain client and a plain msgpack library, and compares count and checksum with the input. */
import { randomUUID } from 'node:crypto';
import { Consumer, MessagesStreamModes } from '@platformatic/kafka';
import { unpack } from 'msgpackr';
import { expectationOfAll } from './expectation.ts';
import { idHash } from './id-hash.ts';

export const TOPIC = 'BENCH';
const CHECK_MS_MAX = 30_000;

export interface TopicCheck {
  readonly inputs: readonly string[];
  readonly deduped: boolean;
  readonly form: 'batch' | 'each';
}

export async function checkTopic(url: string, { inputs, deduped, form }: TopicCheck): Promise<string> {
  const expected = await expectationOfAll(inputs, 'id');
  const wanted = deduped ? expected.unique : expected.lines;
  const wantedSum = deduped ? expected.sumOfUnique : expected.sumOfLines;
  const consumer = new Consumer({
    clientId: 'check',
    groupId: randomUUID(),
    bootstrapBrokers: [url.replace('kafka://', '')],
    autocommit: false,
  });
  const stream = await consumer.consume({ topics: [TOPIC], mode: MessagesStreamModes.EARLIEST, maxWaitTime: 500 });
  let events = 0;
  let sum = 0;
  let records = 0;
  const late = setTimeout(
    () => stream.destroy(new Error(`the topic gave ${events} of ${wanted} events within ${CHECK_MS_MAX} ms`)),
    CHECK_MS_MAX,
  );
  for await (const { value } of stream) {
    const decoded: unknown = unpack(value as Buffer);
    const list = form === 'batch' ? (decoded as { readonly id: string }[]) : [decoded as { readonly id: string }];
    for (const { id } of list) sum = (sum + idHash(id)) >>> 0;
    events += list.length;
    records += 1;
    if (events >= wanted) break;
  }
  clearTimeout(late);
  await new Promise<void>((resolve) => consumer.close(true, () => resolve()));
  if (events !== wanted || sum !== wantedSum)
    throw new Error(`the topic holds ${events} events with checksum ${sum}, not ${wanted} with ${wantedSum}`);
  return `topic read back: ${events} events in ${records} records, checksum equal`;
}
