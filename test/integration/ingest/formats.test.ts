/** Every format, framing and id rule, with workers and without: what goes in comes out, record by record. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { toJsonLine } from '../../../src/index.ts';
import type { IdRule, IngestOptions, IngestReport, Source } from '../../../src/index.ts';
import { generateChunks } from '../../../src/cli/generator.ts';
import { packEvent } from '../../../src/codec/msgpack.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { readAll, targetNames, Targets } from './targets.ts';
import type { TargetName } from './targets.ts';

const Formats = timedSuite('formats and framings', { timeoutMs: 60_000 });
const targets = new Targets();
Formats.after(() => targets.end());

const objects = [
  { n: 1 },
  { n: 2, text: 'zwölf „Boxkämpfer“', list: [1, [2.5, null], { deep: true }] },
  { n: 3, big: 2 ** 53 - 1, neg: -1 },
  { n: 4, empty: '', e: {} },
];
const lines = objects.map((object) => JSON.stringify(object));
const put = (name: string, content: string | Uint8Array): string => {
  const path = join(targets.folder, name);
  writeFileSync(path, content);
  return path;
};

let names = 0;
interface RoundTrip {
  readonly report: IngestReport;
  /** Lines as they come back, in order. */
  readonly back: string[];
  readonly ids: (string | null)[];
  readonly subjects: string[];
}

async function roundTrip(target: TargetName, source: Source | readonly Source[], options: IngestOptions, workers = 1): Promise<RoundTrip> {
  const name = `f${(names += 1)}`;
  await using processor = await targets.open(target, name, { workers });
  const report = await processor.ingest(source, { ...options, subject: options.subject ?? `${target}-${name}` });
  assert.is(report.accepted, report.acked + report.duplicates + report.rejected + report.failed + report.dropped + report.inFlight);
  const [back, ids, subjects]: [string[], (string | null)[], string[]] = [[], [], []];
  await readAll(processor, report.acked, ({ event, id, subject }) => {
    back.push(toJsonLine(event));
    ids.push(id);
    subjects.push(subject);
  });
  return { report, back, ids, subjects };
}

const csv = 'n,"the name",t\r\n1,"a ""quoted"", one",x\r\n2,"two\nlines",\r\n3,plain,z\r\n';
const inputs: readonly {
  readonly name: string;
  readonly file: string;
  readonly content: string | Uint8Array;
  readonly expected: readonly string[];
}[] = [
  {
    name: 'ndjson with BOM, CRLF, blank lines and no last newline',
    file: 'a.ndjson',
    content: `\uFEFF${lines.join('\r\n\r\n')}`,
    expected: lines,
  },
  { name: 'a JSON array', file: 'a.json', content: JSON.stringify(objects, null, 2), expected: lines },
  { name: 'JSON values one after the other', file: 'b.json', content: lines.join(' '), expected: lines },
  { name: 'lines', file: 'a.log', content: 'one\n\ntwo with "quotes"\nthree', expected: ['"one"', '"two with \\"quotes\\""', '"three"'] },
  { name: 'msgpack', file: 'a.msgpack', content: Buffer.concat(objects.map((object) => packEvent(object))), expected: lines },
  {
    name: 'gzip of two members',
    file: 'a.ndjson.gz',
    content: Buffer.concat([gzipSync(`${lines[0]}\n`), gzipSync(lines.slice(1).join('\n'))]),
    expected: lines,
  },
];
for (const { name, file, content, expected } of inputs)
  Formats(name, async () => {
    const options: IngestOptions = file.endsWith('.log') ? { format: 'lines' } : {};
    for (const workers of [0, 1]) assert.equal((await roundTrip('embedded', put(file, content), options, workers)).back, expected);
  });

Formats('csv: a header row, quotes, line breaks within fields', async () => {
  const { back, report } = await roundTrip('embedded', put('a.csv', csv), {});
  assert.is(report.accepted, 3);
  const rows = back.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(
    rows.map((row) => Object.keys(row)),
    [
      ['n', 'the name', 't'],
      ['n', 'the name', 't'],
      ['n', 'the name', 't'],
    ],
  );
  assert.equal(
    rows.map((row) => row['the name']),
    ['a "quoted", one', 'two\nlines', 'plain'],
  );
});

Formats('several files, streams and iterables in one call, in their order', async () => {
  mkdirSync(join(targets.folder, 'many'));
  const web = new Response('{"n":3}\n').body as ReadableStream<Uint8Array>;
  async function* items(): AsyncGenerator<object> {
    yield { n: 4 };
  }
  const sources: Source[] = [
    put('many/1.ndjson', '{"n":1}'),
    Readable.from([Buffer.from('{"n"'), Buffer.from(':2}')]),
    web,
    items() as AsyncIterable<object>,
  ];
  const { back } = await roundTrip('embedded', sources, { id: 'none' });
  assert.equal(
    back,
    [1, 2, 3, 4].map((n) => `{"n":${n}}`),
  );
});

const sample = [...generateChunks({ count: 3_000, duplicates: 0 })].join('');
const sampleLines = sample.trimEnd().split('\n').sort();
const rules: readonly { readonly id: IdRule; readonly hasIds: boolean }[] = [
  { id: '/id', hasIds: true },
  { id: 'hash', hasIds: false },
  { id: 'offset', hasIds: false },
  { id: 'time', hasIds: true },
  { id: 'none', hasIds: false },
];
for (const target of targetNames)
  for (const framing of ['batch', 'each'] as const)
    Formats(`every id rule, ${framing}, ${target}`, async () => {
      const file = put('sample.ndjson', sample);
      for (const [index, { id, hasIds }] of rules.entries()) {
        const { back, ids } = await roundTrip(target, file, { id, framing }, index % 3);
        assert.equal(back.sort(), sampleLines, id);
        if (hasIds) assert.is(new Set(ids).size, sampleLines.length, id);
        if (id === '/id' && target !== 'embedded') assert.ok(back.every((line) => ids.includes((JSON.parse(line) as { id: string }).id)));
      }
    });

Formats('integers to 64 bit come back exactly', async () => {
  const line = '{"max":9223372036854775807,"min":-9223372036854775808,"unsigned":18446744073709551615,"float":0.1,"tiny":5e-324}';
  assert.equal((await roundTrip('embedded', put('exact.ndjson', line), {})).back, [line]);
});

for (const target of targetNames)
  Formats(`the GitHub webhook set by subject and back: ${target}`, async () => {
    const hooks = JSON.parse(
      readFileSync(createRequire(import.meta.url).resolve('@octokit/webhooks-examples/api.github.com/index.json'), 'utf8'),
    ) as { name: string; examples: object[] }[];
    const records = hooks.flatMap(({ name, examples }) => examples.map((payload) => ({ hook: name, payload })));
    assert.is(records.length, 329);
    const text = records.map((record) => JSON.stringify(record)).join('\n');
    const { back, subjects } = await roundTrip(target, put('hooks.ndjson', text), { subject: `hooks-${target}.{hook}`, id: 'none' });
    assert.equal([...back].sort(), text.split('\n').sort());
    for (const [index, line] of back.entries())
      assert.is(subjects[index], `hooks-${target}.${(JSON.parse(line) as { hook: string }).hook}`);
  });

Formats.run();
