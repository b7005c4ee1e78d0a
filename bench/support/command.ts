/**
 * The command `access-ledger`, which in the end tells the most memory that its process ever held: bytes, on descriptor 3.
 */
import { writeSync } from 'node:fs';

process.on('exit', () => writeSync(3, String(process.resourceUsage().maxRSS * 1024)));

await import('../../src/cli/access-ledger.js');
