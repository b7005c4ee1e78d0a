/**
 * `npm start`: reads the configuration, starts the server, greets, and stops in good order at Ctrl-C, also where that comes
 * before the start is through.
 */
import 'reflect-metadata';
import { readConfig } from './config.js';
import { greeting } from './greeting.js';
import { createLog } from './log.js';
import { reasonOf } from './reason.js';
import { startServer } from './server.js';
import { handleShutdown, PATIENCE, type ShutdownStep } from './shutdown.js';

const now = () => new Date();
const stopping = new AbortController();

try {
  const config = readConfig(process.env);
  const log = createLog({ level: config.logLevel });
  const starting = startServer({ config, log, now, tell, signal: stopping.signal });
  const steps: ShutdownStep[] = [{ name: 'start', patience: PATIENCE, run: breakOff }];
  async function breakOff(): Promise<void> {
    stopping.abort();
    const started = await starting.catch(() => null);
    steps.push(...(started?.stop ?? []));
  }
  handleShutdown({ steps, log, exit: (status) => process.exit(status), signals: process });
  const server = await starting;
  tellNoMore();
  process.stdout.write(`${greeting({ ...server, seconds: performance.now() / 1_000 })}\n`);
} catch (error) {
  // A start that was broken off ends as the signal has it.
  tellNoMore();
  if (!stopping.signal.aborted) {
    process.stderr.write(`${reasonOf(error)}\n`);
    process.exit(1);
  }
}

/** Slow steps, one line each; on a terminal the next overwrites the last. */
function tell(line: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
}

function tellNoMore(): void {
  if (process.stderr.isTTY) tell('');
}
