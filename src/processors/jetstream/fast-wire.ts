/** Fast ingest on the wire: everything of the protocol stands in the reply subject, and the broker's answers are small JSON texts. */
import type { Msg } from '../../connections/nats-library.ts';
import { putDecimal } from '../../connections/decimal.ts';
import type { PubRefusal } from './pub-ack.ts';

/** What a message of a batch asks for. `end` commits without storing; `ping` has the last ack sent again. */
export const FastOp = { start: 0, append: 1, end: 3, ping: 4 } as const;
type Op = (typeof FastOp)[keyof typeof FastOp];

/** The server grants no more. */
export const FLOW_MAX = 500;
const SEQUENCE_DIGITS_MAX = 16;

export const BATCH_DISABLED: ReadonlySet<number> = new Set([10_205, 10_206, 10_207, 10_209, 10_211]);
export const BATCH_UNKNOWN = 10_208;

/** `<prefix><id>.<flow>.fail.<sequence>.<op>.$FI`: all but sequence and op stay for a batch. */
export class FastReply {
  readonly bytes: Uint8Array;
  readonly #at: number;
  readonly #tails: readonly Uint8Array[];

  constructor(prefix: string, id: string, flow: number) {
    const head = Buffer.from(`${prefix}${id}.${flow}.fail.`);
    this.#tails = [0, 1, 2, 3, 4].map((op) => Buffer.from(`.${op}.$FI`));
    this.bytes = new Uint8Array(head.length + SEQUENCE_DIGITS_MAX + this.#tails[0]!.length);
    this.bytes.set(head);
    this.#at = head.length;
  }

  /** Writes sequence and op; the number of bytes that count. */
  put(sequence: number, op: Op): number {
    const { bytes } = this;
    let at = putDecimal(bytes, this.#at, sequence);
    const tail = this.#tails[op]!;
    for (let index = 0; index < tail.length; index++) bytes[at++] = tail[index]!;
    return at;
  }
}

export type FastAnswer =
  /** All up to `sequence` are stored; the next ack comes after `messages` more. */
  | { readonly kind: 'ack'; readonly sequence: number; readonly messages: number }
  /** The batch is over: its first `count` messages are stored, the last of them at `sequence` of the stream. */
  | { readonly kind: 'done'; readonly count: number; readonly sequence: number }
  /** The broker does not know the batch (any more). */
  | { readonly kind: 'gone' }
  /** Message `of` was refused, and with it all behind it. */
  | { readonly kind: 'refused'; readonly of: number; readonly refusal: PubRefusal }
  /** Nothing follows from it alone. */
  | { readonly kind: 'note' };

interface Text {
  readonly type?: string;
  readonly seq?: number;
  readonly msgs?: number;
  readonly count?: number;
  readonly error?: { readonly code?: number; readonly err_code?: number; readonly description?: string };
}

/** The batch an answer belongs to. */
export const batchOf = (subject: string): string => subject.split('.').at(-6) ?? '';

export function readFastAnswer({ subject, data, headers }: Msg): FastAnswer {
  const of = Number(subject.split('.').at(-3));
  const status = headers?.code ?? 0;
  if (status > 0 && data.length === 0)
    return { kind: 'refused', of, refusal: { status, code: 0, description: headers?.description ?? '' } };
  let text: Text;
  try {
    text = JSON.parse(Buffer.from(data).toString()) as Text;
  } catch {
    return { kind: 'note' };
  }
  const { type, seq = 0, error } = text;
  if (error !== undefined) {
    if (error.err_code === BATCH_UNKNOWN) return { kind: 'gone' };
    const refusal = { status: error.code ?? 0, code: error.err_code ?? 0, description: error.description ?? '' };
    return { kind: 'refused', of: type === 'err' ? seq : of, refusal };
  }
  if (type === 'ack') return { kind: 'ack', sequence: seq, messages: Math.max(1, text.msgs ?? 1) };
  return type === undefined && text.count !== undefined ? { kind: 'done', count: text.count, sequence: seq } : { kind: 'note' };
}

const LF = 0x0a;
const LOWER = 0x20;
const NATS: readonly number[] = [...Buffer.from('nats-')];
const STATUS_BYTES = 9; // `NATS/1.0` and a carriage return.

/** Hot path. Has the header block a line that the broker acts on, such as an id? Fast ingest is silent about those. */
export function hasBrokerHeader(memory: Uint8Array, start: number, payloadStart: number): boolean {
  for (let at = start + STATUS_BYTES; at + NATS.length < payloadStart; at++) if (memory[at] === LF && isNats(memory, at + 1)) return true;
  return false;
}

function isNats(memory: Uint8Array, at: number): boolean {
  for (let index = 0; index < NATS.length; index++) if ((memory[at + index]! | LOWER) !== NATS[index]) return false;
  return true;
}
