/** What a stream must hold after an input has gone through it: how many events, and a checksum over what identifies them that no order changes. */
import { createReadStream, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { idHash } from './id-hash.ts';

export interface Expectation {
  readonly lines: number;
  readonly unique: number;
  /** Sums of the ids' hashes, modulo 2^32: over all lines, and over each id once. */
  readonly sumOfLines: number;
  readonly sumOfUnique: number;
}

/** What identifies an event: its field `id`, or all of it as JSON. */
export type Identity = 'id' | 'json';

const ID = /^\{"id":"([^"]*)"/;
const identityOfLine: Readonly<Record<Identity, (line: string) => string>> = {
  id: (line) => ID.exec(line)![1]!,
  json: (line) => JSON.stringify(JSON.parse(line)),
};
export const identityOfEvent: Readonly<Record<Identity, (event: unknown) => string>> = {
  id: (event) => (event as { readonly id: string }).id,
  json: (event) => JSON.stringify(event),
};

/** Of all files together, each event of one in no other. */
export async function expectationOfAll(paths: readonly string[], identity: Identity): Promise<Expectation> {
  let all: Expectation = { lines: 0, unique: 0, sumOfLines: 0, sumOfUnique: 0 };
  for (const path of paths) {
    const one = await expectationOf(path, identity);
    all = {
      lines: all.lines + one.lines,
      unique: all.unique + one.unique,
      sumOfLines: (all.sumOfLines + one.sumOfLines) >>> 0,
      sumOfUnique: (all.sumOfUnique + one.sumOfUnique) >>> 0,
    };
  }
  return all;
}

/** Kept beside the input: it costs a pass over the whole file. */
export async function expectationOf(path: string, identity: Identity): Promise<Expectation> {
  const kept = `${path}.${identity}.expected.json`;
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8')) as Expectation;
  const seen = new Set<string>();
  let lines = 0;
  let sumOfLines = 0;
  let sumOfUnique = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    const id = identityOfLine[identity](line);
    const hash = idHash(id);
    lines += 1;
    sumOfLines = (sumOfLines + hash) >>> 0;
    if (seen.has(id)) continue;
    seen.add(id);
    sumOfUnique = (sumOfUnique + hash) >>> 0;
  }
  const expectation = { lines, unique: seen.size, sumOfLines, sumOfUnique };
  writeFileSync(kept, JSON.stringify(expectation));
  return expectation;
}
