/**
 * Hands messages of chosen subscriptions over straight from the bytes of the socket, in order, without an object for each. All else on
 * the connection, and every line it does not know, goes through the client's own parser. Private to the library; read in version 2.29.
 */
import { LineArguments } from './line-arguments.ts';
import type { NatsConnection, Subscription } from './nats-library.ts';
import type { RawMessage } from './raw-message.ts';
import { READ_BYTES } from './socket-memory.ts';
import { moveToSocket } from './socket-tap.ts';

export type RawReceiver = (message: RawMessage) => void;

export interface Parser {
  parse(bytes: Uint8Array): void;
  /** 0 = between two messages. */
  readonly state: number;
}

interface Internals {
  readonly protocol?: { readonly parser?: Partial<Parser> };
}

const BETWEEN = 0;
const HEADED = 0x48; // H
const PLAIN = 0x4d; // M
/** P, I, +, -: all other lines may have a body behind them, which is not ours to read. */
const CONTROL: readonly number[] = [0x50, 0x49, 0x2b, 0x2d];
const LF = 0x0a;
/** Of a line: longer ones are left to the client. */
const LINE_BYTES_MAX = 8 * 1_024;

/** Memory for messages of the usual limits is kept, and no more. */
const HELD_BYTES_KEPT = 2 * 1_048_576;
const NONE = new Uint8Array(0);

const taps = new WeakMap<object, MessageTap>();

/** Messages of `subscription` go to `receive` from the next chunk on; false = the library is not built as known, and its callback gets them. */
export function tapMessages(connection: NatsConnection, subscription: Subscription, receive: RawReceiver): boolean {
  const parser = (connection as unknown as Internals).protocol?.parser;
  if (parser === undefined || typeof parser.parse !== 'function' || typeof parser.state !== 'number') return false;
  let tap = taps.get(parser);
  if (tap === undefined) {
    tap = new MessageTap(parser as Parser);
    taps.set(parser, tap); // One for each connect: the client makes a new parser then.
    const one = tap;
    parser.parse = (bytes) => one.take(bytes);
    moveToSocket(connection, one);
  }
  tap.receivers.set(subscription.getID(), receive);
  return true;
}

export function untapMessages(connection: NatsConnection, subscription: Subscription): void {
  const parser = (connection as unknown as Internals).protocol?.parser;
  if (parser !== undefined) taps.get(parser)?.receivers.delete(subscription.getID());
}

