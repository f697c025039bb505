/** CPU time and memory of processes, of threads and of the whole machine, from procfs; zeros where there is none. */
import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts in ticks of 10 ms everywhere Node runs on Linux. */
const TICKS_PER_SECOND = 100;
const NANOS_PER_SECOND = 1e9;

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** User and system seconds of a whole process, ended threads included. */
export function processCpuSeconds(pid: number | 'self'): number {
  // The name in parentheses may hold spaces; the fields that count come after it.
  const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
  return fields.length < 13 ? 0 : (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Seconds one thread has run, in nanoseconds' resolution. */
export function threadCpuSeconds(pid: number | 'self', thread: number): number {
  return Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0] ?? 0) / NANOS_PER_SECOND;
}

export interface MachineCpu {
  /** Seconds of all processes together: user, nice and system. */
  readonly busy: number;
  /** Seconds that a hypervisor gave to others. */
  readonly steal: number;
}

export function machineCpu(): MachineCpu {
  const [user = 0, nice = 0, system = 0, , , , , steal = 0] = (read('/proc/stat').split('\n')[0] ?? '')
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return { busy: (user + nice + system) / TICKS_PER_SECOND, steal: steal / TICKS_PER_SECOND };
}

/** Parent of all threads of the kernel. */
const KTHREADD = '2';

/** Seconds of the kernel's own threads: they write to disk what the broker wrote, and are nobody's foreign load. */
export function kernelThreadSeconds(): number {
  let ticks = 0;
  for (const name of folders('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const fields = read(`/proc/${name}/stat`).split(') ').at(-1)?.split(' ') ?? [];
    if (fields[1] === KTHREADD) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS_PER_SECOND;
}

function folders(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Resident bytes now; `peakRss` is the greatest since the start of the process. */
export function rssBytes(pid: number | 'self'): number {
  return statusBytes(pid, 'VmRSS');
}

export function peakRssBytes(pid: number | 'self'): number {
  return statusBytes(pid, 'VmHWM');
}

function statusBytes(pid: number | 'self', name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1_024;
}
