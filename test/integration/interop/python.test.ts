/** A Python program with nothing but a socket and a msgpack library reads our events, and writes some that we read. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { endWithUs } from '../../harness/end-with-us.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { requireServer } from '../../harness/resolve-server.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { comparable, open, readEvents, run } from './foreign.ts';

const script = fileURLToPath(new URL('../../../../test/integration/interop/fixtures/client.py', import.meta.url));
const InteropSuite = timedSuite('interop: python', { timeoutMs: 30_000 });
const packages = requireServer('python-msgpack');
const env = { PYTHONPATH: packages ?? '', PYTHONDONTWRITEBYTECODE: '1', PYTHONIOENCODING: 'utf-8' };
let server: TestServer;

InteropSuite.before(async () => void (server = await startNatsServer()));
InteropSuite.after(() => server.stop());

/** Lines it prints, from its first word that it listens. */
async function reader(subject: string, count: number): Promise<() => Promise<Record<string, unknown>[]>> {
  const child = spawn('python3', [script, 'read', `127.0.0.1:${server.port}`, subject, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  endWithUs(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  assert.is((await lines.next()).value, 'ready');
  return async () => {
    const read: Record<string, unknown>[] = [];
    for (let line = await lines.next(); line.done !== true; line = await lines.next())
      read.push(JSON.parse(line.value) as Record<string, unknown>);
    return read;
  };
}

InteropSuite('reads single events, batches and envelopes of ours', async () => {
  const all = await reader('py.>', 105);
  await using ours = await open(`nats+jetstream://127.0.0.1:${server.port}/PY`);
  await using enveloped = await open(`nats+jetstream://127.0.0.1:${server.port}/PY`, { framing: 'batch', lingerMs: 20 });
  await ours.publish('py.each', { n: -1, text: 'größe', raw: Buffer.from([0, 255]) }, { id: 'one' });
  await ours.ingest(
    Array.from({ length: 100 }, (_, n) => ({ n })),
    { subject: 'py.batch' },
  );
  await Promise.all(
    [0, 1, 2, 3].map((n) => enveloped.publish('py.envelope', [n, null, 2 ** 40], { id: `e${n}`, headers: { N: String(n) } })),
  );
  const [each, ...rest] = await all();
  assert.equal(each, { subject: 'py.each', id: 'one', headers: {}, event: { n: -1, text: 'größe', raw: { bytes: '00ff' } } });
  assert.equal(
    rest.slice(0, 100).map(({ event }) => event),
    Array.from({ length: 100 }, (_, n) => ({ n })),
  );
  assert.equal(
    rest.slice(100),
    [0, 1, 2, 3].map((n) => ({ subject: 'py.envelope', id: `e${n}`, headers: { N: String(n) }, event: [n, null, 2 ** 40] })),
  );
});

InteropSuite('writes JSON, msgpack and text that we read', async () => {
  await using ours = await open(`nats+jetstream://127.0.0.1:${server.port}/BACK`);
  await ours.publish('back.first', 0);
  await run('python3', [script, 'write', `127.0.0.1:${server.port}`, 'back.x'], { env });
  const seen = (await readEvents(ours, 'back.>', 5)).slice(1).map(({ event }) => event);
  assert.equal([seen[0], seen[2], seen[3]], [{ from: 'python', n: 1 }, { from: 'python', n: 3 }, 'plain wörds']);
  const { raw, ...others } = seen[1] as { raw: unknown };
  assert.equal([others, comparable(raw)], [{ from: 'python', n: 2 }, { bytes: '00ff' }]);
});

if (packages !== null && requireServer('nats-server') !== null) InteropSuite.run();