export class MessageTap {
  readonly receivers: Map<number, RawReceiver> = new Map();
  readonly parser: Parser;
  /** Takes what is the client's. */
  #client: (bytes: Uint8Array) => void;
  /** At the socket: the way back to the client's parser, for when a line comes that is not known. */
  #back: (() => void) | null = null;
  /** Whole frames of the client's, side by side: they go to it in one piece. */
  #from = 0;
  #to = 0;
  /** The beginning of a frame whose end has not come, and how many bytes it needs before it is worth another look. */
  #held: Uint8Array = NONE; // Used again: memory for each large message anew would let V8 collect all of the heap twenty times a second.
  #heldBytes = 0;
  #needed = 0;
  readonly #message: RawMessage = {
    bytes: new Uint8Array(0),
    subjectStart: 0,
    subjectEnd: 0,
    replyStart: 0,
    replyEnd: 0,
    start: 0,
    payloadStart: 0,
    end: 0,
  };
  readonly #line: LineArguments = new LineArguments();

  constructor(parser: Parser) {
    this.parser = parser;
    this.#client = parser.parse.bind(parser);
  }

  /** Nothing is half read, here or by the client. */
  get between(): boolean {
    return this.#heldBytes === 0 && this.parser.state === BETWEEN;
  }

  /** From now on `take` is given what the socket gives, and the client gets its frames by `client`; `back` undoes that. */
  move(client: (bytes: Uint8Array) => void, back: () => void): void {
    const parse = this.#client;
    this.#client = client;
    this.#back = () => {
      this.#client = parse;
      back();
    };
  }

  take(chunk: Uint8Array): void {
    let bytes = chunk;
    if (this.#heldBytes > 0) {
      this.#keep(chunk);
      if (this.#heldBytes < this.#needed) return;
      bytes = this.#held.subarray(0, this.#heldBytes);
      this.#heldBytes = 0;
    }
    // The client is amid a message that it began before us, or that we left to it.
    else if (this.#back === null && this.parser.state !== BETWEEN) return this.#client(chunk);
    let at = 0;
    while (at < bytes.length) {
      const next = this.#one(bytes, at);
      if (next < 0) {
        this.#hand(bytes);
        return this.#hold(bytes.subarray(at), -next);
      }
      at = next;
    }
    this.#hand(bytes);
    this.#message.bytes = NONE;
    if (this.#held.length > HELD_BYTES_KEPT) this.#held = NONE;
  }

  #hold(rest: Uint8Array, needed: number): void {
    this.#message.bytes = NONE;
    this.#needed = needed;
    this.#keep(rest);
  }

  /** A copy: else a few bytes would pin a whole chunk. `part` may lie in `#held` itself. */
  #keep(part: Uint8Array): void {
    const bytes = this.#heldBytes + part.length;
    if (bytes > this.#held.length) {
      // A message ends within what is read at a time.
      const larger = new Uint8Array(Math.max(bytes, this.#needed + READ_BYTES));
      larger.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = larger;
    }
    this.#held.set(part, this.#heldBytes);
    this.#heldBytes = bytes;
  }

  /** The offset after the frame that begins at `at`; minus the bytes it takes, as far as is known, when it is not all here. */
  #one(bytes: Uint8Array, at: number): number {
    const kind = bytes[at]!;
    if (kind !== HEADED && kind !== PLAIN) return CONTROL.includes(kind) ? this.#control(bytes, at) : this.#leave(bytes, at);
    const line = this.#line;
    const lineEnd = line.split(bytes, kind === HEADED ? at + 5 : at + 4);
    if (lineEnd < 0) return bytes.length - at > LINE_BYTES_MAX ? this.#leave(bytes, at) : at - bytes.length - 1;
    // Subject, id, perhaps a reply, perhaps the size of the headers, and the size of all.
    const given = line.count;
    const least = kind === HEADED ? 4 : 3;
    if (given < least || given > least + 1) return this.#leave(bytes, at);
    const start = lineEnd + 2;
    const size = line.number(bytes, given - 1);
    const headerBytes = kind === HEADED ? line.number(bytes, given - 2) : 0;
    const after = start + size + 2;
    if (!(headerBytes <= size) || bytes[lineEnd + 1] !== LF) return bytes.length < start ? at - start : this.#leave(bytes, at);
    if (after > bytes.length) return at - after;
    const receive = this.receivers.get(line.number(bytes, 1));
    if (receive === undefined) return this.#leaveFrame(at, after);
    this.#hand(bytes); // In the order in which they came.
    const message = this.#message;
    const replied = given > least;
    message.bytes = bytes;
    message.subjectStart = line.starts[0]!;
    message.subjectEnd = line.ends[0]!;
    message.replyStart = replied ? line.starts[2]! : 0;
    message.replyEnd = replied ? line.ends[2]! : 0;
    message.start = start;
    message.payloadStart = start + headerBytes;
    message.end = start + size;
    receive(message);
    return after;
  }

  /** PING, PONG, INFO, +OK, -ERR: a line each. */
  #control(bytes: Uint8Array, at: number): number {
    const end = bytes.indexOf(LF, at);
    if (end < 0) return at - bytes.length - 1;
    return this.#leaveFrame(at, end + 1);
  }

  /** A whole frame that is the client's; it follows the one before it, if there is one that was not handed over yet. */
  #leaveFrame(at: number, after: number): number {
    if (this.#to === 0) this.#from = at;
    this.#to = after;
    return after;
  }

  #hand(bytes: Uint8Array): void {
    if (this.#to === 0) return;
    const frames = bytes.subarray(this.#from, this.#to);
    this.#to = 0;
    this.#client(this.#lasting(frames));
  }

  /** Whatever this is: the client sees all that follows, and we come in again when it is between two messages. */
  #leave(bytes: Uint8Array, at: number): number {
    this.#hand(bytes);
    const client = this.#client; // Comes back here by the client's parser.
    this.#back?.();
    this.#back = null;
    client(this.#lasting(bytes.subarray(at)));
    return bytes.length;
  }

  /** The client's messages are views of what it is given. */
  #lasting(bytes: Uint8Array): Uint8Array {
    return bytes.buffer === this.#held.buffer ? new Uint8Array(bytes) : bytes;
  }
}
