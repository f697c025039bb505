/** A reader in Python, with a plain msgpack library and nothing of Millrace, decodes what was ingested, record by record. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { cacheFolder } from '../../harness/server-table.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { targetNames, Targets } from './targets.ts';

const Python = timedSuite('a reader in Python', { timeoutMs: 60_000 });
const targets = new Targets();
Python.after(() => targets.end());
const packages = join(cacheFolder, 'python');
// The script is not compiled: it lies in the source tree.
const script = fileURLToPath(new URL('../../../../test/integration/ingest/reader.py', import.meta.url));
const env = { ...process.env, PYTHONPATH: packages, PYTHONIOENCODING: 'utf-8' };

/** Null = there is one; else why not. The library is installed into the cache once, by Python's own client. */
function missing(): string | null {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
  } catch {
    return 'no python3';
  }
  try {
    if (!existsSync(join(packages, 'msgpack')))
      execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--target', packages, 'msgpack'], { stdio: 'pipe', timeout: 50_000 });
    execFileSync('python3', ['-c', 'import msgpack'], { env, stdio: 'ignore' });
    return null;
  } catch {
    return 'no msgpack for python3, and pip cannot install it';
  }
}

const reason = targetNames.includes('jetstream') ? missing() : 'no nats-server';
if (reason !== null && process.env['CI'] === 'true') throw new Error(`CI=true and ${reason}`);
if (reason !== null) process.stdout.write(`SKIP ${reason}\n`);

const records = Array.from({ length: 5_000 }, (_, n) => ({
  id: `e-${n}`,
  type: ['a', 'b', 'c'][n % 3],
  n,
  big: 2 ** 40 + n,
  negative: -n,
  float: n / 8,
  text: `zwölf ✓ ${n}`,
  none: null,
  yes: n % 2 === 0,
  list: [n, [n]],
  map: { deep: { n } },
}));

if (reason === null)
  for (const [framing, id] of [
    ['batch', '/id'],
    ['each', 'hash'],
    ['batch', 'time'],
  ] as const)
    Python(`${framing} with ids by ${id}`, async () => {
      const name = `python-${framing}-${id.replace('/', '')}`;
      await using processor = await targets.open('jetstream', name);
      const report = await processor.ingest([Buffer.from(records.map((record) => JSON.stringify(record)).join('\n'))] as never, {
        subject: `${name}.{type}`,
        id,
        framing,
      });
      assert.is(report.acked, records.length);
      const { port } = await targets.server();
      const { stdout } = await promisify(execFile)('python3', [script, String(port), `${name.toUpperCase()}-JETSTREAM`], {
        env,
        maxBuffer: 64 * 1_048_576,
      });
      const read = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { subject: string; event: (typeof records)[number] });
      const bySubject = (type: string): unknown[] => read.filter(({ subject }) => subject === `${name}.${type}`).map(({ event }) => event);
      for (const type of ['a', 'b', 'c'])
        assert.equal(
          bySubject(type),
          records.filter((record) => record.type === type),
          `${name}.${type}`,
        );
    });

Python.run();
