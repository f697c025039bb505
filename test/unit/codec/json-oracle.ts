/** What a record must become, worked out the slow way: JSON.parse judges, msgpackr encodes each scalar, BigInt keeps integers exact. */
import { Packr } from 'msgpackr';
import type { FieldPath } from '../../../src/codec/record-encoder.ts';
import type { RejectReason } from '../../../src/api/reject-reasons.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true });
const TOKEN = /[ \t\r\n]*(?:([{}[\],:])|("[^"\\]*(?:\\.[^"\\]*)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null))/y;
const LONE = /[\ud800-\udfff]/u;
const DEPTH_MAX = 512;

type Scalar = { readonly bytes: Uint8Array };
type List = { readonly items: readonly Tree[] };
type Fields = { readonly fields: ReadonlyMap<string, Tree> };
export type Tree = Scalar | List | Fields;
export type Verdict = { readonly tree: Tree; readonly value: unknown } | { readonly reasons: readonly RejectReason[] };

class Refusal extends Error {
  readonly reason: RejectReason;
  constructor(reason: RejectReason) {
    super(reason);
    this.reason = reason;
  }
}

/** The value, or the reasons one of which must be given: with several faults in a record the first to be met decides. */
export function judge(bytes: Uint8Array): Verdict {
  const text = decoded(bytes);
  if (text === undefined)
    return { reasons: ['invalid_utf8', 'invalid_json', 'truncated', 'integer_range', 'number_range', 'lone_surrogate', 'proto_key'] };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { reasons: ['invalid_json', 'truncated', 'integer_range', 'number_range', 'lone_surrogate', 'proto_key', 'too_deep'] };
  }
  try {
    return { tree: readTree(text), value };
  } catch (error) {
    if (error instanceof Refusal) return { reasons: ['integer_range', 'number_range', 'lone_surrogate', 'proto_key', 'too_deep'] };
    throw error;
  }
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Of a text that JSON.parse accepts. */
function readTree(text: string): Tree {
  let at = 0;
  const next = (): RegExpExecArray => {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)!;
    at = TOKEN.lastIndex;
    return token;
  };
  const readString = (source: string): string => {
    const value = JSON.parse(source) as string;
    if (LONE.test(value)) throw new Refusal('lone_surrogate');
    return value;
  };
  const readValue = (token: RegExpExecArray, depth: number): Tree => {
    const [, mark, string, number, word] = token;
    if (string !== undefined) return { bytes: packr.pack(readString(string)) };
    if (number !== undefined) return { bytes: numberBytes(number) };
    if (word !== undefined) return { bytes: packr.pack(JSON.parse(word)) };
    if (depth === DEPTH_MAX) throw new Refusal('too_deep');
    return mark === '[' ? readList(depth + 1) : readFields(depth + 1);
  };
  const readList = (depth: number): List => {
    const items: Tree[] = [];
    for (let token = next(); token[1] !== ']'; token = next()) if (token[1] !== ',') items.push(readValue(token, depth));
    return { items };
  };
  const readFields = (depth: number): Fields => {
    const fields = new Map<string, Tree>();
    for (let token = next(); token[1] !== '}'; token = next()) {
      if (token[1] === ',') continue;
      const key = readString(token[2]!);
      if (key === '__proto__') throw new Refusal('proto_key');
      next(); // the colon
      const value = readValue(next(), depth);
      fields.delete(key); // the last value wins, at the place of the last
      fields.set(key, value);
    }
    return { fields };
  };
  return readValue(next(), 0);
}

export function numberBytes(token: string): Uint8Array {
  const value = Number(token);
  if (!Number.isFinite(value) && /[.eE]/.test(token)) throw new Refusal('number_range');
  if (Object.is(value, -0)) return Uint8Array.from([0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0]);
  if (/[.eE]/.test(token)) return packr.pack(value);
  const integer = BigInt(token);
  if (integer >= 1n << 64n || integer < -(1n << 63n)) throw new Refusal('integer_range');
  return packr.pack(integer >= 1n << 32n || integer < -(1n << 31n) ? integer : value);
}

export function encoded(tree: Tree): Uint8Array {
  if ('bytes' in tree) return tree.bytes;
  if ('items' in tree) return Buffer.concat([header(0x90, 0xdc, tree.items.length), ...tree.items.map(encoded)]);
  const parts = [...tree.fields].flatMap(([key, value]) => [packr.pack(key), encoded(value)].map((part) => Buffer.from(part)));
  return Buffer.concat([header(0x80, 0xde, tree.fields.size), ...parts]);
}

function header(short: number, long: number, count: number): Uint8Array {
  if (count < 16) return Uint8Array.from([short | count]);
  if (count < 0x1_0000) return Uint8Array.from([long, count >> 8, count]);
  return Uint8Array.from([long + 1, count >>> 24, count >>> 16, count >>> 8, count]);
}

/** The bytes of the value a path leads to. */
export function picked(tree: Tree, path: FieldPath): Uint8Array | undefined {
  let at: Tree | undefined = tree;
  for (const token of path) {
    if (at === undefined || 'bytes' in at) return undefined;
    at = 'fields' in at ? at.fields.get(token) : /^(?:0|[1-9]\d*)$/.test(token) ? at.items[Number(token)] : undefined;
  }
  return at && encoded(at);
}
