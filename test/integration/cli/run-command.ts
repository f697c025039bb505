/** Runs the compiled command in a process of its own, with an environment that holds nothing of the outer one that it would read. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandSetting {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Leave stdin open after the input. */
  readonly keepOpen?: boolean;
  /** Another module to run in place of the command. */
  readonly main?: string;
  /** Close our end of stdout after so many characters. */
  readonly stopReading?: number;
  /** Called once the process has taken all of the input that is left open. */
  readonly written?: (child: ChildProcess) => void;
  readonly onStarted?: (child: ChildProcess) => void;
  /** Called for what it writes to stdout so far. */
  readonly onOutput?: (stdout: string, child: ChildProcess) => void;
  /** Called for what it writes to stderr so far. */
  readonly onError?: (stderr: string, child: ChildProcess) => void;
}

/** The command as users run it. */
export const commandFile: string = fileURLToPath(new URL('../../../src/bundle/main.js', import.meta.url));

export async function runCommand(args: readonly string[], setting: CommandSetting): Promise<CommandResult> {
  const outer = Object.entries(process.env).filter(
    ([name]) => !/^(MILLRACE_|NATS_URL$|LOG_LEVEL$|NO_COLOR$|NODE_V8_COVERAGE$)/.test(name) || name === 'NODE_V8_COVERAGE',
  );
  const child = spawn(process.execPath, [setting.main ?? commandFile, ...args], {
    cwd: setting.cwd,
    env: { ...Object.fromEntries(outer), ...setting.env },
    stdio: 'pipe',
  });
  setting.onStarted?.(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    setting.onOutput?.(stdout, child);
    if (setting.stopReading !== undefined && stdout.length >= setting.stopReading) child.stdout.destroy();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    setting.onError?.(stderr, child);
  });
  // A command that fails early does not read its input.
  child.stdin.on('error', () => {});
  if (setting.keepOpen === true) child.stdin.write(setting.input ?? '', () => setting.written?.(child));
  else child.stdin.end(setting.input ?? '');
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}
