/** The threads of an engine: made when they are wanted, and behind the event loop where they outnumber the cores. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as assert from 'uvu/assert';
import { connect } from '../../../src/index.ts';
import { WorkerPool } from '../../../src/engine/worker-pool.ts';
import { Ring } from '../../../src/memory/ring.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';

const Pool = timedSuite('WorkerPool');
const pools: WorkerPool[] = [];
Pool.after(async () => void (await Promise.all(pools.map((pool) => pool.close()))));

function poolOf(workers: number): WorkerPool {
  const ring = Ring.create({ slabs: 4, slabBytes: 65_536, workers, eventBytesMax: 4_096, windowBytes: 0 });
  const options = { workers, windowCapacity: 0, workerTimeoutMs: 0, workerHeapMiB: 0 };
  const pool = new WorkerPool(ring, options, { created: () => undefined, endedIdle: () => undefined });
  pools.push(pool);
  return pool;
}

/** Niceness of each thread of this process; proc(5), field 19 of stat. */
function nicenesses(): number[] {
  return readdirSync('/proc/self/task').map((thread) =>
    Number(
      readFileSync(`/proc/self/task/${thread}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[16],
    ),
  );
}

Pool('makes no thread before it is asked to', async () => {
  const pool = poolOf(2);
  assert.is(pool.threads.length, 0);
  pool.startIn(0);
  await waitFor('two threads', () => pool.threads.length === 2);
  await pool.close();
});

Pool('closed while they are being made, it ends them', async () => {
  const pool = poolOf(2);
  pool.startIn(0);
  await pool.close();
  assert.is(pool.threads.length, 0);
});

Pool('asked twice it makes them once', async () => {
  const pool = poolOf(1);
  pool.startIn(0);
  pool.startIn(0);
  pool.startIn(1);
  await waitFor('a thread', () => pool.threads.length > 0);
  await pool.close();
  assert.is(pool.threads.length, 0);
});

Pool("as many threads as there are cores step back where that is one thread's own affair, and this one does not", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-pool-'));
  const workers = availableParallelism();
  const processor = await connect(`embedded:${join(folder, 'store')}`, { workers, deadLetters: 'off' });
  try {
    const lines = Readable.from([Buffer.from('{"a":1}\n'.repeat(200_000))]); // More than runs without a thread.
    await processor.ingest(lines, { id: 'none', format: 'ndjson' });
    if (process.platform === 'linux')
      await waitFor('threads that stepped back', () => nicenesses().filter((nice) => nice === 5).length === workers);
    assert.is(getPriority(), 0);
  } finally {
    await processor.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
Pool.run();
