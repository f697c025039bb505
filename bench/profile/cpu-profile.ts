/** A V8 CPU profile as a tree of times: what each function took itself, and with all it called. */
import { readFileSync } from 'node:fs';

interface RawNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

interface RawProfile {
  readonly nodes: readonly RawNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface Frame {
  readonly name: string;
  /** File without its folders, or the package it belongs to. */
  readonly place: string;
  readonly selfMs: number;
  readonly totalMs: number;
  readonly children: readonly Frame[];
}

export interface Profile {
  readonly root: Frame;
  readonly busyMs: number;
  readonly idleMs: number;
}

const MICROS_PER_MS = 1_000;

export function readProfile(path: string): Profile {
  const raw = JSON.parse(readFileSync(path, 'utf8')) as RawProfile;
  const self = new Map<number, number>();
  raw.samples.forEach((id, index) => self.set(id, (self.get(id) ?? 0) + raw.timeDeltas[index]! / MICROS_PER_MS));
  const nodes = new Map(raw.nodes.map((node) => [node.id, node]));
  const frameOf = (id: number): Frame => {
    const { callFrame, children = [] } = nodes.get(id)!;
    const below = merged(children.map(frameOf));
    const selfMs = self.get(id) ?? 0;
    return {
      name: callFrame.functionName || '(anonymous)',
      place: placeOf(callFrame.url),
      selfMs,
      totalMs: selfMs + total(below),
      children: below,
    };
  };
  const whole = frameOf(raw.nodes[0]!.id);
  const idleMs = total(whole.children.filter(({ name }) => name === '(idle)'));
  const busy = whole.children.filter(({ name }) => name !== '(idle)');
  return { root: { ...whole, children: busy, totalMs: total(busy) }, busyMs: total(busy), idleMs };
}

/** The functions with the most time of their own, as shares of the time the thread was busy. */
export function topSelf(
  { root, busyMs }: Profile,
  count: number,
): { readonly name: string; readonly place: string; readonly share: number }[] {
  const sums = new Map<string, { name: string; place: string; share: number }>();
  const visit = ({ name, place, selfMs, children }: Frame): void => {
    const known = sums.get(`${name} ${place}`) ?? { name, place, share: 0 };
    known.share += selfMs / busyMs;
    sums.set(`${name} ${place}`, known);
    children.forEach(visit);
  };
  visit(root);
  return [...sums.values()].toSorted((a, b) => b.share - a.share).slice(0, count);
}

const total = (frames: readonly Frame[]): number => frames.reduce((sum, { totalMs }) => sum + totalMs, 0);

/** Frames of one function under one caller are one frame, whatever line they were called from. */
function merged(frames: readonly Frame[]): Frame[] {
  const byName = new Map<string, Frame>();
  for (const frame of frames) {
    const key = `${frame.name} ${frame.place}`;
    const known = byName.get(key);
    byName.set(key, known === undefined ? frame : joined(known, frame));
  }
  return [...byName.values()].toSorted((a, b) => b.totalMs - a.totalMs);
}

function joined(one: Frame, other: Frame): Frame {
  return {
    ...one,
    selfMs: one.selfMs + other.selfMs,
    totalMs: one.totalMs + other.totalMs,
    children: merged([...one.children, ...other.children]),
  };
}

function placeOf(url: string): string {
  const library = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (library !== undefined) return library;
  if (url.startsWith('wasm:')) return 'WebAssembly';
  return url.split('/').at(-1) ?? '';
}
