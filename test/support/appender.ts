/**
 * A process of its own that appends to a log: `appender.ts URL COUNT`. It prints what it was answered, an entry a line.
 */
import { openLedger, someBody } from './ledger.js';

const [url = '', count = '0'] = process.argv.slice(2);
const { ledger, close } = await openLedger(url);
const answers = await Promise.all(Array.from({ length: Number(count) }, () => ledger.append([someBody({ asOf: 0 })])));
for (const [answer] of answers) {
  if (answer && answer !== 'stale') process.stdout.write(`${answer.entry.index} ${answer.entry.link}\n`);
}
await close();
