/** The report of an ingest for people: the rate first, then the ledger, which adds up line by line. */
import type { IngestReport } from '../api/report.ts';
import { columns, count, duration, megabytes } from './text.ts';

export function reportText(report: IngestReport): string {
  const seconds = report.elapsedMs / 1_000;
  const rate = seconds > 0 ? `, ${count(report.eventsPerSecond)} events/s, ${megabytes(Math.round(report.bytesIn / seconds))}/s` : '';
  const head = `${count(report.accepted)} events (${megabytes(report.bytesIn)}) in ${duration(report.elapsedMs)}${rate}`;
  return [head, indent(columns(ledgerRows(report), [1])), indent(columns(runRows(report)))].join('\n\n');
}

function ledgerRows(report: IngestReport): readonly (readonly string[])[] {
  const rows = [
    ['accepted', count(report.accepted), ''],
    ['acked', count(report.acked), 'stored by the broker'],
    ['duplicates', count(report.duplicates), 'id seen before'],
    ['rejected', count(report.rejected), 'not valid'],
    ['failed', count(report.failed), report.unknown > 0 ? `${count(report.unknown)} of them may have been stored` : 'not stored'],
  ];
  if (report.dropped > 0) rows.push(['dropped', count(report.dropped), 'no room was left']);
  if (report.inFlight > 0) rows.push(['in flight', count(report.inFlight), 'not settled']);
  return rows;
}

function runRows(report: IngestReport): readonly (readonly string[])[] {
  const workers = report.workers === 0 ? 'inline' : `${report.workers} worker${report.workers === 1 ? '' : 's'}`;
  const rows = [
    ['to', `${report.to} (${report.processor}, ${workers}, framing ${report.framing})`],
    [
      'out',
      `${count(report.messages)} messages, ${megabytes(report.bytesOut)}${report.retries > 0 ? `, ${count(report.retries)} retries` : ''}`,
    ],
    [
      'cost',
      `${report.cpuSeconds.toFixed(2)} CPU seconds, event loop ${Math.round(report.eventLoop.utilization * 100)}% busy, delay p99 ${report.eventLoop.delayP99Ms.toFixed(1)} ms`,
    ],
  ];
  if (report.resumedFrom !== null) rows.push(['resumed', `from ${report.resumedFrom}`]);
  if (report.deadLetters !== null) rows.push(['dead letters', report.deadLetters]);
  return rows;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
