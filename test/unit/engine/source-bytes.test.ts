/** Every kind of byte source gives the same bytes, whatever the sizes of chunks and reads. */
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { Source } from '../../../src/api/options.ts';
import { createSharedMemory } from '../../../src/memory/webassembly.ts';
import { openSource } from '../../../src/engine/source-open.ts';
import type { ByteSource, SourceOptions } from '../../../src/engine/source-types.ts';
import { timedSuite } from '../../harness/timeout.ts';

const SourceBytes = timedSuite('byte sources');
const folder = mkdtempSync(join(tmpdir(), 'millrace-source-'));
SourceBytes.after(() => rmSync(folder, { recursive: true, force: true }));

const memory = createSharedMemory(2);

async function readAll(source: Source, sizes: readonly number[], options: SourceOptions = {}): Promise<Buffer> {
  const opened = (await openSource(source, options)) as ByteSource;
  assert.is(opened.kind, 'bytes');
  const parts: Buffer[] = [];
  try {
    for (let turn = 0; ; turn += 1) {
      const target = new Uint8Array(memory.buffer, 128 + (turn % 5), sizes[turn % sizes.length]!);
      const guard = new Uint8Array(memory.buffer, 128 + (turn % 5) + target.length, 4).fill(0xaa);
      const bytes = await opened.read(target);
      assert.ok(
        guard.every((byte) => byte === 0xaa),
        'nothing is written past the target',
      );
      if (bytes === 0) break;
      parts.push(Buffer.from(target.subarray(0, bytes)));
    }
    assert.is(await opened.read(new Uint8Array(8)), 0, 'the end stays the end');
  } finally {
    await opened.close();
    await opened.close();
  }
  return Buffer.concat(parts);
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length]!;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

async function* slowly<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) {
    await Promise.resolve();
    yield item;
  }
}

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

type Maker = (bytes: Buffer, sizes: readonly number[]) => readonly [Source, SourceOptions?];
const kinds: readonly (readonly [string, Maker])[] = [
  ['a path', (bytes) => [file('a.ndjson', bytes)]],
  ['a file: URL', (bytes) => [pathToFileURL(file('with space.ndjson', bytes))]],
  ['a gzip file by name', (bytes) => [file('a.ndjson.gz', gzipSync(bytes))]],
  ['a gzip file by its first bytes', (bytes) => [file('packed.ndjson', gzipSync(bytes))]],
  [
    'a gzip file of many members',
    (bytes, sizes) => [file('many.gz', Buffer.concat([...cut(bytes, sizes), Buffer.alloc(0)].map((part) => gzipSync(part))))],
  ],
  ['a gzip file with zero padding', (bytes) => [file('padded.gz', Buffer.concat([gzipSync(bytes), Buffer.alloc(600_000)]))]],
  ['a gzip file read as it is', (bytes) => [file('as-is.gz', bytes), { compression: 'none' }]],
  ['a file stream', (bytes) => [createReadStream(file('s.csv', bytes), { highWaterMark: 7 })]],
  ['a file stream of gzip, by its path', (bytes) => [createReadStream(file('s.csv.gz', gzipSync(bytes)), { highWaterMark: 7 })]],
  ['a Readable of bytes', (bytes, sizes) => [Readable.from(cut(bytes, sizes), { objectMode: false })]],
  ['a Readable in object mode', (bytes, sizes) => [Readable.from(cut(bytes, sizes))]],
  [
    'a gzip stream by option',
    (bytes, sizes) => [Readable.from(cut(gzipSync(bytes), sizes), { objectMode: false }), { compression: 'gzip' }],
  ],
  ['a gzip iterable by option', (bytes, sizes) => [slowly(cut(gzipSync(bytes), sizes)), { compression: 'gzip' }]],
  ['a web stream', (bytes, sizes) => [Readable.toWeb(Readable.from(cut(bytes, sizes))) as unknown as ReadableStream<Uint8Array>]],
  ['an async iterable', (bytes, sizes) => [slowly(cut(bytes, sizes))]],
  ['an array of chunks', (bytes, sizes) => [cut(bytes, sizes)]],
  ['bytes themselves', (bytes) => [bytes as unknown as Source]],
];

