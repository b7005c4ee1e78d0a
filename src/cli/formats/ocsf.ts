/**
 * OCSF 1.8.0 (https://schema.ocsf.io/1.8.0), a JSON event a line: API Activity (6003) for what was done with data and with
 * the log, Entity Management (3004) for what was registered, declared, granted and ended. What has no attribute there is in
 * `unmapped`, as the log calls it. The log keeps no network addresses, so the required source endpoint only says so.
 *
 * The last event is an API Activity of the export itself, and says up to where it is complete.
 */
import type { LoggedBody } from '../../log/body.js';
import { completion, line, type MakeFormat } from './format.js';
import { type Deed, deedOf, refusalOf, type Said } from './said.js';

const VERSION = '1.8.0';
const API = { class_uid: 6003, class_name: 'API Activity', category_uid: 6, category_name: 'Application Activity' };
const ENTITY = {
  class_uid: 3004,
  class_name: 'Entity Management',
  category_uid: 3,
  category_name: 'Identity & Access Management',
};
const UNKNOWN_ENDPOINT = { name: 'not recorded' };

const ACTIVITIES: Readonly<Record<Deed, readonly [id: number, name: string]>> = {
  create: [1, 'Create'],
  read: [2, 'Read'],
  search: [2, 'Read'],
  update: [3, 'Update'],
  delete: [4, 'Delete'],
  other: [99, 'Other'],
};

/** Of events about something managed: what it is, and how it was changed where that is no creation. */
const MANAGED =
  /^(?:user|processor|purpose|category|legal-basis|service|cookie|grant|identity|key|engagement|agreement|training)\.(?!found|listed|read|accepted|declined)/;
const MANAGING: Readonly<Record<string, readonly [id: number, name: string]>> = {
  'agreement.withdrawn': [9, 'Disable'],
  'engagement.ended': [9, 'Disable'],
  'grant.revoked': [9, 'Disable'],
  'service.amended': [3, 'Update'],
  'training.withdrawn': [9, 'Disable'],
  'service.enrolled': [6, 'Enroll'],
};

const USER_TYPES: Readonly<Record<string, readonly [id: number, type: string]>> = {
  system: [3, 'System'],
  user: [1, 'User'],
};

export const ocsf: MakeFormat = (origin) => {
  const metadata = (uid: string) => ({
    version: VERSION,
    product: { name: 'Access Ledger', vendor_name: 'Access Ledger' },
    log_name: origin,
    uid: `${origin}/${uid}`,
  });
  return {
    head: '',
    record: (said) => line({ ...eventOf(said), metadata: { ...metadata(String(said.index)), ...metadataOf(said) } }),
    closing: (closing, at) =>
      line({
        ...classified(API, ACTIVITIES.read),
        ...{ severity_id: 1, severity: 'Informational', status_id: 1, status: 'Success', time: at.getTime() },
        message: completion(closing),
        actor: { app_name: 'access-ledger export' },
        api: { operation: 'export' },
        src_endpoint: UNKNOWN_ENDPOINT,
        metadata: { ...metadata('complete'), event_code: 'export.complete' },
        unmapped: { complete: closing },
      }),
  };
};

function metadataOf({ index, body }: Said): object {
  return { sequence: index, ...(body && { event_code: body.event, correlation_uid: body.request }) };
}

function eventOf(said: Said): object {
  const { link, body } = said;
  if (!body) {
    return {
      ...classified(API, [0, 'Unknown']),
      ...{ severity_id: 5, severity: 'Critical', status_id: 0, status: 'Unknown', time: 0 },
      message: 'The entry was edited so that it cannot be read: verify the log.',
      actor: { app_name: 'unknown' },
      api: { operation: 'unknown' },
      src_endpoint: UNKNOWN_ENDPOINT,
      unmapped: { link },
    };
  }
  const { actor, asOf, asked, at, basis, clause, details, event, operation, outcome, policy, purpose, request } = body;
  const isManaged = MANAGED.test(event);
  const activity = (isManaged && MANAGING[event]) || ACTIVITIES[deedOf(event)];
  const refusal = refusalOf(body);
  return {
    ...classified(isManaged ? ENTITY : API, activity),
    time: Date.parse(at),
    ...(outcome === 'permitted'
      ? { severity_id: 1, severity: 'Informational', status_id: 1, status: 'Success' }
      : { severity_id: 2, severity: 'Low', status_id: 2, status: 'Failure' }),
    ...(refusal && { status_code: refusal.code, status_detail: refusal.missing.join('; ') }),
    actor: actorOf(actor),
    src_endpoint: UNKNOWN_ENDPOINT,
    ...(isManaged ? { entity: entityOf(said, body) } : { api: apiOf(operation, request), ...resourcesOf(body) }),
    unmapped: {
      ...{ purpose, basis, clause, policy, asked, as_of: asOf, details, link },
      ...{ on_behalf_of: actor.onBehalfOf, nth: said.history?.nth, earlier: said.history?.earlier },
      ...(isManaged && { operation, subject: body.subject }),
    },
  };
}

function classified(
  { class_uid, ...rest }: typeof API,
  [activity_id, activity_name]: readonly [number, string],
): object {
  const type_uid = class_uid * 100 + activity_id;
  return {
    class_uid,
    ...rest,
    activity_id,
    activity_name,
    type_uid,
    type_name: `${rest.class_name}: ${activity_name}`,
  };
}

function actorOf({ id, kind, role }: LoggedBody['actor']): object {
  const [type_id, type] = USER_TYPES[kind] ?? [99, kind];
  return { user: { uid: id, type_id, type, ...(role && { groups: [{ name: role }] }) } };
}

function apiOf(operation: string, request: string): object {
  return { operation, request: { uid: request }, service: { name: 'Access Ledger' } };
}

/** The records that were opened, changed or erased; or, where none was, whom it is about. */
function resourcesOf({ records, subject }: LoggedBody): object {
  const owner = subject && { owner: { uid: subject } };
  const resources = records?.map(({ id, category, version }) => ({
    ...{ uid: id, type: category, version: String(version) },
    ...owner,
  }));
  if (resources?.length) return { resources };
  return subject ? { resources: [{ uid: subject, type: 'data subject' }] } : {};
}

/** Named by its key where its event has one: `{"purpose":"convenience"}` of `purpose.declared`. */
function entityOf({ index }: Said, { event, subject, details = {} }: LoggedBody): object {
  const type = event.slice(0, event.indexOf('.'));
  if (type === 'user' && subject) return { type_id: 2, type: 'User', uid: subject, user: { uid: subject } };
  const named = Object.hasOwn(details, type) ? details[type] : null;
  return { type_id: 99, type, uid: typeof named === 'string' ? named : (subject ?? `entry ${index}`) };
}
