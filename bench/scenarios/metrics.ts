/** The figures that scenarios share, each described once. */
import type { Metric } from '../harness/types.ts';

export const rate: Metric = { key: 'rate', label: 'rate', unit: 'events/s', better: 'higher', digits: 0 };
export const cpuPerMillion: Metric = { key: 'cpuPerMillion', label: 'CPU', unit: 's/M', better: 'lower', digits: 2 };
export const brokerCpuPerMillion: Metric = { key: 'brokerCpuPerMillion', label: 'broker CPU', unit: 's/M', better: 'lower', digits: 2 };
export const mainBusy: Metric = { key: 'mainBusy', label: 'main thread', unit: 'of 1', better: 'lower', digits: 2 };
export const loopP99: Metric = { key: 'loopP99Ms', label: 'loop p99', unit: 'ms', better: 'lower', digits: 1 };
export const loopUtilization: Metric = { key: 'loopUtilization', label: 'loop busy', unit: 'of 1', better: 'lower', digits: 2 };
export const peakRss: Metric = { key: 'peakRssMiB', label: 'peak RSS', unit: 'MiB', better: 'lower', digits: 0 };
export const p50: Metric = { key: 'p50Ms', label: 'p50', unit: 'ms', better: 'lower', digits: 3 };
export const p99: Metric = { key: 'p99Ms', label: 'p99', unit: 'ms', better: 'lower', digits: 3 };
export const inputRate: Metric = { key: 'inputMBps', label: 'input', unit: 'MB/s', better: 'higher', digits: 0 };
export const gcMax: Metric = { key: 'gcMaxMs', label: 'longest GC pause', unit: 'ms', better: 'lower', digits: 1 };
