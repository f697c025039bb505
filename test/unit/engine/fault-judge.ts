/** Judges a run by its history and by what the broker holds: invariants I1 to I4, I6 and I7, in words; no words = none was broken. */
import type { Stored } from './fake-broker.ts';

export interface Attempt {
  /** Counter of the run; the event carries it. */
  readonly n: number;
  readonly subject: string;
  readonly id: string | null;
  readonly event: Readonly<Record<string, unknown>>;
  outcome: 'pending' | 'acked' | 'duplicate' | 'failed' | 'unknown';
}

export interface Rules {
  /** First copies ascend per subject: true when nothing was refused. */
  readonly ordered: boolean;
}

const identityOf = ({ id, n }: Pick<Attempt, 'id' | 'n'>): string => id ?? `#${n}`;

export function judge(attempts: readonly Attempt[], stored: readonly Stored[], { ordered }: Rules): string[] {
  const problems: string[] = [];
  const copies = new Map<string, number>();
  const present = new Set<number>();
  const last = new Map<string, number>();
  for (const message of stored) {
    for (const event of message.events) {
      const { n } = event as { n?: number };
      const attempt = n === undefined ? undefined : attempts[n];
      if (attempt === undefined || JSON.stringify(attempt.event) !== JSON.stringify(event) || attempt.subject !== message.subject) {
        problems.push(`I2: ${JSON.stringify(event)?.slice(0, 80)} on ${message.subject} is nothing that was published`);
        continue;
      }
      present.add(attempt.n);
      const identity = identityOf(attempt);
      const seen = copies.get(identity) ?? 0;
      copies.set(identity, seen + 1);
      if (ordered && seen === 0 && attempt.n < (last.get(attempt.subject) ?? -1))
        problems.push(`I7: ${attempt.n} after ${last.get(attempt.subject)} on ${attempt.subject}`);
      last.set(attempt.subject, Math.max(attempt.n, last.get(attempt.subject) ?? -1));
    }
  }
  const doubtful = new Set(attempts.filter(({ outcome }) => outcome === 'unknown').map(identityOf));
  for (const [identity, count] of copies)
    if (count > 1 && !doubtful.has(identity)) problems.push(`I4: ${identity} is stored ${count} times`);
  for (const attempt of attempts) {
    const { n, outcome } = attempt;
    if (outcome === 'pending') problems.push(`I6: ${n} never settled`);
    if ((outcome === 'acked' || outcome === 'duplicate') && !copies.has(identityOf(attempt)))
      problems.push(`I1: ${n} was told ${outcome} and is not stored`);
    if (outcome === 'failed' && present.has(n)) problems.push(`I3: ${n} was told failed and is stored`);
  }
  return problems;
}
