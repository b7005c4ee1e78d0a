/**
 * A process of its own that appends to a log: `appender.ts URL COUNT [AS_OF [WAVE]]`, so many at once as a wave has, or all.
 * It prints what it was answered, an entry a line.
 */
import { openLedger, someBody } from './ledger.js';

const [url = '', count = '0', asOf = '0', wave = count] = process.argv.slice(2);
const { ledger, close } = await openLedger(url);
for (let left = Number(count); left > 0; left -= Number(wave)) {
  const bodies = Array.from({ length: Math.min(left, Number(wave)) }, () => someBody({ asOf: Number(asOf) }));
  for (const [answer] of await Promise.all(bodies.map((body) => ledger.append([body])))) {
    if (answer && answer !== 'stale') process.stdout.write(`${answer.entry.index} ${answer.entry.link}\n`);
  }
}
await close();
