/** The same Kafka client the way its README uses it: parse, pack, one awaited `send` for each few records, idempotent, acks of all. */
import { Admin, ProduceAcks, Producer } from '@platformatic/kafka';
import { pack } from 'msgpackr';
import { inputFile } from '../harness/input.ts';
import { measure } from '../harness/measure.ts';
import { checkTopic, TOPIC } from '../harness/topic-check.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { warmPageCache, warmUp } from '../harness/warm-up.ts';
import { linesOf } from './lines.ts';
import { inputOf, numberOf } from './params.ts';

/** Buffers: with strings and no serializers a `send` of 1.35 never settles. */
const HEADERS: Map<Buffer, Buffer> = new Map(
  [
    ['Content-Type', 'application/msgpack'],
    ['Millrace-Subject', 'bench.events'],
  ].map(([name, value]) => [Buffer.from(name!), Buffer.from(value!)]),
);

/** Params: events, warmUp, batch (events in one record; 1 = one record per event), records (in one send). */
export async function run(request: RunRequest): Promise<RunResult> {
  const { params } = request;
  const input = await inputFile(inputOf(request));
  const connection = { clientId: 'bench', bootstrapBrokers: [request.url.replace('kafka://', '')] };
  const admin = new Admin(connection);
  await admin.createTopics({ topics: [TOPIC], partitions: 1, replicas: 1 });
  await admin.close();
  const producer = new Producer({ ...connection, idempotent: true, acks: ProduceAcks.ALL });
  const [size, records] = [numberOf(params, 'batch', 1), numberOf(params, 'records', 100)];
  const play = async (file: string): Promise<number> => {
    let events = 0;
    let batch: unknown[] = [];
    let messages: { readonly topic: string; readonly value: Buffer; readonly headers: Map<Buffer, Buffer> }[] = [];
    const add = (value: Buffer): boolean => messages.push({ topic: TOPIC, value, headers: HEADERS }) === records;
    const send = async (): Promise<void> => {
      const sent = messages;
      messages = [];
      await producer.send({ messages: sent });
    };
    for await (const lines of linesOf(file)) {
      for (const line of lines) {
        events += 1;
        if (batch.push(JSON.parse(line)) < size) continue;
        const full = add(size === 1 ? pack(batch[0]) : pack(batch));
        batch = [];
        if (full) await send();
      }
    }
    if (batch.length > 0) add(pack(batch));
    if (messages.length > 0) await send();
    return events;
  };
  const warm = await warmUp(request, play);
  warmPageCache(input);
  const { figures } = await measure(() => play(input), { brokerPid: request.brokerPid, events: (events) => events as number });
  await producer.close();
  const form = size === 1 ? 'each' : 'batch';
  return {
    figures,
    verified: await checkTopic(request.url, { inputs: [...warm.inputs, input], deduped: false, form }),
    notes: { warmUpRates: warm.rates },
  };
}
