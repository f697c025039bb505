/** Results go to stdout, all else to stderr; a reader that went away (`| head`) ends the output, never the process with a trace. */

let stdoutGone = false;
const gone: (() => void)[] = [];

process.stdout.on('error', () => {
  stdoutGone = true;
  for (const listener of gone.splice(0)) listener();
});
// Nobody reads messages any more: there is nothing left to tell it to.
process.stderr.on('error', () => {});

/** Calls `listener` once, when nobody reads stdout any more. */
export function onOutputGone(listener: () => void): void {
  if (stdoutGone) listener();
  else gone.push(listener);
}

/** Writes to stdout and settles when the text has left this process: backpressure for whoever makes it. False = nobody reads. */
export async function writeOutput(text: string | Uint8Array): Promise<boolean> {
  if (stdoutGone) return false;
  return new Promise((resolve) => {
    process.stdout.write(text, (error) => {
      if (error) stdoutGone = true;
      resolve(!stdoutGone);
    });
  });
}

/** One line of a result. */
export async function printLine(text: string): Promise<void> {
  await writeOutput(`${text}\n`);
}

/** One line for people, on stderr. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Settles when both streams have taken everything. */
export async function closeOutput(): Promise<void> {
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve()))));
}

export function isTerminal(): boolean {
  return process.stderr.isTTY;
}

/** Colours only for a terminal that shows them to somebody who wants them (no-color.org). */
export function paint(
  text: string,
  colour: 'red' | 'yellow' | 'green' | 'dim' | 'bold',
  stream: { readonly isTTY?: boolean } = process.stderr,
): string {
  if (stream.isTTY !== true || (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb') return text;
  return `\u001B[${{ red: 31, yellow: 33, green: 32, dim: 2, bold: 1 }[colour]}m${text}\u001B[0m`;
}
