/** What cannot be read is one clear MILLRACE_SOURCE, and a file that changes is told from one that ends. */
import { execFileSync } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync, truncateSync, writeFileSync, appendFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import type { Source } from '../../../src/api/options.ts';
import { openSource, totalBytes } from '../../../src/engine/source-open.ts';
import type { ByteSource, SourceOptions } from '../../../src/engine/source-types.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { drain, failure } from './source-fixtures.ts';

const SourceFaults = timedSuite('sources');
const folder = mkdtempSync(join(tmpdir(), 'millrace-source-'));
SourceFaults.after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const packed = gzipSync(Buffer.from('{"a":1}\n'.repeat(5_000)));

async function* items(...values: unknown[]): AsyncGenerator<object> {
  yield* values as object[]; // What a caller without types may hand over.
}

const broken = (first: string | Uint8Array = 'abc'): Readable =>
  new Readable({
    read() {
      this.push(first);
      this.destroy(new Error('the cable is out'));
    },
  });

const cases: readonly { readonly name: string; readonly source: () => unknown; readonly says: RegExp; readonly options?: SourceOptions }[] =
  [
    { name: 'a missing file', source: () => at('missing.ndjson'), says: /missing\.ndjson: no such file \(ENOENT\)/u },
    { name: 'a missing file by URL', source: () => pathToFileURL(at('missing')), says: /missing: no such file/u },
    { name: 'a missing file as a stream', source: () => createReadStream(at('missing')), says: /missing: no such file/u },
    { name: 'a folder', source: () => folder, says: /it is a folder; name its files/u },
    { name: 'a path through a file', source: () => (writeFileSync(at('plain'), 'x'), at('plain/x')), says: /not a folder/u },
    { name: 'an empty path', source: () => '', says: /path is empty/u },
    {
      name: 'a URL that is no file, without its password',
      source: () => new URL('http://u:secret@host/x'),
      says: /^(?!.*secret).*only file: URLs/u,
    },
    { name: 'a path with a NUL', source: () => 'a\0b', says: /cannot read a/u },
    { name: 'a stream that fails', source: () => broken(), says: /stream: the cable is out/u },
    {
      name: 'an iterable that throws',
      source: () =>
        (async function* () {
          yield 'a';
          throw new Error('no more');
        })(),
      says: /iterable: no more/u,
    },
    {
      name: 'a first item that is a number',
      source: () => items(7),
      says: /item 0 is of type number; expected bytes, strings or objects/u,
    },
    { name: 'a first item that is null', source: () => items(null), says: /item 0 is null/u },
    {
      name: 'an object after bytes',
      source: () => items('a', 'b', {}),
      says: /item 2 is an object; the items before it are bytes or strings/u,
    },
    { name: 'bytes after objects', source: () => items({}, Buffer.from('x')), says: /item 1 is bytes; the items before it are objects/u },
    { name: 'undefined after objects', source: () => [{}, undefined], says: /item 1 is of type undefined/u },
    {
      name: 'a gzip name without gzip',
      source: () => (writeFileSync(at('not.gz'), '{"a":1}\n'), at('not.gz')),
      says: /not\.gz: the gzip data is corrupt.*incorrect header/u,
    },
    {
      name: 'other data after gzip',
      source: () => (writeFileSync(at('tail.gz'), Buffer.concat([packed, Buffer.alloc(300_000), packed])), at('tail.gz')),
      says: /other data follows the gzip data/u,
    },
    {
      name: 'a truncated gzip stream',
      source: () => Readable.from([packed.subarray(0, 50)]),
      options: { compression: 'gzip' },
      says: /stream: the gzip data is truncated/u,
    },
    {
      name: 'a failing gzip stream',
      source: () => broken(packed.subarray(0, 50)),
      options: { compression: 'gzip' },
      says: /stream: the cable is out/u,
    },
  ];
