/**
 * The server's log (not *the* log): one JSON line for each thing worth an operator's attention, on standard output.
 *
 *     {"at":"2026-11-22T09:15:02.117Z","level":"info","message":"request","request":"f1a7…","route":"/graphql",…}
 *
 * It holds no personal value, no pseudonym, no token and no text that a client sent. The fields' type keeps objects out,
 * so nothing gets in by being part of something else.
 */
import type { Writable } from 'node:stream';
import { createLogger as createWinston, format, type Logger, transports } from 'winston';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, string | number | boolean | null | readonly string[] | undefined>>;

export type Log = Readonly<Record<LogLevel, (message: string, fields?: LogFields) => void>>;

export interface LogOptions {
  readonly level: LogLevel;
  readonly to?: Writable;
}

export function createLog({ level, to = process.stdout }: LogOptions): Log {
  const winston = createWinston({
    level,
    format: line(),
    transports: [new transports.Stream({ stream: to, eol: '\n' })],
  });
  const at = (name: LogLevel) => (message: string, fields?: LogFields) => write(winston, name, message, fields);
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

function write(winston: Logger, level: LogLevel, message: string, fields: LogFields | undefined): void {
  winston.log({ level, message, fields });
}

/** The property under which Winston's transports look for the text of a line. */
const MESSAGE = Symbol.for('message');

const line = format((info) => {
  const { level, message, fields } = info as { level: string; message: unknown; fields?: LogFields };
  info[MESSAGE] = JSON.stringify({ at: new Date().toISOString(), level, message, ...fields });
  return info;
});

/**
 * What may be said of an error: its class, its code (of PostgreSQL's errors that is the SQLSTATE alone, for `detail`
 * holds values), and those of what caused it. Never its message.
 */
export function errorFields(error: unknown): LogFields {
  const names: string[] = [];
  const codes: string[] = [];
  for (const one of causes(error)) {
    names.push(one instanceof Error ? one.constructor.name : typeof one);
    const code = (one as { code?: unknown } | null)?.code;
    if (typeof code === 'string' && /^\w{1,64}$/.test(code)) codes.push(code);
  }
  return { error: names, code: codes };
}

/** Where an error came from: the frames alone, for the first lines of a stack repeat the message. */
export function stackFields(error: unknown): LogFields {
  const stacks = causes(error).map((one) => (one instanceof Error ? (one.stack ?? '') : ''));
  return { stack: stacks.flatMap((stack) => stack.split('\n').filter((text) => /^\s+at .*:\d+:\d+\)?$/.test(text))) };
}

const MAX_CAUSES = 5;

/** The error and what caused it, outermost first. */
export function causes(error: unknown): readonly unknown[] {
  const found: unknown[] = [];
  for (let one: unknown = error; one !== undefined && one !== null && found.length < MAX_CAUSES; ) {
    found.push(one);
    const { cause, originalError, driverError } = one as Record<string, unknown>;
    one = cause ?? originalError ?? driverError;
  }
  return found;
}
