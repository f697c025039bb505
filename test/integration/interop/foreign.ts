/** What clients that know nothing of Millrace write, and how they read: the rules of docs/wire-format.md with a plain msgpack library. */
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pack, unpack } from 'msgpackr';
import { connect } from '../../../src/index.ts';
import type { ConnectOptions, Delivery, EventProcessor } from '../../../src/index.ts';
import { waitFor } from '../../harness/wait-for.ts';

export interface Written {
  readonly name: string;
  readonly contentType?: string;
  readonly payload: Buffer;
  /** What a Millrace reader gets. */
  readonly event: unknown;
}

const object = { n: 7, deep: { list: [1, null, 'größe'] } };

export const written: readonly Written[] = [
  { name: 'JSON with its content type', contentType: 'application/json', payload: Buffer.from(JSON.stringify(object)), event: object },
  { name: 'JSON without a content type', payload: Buffer.from(JSON.stringify(object)), event: object },
  { name: 'a JSON integer beyond 2^53', payload: Buffer.from('{"id":9007199254740993}'), event: { id: 9_007_199_254_740_993n } },
  { name: 'text', payload: Buffer.from('plain words, größe'), event: 'plain words, größe' },
  { name: 'nothing at all', payload: Buffer.alloc(0), event: '' },
  { name: 'text that looks like JSON', contentType: 'text/plain', payload: Buffer.from('{"n":1}'), event: '{"n":1}' },
  { name: 'msgpack with its content type', contentType: 'application/msgpack', payload: Buffer.from(pack(object)), event: object },
  { name: 'msgpack without a content type', payload: Buffer.from(pack(object)), event: object },
  {
    name: 'bytes of no format',
    contentType: 'application/octet-stream',
    payload: Buffer.of(0, 1, 0xc1, 0xff),
    event: new Uint8Array([0, 1, 0xc1, 0xff]),
  },
];

export interface Read {
  readonly id: string | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly event: unknown;
}

/** The events of one message of ours. */
export function eventsOf(payload: Uint8Array, header: (name: string) => string | undefined): Read[] {
  const contentType = header('Content-Type') ?? '';
  if (!contentType.startsWith('application/msgpack')) throw new Error(`content type ${contentType}`);
  const value: unknown = unpack(payload);
  const count = header('Millrace-Count');
  if (count === undefined) return [{ id: header('Nats-Msg-Id') ?? null, headers: null, event: value }];
  const elements = value as unknown[];
  if (elements.length !== Number(count)) throw new Error(`${elements.length} elements, Millrace-Count is ${count}`);
  if (!contentType.includes('form=envelope'))
    return elements.map((event) => ({ id: idOf(event, header('Millrace-Id')), headers: null, event }));
  return elements.map((element) => {
    const [id, headers, event] = element as [string | null, Record<string, string> | null, unknown];
    return { id, headers, event };
  });
}

function idOf(event: unknown, rule: string | undefined): string | null {
  return rule?.startsWith('/') === true ? String((event as Record<string, unknown>)[rule.slice(1)]) : null;
}

/** Bytes compare as bytes, whatever class holds them. */
export const comparable = (event: unknown): unknown =>
  event instanceof Uint8Array ? { bytes: Buffer.from(event).toString('hex') } : event;

export const open = (url: string, options: ConnectOptions = {}): Promise<EventProcessor> =>
  connect(url, { workers: 1, dedupeCapacity: 16_384, deadLetters: 'off', env: {}, ...options });

/** In one chunk, so that it is one batch. */
export const ndjson = (records: readonly object[]): Readable =>
  Readable.from([Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''))]);

/** Reads until `count` events have come. */
export async function readEvents(processor: EventProcessor, filter: string, count: number): Promise<Delivery[]> {
  const seen: Delivery[] = [];
  await using _subscription = await processor.subscribe(filter, (_, delivery) => void seen.push(delivery));
  await waitFor(`${count} events of ${filter}`, () => seen.length >= count);
  return seen;
}

/** Runs a program to its end, and gives what it printed; its stdin is `input`. */
export async function run(
  command: string,
  args: readonly string[],
  { input = '', env = {} }: { readonly input?: string | Uint8Array; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Buffer> {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    timeout: RUN_MS_MAX,
    killSignal: 'SIGKILL',
  });
  const out: Buffer[] = [];
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdin.on('error', () => undefined); // It may end without having read.
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${errors.slice(-1_000)}`);
  return Buffer.concat(out);
}

const RUN_MS_MAX = 30_000;
