/** Writes the frames of fast ingest batches to one connection, and knows what of the current batch is not acked. */
import { randomBytes } from 'node:crypto';
import type { Frame } from '../../connections/frame.ts';
import type { NatsLink } from '../../connections/nats-link.ts';
import type { OutboundMessage } from '../broker.ts';
import { FastPending } from './fast-pending.ts';
import { FastOp, FastReply } from './fast-wire.ts';

type MutableFrame = { -readonly [Member in keyof Frame]: Frame[Member] };
const NONE: Uint8Array = new Uint8Array(0);

export class FastSender {
  readonly pending: FastPending = new FastPending();
  /** Of the current batch: unique on the stream, whoever else writes to it. */
  id = '';
  readonly #link: NatsLink;
  readonly #prefix: string;
  readonly #nonce: string = randomBytes(5).toString('hex');
  readonly #frame: MutableFrame = { subject: '', reply: NONE, replyBytes: 0, memory: NONE, start: 0, payloadStart: 0, end: 0, lead: 0 };
  #batches = 0;
  #reply: FastReply = new FastReply('', '', 1);

  constructor(link: NatsLink, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
  }

  /** The message is the first of a new batch, which asks for an ack every `flow` messages. */
  start(message: OutboundMessage, token: number, flow: number): void {
    this.id = `${this.#nonce}${++this.#batches}`;
    this.#reply = new FastReply(this.#prefix, this.id, flow);
    this.#send(message, token, FastOp.start);
  }

  /** Hot path. */
  append(message: OutboundMessage, token: number): void {
    this.#send(message, token, FastOp.append);
  }

  /** Commits what was sent, without a message of its own. */
  end(): void {
    this.#control(this.pending.sent + 1, FastOp.end);
  }

  /** Has the broker say again how far it is. */
  ping(): void {
    this.#control(this.pending.sent, FastOp.ping);
  }

  #send(message: OutboundMessage, token: number, op: 0 | 1): void {
    const frame = this.#frame;
    frame.subject = message.subject;
    frame.reply = this.#reply.bytes;
    frame.replyBytes = this.#reply.put(this.pending.add(message, token), op);
    frame.memory = message.memory;
    frame.start = message.start;
    frame.payloadStart = message.payloadStart;
    frame.end = message.end;
    this.#link.writer?.write(frame);
  }

  #control(sequence: number, op: 3 | 4): void {
    const frame = this.#frame;
    frame.subject = this.pending.lastSubject;
    frame.reply = this.#reply.bytes;
    frame.replyBytes = this.#reply.put(sequence, op);
    frame.start = frame.payloadStart = frame.end = 0;
    this.#link.writer?.write(frame);
  }
}
