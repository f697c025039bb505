/** A message on its way into a slab and out of it: all of it comes back, and large payloads lie as V8 copies them fastest. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Ring } from '../../../src/memory/ring.ts';
import { FrameWriter, InboundFrame } from '../../../workers/inbound-frame.ts';
import { ElementForm } from '../../../workers/inbound-message.ts';

const Frames = suite('inbound frames');
const ring = Ring.create({ slabs: 2, slabBytes: 512 * 1_024, workers: 1, eventBytesMax: 4_096, windowBytes: 0 });
const area = ring.start(0) + ring.shape(0).inStart;
const facts = { sequence: 7, timeMs: 1_700_000_000_000, redeliveries: 2, attempts: 1, form: ElementForm.message, index: 3, count: 9 };

/** `bytes` at `offset` of memory of its own. */
const payloadAt = (offset: number, bytes: number): Uint8Array => {
  const payload = new Uint8Array(new ArrayBuffer(bytes + 8), offset, bytes);
  for (let at = 0; at < bytes; at += 1) payload[at] = at * 31 + offset;
  return payload;
};

Frames('all of a message comes back, from any place and of any size', () => {
  const writer = new FrameWriter(ring);
  const frame = new InboundFrame(ring);
  for (const bytes of [0, 1, 100, 4_095, 4_096, 65_527, 65_528, 65_529, 200_000]) {
    for (let offset = 0; offset < 8; offset += 1) {
      const payload = payloadAt(offset, bytes);
      const subject = 's'.repeat(1 + ((offset * 3) % 8));
      const at = area + ((offset * 5) % 8);
      const most = writer.prepare(subject, { A: 'b' }, payload);
      const end = writer.write(at, facts);
      assert.ok(end - at <= most, `${end - at} bytes, and ${most} were said`);
      assert.is(frame.read(at), end);
      assert.equal([frame.subject(), frame.facts(), { ...frame.headers() }], [subject, facts, { A: 'b' }]);
      assert.ok(Buffer.compare(frame.payload(), payload) === 0);
      assert.ok(Buffer.compare(frame.payloadInPlace(), payload) === 0);
    }
  }
});

Frames('a large payload is aligned as its source is', () => {
  const writer = new FrameWriter(ring);
  const frame = new InboundFrame(ring);
  for (let offset = 0; offset < 8; offset += 1) {
    for (let shift = 0; shift < 8; shift += 1) {
      writer.prepare('s'.repeat(shift + 1), {}, payloadAt(offset, 10_000));
      writer.write(area + shift, facts);
      frame.read(area + shift);
      assert.is(frame.payloadStart % 8, offset);
    }
  }
});
Frames.run();
