import { expect } from 'chai';
import { FORMATS, type FormatName } from '../../src/cli/formats/formats.js';
import { type Said, saidBy } from '../../src/cli/formats/said.js';
import { Chain } from '../../src/log/chain.js';
import { type Body, formatBody } from '../../src/log/entry.js';
import { EVENTS } from '../../src/log/event.js';
import { someId } from '../support/ledger.js';
import { aBody } from './logs.js';

const ORIGIN = 'ledger.example.com/main';
const CLOSING = { entries: 3, last: 2 };
const AT = new Date('2026-11-22T10:00:00.000Z');
const PERSON = someId<never>();
const RECORD = { id: someId<never>(), category: 'user.name', version: 3 } as never;

// biome-ignore lint/suspicious/noExplicitAny: what is looked at is JSON of whatever shape, and a test fails where it is wrong
type Shown = any;

function said(changes: Partial<Body> = {}): Said {
  const body = aBody({ asOf: 0, at: '2026-11-22T09:15:02.117Z', ...changes } as never);
  return saidBy(new Chain().append(formatBody(body), body.subject ?? null));
}
const read = (changes: Partial<Body> = {}) =>
  said({
    subject: PERSON,
    purpose: 'convenience' as never,
    basis: 'contract',
    asked: ['user.name' as never],
    records: [RECORD],
    ...changes,
  });
const refused = () =>
  read({
    outcome: 'refused',
    records: undefined as never,
    refusal: { code: 'NO_NEED_TO_KNOW', missing: ['a need-to-know grant'] },
  } as never);
/** Somebody wrote over it. */
const unreadable: Said = saidBy({ index: 7, link: 'ab'.repeat(32), leaf: new TextEncoder().encode('gone') });

async function made(name: FormatName) {
  return (await FORMATS[name]())(ORIGIN);
}
async function shown(name: FormatName, one: Said): Promise<Shown> {
  const line = (await made(name)).record(one);
  expect(line).to.match(/^[^\n]+\n$/);
  return JSON.parse(line);
}

