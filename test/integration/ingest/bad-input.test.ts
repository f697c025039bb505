/** Bad records become rejects with file, line, byte offset and reason, their neighbours go through, and memory stays bounded. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { toJsonLine } from '../../../src/index.ts';
import type { ConnectOptions, IngestOptions, IngestReport } from '../../../src/index.ts';
import type { DeadLetter } from '../../../src/resilience/dead-letter-types.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { readLetters } from '../../unit/engine/letters.ts';
import { readAll, targetNames, Targets } from './targets.ts';
import type { TargetName } from './targets.ts';

const Bad = timedSuite('bad input', { timeoutMs: 60_000 });
const targets = new Targets({ config: 'max_payload: 65536\n' });
Bad.after(() => targets.end());
const MIB = 1_048_576;

let names = 0;
interface Ran {
  readonly report: IngestReport;
  readonly letters: DeadLetter[];
  readonly back: string[];
}

async function run(
  content: string | Uint8Array,
  options: IngestOptions = {},
  setting: { readonly target?: TargetName; readonly connect?: ConnectOptions } = {},
): Promise<Ran> {
  const { target = 'embedded', connect = {} } = setting;
  const name = `b${(names += 1)}`;
  const file = join(targets.folder, `${name}.ndjson`);
  writeFileSync(file, content);
  await using processor = await targets.open(target, name, connect);
  const report = await processor.ingest(file, { subject: `${target}-${name}`, ...options });
  assert.is(report.accepted, report.acked + report.duplicates + report.rejected + report.failed + report.dropped + report.inFlight);
  assert.is(report.inFlight, 0);
  const back: string[] = [];
  await readAll(processor, report.acked, ({ event }) => void back.push(toJsonLine(event)));
  return { report, letters: await readLetters(join(targets.folder, `${name}-letters`)), back };
}

const good = (n: number): string => `{"n":${n}}`;
const records: readonly {
  readonly name: string;
  readonly bad: string | Uint8Array;
  readonly reason: string;
  readonly options?: IngestOptions;
  readonly connect?: ConnectOptions;
}[] = [
  { name: 'broken JSON', bad: '{broken', reason: 'invalid_json' },
  { name: 'truncated JSON', bad: '{"a":[1,2', reason: 'truncated' },
  { name: 'two values on one line', bad: '{"a":1} {"b":2}', reason: 'invalid_json' },
  { name: 'a trailing comma', bad: '{"a":1,}', reason: 'invalid_json' },
  { name: 'a raw NUL in a string', bad: '{"a":"\0"}', reason: 'invalid_json' },
  { name: 'invalid UTF-8', bad: Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d]), reason: 'invalid_utf8' },
  { name: 'half a surrogate pair', bad: '{"a":"\\ud800"}', reason: 'lone_surrogate' },
  { name: '__proto__', bad: '{"__proto__":{"polluted":true}}', reason: 'proto_key' },
  { name: 'depth 100,000', bad: '['.repeat(100_000) + ']'.repeat(100_000), reason: 'too_deep' },
  { name: 'an integer beyond 64 bits', bad: '{"a":18446744073709551616}', reason: 'integer_range' },
  { name: 'a number beyond doubles', bad: '{"a":1e400}', reason: 'number_range' },
  {
    name: 'a line over maxEventBytes that fits into a slab',
    bad: `{"a":"${'x'.repeat(70_000)}"}`,
    reason: 'too_long',
    connect: { maxEventBytes: '64KiB' },
  },
  {
    name: 'a line over maxEventBytes that fits into no slab',
    bad: `{"a":"${'x'.repeat(700_000)}"}`,
    reason: 'too_long',
    connect: { maxEventBytes: '512KiB', slabBytes: '256KiB' },
  },
  {
    name: 'a line over maxEventBytes, which is less than a slab, that fits into no slab',
    bad: `{"a":"${'x'.repeat(700_000)}"}`,
    reason: 'too_long',
    connect: { maxEventBytes: '64KiB', slabBytes: '256KiB' },
  },
  {
    name: 'a line of which only the jumbo slab holds all',
    bad: `{"a":"${'x'.repeat(700_000)}`,
    reason: 'truncated',
    connect: { maxEventBytes: '1MiB', slabBytes: '256KiB' },
  },
];
for (const { name, bad, reason, options, connect } of records)
  for (const workers of [0, 1])
    Bad(`${name}, ${workers} workers`, async () => {
      const bytes = Buffer.from(bad);
      // A second bad record: the line of what follows one that was skipped must be right too.
      const content = Buffer.concat([Buffer.from(`${good(1)}\n\n`), bytes, Buffer.from(`\n${good(2)}\n{no\n${good(3)}\n`)]);
      const { report, letters, back } = await run(content, options, { connect: { workers, ...connect } });
      assert.equal([report.accepted, report.acked, report.rejected], [5, 3, 2]);
      assert.equal(back, [1, 2, 3].map(good));
      const at = good(1).length + 2;
      assert.equal(
        letters.map(({ reason: why, origin }) => [why, origin!.line, origin!.byteOffset, origin!.byteEnd]),
        [
          [reason, 3, at, at + bytes.length + (letters[0]!.origin!.byteEnd === at + bytes.length ? 0 : 1)],
          ['invalid_json', 5, at + bytes.length + good(2).length + 2, at + bytes.length + good(2).length + 5],
        ],
      );
      assert.ok(letters[0]!.origin!.file!.endsWith('.ndjson'));
      assert.ok(bytes.subarray(0, letters[0]!.raw.length).equals(letters[0]!.raw.subarray(0, bytes.length)));
      assert.equal(Object.keys(Object.prototype), []);
      assert.is(({} as { polluted?: boolean }).polluted, undefined);
    });

const subjects: readonly { readonly name: string; readonly value: string; readonly reason: string }[] = [
  { name: 'a space', value: '"a b"', reason: 'invalid_subject' },
  { name: 'a wildcard', value: '"*"', reason: 'invalid_subject' },
  { name: 'the other wildcard', value: '">"', reason: 'invalid_subject' },
  { name: 'a line break', value: '"a\\r\\nPUB x 0"', reason: 'invalid_subject' },
  { name: 'an empty token', value: '""', reason: 'invalid_subject' },
  { name: '10 KB', value: `"${'k'.repeat(10_240)}"`, reason: 'invalid_subject' },
  { name: 'an object', value: '{}', reason: 'invalid_subject' },
];
for (const { name, value, reason } of subjects)
  Bad(`a subject made of ${name}`, async () => {
    const { report, letters } = await run(`{"type":"a"}\n{"type":${value}}\n{"type":"b"}\n{"other":1}\n`, { subject: 's.{type}' });
    assert.equal([report.acked, report.rejected], [2, 2]);
    assert.equal(
      letters.map((letter) => [letter.reason, letter.origin!.line]),
      [
        [reason, 2],
        ['missing_field', 4],
      ],
    );
  });

Bad('a missing, empty, nested or overlong id', async () => {
  const { report, letters } = await run(
    `{"id":1}\n{"no":1}\n{"id":""}\n{"id":{}}\n{"id":"${'i'.repeat(257)}"}\n{"id":null}\n{"id":"${'i'.repeat(256)}"}\n`,
    { id: '/id' },
  );
  assert.equal([report.acked, report.rejected], [2, 5]);
  assert.equal(
    letters.map(({ reason, origin }) => `${reason} ${origin!.line}`),
    ['missing_id 2', 'invalid_id 3', 'invalid_id 4', 'invalid_id 5', 'invalid_id 6'],
  );
});

for (const target of targetNames.filter((name) => name !== 'embedded'))
  for (const framing of ['batch', 'each'] as const)
    Bad(`an event larger than max_payload (64 KB): ${target}, ${framing}`, async () => {
      const big = `{"big":"${'b'.repeat(66_000)}"}`;
      const lines = Array.from({ length: 400 }, (_, n) => `{"n":${n},"pad":"${'p'.repeat(500)}"}`);
      const { report, letters, back } = await run([...lines.slice(0, 200), big, ...lines.slice(200)].join('\n'), { framing }, { target });
      assert.equal([report.accepted, report.acked, report.rejected, report.failed], [401, 400, 1, 0]);
      assert.equal(back, lines);
      assert.equal(
        letters.map(({ reason, origin }) => [reason, origin!.line]),
        [['too_large', 201]],
      );
    });

const LONG = (process.env['MILLRACE_FULL'] === '1' ? 1_024 : 256) * MIB;
Bad(`one line of ${LONG / MIB} MiB: refused with its size and hash, and memory stays bounded`, async () => {
  const name = 'long';
  await using processor = await targets.open('embedded', name, { workers: 1 });
  const block = Buffer.alloc(MIB, 'x');
  let greatest = 0;
  async function* source(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"n":1}\n');
    for (let sent = 0; sent < LONG; sent += MIB) {
      yield block;
      greatest = Math.max(greatest, process.memoryUsage.rss());
    }
    yield Buffer.from('\n{"n":2}\n{no\n');
  }
  const before = process.memoryUsage.rss();
  const report = await processor.ingest(source() as AsyncIterable<Uint8Array>, { id: 'none' });
  assert.equal([report.acked, report.rejected], [2, 2]);
  // The jumbo slab of 8 MiB, the ring and what the garbage collector has not fetched yet.
  assert.ok(greatest - before < 160 * MIB, `${Math.round((greatest - before) / MIB)} MiB more`);
  const letters = await readLetters(join(targets.folder, `${name}-letters`));
  assert.equal(
    letters.map(({ reason, origin }) => [reason, origin!.line, origin!.byteOffset]),
    [
      ['too_long', 2, 8],
      ['invalid_json', 4, 8 + LONG + 9],
    ],
  );
  assert.is(letters[0]!.rawBytes - (letters[0]!.rawBytes > LONG ? 1 : 0), LONG);
  assert.match(String(letters[0]!.rawSha256), /^[0-9a-f]{64}$/);
});

Bad.run();
