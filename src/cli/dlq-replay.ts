/** `millrace dlq replay`: publishes dead letters again; those that are stored are removed, all others stay where they are. */
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { Option } from 'commander';
import { MillraceError, messageOf } from '../api/errors.ts';
import type { Format } from '../api/options.ts';
import type { EventProcessor } from '../api/processor.ts';
import type { DeadLetter, DeadLetterFilter } from '../resilience/dead-letter-types.ts';
import { readCommandLine, textOption } from './command-options.ts';
import { addFilterFlags, filterOf, openLetters, tellDamage } from './dead-letter-flags.ts';
import { exitCodes } from './exit-codes.ts';
import type { LetterPlace } from './letters.ts';
import { note, paint, printLine } from './output.ts';
import { Republisher, ownHeaders } from './republish.ts';
import { addShared } from './shared-flags.ts';
import { withProcessor } from './session.ts';
import { columns, count } from './text.ts';

const FORMATS = ['ndjson', 'json', 'lines', 'csv', 'msgpack'] as const;
const FAULTS_SHOWN = 5;
/** Removed together: each removal rewrites files. */
const REMOVE_AT = 10_000;

export function addLetterReplay(dlq: Command, done: (code: number) => void): void {
  const command = dlq
    .command('replay')
    .description('publishes letters again and removes those that are stored: single events as they are, input through ingest')
    .argument('[id...]', 'ids of letters')
    .addOption(new Option('--to <URL>', 'broker to write to').makeOptionMandatory())
    .addOption(new Option('--all', 'every letter'))
    .addOption(new Option('--subject <SUBJECT>', 'subject to publish to (input: or a template); default: the letter’s own, else events'))
    .addOption(new Option('--format <FORMAT>', 'format of input; default: by the file it came from, else ndjson').choices(FORMATS));
  addShared(addFilterFlags(command), ['deadLetters', 'id', 'workers']).action(async (ids: string[]) =>
    done(await replayLetters(command, ids)),
  );
}

async function replayLetters(command: Command, ids: readonly string[]): Promise<number> {
  const filter = filterOf(command, ids);
  if (Object.keys(filter).length === 0 && command.getOptionValue('all') !== true)
    throw new MillraceError('MILLRACE_USAGE', 'which letters? Give ids, --reason, --of-subject, --before, --after or --all');
  const line = readCommandLine(command, { address: 'to', call: null });
  const { drainTimeoutMs } = line.resolution.options;
  // A letter that fails again stays: it must not be written a second time.
  const connectOptions = { ...line.connectOptions, deadLetters: 'off' };
  return withProcessor({ target: line.target, connectOptions, drainTimeoutMs }, async ({ processor, stop }) => {
    const { decodeEvent, toJsonLine } = await import('../index.ts');
    const place = await openLetters(command, stop.signal);
    const replay = new LetterReplay({
      place,
      processor,
      decodeEvent,
      toJsonLine,
      subject: textOption(command, 'subject'),
      format: textOption(command, 'format') as Format | undefined,
    });
    try {
      await replay.run(filter, stop.signal);
    } finally {
      await place.close();
    }
    const { replayed, failed, skipped } = replay;
    await printLine(line.json ? JSON.stringify({ replayed, failed, skipped }) : summaryText(replay, place.removes));
    return failed + skipped > 0 ? exitCodes.someFailed : exitCodes.ok;
  });
}

function summaryText({ replayed, failed, skipped }: LetterReplay, removes: boolean): string {
  return columns(
    [
      ['replayed', count(replayed), removes ? 'stored, and removed here' : 'stored; they stay here as well'],
      ['failed', count(failed), 'kept'],
      ['skipped', count(skipped), 'cannot be published, kept'],
    ],
    [1],
  );
}

interface ReplayParts {
  readonly place: LetterPlace;
  readonly processor: EventProcessor;
  readonly decodeEvent: (bytes: Uint8Array) => unknown;
  readonly toJsonLine: (event: unknown) => string;
  readonly subject: string | undefined;
  readonly format: Format | undefined;
}

