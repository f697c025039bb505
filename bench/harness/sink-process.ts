/** The sink in a process of its own, ended by its id: it must not share a thread or a heap with what it measures. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithUs } from '../../test/harness/end-with-us.ts';

/** What a broker is to a run. */
interface SinkServer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startSink(): Promise<SinkServer> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../rivals/tcp-sink.js', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endWithUs(child);
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    url: `nats://127.0.0.1:${Number(said.toString())}`,
    pid: child.pid!,
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
