/** A real socket reads into one piece of memory; what it reads is what was sent, and its end and errors are heard as before. */
import { once } from 'node:events';
import * as net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { READ_BYTES, SocketMemory } from '../../../src/connections/socket-memory.ts';

const Memory = suite('SocketMemory');

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  readonly close: () => void;
}

async function connected(): Promise<Pair> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as unknown as [[Socket], unknown];
  return {
    near,
    far,
    close: () => {
      near.destroy();
      far.destroy();
      server.close();
    },
  };
}

Memory('what is sent is what is read, in order, always in the same memory; the end is heard', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), { minLength: 1, maxLength: 20 }), async (pieces) => {
      const { near, far, close } = await connected();
      try {
        const read: Uint8Array[] = [];
        const buffers = new Set<ArrayBufferLike>();
        near.on('data', () => assert.unreachable('the stream itself gives nothing'));
        const memory = SocketMemory.open(near, (bytes) => {
          buffers.add(bytes.buffer);
          read.push(memory!.lasting(bytes));
        });
        assert.ok(memory !== null);
        for (const piece of pieces) far.write(piece);
        far.end();
        await once(near, 'end');
        assert.ok(Buffer.concat(read).equals(Buffer.concat(pieces)));
        assert.is(buffers.size, 1);
      } finally {
        close();
      }
    }),
    { numRuns: 20 },
  );
});

Memory('more than one read takes: nothing is lost between them', async () => {
  const { near, far, close } = await connected();
  const sent = Uint8Array.from({ length: 5 * READ_BYTES + 17 }, (_, index) => index % 251);
  let [bytes, wrong] = [0, 0];
  near.on('data', () => undefined);
  SocketMemory.open(near, (part) => {
    for (const byte of part) if (byte !== bytes++ % 251) wrong += 1;
  });
  far.end(sent);
  await once(near, 'end');
  close();
  assert.equal([bytes, wrong], [sent.length, 0]);
});

Memory('bytes of its own memory are copied for whoever keeps them, others are not', async () => {
  const { near, far, close } = await connected();
  near.on('data', () => undefined);
  const kept: [read: Uint8Array, lasting: Uint8Array][] = [];
  const memory = SocketMemory.open(near, (bytes) => kept.push([bytes, memory.lasting(bytes)]))!;
  far.end('abc');
  await once(near, 'end');
  close();
  for (const [read, lasting] of kept) {
    assert.is.not(lasting.buffer, read.buffer);
    read.fill(0);
  }
  assert.is(Buffer.concat(kept.map(([, lasting]) => lasting)).toString(), 'abc');
  const others = new Uint8Array(3);
  assert.is(memory.lasting(others), others);
});

for (const [name, change] of Object.entries<(socket: Record<PropertyKey, unknown>) => void>({
  'a socket of TLS': (socket) => (socket['encrypted'] = true),
  'no handle': (socket) => (socket['_handle'] = null),
  'a handle of another kind': (socket) => (socket['_handle'] = {}),
}))
  Memory(`${name}: nothing changes`, () => {
    const socket = new net.Socket() as unknown as Record<PropertyKey, unknown>;
    socket['_handle'] = { useUserBuffer: () => assert.unreachable('must not be called') };
    change(socket);
    assert.is(
      SocketMemory.open(socket as unknown as Socket, () => undefined),
      null,
    );
  });

Memory.run();
