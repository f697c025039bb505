/** Bytes that are not what they claim: one dead letter each, with all of the bytes, and never again; their neighbours go on. */
import * as assert from 'uvu/assert';
import { connect, headers } from 'nats';
import type { NatsConnection } from 'nats';
import type { EventProcessor } from '../../../src/api/processor.ts';
import { packEvent } from '../../../src/codec/msgpack.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { mainHandler, Rig, hasServer, stopServer, workerHandler } from './rig.ts';

const MSGPACK = 'application/msgpack';
const JSON_TYPE = 'application/json';
const batchOf = (count: number): Record<string, string> => ({ 'Content-Type': MSGPACK, 'Millrace-Count': String(count) });
const good = packEvent([{ n: 1 }, { n: 2 }, { n: 3 }]);

const cases: readonly {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array | string;
  readonly says: RegExp;
}[] = [
  { name: 'JSON that is none', headers: { 'Content-Type': JSON_TYPE }, bytes: '{"n": 1', says: /JSON/ },
  { name: 'JSON that is msgpack', headers: { 'Content-Type': JSON_TYPE }, bytes: packEvent({ n: 1 }), says: /JSON/ },
  { name: 'JSON that is not UTF-8', headers: { 'Content-Type': JSON_TYPE }, bytes: Uint8Array.of(0x22, 0xff, 0x22), says: /UTF-8/ },
  {
    name: 'JSON nested 100,000 deep',
    headers: { 'Content-Type': JSON_TYPE },
    bytes: '['.repeat(100_000) + ']'.repeat(100_000),
    says: /JSON|nest|deep/,
  },
  { name: 'msgpack that is JSON', headers: { 'Content-Type': MSGPACK }, bytes: '{"n":1}', says: /msgpack/ },
  { name: 'msgpack that is empty', headers: { 'Content-Type': MSGPACK }, bytes: '', says: /msgpack/ },
  { name: 'msgpack nested 100,000 deep', headers: { 'Content-Type': MSGPACK }, bytes: new Uint8Array(100_000).fill(0x91), says: /deep/ },
  { name: 'a batch cut off', headers: batchOf(3), bytes: good.slice(0, -1), says: /truncated/ },
  { name: 'a batch with bytes behind it', headers: batchOf(3), bytes: Buffer.concat([good, Buffer.of(1)]), says: /more bytes/ },
  { name: 'a batch with another count', headers: batchOf(4), bytes: good, says: /Millrace-Count/ },
  { name: 'a batch that is a map', headers: batchOf(1), bytes: packEvent({ n: 1 }), says: /array/ },
  {
    name: 'an array that claims 2^32-1 elements',
    headers: batchOf(4_294_967),
    bytes: Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff, 1),
    says: /truncated/,
  },
  {
    name: 'a string that claims 2^32-1 bytes',
    headers: { 'Content-Type': MSGPACK },
    bytes: Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff, 65),
    says: /truncated/,
  },
  {
    name: 'an envelope that is none',
    headers: { 'Content-Type': `${MSGPACK}; form=envelope`, 'Millrace-Count': '3' },
    bytes: good,
    says: /envelope/,
  },
];

if (hasServer())
  for (const place of ['main', 'workers'] as const) {
    const BadInput = timedSuite(`bad input, ${place}`, { timeoutMs: 60_000 });
    let rig: Rig;
    let processor: EventProcessor;
    let outside: NatsConnection;
    BadInput.before(async () => {
      rig = await Rig.start('jetstream');
      processor = await rig.connect();
      await rig.store(processor, [{ n: 1 }], rig.subject('x')); // Makes the stream.
      outside = await connect({ servers: Rig.server.url });
    });
    BadInput.after(async () => {
      await outside.close();
      await rig.stop();
    });

    BadInput('each becomes a dead letter, and the durable is through with all', async () => {
      for (const { headers: lines, bytes } of cases) {
        const block = headers();
        for (const [name, value] of Object.entries(lines)) block.set(name, value);
        outside.publish(rig.subject('bad'), typeof bytes === 'string' ? Buffer.from(bytes) : bytes, { headers: block });
      }
      await outside.flush();
      await rig.store(processor, [{ n: 2 }]);
      const subscription = await processor.subscribe(rig.subject('>'), place === 'main' ? mainHandler : workerHandler, {
        durable: 'd',
        ackWaitMs: 1_000,
      });
      await rig.sees(2);
      const letters = await rig.deadLetters(cases.length);
      await subscription.drain();
      const jsm = await outside.jetstreamManager();
      const stream = new URL(rig.url.replace(/^nats\+jetstream/, 'http')).pathname.slice(1);
      await waitFor('nothing left', async () => {
        const info = await jsm.consumers.info(stream, 'd');
        return info.num_ack_pending + info.num_pending === 0;
      });
      assert.equal(rig.numbers, [1, 2]);
      assert.is(letters.length, cases.length);
      for (const { name, bytes, says } of cases) {
        const raw = Buffer.from(bytes as string);
        const letter = letters.find((one) => Buffer.compare(one.raw, raw) === 0 && says.test(one.message));
        assert.ok(letter !== undefined, `${name}: ${JSON.stringify(letters.map(({ message }) => message))}`);
        assert.equal([letter.reason, letter.code, letter.encoding], ['decode', 'MILLRACE_DECODE', 'input'], name);
      }
    });
    BadInput.run();
  }

const Last = timedSuite('end');
Last.after(stopServer);
Last('ends the server', () => undefined);
Last.run();
