/** The same stages in the same pool, fed by structured clone instead of shared memory, published by `js.publish`. */
import { createReadStream } from 'node:fs';
import { Piscina } from 'piscina';
import { inputFile } from '../harness/input.ts';
import { measure } from '../harness/measure.ts';
import { checkStream } from '../harness/stream-check.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { warmPageCache, warmUp } from '../harness/warm-up.ts';
import { encodeChunk } from './clone-worker.ts';
import { Flight } from './flight.ts';
import type { CopiedBatch } from './private-stages.ts';
import { openStream, STREAM, SUBJECT } from './nats-stream.ts';
import { inputOf } from './params.ts';

const CHUNK_BYTES = 262_144;
const CHUNKS_MAX = 8;
const WINDOW = 64;
const LINE_FEED = 10;

/** One worker: its window of ids is its own, so more would not remove all duplicates. */
export async function run(request: RunRequest): Promise<RunResult> {
  const input = await inputFile(inputOf(request));
  const filename = new URL('clone-worker.js', import.meta.url).href;
  const pool = new Piscina({
    filename,
    name: encodeChunk.name,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: 2,
    atomics: 'async',
  });
  const connection = await openStream(request.url);
  const play = player(pool, connection.jetstream());
  const warm = await warmUp(request, play);
  warmPageCache(input);
  const { figures } = await measure(() => play(input), { brokerPid: request.brokerPid, events: (events) => events as number });
  await connection.close();
  await pool.destroy();
  const inputs = [...warm.inputs, input];
  return {
    figures,
    verified: await checkStream({ url: request.url, stream: STREAM, inputs, deduped: true, form: 'batch', generated: true }),
    notes: { warmUpRates: warm.rates },
  };
}

type Client = ReturnType<Awaited<ReturnType<typeof openStream>>['jetstream']>;

function player(pool: Piscina, client: Client): (file: string) => Promise<number> {
  const flight = new Flight(WINDOW);
  const chunks = new Flight(CHUNKS_MAX);
  const publish = async (chunk: Uint8Array): Promise<void> => {
    const batches = (await pool.run(chunk)) as CopiedBatch[];
    for (const { payload, id } of batches) {
      const full = flight.add(client.publish(SUBJECT, payload, { msgID: id }));
      if (full !== null) await full;
    }
  };
  return async (file) => {
    let lines = 0;
    for await (const chunk of wholeLines(file)) {
      lines += countLines(chunk);
      const full = chunks.add(publish(chunk));
      if (full !== null) await full;
    }
    await chunks.drain();
    await flight.drain();
    return lines;
  };
}

async function* wholeLines(input: string): AsyncGenerator<Uint8Array, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  // A little less than a slab, so that a chunk and the rest before it fit.
  for await (const piece of createReadStream(input, { highWaterMark: CHUNK_BYTES - 8_192 })) {
    const chunk = rest.length === 0 ? (piece as Buffer) : Buffer.concat([rest, piece as Buffer]);
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    // Copied: a view would clone the whole buffer that it is a view of.
    rest = Buffer.from(chunk.subarray(end));
    yield new Uint8Array(chunk.subarray(0, end));
  }
  if (rest.length > 0) yield new Uint8Array(rest);
}

function countLines(chunk: Uint8Array): number {
  let lines = 0;
  for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) lines += 1;
  return lines;
}
