/** Generated events as objects, for what publishes objects. */
import { generateChunks } from '../../src/cli/generator.ts';

export function sampleEvents(count: number, seed: number): object[] {
  const lines = [...generateChunks({ count, seed })].join('').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as object);
}
