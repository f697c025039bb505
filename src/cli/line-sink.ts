/** Joins lines into writes, waits for stdout to take them, and only then acknowledges the events they came from. */
import type { Delivery } from '../api/event.ts';
import { writeOutput } from './output.ts';

const WRITE_CHARS = 65_536;

export class LineSink {
  readonly #acks: boolean;
  /** Events whose line has left. */
  written: number = 0;
  #text: string = '';
  #waiting: Delivery[] = [];
  #scheduled: boolean = false;
  #writing: Promise<void> = Promise.resolve();

  constructor({ ack }: { readonly ack: boolean }) {
    this.#acks = ack;
  }

  /** Time to `flush`, and to wait for it. */
  get full(): boolean {
    return this.#text.length >= WRITE_CHARS;
  }

  add(line: string, delivery: Delivery): void {
    this.#text += line;
    this.#waiting.push(delivery);
    if (this.#scheduled) return;
    // A reader of a quiet stream sees a line at once; a busy one gets large writes.
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.flush();
    });
  }

  /** Writes what is there, after what is on its way, and acknowledges it. Nothing is acknowledged once nobody reads. */
  async flush(): Promise<void> {
    const text = this.#text;
    const waiting = this.#waiting;
    this.#text = '';
    this.#waiting = [];
    this.#writing = this.#writing.then(async () => {
      if (text === '' || !(await writeOutput(text))) return;
      this.written += waiting.length;
      if (this.#acks) for (const delivery of waiting) delivery.ack();
    });
    await this.#writing;
  }
}
