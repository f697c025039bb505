/** Moved to the socket, the tap and the client still hear every frame once and in order, and an odd line brings it back to the client's parser. */
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { tapMessages } from '../../../src/connections/message-tap.ts';
import type { NatsConnection, Subscription } from '../../../src/connections/nats-library.ts';

interface ClientParser {
  state: number;
  parse(bytes: Uint8Array): void;
}

const require = createRequire(import.meta.url);
const { Parser } = require('nats/lib/nats-base-client/parser.js') as {
  readonly Parser: new (dispatcher: { push(parsed: { msg?: { sid: number }; data?: Uint8Array }): void }) => ClientParser;
};

const TAPPED = 7;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** As Node's: what it reads comes as chunks, or in memory that it was told to use, which the next read writes over. */
class FakeSocket extends EventEmitter {
  readonly _handle: { useUserBuffer(memory: Uint8Array): void } | null;
  readonly #keys = { memory: Symbol('kBuffer'), heard: Symbol('kBufferCb') };

  constructor(takesMemory: boolean) {
    super();
    this._handle = takesMemory ? { useUserBuffer: () => undefined } : null;
    Object.assign(this, { [this.#keys.memory]: null, [this.#keys.heard]: null });
  }

  read(chunk: Uint8Array): void {
    const own = this as unknown as Record<symbol, unknown>;
    const memory = own[this.#keys.memory] as Uint8Array | null;
    if (memory === null) {
      this.emit('data', chunk);
      return;
    }
    memory.set(chunk);
    (own[this.#keys.heard] as (bytes: number) => void)(chunk.length);
    memory.fill(0xee);
  }
}

/** A connection whose reading loop is asynchronous, as the client's is. */
class FakeConnection {
  readonly socket: FakeSocket;
  readonly tapped: string[] = [];
  readonly client: string[] = [];
  readonly both: string[] = [];
  readonly protocol: { parser: ClientParser; readonly transport: { readonly socket: FakeSocket; readonly yields: Uint8Array[] } };
  readonly #yields: Uint8Array[] = [];
  #reading = false;

  constructor(takesMemory: boolean) {
    this.socket = new FakeSocket(takesMemory);
    const parser = new Parser({
      push: ({ msg, data }) => {
        const line = `${msg?.sid ?? '-'}|${Buffer.from(data ?? []).toString('latin1')}`;
        this.client.push(line);
        this.both.push(line);
      },
    });
    this.protocol = { parser, transport: { socket: this.socket, yields: this.#yields } };
    this.socket.on('data', (chunk: Uint8Array) => {
      this.#yields.push(chunk);
      void Promise.resolve().then(() => this.#read());
    });
  }

  /** Two steps later than the chunk, as by an asynchronous iterator. */
  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    while (this.#yields.length > 0) {
      for (const chunk of this.#yields.splice(0)) {
        await Promise.resolve();
        this.protocol.parser.parse(chunk);
      }
    }
    this.#reading = false;
  }

  tap(): boolean {
    const subscription = { getID: () => TAPPED } as unknown as Subscription;
    return tapMessages(this as unknown as NatsConnection, subscription, ({ bytes, start, end }) => {
      const body = Buffer.from(bytes.subarray(start, end)).toString('latin1');
      this.tapped.push(body);
      this.both.push(`${TAPPED}|${body}`);
    });
  }

  give(text: string | Uint8Array): void {
    this.socket.read(Buffer.from(text as string, 'latin1'));
  }

  /** The tap listens at the socket: the client's own listener is gone. */
  get moved(): boolean {
    return !Object.hasOwn(this.protocol.parser, 'parse');
  }
}

const ours = (line: string): boolean => line.startsWith(`${TAPPED}|`);
const message = (sid: number, body: string): string => `MSG a ${sid} ${body.length}\r\n${body}\r\n`;

const frame = fc.oneof(
  fc.constantFrom('PING\r\n', 'PONG\r\n', "-ERR 'Slow Consumer'\r\n"),
  fc
    .record({ sid: fc.constantFrom(TAPPED, TAPPED, 1), body: fc.oneof(fc.string({ maxLength: 40 }), fc.constant('MSG a 7 1\r\nx\r\n')) })
    .map(({ sid, body }) => message(sid, Buffer.from(body).toString('latin1'))),
);

const Tap = suite('socket tap');

const SOCKETS = { 'chunks of its own': false, 'memory that is written over': true };

function eachSocket(name: string, test: (connect: () => FakeConnection) => Promise<void>): void {
  for (const [kind, takesMemory] of Object.entries(SOCKETS)) Tap(`${name} (${kind})`, () => test(() => new FakeConnection(takesMemory)));
}

eachSocket('every frame once and in order, whenever it moves and however the bytes are cut', async (connect) => {
  const cuts = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 90 }), wait: fc.nat(2) }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 40 }), cuts, fc.nat(5), async (frames, pieces, before) => {
      const plain = connect();
      plain.give(frames.join(''));
      await turn();
      const connection = connect();
      const bytes = Buffer.from(frames.join(''), 'latin1');
      for (let at = 0, index = 0; at < bytes.length || index <= before; index += 1) {
        // What the client has begun is the client's: all that it has heard, and the message at work.
        if (index === before) assert.ok(connection.tap());
        const { bytes: length, wait } = pieces[index % pieces.length]!;
        if (at < bytes.length) connection.give(bytes.subarray(at, at + length));
        at += length;
        if (wait === 1) await Promise.resolve();
        if (wait === 2) await turn();
      }
      for (let turns = 0; turns < 4; turns += 1) await turn();
      const expected = plain.client;
      const heard = [...connection.tapped.map((text) => `${TAPPED}|${text}`), ...connection.client];
      assert.equal(heard.toSorted(), expected.toSorted());
      // In order for each of the two, and what the client still got of ours came first.
      assert.equal(
        connection.client.filter((line) => !ours(line)),
        expected.filter((line) => !ours(line)),
      );
      assert.equal([...connection.client.filter(ours), ...connection.tapped.map((text) => `${TAPPED}|${text}`)], expected.filter(ours));
    }),
    { numRuns: 200 },
  );
});

eachSocket('odd lines among the others, cut anywhere: nothing is lost, doubled or out of order', async (connect) => {
  const odd = fc.constantFrom('MSG  a  7  1\r\nd\r\n', 'MSG\ta\t1\t2\r\nde\r\n', 'msg a 7 1\r\nx\r\n');
  const some = fc.array(fc.oneof({ weight: 6, arbitrary: frame }, { weight: 1, arbitrary: odd }), { minLength: 1, maxLength: 30 });
  const cuts = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 60 }), wait: fc.nat(2) }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(some, cuts, async (frames, pieces) => {
      const plain = connect();
      plain.give(frames.join(''));
      await turn();
      const connection = connect();
      connection.tap();
      await turn();
      assert.is(connection.moved, true);
      const bytes = Buffer.from(frames.join(''), 'latin1');
      for (let at = 0, index = 0; at < bytes.length; index += 1) {
        const { bytes: length, wait } = pieces[index % pieces.length]!;
        connection.give(bytes.subarray(at, at + length));
        at += length;
        if (wait === 1) await Promise.resolve();
        if (wait === 2) await turn();
      }
      for (let turns = 0; turns < 4; turns += 1) await turn();
      assert.equal(connection.both.filter(ours), plain.both.filter(ours)); // Of both receivers, as they came.
      assert.equal(
        connection.client.filter((line) => !ours(line)),
        plain.client.filter((line) => !ours(line)),
      );
    }),
    { numRuns: 300 },
  );
});

