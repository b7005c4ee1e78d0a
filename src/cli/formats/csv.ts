/**
 * CSV, RFC 4180, UTF-8, a header and a row an entry. Lists are separated by spaces, records and details are canonical JSON.
 * The last row is of the event `export.complete`, which no log has; it has no index, and its details say up to where.
 */
import { canonical, type Json } from '../../log/canonical.js';
import type { MakeFormat } from './format.js';
import { refusalOf, type Said } from './said.js';

type Readable = Extract<Said, { readonly body: object }>;
type Cell = string | number | null | undefined;

const COLUMNS: Readonly<Record<string, (said: Readable) => Cell>> = {
  at: ({ body }) => body.at,
  event: ({ body }) => body.event,
  outcome: ({ body }) => body.outcome,
  actor: ({ body }) => body.actor.id,
  actor_kind: ({ body }) => body.actor.kind,
  actor_role: ({ body }) => body.actor.role,
  on_behalf_of: ({ body }) => body.actor.onBehalfOf,
  subject: ({ body }) => body.subject,
  nth: ({ history }) => history?.nth,
  earlier: ({ history }) => history?.earlier,
  purpose: ({ body }) => body.purpose,
  basis: ({ body }) => body.basis,
  clause: ({ body }) => body.clause,
  policy: ({ body }) => body.policy,
  asked: ({ body }) => body.asked?.join(' '),
  records: ({ body }) => json(body.records),
  refusal: ({ body }) => refusalOf(body)?.code,
  missing: ({ body }) => refusalOf(body)?.missing.join('; '),
  request: ({ body }) => body.request,
  operation: ({ body }) => body.operation,
  as_of: ({ body }) => body.asOf,
  details: ({ body }) => json(body.details),
};
const NAMES = Object.keys(COLUMNS);

export const csv: MakeFormat = () => ({
  head: row(['index', 'link', ...NAMES]),
  record: (said) =>
    row([said.index, said.link, ...NAMES.map((name) => (said.body ? COLUMNS[name]!(said as Readable) : null))]),
  closing: ({ entries, last }, at) => {
    const cells: Readonly<Record<string, Cell>> = {
      at: at.toISOString(),
      event: 'export.complete',
      details: canonical({ entries, last }),
    };
    return row([null, null, ...NAMES.map((name) => cells[name])]);
  },
});

function row(cells: readonly Cell[]): string {
  return `${cells.map(field).join(',')}\r\n`;
}

/** A body that can be read has no text that a spreadsheet takes for a formula: no field of it is free. */
function field(cell: Cell): string {
  const text = String(cell ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function json(value: object | undefined): string | undefined {
  return value && canonical(value as Json);
}