describe('the format', () => {
  describe('ocsf', () => {
    /** Required of each class, and of the objects in it, by OCSF 1.8.0: events/{base_event,application/api_activity,iam/entity_management}.json, objects/*.json. */
    const BASE = ['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid'];
    const REQUIRED: Record<number, string[]> = {
      6003: [...BASE, 'actor', 'api', 'src_endpoint'],
      3004: [...BASE, 'entity'],
    };
    const ENUMS: Record<string, readonly number[]> = {
      severity_id: [0, 1, 2, 3, 4, 5, 6, 99],
      status_id: [0, 1, 2, 99],
    };
    const ACTIVITIES: Record<number, readonly number[]> = {
      6003: [0, 1, 2, 3, 4, 99],
      3004: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99],
    };

    function check(event: Shown): void {
      expect(event).to.include.all.keys(REQUIRED[event.class_uid]!);
      expect(event.type_uid).to.equal(event.class_uid * 100 + event.activity_id);
      expect(Math.floor(event.class_uid / 1_000)).to.equal(event.category_uid);
      expect(ACTIVITIES[event.class_uid]).to.include(event.activity_id);
      for (const [name, values] of Object.entries(ENUMS)) expect(values, name).to.include(event[name]);
      expect(event.metadata.version).to.equal('1.8.0');
      expect(event.metadata.product.vendor_name).to.be.a('string');
      expect(event.time).to.be.a('number').and.satisfy(Number.isSafeInteger);
      // At least one of those of network_endpoint, actor, user, resource_details and managed_entity.
      if (event.src_endpoint) expect(event.src_endpoint.name).to.be.a('string');
      if (event.actor) expect(event.actor.user?.uid ?? event.actor.app_name).to.be.a('string');
      if (event.actor?.user) expect([1, 3, 99]).to.include(event.actor.user.type_id);
      if (event.api) expect(event.api.operation).to.be.a('string');
      if (event.api?.request) expect(event.api.request.uid).to.be.a('string');
      for (const resource of event.resources ?? []) expect(resource.uid).to.be.a('string');
      if (event.entity) {
        expect(event.entity.uid).to.be.a('string');
        expect([2, 99]).to.include(event.entity.type_id);
      }
    }

    it('has what its version requires, of every event, permitted and refused', async () => {
      const classes = new Set<number>();
      for (const event of [...Object.keys(EVENTS), 'dream.seen']) {
        for (const one of [said({ event } as never), read({ event } as never), refused()]) {
          const record = await shown('ocsf', one);
          check(record);
          classes.add(record.class_uid);
        }
      }
      expect([...classes].sort()).to.deep.equal([3004, 6003]);
      check(await shown('ocsf', unreadable));
    });

    it('says who did what to whose records, for what, and what became of it', async () => {
      const one = read();
      const event = await shown('ocsf', one);
      const { actor, request } = one.body!;
      expect(event).to.deep.include({
        class_name: 'API Activity',
        activity_name: 'Read',
        type_uid: 600302,
        time: Date.parse('2026-11-22T09:15:02.117Z'),
        status: 'Success',
        actor: { user: { uid: actor.id, type_id: 99, type: 'staff', groups: [{ name: 'support-agent' }] } },
        api: { operation: 'user', request: { uid: request }, service: { name: 'Access Ledger' } },
        resources: [{ uid: (RECORD as { id: string }).id, type: 'user.name', version: '3', owner: { uid: PERSON } }],
      });
      expect(event.metadata).to.deep.include({
        uid: `${ORIGIN}/0`,
        log_name: ORIGIN,
        sequence: 0,
        event_code: 'record.read',
      });
      expect(event.unmapped).to.include({ purpose: 'convenience', basis: 'contract', clause: '5.2', link: one.link });
      expect(await shown('ocsf', refused())).to.deep.include({
        ...{ status: 'Failure', status_code: 'NO_NEED_TO_KNOW', status_detail: 'a need-to-know grant' },
        resources: [{ uid: PERSON, type: 'data subject' }],
      });
      const declared = await shown(
        'ocsf',
        said({ event: 'purpose.declared', details: { purpose: 'convenience' } } as never),
      );
      expect(declared).to.deep.include({
        type_uid: 300401,
        entity: { type_id: 99, type: 'purpose', uid: 'convenience' },
      });
      const registered = await shown('ocsf', said({ event: 'user.registered', subject: PERSON }));
      expect(registered.entity).to.deep.equal({ type_id: 2, type: 'User', uid: PERSON, user: { uid: PERSON } });
      expect(await shown('ocsf', said({ event: 'user.listed' }))).to.include({ activity_name: 'Read' });
      expect(await shown('ocsf', said({ event: 'grant.revoked' }))).to.include({ activity_name: 'Disable' });
      expect(await shown('ocsf', unreadable)).to.include({ severity: 'Critical', status: 'Unknown' });
    });

    it('ends with an event of the export, which says up to where', async () => {
      const event = JSON.parse((await made('ocsf')).closing(CLOSING, AT));
      check(event);
      expect(event).to.deep.include({
        message: 'complete up to entry 2',
        time: AT.getTime(),
        unmapped: { complete: CLOSING },
      });
    });
  });

  describe('fhir', () => {
    /** AuditEvent of FHIR R4 (4.0.1): its elements, and those that are required. */
    const ELEMENTS = [
      'action',
      'agent',
      'entity',
      'id',
      'outcome',
      'outcomeDesc',
      'purposeOfEvent',
      'recorded',
      '_recorded',
      'resourceType',
      'source',
      'subtype',
      'type',
    ];

    function check(event: Shown): void {
      expect(event.resourceType).to.equal('AuditEvent');
      expect(ELEMENTS).to.include.members(Object.keys(event));
      expect(event.id).to.match(/^[A-Za-z0-9\-.]{1,64}$/);
      expect(event.type.code).to.be.a('string');
      expect(event.recorded ?? event._recorded).to.not.equal(undefined);
      if (event.recorded) expect(event.recorded).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      if (event.action) expect(['C', 'R', 'U', 'D', 'E']).to.include(event.action);
      expect(['0', '4', '8', '12']).to.include(event.outcome);
      expect(event.agent).to.be.an('array').that.is.not.empty;
      for (const agent of event.agent) expect(agent.requestor).to.be.a('boolean');
      expect(event.source.observer).to.be.an('object');
      noEmpty(event);
    }

    /** FHIR has no empty strings, arrays and objects, and no null (https://hl7.org/fhir/R4/json.html). */
    function noEmpty(value: Shown): void {
      expect(value).to.not.equal(null);
      expect(value).to.not.equal('');
      if (typeof value !== 'object') return;
      expect(Object.keys(value)).to.not.deep.equal([]);
      for (const member of Object.values(value)) noEmpty(member);
    }

    it('has what R4 requires, of every event, permitted and refused', async () => {
      for (const event of [...Object.keys(EVENTS), 'dream.seen']) {
        for (const one of [said({ event } as never), read({ event, asked: [] } as never), refused()])
          check(await shown('fhir', one));
      }
      check(await shown('fhir', unreadable));
    });

    it('names the person, who acted, and for what purpose, as IHE BALP 1.1.4 does', async () => {
      const one = read();
      const { actor, request } = one.body!;
      const event = await shown('fhir', one);
      expect(event).to.deep.include({ id: 'entry-0', action: 'R', outcome: '0', recorded: '2026-11-22T09:15:02.117Z' });
      // PatientRead: type, subtype, agents and entities.
      expect(event.type).to.include({ system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'rest' });
      expect(event.subtype).to.deep.equal([{ system: 'http://hl7.org/fhir/restful-interaction', code: 'read' }]);
      const [server, user] = event.agent;
      expect(server.type.coding[0]).to.include({
        system: 'http://dicom.nema.org/resources/ontology/DCM',
        code: '110153',
      });
      expect(user.type.coding[0]).to.include({
        system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType',
        code: 'IRCP',
      });
      expect(user).to.deep.include({
        requestor: true,
        who: { identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${actor.id}` } },
        role: [{ text: 'support-agent' }],
        purposeOfUse: [{ text: 'convenience' }],
      });
      const [patient, data, transaction] = event.entity;
      expect(patient.what).to.deep.equal({
        type: 'Patient',
        identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${PERSON}` },
      });
      expect([patient.type.code, patient.role.code, data.type.code, data.role.code]).to.deep.equal([
        '1',
        '1',
        '2',
        '4',
      ]);
      for (const [type, valueString] of Object.entries({ link: one.link, event: 'record.read', nth: '1' })) {
        expect(data.detail).to.deep.include({ type, valueString });
      }
      expect(transaction).to.deep.include({
        what: { identifier: { value: request } },
        type: { system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType', code: 'XrequestId' },
      });
      expect(await shown('fhir', refused())).to.include({
        outcome: '4',
        outcomeDesc: 'NO_NEED_TO_KNOW; a need-to-know grant',
      });
      expect((await shown('fhir', said())).entity.map(({ type }: Shown) => type.code)).to.deep.equal([
        '2',
        'XrequestId',
      ]);
    });

    it('has server and actor take part as the patterns of what was done have it', async () => {
      const patterns: Record<string, readonly [action: string, interaction: string, server: string, user?: string]> = {
        'record.created': ['C', 'create', '110152', 'AUT'],
        'record.read': ['R', 'read', '110153', 'IRCP'],
        'user.found': ['E', 'search-type', '110152', 'IRCP'],
        'record.updated': ['U', 'update', '110152', 'AUT'],
        'record.erased': ['D', 'delete', 'custodian', 'AUT'],
        'refusals.suppressed': ['E', 'operation', '110150'],
      };
      for (const [event, pattern] of Object.entries(patterns)) {
        const { action, agent, subtype } = await shown('fhir', said({ event } as never));
        const types = agent.map(({ type }: Shown) => type?.coding[0].code).filter(Boolean);
        expect([action, subtype[0].code, ...types], event).to.deep.equal(pattern);
      }
    });

    it('ends with an event of the export, which says up to where', async () => {
      const { closing } = await made('fhir');
      for (const told of [CLOSING, { entries: 0, last: null }]) check(JSON.parse(closing(told, AT)));
      const event = JSON.parse(closing(CLOSING, AT));
      expect(event).to.include({ outcomeDesc: 'complete up to entry 2', recorded: AT.toISOString() });
      expect(event.entity[0].detail).to.deep.include({ type: 'last', valueString: '2' });
    });
  });

  describe('csv', () => {
    /** RFC 4180. */
    function parse(text: string): string[][] {
      const rows: string[][] = [[]];
      const cell = /("((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
      for (let at = 0; at < text.length; at = cell.lastIndex) {
        cell.lastIndex = at;
        const [, , quoted, plain, end] = cell.exec(text)!;
        rows.at(-1)!.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'));
        if (end === '\r\n') rows.push([]);
      }
      return rows.slice(0, -1);
    }
    async function table(...all: Said[]): Promise<Record<string, string>[]> {
      const { head, record, closing } = await made('csv');
      const [names, ...rows] = parse(head + all.map(record).join('') + closing(CLOSING, AT));
      expect(new Set(names).size).to.equal(names!.length);
      return rows.map((row) => {
        expect(row).to.have.length(names!.length);
        return Object.fromEntries(names!.map((name, nth) => [name, row[nth]!]));
      });
    }

    it('is a header and a row an entry, the last of which is none', async () => {
      const one = read();
      const [permitted, refusal, closing] = await table(one, refused());
      expect(permitted).to.include({
        ...{
          index: '0',
          link: one.link,
          event: 'record.read',
          actor_role: 'support-agent',
          subject: PERSON,
          nth: '1',
          earlier: '',
        },
        ...{
          asked: 'user.name',
          records: JSON.stringify([{ category: 'user.name', id: (RECORD as { id: string }).id, version: 3 }]),
        },
        ...{ refusal: '', details: '' },
      });
      expect(refusal).to.include({ refusal: 'NO_NEED_TO_KNOW', missing: 'a need-to-know grant', records: '' });
      expect(closing).to.include({
        index: '',
        event: 'export.complete',
        details: '{"entries":3,"last":2}',
        at: AT.toISOString(),
      });
    });

    it('has a row for what cannot be read, and no formula for whoever opens it in a spreadsheet', async () => {
      const forged = said({ operation: '=HYPERLINK("http://example.com","x")\n' } as never);
      const [gone, formula] = await table(unreadable, forged);
      expect(gone).to.include({ index: '7', link: 'ab'.repeat(32), event: '', actor: '' });
      expect(formula).to.include({ index: '0', operation: '', event: '' });
    });
  });
});