eachSocket('it waits for chunks that the client has not read', async (connect) => {
  const connection = connect();
  const { yields } = connection.protocol.transport;
  connection.tap();
  yields.push(Buffer.from(message(1, 'e'), 'latin1'));
  for (let turns = 0; turns < 3; turns += 1) await turn();
  assert.is(connection.moved, false);
  connection.give(message(TAPPED, 'x'));
  for (let turns = 0; turns < 3; turns += 1) await turn();
  assert.equal([connection.moved, connection.both], [true, ['1|e', `${TAPPED}|x`]]);
});

eachSocket('it moves when nothing is half read, not before', async (connect) => {
  const connection = connect();
  connection.give('MSG a 1 5\r\nab');
  await turn();
  connection.tap();
  await turn();
  await turn();
  assert.is(connection.moved, false);
  connection.give('cde\r\n');
  for (let turns = 0; turns < 3; turns += 1) await turn();
  assert.is(connection.moved, true);
  connection.give(message(TAPPED, 'x'));
  assert.equal(connection.tapped, ['x']); // At once: no loop of the client's is between.
});

for (const [name, odd] of Object.entries({ spaces: 'MSG  a  7  1\r\nd\r\n', tabs: 'MSG\ta\t7\t1\r\nd\r\n' }))
  eachSocket(`a line of another form brings it back to the client's parser: ${name}`, async (connect) => {
    const connection = connect();
    connection.tap();
    await turn();
    assert.is(connection.moved, true);
    connection.give(`${message(TAPPED, 'a')}PING\r\n${odd}${message(TAPPED, 'b')}`);
    for (let turns = 0; turns < 3; turns += 1) await turn();
    connection.give(message(TAPPED, 'c') + message(1, 'e'));
    for (let turns = 0; turns < 3; turns += 1) await turn();
    assert.is(connection.moved, false);
    assert.equal(connection.tapped, ['a', 'c']);
    assert.equal(connection.client, ['-|', `${TAPPED}|d`, `${TAPPED}|b`, '1|e']);
  });

Tap('it stays with the parser where the connection is another one, or somebody else listens', async () => {
  const shared = new FakeConnection(true);
  shared.socket.on('data', () => undefined);
  const reconnected = new FakeConnection(true);
  for (const connection of [shared, reconnected]) connection.tap();
  const { parser } = reconnected.protocol;
  reconnected.protocol.parser = new Parser({ push: () => undefined });
  const before = reconnected.socket.listeners('data');
  await turn();
  await turn();
  assert.ok(Object.hasOwn(parser, 'parse'));
  assert.equal(reconnected.socket.listeners('data'), before);
  assert.is(shared.moved, false);
  shared.give(message(TAPPED, 'x'));
  await turn();
  assert.equal(shared.tapped, ['x']);
});

Tap.run();