class LetterReplay {
  replayed = 0;
  skipped = 0;
  #inputsFailed = 0;
  #faults = 0;
  #stored: string[] = [];
  readonly #parts: ReplayParts;
  readonly #sender: Republisher;

  constructor(parts: ReplayParts) {
    this.#parts = parts;
    this.#sender = new Republisher(parts.processor, (event) => parts.toJsonLine(event).length);
  }

  get failed(): number {
    return this.#inputsFailed + this.#sender.failed;
  }

  async run(filter: DeadLetterFilter, signal: AbortSignal): Promise<void> {
    try {
      for await (const letter of this.#parts.place.list(filter, { onDamage: tellDamage })) {
        if (signal.aborted) break;
        await this.#replay(letter);
      }
    } finally {
      await this.#sender.settled();
      await this.#remove();
      if (this.#sender.error !== null) this.#tell(`${this.#sender.error.code}: ${this.#sender.error.message}`);
    }
  }

  async #replay(letter: DeadLetter): Promise<void> {
    if (letter.rawBytes > letter.raw.length) this.#skip(letter, `only ${letter.raw.length} of its ${letter.rawBytes} bytes were kept`);
    else if (letter.encoding === 'input') await this.#ingest(letter);
    else await this.#publish(letter);
  }

  async #publish(letter: DeadLetter): Promise<void> {
    const { id, raw, headers: all } = letter;
    let event: unknown;
    try {
      event = this.#parts.decodeEvent(raw);
    } catch (error) {
      this.#skip(letter, messageOf(error));
      return;
    }
    const eventId = all?.['Nats-Msg-Id'];
    const headers = ownHeaders(all ?? {});
    const options = { ...(eventId === undefined ? {} : { id: eventId }), ...(headers === undefined ? {} : { headers }) };
    await this.#sender.send(this.#parts.subject ?? letter.subject ?? 'events', event, { ...options, stored: () => this.#done(id) });
  }

  async #ingest(letter: DeadLetter): Promise<void> {
    const format = this.#parts.format ?? formatOf(letter.origin?.file ?? '');
    if (format === 'csv') {
      this.#skip(letter, 'a CSV row without its header; add it to a file with the header and ingest that');
      return;
    }
    const headers = ownHeaders(letter.headers ?? {});
    const subject = this.#parts.subject ?? letter.subject ?? 'events';
    try {
      const source = Readable.from([Buffer.from(letter.raw)]);
      const { acked, duplicates, rejected, failed } = await this.#parts.processor.ingest(source, {
        format,
        subject,
        framing: 'each',
        deadLetters: 'off',
        ...(headers === undefined ? {} : { headers }),
      });
      if (rejected + failed === 0 && acked + duplicates > 0) this.#done(letter.id);
      else {
        this.#inputsFailed += 1;
        this.#tell(`letter ${letter.id}: ${failed > 0 ? 'it could not be stored' : `it is still no valid ${format}`}`);
      }
    } catch (error) {
      this.#inputsFailed += 1;
      this.#tell(`letter ${letter.id}: ${messageOf(error)}`);
    }
    if (this.#stored.length >= REMOVE_AT) await this.#remove();
  }

  #done(id: string): void {
    this.replayed += 1;
    this.#stored.push(id);
  }

  async #remove(): Promise<void> {
    const ids = this.#stored;
    this.#stored = [];
    if (ids.length > 0 && this.#parts.place.removes) await this.#parts.place.purge({ ids: new Set(ids) });
  }

  #skip({ id }: DeadLetter, why: string): void {
    this.skipped += 1;
    this.#tell(`letter ${id}: ${why}`);
  }

  #tell(text: string): void {
    this.#faults += 1;
    if (this.#faults <= FAULTS_SHOWN) note(`${paint('millrace: warning:', 'yellow')} ${text}`);
  }
}

function formatOf(file: string): Format {
  const extension = /\.(ndjson|jsonl|json|csv|msgpack|mp|txt|log)(?:\.gz)?$/i.exec(file)?.[1]?.toLowerCase();
  if (extension === 'csv') return 'csv';
  if (extension === 'msgpack' || extension === 'mp') return 'msgpack';
  return extension === 'txt' || extension === 'log' ? 'lines' : 'ndjson';
}
