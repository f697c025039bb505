/** Events arrive as they were published: headers, bytes, empty values, the largest; what is over the limit is refused alone. */
import * as assert from 'uvu/assert';
import { failsWith } from '../expect.ts';
import type { Promised } from '../promised.ts';

const MILLION = 1_000_000;
const allBytes = Uint8Array.from({ length: 256 }, (_, n) => n);
/** Some of each type; a Uint8Array comes back as bytes, whatever class holds them. */
const values: readonly unknown[] = [
  allBytes,
  new Uint8Array(0),
  '',
  null,
  false,
  true,
  0,
  -1,
  1.5,
  Number.MAX_SAFE_INTEGER,
  2n ** 63n,
  -(2n ** 62n),
  [],
  {},
  [[], [null, {}]],
  'text',
  'größe 日本 🚀',
  '\0\r\n',
  '{"looks":"like JSON"}',
  { a: { b: [1, 'two', null] } },
  'x'.repeat(70_000),
  Uint8Array.from([0xc1, 0xff, 0x0a]),
];

const plain = (value: unknown): unknown => (value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('hex') } : value);

/** Bytes that no compression and no slip of an offset leaves equal. */
function patterned(bytes: number): Uint8Array {
  const result = new Uint8Array(bytes);
  for (let n = 0; n < bytes; n++) result[n] = (n * 31 + (n >> 8)) & 0xff;
  return result;
}

export const payloadPromises: readonly Promised[] = [
  {
    name: 'carries headers',
    proves: ['headers'],
    run: async (rig) => {
      const headers = { Region: 'eu-west', 'x-trace': 'a b: c', Empty: '', Unicode: 'größe 日本' };
      const reading = await rig.read(rig.subject());
      await rig.publisher.publish(rig.subject(), 'with', { headers });
      await rig.publisher.publish(rig.subject(), 'without');
      const [first, second] = await rig.fence(reading);
      for (const [name, value] of Object.entries(headers)) {
        assert.is(first!.headers[name], value, name);
        assert.is(second!.headers[name], undefined, name);
      }
      await failsWith('MILLRACE_HEADER_INVALID', 'a line break', () =>
        rig.publisher.publish(rig.subject(), 1, { headers: { a: 'b\r\nc: d' } }),
      );
    },
  },
  {
    name: 'carries bytes, empty values and every type of msgpack unchanged',
    run: async (rig) => {
      const reading = await rig.read(rig.subject());
      await Promise.all(values.map((value) => rig.publisher.publish(rig.subject(), value)));
      const seen = await rig.fence(reading);
      assert.equal(
        seen.map(({ event }) => plain(event)),
        values.map(plain),
      );
    },
  },
  {
    name: 'carries 1,000,000 bytes',
    run: async (rig) => {
      const large = patterned(MILLION);
      const reading = await rig.read(rig.subject());
      await rig.publisher.publish(rig.subject(), large);
      const [seen] = await rig.fence(reading);
      assert.ok(seen !== undefined && Buffer.compare(seen.event as Uint8Array, large) === 0, 'its bytes have changed');
    },
  },
  {
    name: 'refuses an event just over the limit with its code, and goes on',
    run: async (rig) => {
      const reading = await rig.read(rig.subject());
      const over = patterned(rig.setup.eventBytesOver);
      const refused = rig.publisher.publish(rig.subject(), over);
      const taken = rig.publisher.publish(rig.subject(), 'behind it');
      const error = await failsWith('MILLRACE_EVENT_TOO_LARGE', 'too large', () => refused);
      assert.equal([error.outcome, error.retryable], ['failed', false]);
      await taken;
      assert.equal(
        (await rig.fence(reading)).map(({ event }) => event),
        ['behind it'],
      );
    },
  },
];
