/** Real records from packages of the project: flights of 2001 (in time order, some repeated) and GitHub's webhook examples. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROWS_AT_ONCE = 100_000;
const LINES_AT_ONCE = 500;

/** NDJSON in chunks of whole lines, `count` lines in all, after the first `skip`. */
export function realChunks(data: 'flights' | 'webhooks', count: number, skip = 0): AsyncIterable<string> {
  return data === 'flights' ? flights(count, skip) : webhooks(count, skip);
}

async function* flights(count: number, skip: number): AsyncGenerator<string, void, undefined> {
  const { asyncBufferFromFile, parquetReadObjects } = await import('hyparquet');
  const { decompress } = await import('fzstd');
  const compressors = { ZSTD: (input: Uint8Array, bytes: number): Uint8Array => decompress(input, new Uint8Array(bytes)) };
  const file = await asyncBufferFromFile(
    join(dirname(fileURLToPath(import.meta.resolve('vega-datasets'))), '..', 'data', 'flights-3m.parquet'),
  );
  const end = skip + count;
  for (let rowStart = skip; rowStart < end; rowStart += ROWS_AT_ONCE) {
    const rows = await parquetReadObjects({ file, compressors, rowStart, rowEnd: Math.min(end, rowStart + ROWS_AT_ONCE) });
    yield `${rows.map((row) => JSON.stringify(row, plain)).join('\n')}\n`;
  }
}

/** Parquet's 64-bit integers come as bigint; these all fit into a number. */
function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

interface Example {
  readonly name: string;
  readonly examples: readonly object[];
}

/** All examples again and again, each time with another delivery number. */
async function* webhooks(count: number, skip: number): AsyncGenerator<string, void, undefined> {
  const path = fileURLToPath(import.meta.resolve('@octokit/webhooks-examples/api.github.com/index.json'));
  const all = (JSON.parse(readFileSync(path, 'utf8')) as Example[]).flatMap(({ name, examples }) =>
    examples.map((payload) => ({ name, payload })),
  );
  let lines: string[] = [];
  for (let line = skip; line < skip + count; line += 1) {
    const { name, payload } = all[line % all.length]!;
    lines.push(JSON.stringify({ id: `delivery-${line}`, name, payload }));
    if (lines.length < LINES_AT_ONCE && line < skip + count - 1) continue;
    yield `${lines.join('\n')}\n`;
    lines = [];
  }
}