for (const { name, source, says, options } of cases)
  SourceFaults(`refuse ${name}`, async () => {
    const error = await failure(drain(source() as Source, options));
    assert.is(error.code, 'MILLRACE_SOURCE');
    assert.match(error.message, says);
  });

SourceFaults('refuse what is no source at all, as a mistake of the call', async () => {
  for (const value of [null, 5, {}, undefined]) assert.is((await failure(drain(value as never))).code, 'MILLRACE_USAGE');
});

SourceFaults('refuse a socket', async () => {
  const server = createServer().listen(at('socket'));
  await waitFor('the socket', () => server.listening);
  try {
    assert.match((await failure(drain(at('socket')))).message, /it is a socket/u);
  } finally {
    server.close();
  }
});

SourceFaults('tell a truncated or altered gzip file at every place', async () => {
  const property = fc.asyncProperty(fc.integer({ min: 1, max: packed.length - 1 }), fc.integer({ min: 0, max: 7 }), async (place, bit) => {
    writeFileSync(at('cut.gz'), packed.subarray(0, place));
    assert.match((await failure(drain(at('cut.gz')))).message, /cut\.gz: the gzip data is truncated/u);
    const flipped = Buffer.from(packed);
    flipped[place]! ^= 1 << bit;
    writeFileSync(at('flip.gz'), flipped);
    // Not covered by the checksum are the header's time and system, and the bits that fill up the last byte: there the data stays whole.
    const read = await drain(at('flip.gz')).catch((error: unknown) => error);
    assert.ok(read instanceof MillraceError || read === 40_000, `byte ${place} bit ${bit}`);
  });
  await fc.assert(property, { numRuns: 150 });
});

SourceFaults('read empty files and iterables as nothing', async () => {
  for (const name of ['empty.ndjson', 'empty.ndjson.gz']) assert.is((writeFileSync(at(name), ''), await drain(at(name))), 0);
  for (const empty of [items(), [], new Set<object>(), Readable.from([])]) assert.is(await drain(empty), 0);
});

SourceFaults('read what is appended before the end, and tell a file that shrank', async () => {
  writeFileSync(at('grow'), 'a'.repeat(3_000));
  const grows = (await openSource(at('grow'))) as ByteSource;
  await grows.read(new Uint8Array(1_000));
  appendFileSync(at('grow'), 'b'.repeat(500));
  let total = 1_000;
  for (let bytes = -1; bytes !== 0; total += Math.max(0, bytes)) bytes = await grows.read(new Uint8Array(1_000));
  assert.is((await grows.close(), total), 3_500);
  const shrinks = (await openSource(at('grow'))) as ByteSource;
  await shrinks.read(new Uint8Array(1_000));
  truncateSync(at('grow'), 200);
  const error = await failure(shrinks.read(new Uint8Array(1_000)));
  assert.is((await shrinks.close(), error.code), 'MILLRACE_SOURCE_CHANGED');
  assert.match(error.message, /from 3500 B to 200 B/u);
});

SourceFaults('keep a file’s identity over its contents, and give its replacement another', async () => {
  const identity = async (): Promise<string> => {
    const opened = (await openSource(at('same'))) as ByteSource;
    await opened.close();
    return opened.identity;
  };
  writeFileSync(at('same'), 'x');
  const first = await identity();
  appendFileSync(at('same'), 'y');
  assert.is(await identity(), first);
  assert.match(first, /^[0-9a-f]{32}$/u);
  writeFileSync(at('other'), 'x');
  execFileSync('mv', [at('other'), at('same')]);
  assert.is.not(await identity(), first);
});

SourceFaults('sum up the sizes of files, and only of files', async () => {
  writeFileSync(at('ten'), 'x'.repeat(10));
  assert.is(await totalBytes([at('ten'), pathToFileURL(at('ten'))]), 20);
  for (const other of [[at('ten'), '-'], [folder], [items()], ['/dev/null']] as Source[][]) assert.is(await totalBytes(other), null);
});

SourceFaults.run();
