/** Sources that wait can be left: close and abort end the read at once, and leave nothing open. */
import { execFileSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import type { Source } from '../../../src/api/options.ts';
import { openSource } from '../../../src/engine/source-open.ts';
import type { ByteSource, ObjectSource, SourceOptions } from '../../../src/engine/source-types.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { drain, failure } from './source-fixtures.ts';

const SourceClose = timedSuite('sources that wait');
const folder = mkdtempSync(join(tmpdir(), 'millrace-source-'));
SourceClose.after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const packed = gzipSync(Buffer.from('{"a":1}\n'.repeat(5_000)));

SourceClose('read a FIFO as a stream, and let one that nobody writes to be aborted', async () => {
  execFileSync('mkfifo', [at('fifo.csv')]);
  const reading = drain(at('fifo.csv'));
  const writer = createWriteStream(at('fifo.csv'));
  writer.write('x'.repeat(100_000));
  writer.end('y');
  assert.is(await reading, 100_001);
  const abort = new AbortController();
  const opened = (await openSource(at('fifo.csv'), { signal: abort.signal })) as ByteSource;
  assert.equal([opened.format, opened.bytesTotal], ['csv', null]);
  const waiting = failure(opened.read(new Uint8Array(10)));
  abort.abort();
  assert.is((await waiting).code, 'MILLRACE_ABORTED');
  await opened.close();
});

SourceClose('read a character device', async () => {
  const opened = (await openSource('/dev/zero')) as ByteSource;
  assert.is(await opened.read(new Uint8Array(100)), 100);
  await opened.close();
  assert.is(await drain('/dev/null'), 0);
});

const never = (): AsyncIterable<Uint8Array> => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) });
const stuck: readonly (readonly [string, () => Source, SourceOptions?])[] = [
  ['a stream', () => new PassThrough()],
  ['a gzip stream', () => new PassThrough(), { compression: 'gzip' }],
  ['a web stream', () => new ReadableStream<Uint8Array>({ start: (control) => control.enqueue(Buffer.from('a')) })],
  ['an iterable', never],
  [
    'a generator',
    () =>
      (async function* () {
        yield 'a';
        await new Promise(() => undefined);
      })(),
  ],
];
for (const [name, make, options] of stuck)
  SourceClose(`end a read of ${name} that waits, on abort and on close`, async () => {
    const abort = new AbortController();
    const waiting = failure(drain(make(), { ...options, signal: abort.signal }));
    setImmediate(() => abort.abort(new Error('enough')));
    const error = await waiting;
    assert.is(error.code, 'MILLRACE_ABORTED');
    assert.is((error.cause as Error).message, 'enough');
    assert.is((await failure(drain(make(), { ...options, signal: abort.signal }))).code, 'MILLRACE_ABORTED');
  });

SourceClose('run the cleanup of a generator that is left early', async () => {
  let cleaned = 0;
  const source = async function* (): AsyncGenerator<object> {
    try {
      for (;;) yield {};
    } finally {
      cleaned += 1;
    }
  };
  const opened = (await openSource(source())) as ObjectSource;
  assert.equal(await opened.next(), { done: false, value: {} });
  await opened.close();
  assert.is(cleaned, 1);
  assert.is((await failure(opened.next())).code, 'MILLRACE_ABORTED');
});

SourceClose('leave no descriptor open', async () => {
  const open = (): number => readdirSync('/proc/self/fd').length;
  writeFileSync(at('fd.ndjson.gz'), packed);
  writeFileSync(at('cut.ndjson.gz'), packed.subarray(0, 60));
  const before = open();
  for (let turn = 0; turn < 20; turn += 1) {
    const abort = new AbortController();
    const opened = (await openSource(at('fd.ndjson.gz'), { signal: abort.signal })) as ByteSource;
    await opened.read(new Uint8Array(10));
    abort.abort();
    await failure(opened.read(new Uint8Array(10)));
    await opened.close();
    await failure(drain(at('cut.ndjson.gz')));
  }
  await waitFor('the descriptors', () => open() <= before);
});

SourceClose.run();
