/** The tap hears what the client's own parser would hear, byte for byte and in order, however the socket cuts the bytes. */
import { createRequire } from 'node:module';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { tapMessages } from '../../../src/connections/message-tap.ts';
import { rawOf } from '../../../src/connections/raw-message.ts';
import type { RawMessage } from '../../../src/connections/raw-message.ts';
import type { Msg, NatsConnection, Subscription } from '../../../src/connections/nats-library.ts';

interface Parsed {
  readonly kind: number;
  readonly msg?: { readonly subject: Uint8Array; readonly reply?: Uint8Array; readonly sid: number; readonly hdr: number };
  readonly data?: Uint8Array;
}

interface ClientParser {
  state: number;
  parse(bytes: Uint8Array): void;
}

const require = createRequire(import.meta.url);
const { Parser } = require('nats/lib/nats-base-client/parser.js') as {
  readonly Parser: new (dispatcher: { push(parsed: Parsed): void }) => ClientParser;
};

const TAPPED = 7;
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('latin1');

/** What came to whom, in order. */
class Heard {
  /** Told at the end: what is handed to the client must still be there then. */
  readonly #lines: (() => string)[] = [];
  readonly parser: ClientParser = new Parser({ push: (parsed) => this.#client(parsed) });

  constructor(tapped: boolean) {
    if (!tapped) return;
    const connection = { protocol: { parser: this.parser } } as unknown as NatsConnection;
    const subscription = { getID: () => TAPPED } as unknown as Subscription;
    assert.ok(tapMessages(connection, subscription, (raw) => this.#raw(raw)));
  }

  get lines(): string[] {
    return this.#lines.map((line) => line());
  }

  #raw(raw: RawMessage): void {
    const part = (start: number, end: number): string => text(raw.bytes.subarray(start, end));
    const ends = [part(raw.subjectStart, raw.subjectEnd), part(raw.replyStart, raw.replyEnd)];
    const line = [TAPPED, ...ends, part(raw.start, raw.payloadStart), part(raw.payloadStart, raw.end)].join('|');
    this.#lines.push(() => line);
  }

  #client({ kind, msg, data }: Parsed): void {
    if (msg === undefined) return void this.#lines.push(() => `${kind}|${text(data)}`);
    const all = data ?? new Uint8Array(0);
    const cut = Math.max(0, msg.hdr);
    const parts = [msg.subject, msg.reply, all.subarray(0, cut), all.subarray(cut)];
    this.#lines.push(() => [msg.sid, ...parts.map(text)].join('|'));
  }
}

const frame = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom('PING\r\n', 'PONG\r\n', '+OK\r\n', "-ERR 'Slow Consumer'\r\n", 'INFO {"a":"b\\n"}\r\n') },
  {
    weight: 6,
    arbitrary: fc
      .record({
        sid: fc.constantFrom(TAPPED, TAPPED, 1, 77),
        subject: fc.constantFrom('a', 'orders.created', 'ü.x'),
        reply: fc.constantFrom('', '$JS.ACK.S.C.1.2.3.4.5'),
        headers: fc.constantFrom('', 'NATS/1.0\r\nA: b\r\n\r\n'),
        payload: fc.oneof(fc.constantFrom('', 'MSG a 7 1\r\nx\r\n', '\r\n'), fc.string({ maxLength: 200 })),
      })
      .map(({ sid, subject, reply, headers, payload }) => {
        const name = Buffer.from(subject).toString('latin1');
        const line = [name, sid, ...(reply === '' ? [] : [reply]), ...(headers === '' ? [] : [headers.length])].join(' ');
        const body = headers + Buffer.from(payload).toString('latin1');
        return `${headers === '' ? 'MSG' : 'HMSG'} ${line} ${body.length}\r\n${body}\r\n`;
      }),
  },
);

const Tap = suite('MessageTap');

Tap('hears what the client would, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 40 }), fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }), (frames, cuts) => {
      const bytes = Buffer.from(frames.join(''), 'latin1');
      const plain = new Heard(false);
      plain.parser.parse(bytes);
      const tapped = new Heard(true);
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const end = Math.min(bytes.length, at + cuts[turn % cuts.length]!);
        tapped.parser.parse(Buffer.from(bytes.subarray(at, end))); // Of its own memory: a view of what is gone would show.
        at = end;
      }
      assert.equal(tapped.lines, plain.lines);
    }),
  );
});

Tap('leaves a message to the client that began it, and comes in behind it', () => {
  const heard = new Heard(false);
  heard.parser.parse(Buffer.from('MSG a 7 3\r\nab'));
  const connection = { protocol: { parser: heard.parser } } as unknown as NatsConnection;
  const raw: string[] = [];
  tapMessages(connection, { getID: () => TAPPED } as unknown as Subscription, ({ bytes, start, end }) =>
    raw.push(text(bytes.subarray(start, end))),
  );
  heard.parser.parse(Buffer.from('c\r\nMSG a 7 1\r\nd\r\n'));
  heard.parser.parse(Buffer.from('MSG a 7 1\r\ne\r\n'));
  assert.equal(heard.lines, ['7|a|||abc', '7|a|||d']);
  assert.equal(raw, ['e']);
});

Tap('leaves lines of another kind to the client', () => {
  for (const odd of ['MSG  a  7  1\r\nd\r\n', 'MSG\ta\t7\t1\r\nd\r\n', 'msg a 7 1\r\nd\r\n']) {
    const plain = new Heard(false);
    const tapped = new Heard(true);
    for (const { parser } of [plain, tapped]) parser.parse(Buffer.from(`PING\r\n${odd}PONG\r\n`));
    assert.equal(tapped.lines, plain.lines, odd);
  }
});

Tap('says no where the library is built in another way', () => {
  const subscription = { getID: () => TAPPED } as unknown as Subscription;
  for (const connection of [{}, { protocol: {} }, { protocol: { parser: { parse: () => undefined } } }])
    assert.not(tapMessages(connection as unknown as NatsConnection, subscription, () => undefined));
});

Tap('gives a message of the client in its own form', () => {
  const message = { subject: 'ü', reply: 'r.1', data: Buffer.from('xyz'), headers: { encode: () => Buffer.from('NATS/1.0\r\n\r\n') } };
  const { bytes, subjectStart, subjectEnd, replyStart, replyEnd, start, payloadStart, end } = rawOf(message as unknown as Msg);
  const part = (from: number, to: number): string => Buffer.from(bytes.subarray(from, to)).toString();
  assert.equal(
    [part(subjectStart, subjectEnd), part(replyStart, replyEnd), part(start, payloadStart), part(payloadStart, end)],
    ['ü', 'r.1', 'NATS/1.0\r\n\r\n', 'xyz'],
  );
});
Tap.run();
