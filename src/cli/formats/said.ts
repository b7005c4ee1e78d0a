/**
 * What an entry said when it was written, read from its leaf; `body` is null where somebody has edited that so that it
 * cannot be read.
 */
import { BodyError, type LoggedBody, parseBody } from '../../log/body.js';
import { type Leaf, parseLeaf } from '../../log/leaf.js';
import type { StoredEntry } from '../../log/reading.js';

export type Said = { readonly index: number; readonly link: string } & (
  | { readonly body: LoggedBody; readonly history: Leaf['history'] }
  | { readonly body: null }
);

export function saidBy({ index, link, leaf }: StoredEntry): Said {
  const parsed = parseLeaf(leaf);
  try {
    return parsed
      ? { index, link, body: parseBody(parsed.body), history: parsed.history }
      : { index, link, body: null };
  } catch (error) {
    if (error instanceof BodyError) return { index, link, body: null };
    throw error;
  }
}

/** What an event does, by its verb. */
export type Deed = 'create' | 'read' | 'search' | 'update' | 'delete' | 'other';

const VERBS: Readonly<Record<string, Deed>> = {
  amended: 'update',
  approved: 'create',
  begun: 'create',
  completed: 'create',
  created: 'create',
  declared: 'create',
  destroyed: 'delete',
  ended: 'delete',
  enrolled: 'create',
  erased: 'delete',
  found: 'search',
  linked: 'create',
  listed: 'search',
  read: 'read',
  registered: 'create',
  requested: 'create',
  revoked: 'delete',
  set: 'update',
  signed: 'create',
  updated: 'update',
  withdrawn: 'delete',
};

/** `other` for what this version does not know. */
export function deedOf(event: string): Deed {
  const verb = event.slice(event.indexOf('.') + 1);
  return Object.hasOwn(VERBS, verb) ? VERBS[verb]! : 'other';
}

export function refusalOf(body: LoggedBody): { readonly code: string; readonly missing: readonly string[] } | null {
  return 'refusal' in body ? { code: body.refusal.code, missing: body.refusal.missing ?? [] } : null;
}
