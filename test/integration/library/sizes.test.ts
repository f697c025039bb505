/** Sizes that would fill memory if anything kept them: one line without an end becomes one reject with its place, and its neighbours go through. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { timedSuite } from '../../harness/timeout.ts';
import { readLetters } from '../../unit/engine/letters.ts';
import { readAll, targetNames, Targets } from '../ingest/targets.ts';

const Sizes = timedSuite('sizes', { timeoutMs: 110_000 });
const targets = new Targets();
Sizes.after(() => targets.end());
const MIB = 1_048_576;
/** All of it with MILLRACE_FULL=1; else enough to be seen if it were kept. */
const LINE_MIB = process.env['MILLRACE_FULL'] === '1' ? 1_024 : 256;
/** A slab or two, the jumbo slab, what is on its way through the source, and the collector's own pace. */
const GROWTH_MIB_MAX = 128;

for (const target of targetNames.slice(0, 2))
  Sizes(`a line of ${LINE_MIB} MiB is one reject, memory stays flat, and its neighbours go through (${target})`, async () => {
    const name = `long-line-${target}`;
    await using processor = await targets.open(target, name);
    const warm = { id: 'none', subject: name } as const;
    await processor.ingest([{ n: -1 }], warm); // What is loaded and touched once is no growth.
    const before = process.memoryUsage.rss();
    let most = 0;
    const head = '{"n":0}\n{"n":1}\n';
    const hash = createHash('sha256'); // Of the line with its end, as byteOffset to byteEnd say.
    const chunk = Buffer.alloc(MIB, 'x');
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(head);
      for (let sent = 0; sent < LINE_MIB; sent += 1) {
        hash.update(chunk);
        most = Math.max(most, process.memoryUsage.rss());
        yield chunk;
      }
      hash.update('\n');
      yield Buffer.from('\n{"n":2}\n{"n":3}');
    }
    const report = await processor.ingest(source() as AsyncIterable<Uint8Array>, { ...warm, format: 'ndjson' });
    assert.equal([report.accepted, report.acked, report.rejected, report.inFlight], [5, 4, 1, 0]);
    assert.is(report.bytesIn, LINE_MIB * MIB + 32);
    const grown = (most - before) / MIB;
    assert.ok(grown < GROWTH_MIB_MAX, `${grown.toFixed(0)} MiB more`);
    const [letter, ...more] = await readLetters(join(targets.folder, `${name}-letters`));
    assert.is(more.length, 0);
    assert.is(letter!.reason, 'too_long');
    assert.equal(
      [letter!.origin!.line, letter!.origin!.byteOffset, letter!.origin!.byteEnd],
      [3, head.length, head.length + LINE_MIB * MIB + 1],
    );
    assert.match(letter!.message, new RegExp(`^${LINE_MIB * MIB + 1} B > .*sha256 ${hash.digest('hex')}`));
    const seen: number[] = [];
    await readAll(processor, 5, ({ event }) => void seen.push((event as { n: number }).n), { noAck: true });
    assert.equal(
      seen.toSorted((left, right) => left - right),
      [-1, 0, 1, 2, 3],
    );
  });

Sizes.run();
