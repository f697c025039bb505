/** What people read: the progress line, the report, and every error code's exit code. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { errorTable } from '../../../src/api/error-codes.ts';
import type { ErrorCode } from '../../../src/api/error-codes.ts';
import type { IngestReport, Progress } from '../../../src/api/report.ts';
import { exitCodeOf, exitCodeOfLedger } from '../../../src/cli/exit-codes.ts';
import { progressText } from '../../../src/cli/progress.ts';
import { reportText } from '../../../src/cli/report-text.ts';
import { columns, duration, megabytes } from '../../../src/cli/text.ts';

const Text = suite('text of the command line');

const ledger = { accepted: 1_000_000, acked: 980_000, duplicates: 20_000, rejected: 0, failed: 0, unknown: 0, dropped: 0, inFlight: 0 };
const report: IngestReport = {
  version: '0.1.0',
  to: 'embedded:.millrace',
  processor: 'embedded',
  workers: 1,
  framing: 'batch',
  ...ledger,
  retries: 0,
  messages: 3_270,
  bytesIn: 214_000_000,
  bytesOut: 190_000_000,
  elapsedMs: 2_000,
  eventsPerSecond: 500_000,
  cpuSeconds: 1.1,
  eventLoop: { utilization: 0.5, delayP99Ms: 1.9 },
  resumedFrom: null,
  deadLetters: null,
};
const progress: Progress = {
  ...ledger,
  accepted: 500_000,
  acked: 400_000,
  duplicates: 0,
  inFlight: 100_000,
  bytesIn: 50_000_000,
  bytesTotal: 200_000_000,
  elapsedMs: 1_000,
  eventsPerSecond: 500_000,
};

Text('the report says rate, ledger and place, in columns that line up', () => {
  const text = reportText(report);
  for (const part of [
    '1,000,000 events (214.0 MB) in 2.00 s, 500,000 events/s, 107.0 MB/s',
    'acked         980,000',
    'duplicates     20,000',
    'embedded:.millrace (embedded, 1 worker, framing batch)',
    '1.10 CPU seconds',
  ])
    assert.ok(text.includes(part), `${part}\nnot in\n${text}`);
  assert.not.match(text, /dropped|in flight|dead letters|resumed/);
});

Text('the report names what is unusual', () => {
  const text = reportText({
    ...report,
    workers: 0,
    failed: 5,
    unknown: 3,
    dropped: 2,
    inFlight: 1,
    retries: 7,
    resumedFrom: 'byte 10 of a',
    deadLetters: 'd',
  });
  for (const part of [
    '3 of them may have been stored',
    'dropped',
    'in flight',
    '7 retries',
    'from byte 10 of a',
    'dead letters  d',
    'inline',
  ])
    assert.ok(text.includes(part), part);
});

Text('an empty run has a report without a rate', () =>
  assert.ok(reportText({ ...report, accepted: 0, bytesIn: 0, elapsedMs: 0 }).startsWith('0 events (0 B) in 0 ms\n')),
);

for (const [name, change, expected] of [
  ['a file', {}, '500,000 events/s · 50.0 MB of 200.0 MB (25%) · acked 400,000 · in flight 100,000 · ETA 3.00 s'],
  ['stdin', { bytesTotal: null }, '500,000 events/s · 50.0 MB · acked 400,000 · in flight 100,000'],
  [
    'trouble',
    { bytesTotal: null, duplicates: 1, rejected: 2, failed: 3 },
    '500,000 events/s · 50.0 MB · acked 400,000 · duplicates 1 · rejected 2 · failed 3 · in flight 100,000',
  ],
  ['an empty file', { bytesIn: 0, bytesTotal: 0 }, '500,000 events/s · 0 B of 0 B · acked 400,000 · in flight 100,000'],
] as const)
  Text(`progress of ${name}`, () => assert.is(progressText({ ...progress, ...change }), expected));

for (const [milliseconds, text] of [
  [4.4, '4 ms'],
  [1_500, '1.50 s'],
  [59_000, '59.0 s'],
  [61_000, '1m01s'],
  [3_661_000, '1h1m01s'],
] as const)
  Text(`${milliseconds} ms is ${text}`, () => assert.is(duration(milliseconds), text));

for (const [bytes, text] of [
  [0, '0 B'],
  [999, '999 B'],
  [1_500, '1.5 kB'],
  [2_500_000, '2.5 MB'],
  [5e9, '5.00 GB'],
] as const)
  Text(`${bytes} bytes are ${text}`, () => assert.is(megabytes(bytes), text));

Text('columns are as wide as their widest cell', () =>
  assert.is(
    columns(
      [
        ['a', '1'],
        ['bbb', '22'],
      ],
      [1],
    ),
    'a     1\nbbb  22',
  ),
);

Text('every error code has an exit code of the contract', () => {
  for (const code of Object.keys(errorTable) as ErrorCode[]) assert.ok([1, 3, 4, 5].includes(exitCodeOf(code)), code);
  assert.equal(
    [exitCodeOf('MILLRACE_CONFIG'), exitCodeOf('MILLRACE_CONNECT'), exitCodeOf('MILLRACE_SOURCE'), exitCodeOf('MILLRACE_DRAIN_TIMEOUT')],
    [1, 3, 4, 5],
  );
});

for (const [change, code] of [
  [{}, 0],
  [{ rejected: 1 }, 2],
  [{ failed: 1 }, 2],
  [{ inFlight: 1, failed: 1 }, 5],
  [{ dropped: 1 }, 0],
] as const)
  Text(`a ledger with ${JSON.stringify(change)} ends with ${code}`, () => assert.is(exitCodeOfLedger({ ...ledger, ...change }), code));

Text.run();
