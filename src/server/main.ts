/**
 * `npm start`: reads the configuration, starts the server, greets, and stops in good order at Ctrl-C.
 */
import 'reflect-metadata';
import { EmbeddedPostgresError } from '../database/embedded.js';
import { SetupError } from '../database/migrating.js';
import { WrongConnection } from '../database/pools.js';
import { VaultError } from '../vault/vault-error.js';
import { ConfigError, readConfig } from './config.js';
import { greeting } from './greeting.js';
import { createLog, errorFields } from './log.js';
import { LogKeyError } from './log-key.js';
import { startServer } from './server.js';
import { handleShutdown } from './shutdown.js';

const now = () => new Date();

try {
  const config = readConfig(process.env);
  const log = createLog({ level: config.logLevel });
  const server = await startServer({ config, log, now, tell });
  handleShutdown({ steps: server.stop, log, exit: (status) => process.exit(status), signals: process });
  process.stdout.write(`${greeting({ ...server, seconds: performance.now() / 1_000 })}\n`);
} catch (error) {
  process.stderr.write(`${reason(error)}\n`);
  process.exit(1);
}

/** Slow steps, one line each; on a terminal the next overwrites the last. */
function tell(line: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
}

/** Errors of ours say what to do. Of others only the kind is known to be safe to show. */
function reason(error: unknown): string {
  const ours = [ConfigError, EmbeddedPostgresError, LogKeyError, SetupError, VaultError, WrongConnection];
  if (error instanceof Error && ours.some((kind) => error instanceof kind)) return error.message;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'EADDRINUSE') return 'Another program listens on this port: set PORT to another one, or to 0 for any.';
  if (code === 'ECONNREFUSED') return 'PostgreSQL does not answer: look at DATABASE_URL and DATABASE_OWNER_URL.';
  return `The server could not start: ${JSON.stringify(errorFields(error))}`;
}
