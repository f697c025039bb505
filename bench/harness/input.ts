/** Input files, made once per content and kept in the temp folder: the same bytes for the same seed. */
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { generateChunks } from '../../src/cli/generator.ts';
import { padded, withSubjects } from './padded.ts';
import { realChunks } from './real-data.ts';

export interface InputOptions {
  readonly count: number;
  readonly duplicates: number;
  readonly seed: number;
  /** Bytes of a line, about; 0 = as generated (214). */
  readonly bytes?: number;
  /** Distinct values of the field `s`, for subjects; 0 = no such field. */
  readonly subjects?: number;
  /** '' = generated events. */
  readonly data?: '' | 'flights' | 'webhooks';
  /** Real records to leave out before the first. */
  readonly skip?: number;
}

const folder: string = join(tmpdir(), 'millrace-bench');

export async function inputFile(options: InputOptions): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${nameOf(options)}.ndjson`);
  if (existsSync(path)) return path;
  const partial = `${path}.${process.pid}`;
  const file = createWriteStream(partial);
  for await (const chunk of chunksOf(options)) {
    if (!file.write(chunk)) await once(file, 'drain');
  }
  file.end();
  await finished(file);
  renameSync(partial, path);
  return path;
}

function nameOf({ count, duplicates, seed, bytes = 0, subjects = 0, data = '', skip = 0 }: InputOptions): string {
  if (data !== '') return skip === 0 ? `${data}-${count}` : `${data}-${count}-from-${skip}`;
  return ['events', count, duplicates, seed, ...(bytes === 0 ? [] : [`${bytes}b`]), ...(subjects === 0 ? [] : [`${subjects}s`])].join('-');
}

async function* chunksOf({
  count,
  duplicates,
  seed,
  bytes = 0,
  subjects = 0,
  data = '',
  skip = 0,
}: InputOptions): AsyncGenerator<Buffer, void, undefined> {
  if (data !== '') {
    for await (const text of realChunks(data, count, skip)) yield Buffer.from(text);
    return;
  }
  for (const chunk of generateChunks({ count, duplicates, seed })) {
    const sized = bytes === 0 ? chunk : padded(chunk, bytes);
    yield Buffer.from(subjects === 0 ? sized : withSubjects(sized, subjects), 'latin1');
  }
}
