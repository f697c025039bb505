/** Makes code that reads a map of known keys and builds it as one literal: several times as fast as setting keys one by one. */
import { RepeatedStrings } from './repeated-strings.ts';
import type { PlainSource } from './repeated-strings.ts';

/**
 * Reads the values of a map that stands at `reader.at`, or gives null when its keys are others; then `at` is anywhere in it.
 * `view` and `bytes` are those of the reader: as arguments they stay in registers.
 */
export type ReadMap = (reader: PlainSource, view: DataView, bytes: Uint8Array) => object | null;

const FIXSTR = 0xa0;

/**
 * `heads[i]` is the msgpack form of `names[i]`. A key is compared in words of four bytes, so up to three bytes behind it are looked at,
 * and masked. Null where code may not be made at run time (`--disallow-code-generation-from-strings`). Names are data: they stand in
 * the code as JSON strings only, and the caller has seen to it that `__proto__` is none of them.
 */
export function compileMap(names: readonly string[], heads: readonly Uint8Array[]): ReadMap | null {
  const reads = heads.map((head, index) => `${keyTest(head)}\n${valueRead(head.length, index)}`);
  const members = names.map((name, index) => `${JSON.stringify(name)}: v${index}`);
  const body = `return (reader, view, bytes) => {\nlet p = reader.at, t = 0;\n${reads.join('\n')}\nreturn { ${members.join(', ')} };\n}`;
  try {
    const make = new Function('repeated', body) as (repeated: readonly RepeatedStrings[]) => ReadMap; // oxlint-disable-line no-implied-eval, no-new-func -- see above
    return make(names.map(() => new RepeatedStrings()));
  } catch {
    return null;
  }
}

function keyTest(head: Uint8Array): string {
  const tests: string[] = [];
  for (let at = 0; at < head.length; at += 4) {
    let [word, mask] = [0, 0];
    for (let byte = 0; byte < 4 && at + byte < head.length; byte += 1) {
      word |= head[at + byte]! << (8 * byte);
      mask |= 0xff << (8 * byte);
    }
    const read = `view.getInt32(p + ${at}, true)`;
    tests.push(`${mask === -1 ? read : `(${read} & ${mask})`} !== ${word}`);
  }
  return `if (${tests.join(' || ')}) return null;`;
}

/** Short strings are the usual value, and may repeat from map to map. */
function valueRead(keyBytes: number, index: number): string {
  return `t = bytes[p + ${keyBytes}]; let v${index};
if (t >= ${FIXSTR} && t < 0xc0) { reader.at = p + ${keyBytes + 1}; v${index} = repeated[${index}].read(reader, t & 31); }
else { reader.at = p + ${keyBytes}; v${index} = reader.value(); }
p = reader.at;`;
}
