/** `millrace replay`: history of one broker published to another, at a rate, with its ids; what was read adds up at the end. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { MillraceError } from '../api/errors.ts';
import type { ReplayOptions, StartPosition } from '../api/options.ts';
import type { EventProcessor } from '../api/processor.ts';
import type { CommandLine } from './command-options.ts';
import { readCommandLine, textOption } from './command-options.ts';
import { exitCodes } from './exit-codes.ts';
import { note, paint, printLine } from './output.ts';
import { Republisher, idAgain, ownHeaders, sourceMark } from './republish.ts';
import { addShared } from './shared-flags.ts';
import { withProcessor } from './session.ts';
import type { Session } from './session.ts';
import { columns, count, duration } from './text.ts';
import { version } from '../config/version.ts';

const EXAMPLES = `Examples:
  millrace replay --from nats+jetstream://127.0.0.1:4222/EVENTS --to embedded:copy
  millrace replay --from embedded:.millrace --to nats+dedupe://127.0.0.1:4222/EVENTS --subject 'orders.>' --start ago:1h
  millrace replay --from nats+jetstream://old:4222/EVENTS --to nats+jetstream://new:4222/EVENTS --rate 5000/s --until time:2026-01-31T00:00:00Z
`;

export function addReplay(program: Command, done: (code: number) => void): void {
  const command = program
    .command('replay')
    .summary('read history and publish it again')
    .description(
      'Reads what a broker holds, up to what is there at the start, and publishes each event to another with its subject, headers and id.\nAn event without an id gets one made of its place, so that the same replay again makes no second copies where the target can tell.',
    )
    .addHelpText('before', EXAMPLES)
    .addOption(new Option('--from <URL>', 'broker to read from (default: embedded:.millrace)'))
    .addOption(new Option('--to <URL>', 'broker to write to').makeOptionMandatory())
    .addOption(new Option('--subject <FILTER>', 'subjects to replay; without it, everything'))
    .addOption(new Option('--start <POSITION>', 'all, last, seq:N, time:ISO or ago:5m').default('all'))
    .addOption(new Option('--until <POSITION>', 'seq:N or time:ISO; without it, the last that is there at the start'))
    .addOption(new Option('--rate <RATE>', 'max, original (the gaps between the stored times) or N/s').default('max'));
  addShared(command, ['framing', 'workers', 'deadLetters']).action(async () => done(await replay(command)));
}

async function replay(command: Command): Promise<number> {
  const options = replayOptions(command);
  const from = readCommandLine(command, { address: 'from', call: null });
  const to = readCommandLine(command, { address: 'to', call: null });
  if (from.target === to.target)
    throw new MillraceError(
      'MILLRACE_CONFIG',
      `--from and --to are the same, ${to.resolution.options.url}; expected another place to write to`,
    );
  const { drainTimeoutMs } = to.resolution.options;
  return withProcessor({ target: to.target, connectOptions: to.connectOptions, drainTimeoutMs }, async (session) => {
    const { connect, toJsonLine } = await import('../index.ts');
    await using source = await connect(from.target, { ...from.connectOptions, signal: session.stop.signal });
    return await run(session, source, {
      from,
      to,
      options,
      sender: new Republisher(session.processor, (event) => toJsonLine(event).length),
    }); // Before the source is closed.
  });
}

interface Lines {
  readonly from: CommandLine;
  readonly to: CommandLine;
  readonly options: ReplayOptions;
  readonly sender: Republisher;
}

async function run({ stop, progress }: Session, source: EventProcessor, { from, to, options, sender }: Lines): Promise<number> {
  const began = performance.now();
  const mark = sourceMark(from.target);
  const placed = source.kind !== 'kafka'; // Whose sequences count anew in each partition.
  let read = 0;
  for await (const delivery of source.replay({ ...options, signal: stop.signal })) {
    read += 1;
    const id = idAgain(delivery, mark, placed);
    const headers = ownHeaders(delivery.headers);
    await sender.send(delivery.subject, delivery.event, {
      ...(id === undefined ? {} : { id }),
      ...(headers === undefined ? {} : { headers }),
    });
    if ((read & 255) === 0) progress.update(progressOf(sender, read, performance.now() - began));
  }
  await sender.settled();
  progress.clear();
  const elapsedMs = Number((performance.now() - began).toFixed(1));
  const { acked, duplicates, failed } = sender;
  const eventsPerSecond = Math.round((read * 1_000) / Math.max(1, elapsedMs));
  const report = {
    version,
    from: from.resolution.options.url,
    to: to.resolution.options.url,
    read,
    acked,
    duplicates,
    failed,
    elapsedMs,
    eventsPerSecond,
  };
  await printLine(to.json ? JSON.stringify(report) : reportText(report));
  if (sender.error !== null) note(`${paint(`millrace: ${sender.error.code}:`, 'red')} ${sender.error.message}`);
  return failed > 0 ? exitCodes.someFailed : exitCodes.ok;
}

type Report = Readonly<Record<'read' | 'acked' | 'duplicates' | 'failed' | 'elapsedMs' | 'eventsPerSecond', number>> & {
  readonly from: string;
  readonly to: string;
};

function reportText(report: Report): string {
  const rows = [
    ['read', count(report.read), report.from],
    ['acked', count(report.acked), `stored by ${report.to}`],
    ['duplicates', count(report.duplicates), 'id seen before'],
    ['failed', count(report.failed), 'not stored, or nobody knows'],
  ];
  const head = `${count(report.read)} events in ${duration(report.elapsedMs)}, ${count(report.eventsPerSecond)} events/s`;
  return `${head}\n\n${columns(rows, [1]).replaceAll(/^/gm, '  ')}`;
}

function progressOf(
  { acked, duplicates, failed, inFlight }: Republisher,
  read: number,
  elapsedMs: number,
): Parameters<Session['progress']['update']>[0] {
  const ledger = { accepted: read, acked, duplicates, rejected: 0, failed, unknown: 0, dropped: 0, inFlight };
  return { ...ledger, bytesIn: 0, bytesTotal: null, elapsedMs, eventsPerSecond: (read * 1_000) / Math.max(1, elapsedMs) };
}

function replayOptions(command: Command): ReplayOptions {
  const [subject, start, until, rate] = ['subject', 'start', 'until', 'rate'].map((name) => textOption(command, name));
  const faults: string[] = [];
  if (!/^(?:all|last|seq:\d{1,15}|(?:time|ago):.+)$/.test(start!))
    faults.push(`flag --start: "${start}" is none of all, last, seq:N, time:ISO, ago:5m`);
  if (until !== undefined && !/^(?:seq:\d{1,15}|time:.+)$/.test(until))
    faults.push(`flag --until: "${until}" is neither seq:N nor time:ISO`);
  const perSecond = /^(\d{1,9})(?:\/s)?$/.exec(rate!)?.[1];
  if (rate !== 'max' && rate !== 'original' && !(Number(perSecond) > 0))
    faults.push(`flag --rate: "${rate}" is none of max, original, N/s`);
  if (faults.length > 0) throw new MillraceError('MILLRACE_CONFIG', faults.join('; '));
  return {
    ...(subject === undefined ? {} : { subject }),
    start: start as StartPosition,
    ...(until === undefined ? {} : { until: until as NonNullable<ReplayOptions['until']> }),
    rate: rate === 'max' || rate === 'original' ? rate : Number(perSecond),
  };
}
