/** What the writer puts on the wire is whole frames, in order, byte for byte, whatever the sizes and whenever the socket takes them. */
import { Writable } from 'node:stream';
import type { Socket } from 'node:net';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { putDecimal } from '../../../src/connections/decimal.ts';
import { FrameWriter } from '../../../src/connections/frame-writer.ts';

const Writer = suite('FrameWriter');

/** Holds what it was given until `take` is called, as a socket that is behind does. */
class SlowSocket extends Writable {
  readonly chunks: Buffer[] = [];
  #held: (() => void)[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this._writev([{ chunk }], done);
  }

  override _writev(chunks: readonly { chunk: Buffer }[], done: () => void): void {
    this.#held.push(() => {
      // Copied when taken, not when given: a chunk that is used again too early shows.
      for (const { chunk } of chunks) this.chunks.push(Buffer.from(chunk));
      done();
    });
  }

  async takeAll(): Promise<void> {
    while (this.#held.length > 0 || this.writableLength > 0) {
      this.#held.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  takeOne(): void {
    this.#held.shift()?.();
  }

  get text(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

const writerOn = (socket: SlowSocket, encrypted = false): FrameWriter =>
  new FrameWriter({ socket: socket as unknown as Socket, encrypted, flushClient: () => undefined });

const message = fc.record({
  bytes: fc.oneof(fc.nat(50), fc.nat(9_000), fc.constantFrom(4_095, 4_096, 4_097, 70_000)),
  headerBytes: fc.nat(40),
  lead: fc.constantFrom(0, 20, 256), // None, too little for any line, enough.
  subject: fc.constantFrom('a', 'orders.created', 'ü.x', 'a.ü.𝄞.b'),
});

Writer('writes the same bytes as one plain concatenation', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { minLength: 1, maxLength: 60 }),
      fc.array(fc.nat(3), { minLength: 1 }),
      async (messages, pauses) => {
        const socket = new SlowSocket();
        const writer = writerOn(socket);
        const expected: Buffer[] = [];
        for (const [index, { bytes, headerBytes, subject, lead }] of messages.entries()) {
          const memory = new Uint8Array(new SharedArrayBuffer(lead + headerBytes + bytes + 4)).fill(65 + (index % 26));
          const reply = Buffer.from('_INBOX.x.12345');
          writer.write({
            subject,
            reply,
            replyBytes: 10,
            memory,
            start: 1 + lead,
            payloadStart: 1 + lead + headerBytes,
            end: 1 + lead + headerBytes + bytes,
            lead,
          });
          const sizes =
            headerBytes > 0 ? `HPUB ${subject} _INBOX.x.1 ${headerBytes} ${headerBytes + bytes}` : `PUB ${subject} _INBOX.x.1 ${bytes}`;
          expected.push(
            Buffer.from(`${sizes}\r\n`),
            Buffer.from(memory.subarray(1 + lead, 1 + lead + headerBytes + bytes)),
            Buffer.from('\r\n'),
          );
          const pause = pauses[index % pauses.length]!;
          if (pause === 1) socket.takeOne();
          if (pause === 2) await Promise.resolve();
          if (pause === 3) await new Promise((resolve) => setImmediate(resolve));
        }
        writer.flush();
        await socket.takeAll();
        assert.ok(socket.text.equals(Buffer.concat(expected)));
        assert.is(writer.waiting, false);
        assert.is(writer.doneNumber, writer.flushNumber - 1);
      },
    ),
    { numRuns: 150 },
  );
});

Writer('does not use a chunk again while a part of it waits for the socket', async () => {
  const socket = new SlowSocket();
  const writer = writerOn(socket);
  const expected: string[] = [];
  const flushes = (times: number): void => {
    for (let count = 0; count < times * 30; count++) {
      const text = String.fromCharCode(65 + (expected.length % 26)).repeat(1_000);
      writer.write({
        subject: 'a',
        reply: Buffer.from('r'),
        replyBytes: 1,
        memory: Buffer.from(text),
        start: 0,
        payloadStart: 0,
        end: 1_000,
        lead: 0,
      });
      expected.push(`PUB a r 1000\r\n${text}\r\n`);
      if (count % 30 === 29) writer.flush();
    }
  };
  // Three flushes lie in the first chunk. The first leaves, the others wait, and much more is written meanwhile.
  flushes(3);
  socket.takeOne();
  await new Promise((resolve) => setImmediate(resolve));
  flushes(10);
  writer.flush();
  await socket.takeAll();
  assert.ok(socket.text.equals(Buffer.from(expected.join(''))));
});

Writer('lets the client in between its flushes only', async () => {
  const socket = new SlowSocket();
  const writer = new FrameWriter({
    socket: socket as unknown as Socket,
    encrypted: false,
    flushClient: () => void socket.write('PONG\r\n'),
  });
  const memory = Buffer.from('0123456789');
  for (let round = 0; round < 2; round++) {
    writer.write({ subject: 'a', reply: Buffer.from('r'), replyBytes: 1, memory, start: 0, payloadStart: 0, end: 3, lead: 0 });
    writer.write({ subject: 'b', reply: Buffer.from('r'), replyBytes: 1, memory, start: 3, payloadStart: 5, end: 6, lead: 0 });
    await Promise.resolve();
  }
  await socket.takeAll();
  const frames = 'PONG\r\nPUB a r 3\r\n012\r\nHPUB b r 2 3\r\n345\r\n';
  assert.is(socket.text.toString(), frames + frames);
});

Writer('copies before TLS sees the bytes', async () => {
  const socket = new SlowSocket();
  const writer = writerOn(socket, true);
  const memory = Buffer.alloc(10_000, 'a');
  writer.write({ subject: 'a', reply: Buffer.from('r'), replyBytes: 1, memory, start: 0, payloadStart: 0, end: 10_000, lead: 0 });
  memory.fill('b');
  writer.flush();
  await socket.takeAll();
  assert.not.ok(socket.text.includes('b'));
});

Writer('sends nothing after it was closed', async () => {
  const socket = new SlowSocket();
  const writer = writerOn(socket);
  writer.write({
    subject: 'a',
    reply: Buffer.from('r'),
    replyBytes: 1,
    memory: Buffer.from('x'),
    start: 0,
    payloadStart: 0,
    end: 1,
    lead: 0,
  });
  writer.close();
  await Promise.resolve();
  await socket.takeAll();
  assert.is(socket.text.length, 0);
});

Writer('writes any whole number in decimal', () => {
  fc.assert(
    fc.property(fc.oneof(fc.nat(), fc.integer({ min: 0, max: 2 ** 48 }), fc.constantFrom(0, 9, 10, 99, 100, 2 ** 48)), (value) => {
      const bytes = Buffer.alloc(20);
      assert.is(bytes.toString('latin1', 2, putDecimal(bytes, 2, value)), String(value));
    }),
  );
});

Writer.run();
