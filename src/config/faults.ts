/** Collects what is wrong with a configuration, so that one error can list every fault at once. */
import { MillraceError } from '../api/errors.ts';
import { showValue } from './redact.ts';

export interface Fault {
  /** Where the value came from: `flag --workers`, `env MILLRACE_WORKERS`, `URL query workers`. */
  readonly from: string;
  readonly problem: string;
  /** What would be right, and the nearest name. */
  readonly advice: string;
}

export class Faults {
  readonly list: Fault[] = [];

  add(from: string, problem: string, advice: string = ''): void {
    this.list.push({ from, problem, advice });
  }

  /** A value that is not of its option's form. */
  value(
    from: string,
    raw: unknown,
    {
      expected,
      secret = false,
      nearest = null,
    }: { readonly expected: string; readonly secret?: boolean; readonly nearest?: string | null },
  ): void {
    this.add(from, `${showValue(raw, secret)} is not valid`, `expected ${expected}${suggestion(nearest)}`);
  }

  /** A name nobody knows. */
  name(from: string, nearest: string | null): void {
    this.add(from, 'no such option', nearest === null ? '' : `did you mean ${nearest}?`);
  }

  /** Throws one MILLRACE_CONFIG that names every fault; does nothing when there is none. */
  throwIfAny(): void {
    if (this.list.length === 0) return;
    const lines = this.list.map(({ from, problem, advice }) => `${from}: ${problem}${advice === '' ? '' : `; ${advice}`}`);
    const message =
      lines.length === 1 ? lines[0]! : `${lines.length} faults in the configuration:\n${lines.map((line) => `  - ${line}`).join('\n')}`;
    throw new MillraceError('MILLRACE_CONFIG', message, { context: { faults: this.list } });
  }
}

function suggestion(nearest: string | null): string {
  return nearest === null ? '' : `; did you mean ${nearest}?`;
}
