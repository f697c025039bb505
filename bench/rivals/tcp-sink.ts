/** Speaks just enough of NATS and JetStream to take publishes: counts messages, bytes and events, acknowledges, stores nothing, looks into no payload. */
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { COUNT_SUBJECT } from '../harness/sink-check.ts';

const LINE_END = Buffer.from('\r\n');
const CREATED = '2026-01-01T00:00:00Z';

class Sink {
  #messages = 0;
  #events = 0;
  #bytes = 0;
  #config: object | null = null;

  /** What goes back for a message on `subject`. */
  answer(subject: string, head: string, bytes: number, payload: () => string): string {
    if (subject === COUNT_SUBJECT) return JSON.stringify({ events: this.#events, messages: this.#messages, bytes: this.#bytes });
    if (subject.startsWith('$JS.API.')) return JSON.stringify(this.#api(subject, payload));
    this.#messages += 1;
    this.#bytes += bytes;
    this.#events += Number(/Millrace-Count: ?(\d+)/.exec(head)?.[1] ?? 1);
    return `{"stream":"BENCH","seq":${this.#messages}}`;
  }

  #api(subject: string, payload: () => string): object {
    if (subject.startsWith('$JS.API.STREAM.CREATE.')) this.#config = JSON.parse(payload()) as object;
    else if (!subject.startsWith('$JS.API.STREAM.INFO.') || this.#config === null)
      return { error: { code: 404, err_code: 10_059, description: 'stream not found' } };
    const state = { messages: this.#messages, bytes: this.#bytes, first_seq: 1, last_seq: this.#messages, consumer_count: 0 };
    return { type: 'io.nats.jetstream.api.v1.stream_info_response', config: this.#config, created: CREATED, state };
  }
}

/** One connection. Payloads are counted and skipped, not kept; only requests to the API are read. */
class Peer {
  readonly #socket: Socket;
  readonly #sink: Sink;
  readonly #subscriptions = new Map<string, string>();
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of a payload, its line end included, that are still to come. */
  #skip = 0;

  constructor(socket: Socket, sink: Sink) {
    this.#socket = socket;
    this.#sink = sink;
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    const limits = { max_payload: 1_048_576, headers: true, jetstream: true, proto: 1, version: '2.15.2', auth_required: false };
    socket.write(`INFO ${JSON.stringify({ server_id: 'SINK', server_name: 'sink', ...limits })}\r\n`);
  }

  #take(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let out = '';
    for (;;) {
      const skipped = Math.min(this.#skip, bytes.length);
      this.#skip -= skipped;
      bytes = bytes.subarray(skipped);
      const end = bytes.indexOf(LINE_END);
      if (end < 0) break;
      const line = bytes.toString('latin1', 0, end);
      const publish = line.startsWith('PUB ') || line.startsWith('HPUB ');
      if (!publish) {
        out += this.#command(line);
        bytes = bytes.subarray(end + 2);
        continue;
      }
      const done = this.#publish(line, bytes.subarray(end + 2));
      if (done === null) break;
      out += done.out;
      this.#skip = done.bytes + 2;
      bytes = bytes.subarray(end + 2);
    }
    this.#rest = bytes;
    if (out !== '') this.#socket.write(out, 'latin1');
  }

  #command(line: string): string {
    const [verb, ...words] = line.split(' ');
    if (verb === 'PING') return 'PONG\r\n';
    if (verb === 'SUB') this.#subscriptions.set(words[0]!, words.at(-1)!);
    return '';
  }

  /** Null = the headers (or a request) are not there as a whole. */
  #publish(line: string, rest: Buffer): { readonly out: string; readonly bytes: number } | null {
    const words = line.split(' ');
    const headed = words[0] === 'HPUB';
    const bytes = Number(words.at(-1));
    const headBytes = headed ? Number(words.at(-2)) : 0;
    const subject = words[1]!;
    const reply = words.length === (headed ? 5 : 4) ? words[2]! : '';
    if (rest.length < (subject.startsWith('$') ? bytes : headBytes)) return null;
    const payload = (): string => rest.toString('utf8', headBytes, bytes);
    const text = this.#sink.answer(subject, rest.toString('latin1', 0, headBytes), bytes - headBytes, payload);
    const number = reply === '' ? null : this.#subscriberOf(reply);
    return { bytes, out: number === null ? '' : `MSG ${reply} ${number} ${Buffer.byteLength(text)}\r\n${text}\r\n` };
  }

  #subscriberOf(reply: string): string | null {
    for (const [pattern, number] of this.#subscriptions) {
      const prefix = pattern.replace(/[*>]$/, '');
      if (pattern === reply || (prefix !== pattern && reply.startsWith(prefix))) return number;
    }
    return null;
  }
}

const sink = new Sink();
const server = createServer((socket) => void new Peer(socket, sink));
server.listen(0, '127.0.0.1', () => console.log((server.address() as { port: number }).port));
