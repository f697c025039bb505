/** The fields to pick, as a tree: following a record down costs a comparison only where some path may still be met. */
import { keyHash } from './json-keys.ts';
import { encodeString } from './json-string.ts';
import type { FieldPath } from './record-encoder.ts';

/** No path leads here. */
const NONE = 0;
export const NO_NODE: number = NONE;
export const ROOT_NODE = 1;
const INDEX = /^(?:0|[1-9]\d{0,8})$/;

interface PathNode {
  /** As msgpack. */
  readonly token: Uint8Array;
  /** The token as an array index, -1 when it is none. */
  readonly index: number;
  readonly children: Map<string, number>;
  readonly picks: number[];
}

export class PathTree {
  readonly pickStart: Int32Array;
  readonly pickEnd: Int32Array;
  readonly #nodes: readonly PathNode[];
  /** Per node: the first of its children, and the next of its siblings. */
  readonly #child: Int32Array;
  readonly #sibling: Int32Array;
  readonly #bytes: Int32Array; // of its token
  /** Per node: a bit for the hash of each child, so that most keys cost one look. */
  readonly #kinds: Int32Array;

  constructor(paths: readonly FieldPath[]) {
    this.pickStart = new Int32Array(paths.length).fill(-1);
    this.pickEnd = new Int32Array(paths.length).fill(-1);
    const nodes = [newNode(''), newNode('')]; // NONE, ROOT_NODE
    for (const [pick, path] of paths.entries()) nodes[leaf(nodes, path)]!.picks.push(pick);
    this.#nodes = nodes;
    this.#child = new Int32Array(nodes.length);
    this.#sibling = new Int32Array(nodes.length);
    this.#bytes = Int32Array.from(nodes, ({ token }) => token.length);
    this.#kinds = new Int32Array(nodes.length);
    for (const [parent, { children }] of nodes.entries()) {
      for (const child of children.values()) {
        const { token } = nodes[child]!;
        this.#kinds[parent]! |= 1 << keyHash(token, 0, token.length);
        this.#sibling[child] = this.#child[parent]!;
        this.#child[parent] = child;
      }
    }
  }

  reset(): void {
    const { pickStart, pickEnd } = this;
    for (let pick = 0; pick < pickStart.length; pick += 1) {
      pickStart[pick] = -1;
      pickEnd[pick] = -1;
    }
  }

  /** False when no child of `parent` has a token with this hash. */
  mayHave(parent: number, hash: number): boolean {
    return (this.#kinds[parent]! & (1 << hash)) !== 0;
  }

  /** The node of a key that lies at [from, end) of the output, header and all, below `parent`. */
  byKey(parent: number, output: Uint8Array, from: number, end: number): number {
    for (let node = this.#child[parent]!; node !== NONE; node = this.#sibling[node]!) {
      if (this.#bytes[node] !== end - from) continue;
      const { token } = this.#nodes[node]!;
      let index = 0;
      while (index < token.length && token[index] === output[from + index]) index += 1;
      if (index === token.length) return node;
    }
    return NONE;
  }

  byIndex(parent: number, index: number): number {
    for (let node = this.#child[parent]!; node !== NONE; node = this.#sibling[node]!) {
      if (this.#nodes[node]!.index === index) return node;
    }
    return NONE;
  }

  /** The value of a node lies at [start, end) of the output. */
  record(node: number, start: number, end: number): void {
    const { picks } = this.#nodes[node]!;
    for (let at = 0; at < picks.length; at += 1) {
      this.pickStart[picks[at]!] = start;
      this.pickEnd[picks[at]!] = end;
    }
  }

  /** `bytes` were added to the header at `header`: what begins behind it moves, what holds it grows. */
  shift(header: number, bytes: number): void {
    const { pickStart, pickEnd } = this;
    for (let pick = 0; pick < pickStart.length; pick += 1) {
      if (pickStart[pick]! > header) pickStart[pick]! += bytes;
      if (pickEnd[pick]! > header) pickEnd[pick]! += bytes;
    }
  }
}

function newNode(token: string): PathNode {
  return { token: encodeString(token), index: INDEX.test(token) ? Number(token) : -1, children: new Map(), picks: [] };
}

function leaf(nodes: PathNode[], path: FieldPath): number {
  let node = ROOT_NODE;
  for (const token of path) {
    const { children } = nodes[node]!;
    const known = children.get(token);
    if (known === undefined) {
      children.set(token, nodes.length);
      nodes.push(newNode(token));
    }
    node = known ?? nodes.length - 1;
  }
  return node;
}