const sizesOf = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 6 });
for (const [name, make] of kinds)
  SourceBytes(`gives the same bytes for ${name}`, async () => {
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 20_000 }), sizesOf, sizesOf, async (data, chunks, reads) => {
      const bytes = Buffer.from(data);
      const [source, options] = make(bytes, chunks);
      assert.ok((await readAll(source, reads, options)).equals(bytes));
    });
    await fc.assert(property, { numRuns: 25 });
  });

SourceBytes('gives the UTF-8 of text, wherever its chunks are cut', async () => {
  const property = fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.array(fc.nat(200)), async (text, cuts) => {
    const borders = [0, ...cuts.filter((at) => at <= text.length).sort((a, b) => a - b), text.length];
    const chunks = borders.slice(1).map((to, index) => text.slice(borders[index], to));
    assert.is((await readAll(slowly(chunks), [5])).toString(), text);
  });
  await fc.assert(property, { numRuns: 100 });
});

const texts = [
  { name: 'a lone high surrogate in the middle', chunks: ['a\ud800b'], hex: '61eda08062' },
  { name: 'a lone low surrogate', chunks: ['\udc00'], hex: 'edb080' },
  { name: 'a high surrogate at the end', chunks: ['a\ud83d'], hex: '61eda0bd' },
  { name: 'a high surrogate before bytes', chunks: ['\ud83d', Buffer.from('z')], hex: 'eda0bd7a' },
  { name: 'a pair over two chunks', chunks: ['\ud83d', '', '\ude00'], hex: 'f09f9880' },
  { name: 'a pair after a lone one', chunks: ['\ud83d\ud83d\ude00'], hex: 'eda0bdf09f9880' },
];
for (const { name, chunks, hex } of texts)
  SourceBytes(`keeps ${name} visible as bytes`, async () => {
    assert.is((await readAll(slowly(chunks as (string | Uint8Array)[]), [64])).toString('hex'), hex);
  });

SourceBytes('unpacks 3 MB of many members in small reads and counts the packed bytes', async () => {
  const line = Buffer.from(`${JSON.stringify({ a: 'x'.repeat(90) })}\n`.repeat(10_000));
  const packed = Buffer.concat([gzipSync(line), gzipSync(line), gzipSync(line)]);
  const opened = (await openSource(file('large.ndjson.gz', packed))) as ByteSource;
  const target = new Uint8Array(memory.buffer, 0, 65_000);
  let total = 0;
  for (let bytes = -1; bytes !== 0; total += bytes) bytes = await opened.read(target);
  await opened.close();
  assert.is(total, line.length * 3);
  assert.equal([opened.rawBytesRead, opened.bytesTotal, opened.format, opened.compressed], [packed.length, packed.length, 'ndjson', true]);
});

SourceBytes('keeps backpressure: nothing is pulled beyond the chunk at hand', async () => {
  let pulled = 0;
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) {
      pulled += 1;
      yield Buffer.alloc(1_000);
    }
  };
  const opened = (await openSource(endless())) as ByteSource;
  for (let turn = 0; turn < 10; turn += 1) await opened.read(new Uint8Array(500));
  assert.is(pulled, 5);
  await opened.close();
  const stream = new PassThrough({ highWaterMark: 1_000 });
  const fromStream = (await openSource(stream)) as ByteSource;
  while (stream.write(Buffer.alloc(100)));
  await fromStream.read(new Uint8Array(1));
  assert.ok(stream.readableLength + stream.writableLength <= 2_000);
  await fromStream.close();
  assert.ok(stream.destroyed);
});

SourceBytes.run();
