/**
 * FHIR R4 (4.0.1) AuditEvent, a JSON resource a line, after the patterns of IHE BALP 1.1.4 (https://profiles.ihe.net/ITI/BALP):
 * the person is the entity Patient, who acted the recipient or author with their purpose of use, our request id the
 * X-Request-Id. It claims no profile of it: those want network addresses, and of a search its text, which the log does not
 * keep.
 * What has no element there is a detail of the data entity, as the log calls it.
 *
 * The last resource is an AuditEvent of the export itself (DICOM 110106), and says up to where it is complete.
 */
import { canonical, type Json } from '../../log/canonical.js';
import { completion, line, type MakeFormat } from './format.js';
import { type Deed, deedOf, refusalOf, type Said } from './said.js';

const EVENT_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-event-type';
const ENTITY_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';
const ENTITY_ROLE = 'http://terminology.hl7.org/CodeSystem/object-role';
const DICOM = 'http://dicom.nema.org/resources/ontology/DCM';

const REST = { system: EVENT_TYPE, code: 'rest', display: 'RESTful Operation' };
const PERSON = { system: ENTITY_TYPE, code: '1', display: 'Person' };
const PATIENT = { system: ENTITY_ROLE, code: '1', display: 'Patient' };
const SYSTEM_OBJECT = { system: ENTITY_TYPE, code: '2', display: 'System Object' };
const DOMAIN_RESOURCE = { system: ENTITY_ROLE, code: '4', display: 'Domain Resource' };
const REQUEST_ID = { system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType', code: 'XrequestId' };

const SOURCE = coded(DICOM, '110153', 'Source Role ID');
const DESTINATION = coded(DICOM, '110152', 'Destination Role ID');
const APPLICATION = coded(DICOM, '110150', 'Application');
const CUSTODIAN = coded('http://terminology.hl7.org/CodeSystem/provenance-participant-type', 'custodian', 'Custodian');
const PARTICIPATION = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';
const RECIPIENT = coded(PARTICIPATION, 'IRCP', 'information recipient');
const AUTHOR = coded(PARTICIPATION, 'AUT', 'author (originator)');

/** http://hl7.org/fhir/audit-event-action, the RESTful interaction, and as what the server and who acted take part in it. */
interface Interaction {
  readonly action: string;
  readonly interaction: string;
  readonly server: object;
  /** Null where no pattern says it. */
  readonly user: object | null;
}

const INTERACTIONS: Readonly<Record<Deed, Interaction>> = {
  create: { action: 'C', interaction: 'create', server: DESTINATION, user: AUTHOR },
  read: { action: 'R', interaction: 'read', server: SOURCE, user: RECIPIENT },
  search: { action: 'E', interaction: 'search-type', server: DESTINATION, user: RECIPIENT },
  update: { action: 'U', interaction: 'update', server: DESTINATION, user: AUTHOR },
  delete: { action: 'D', interaction: 'delete', server: CUSTODIAN, user: AUTHOR },
  other: { action: 'E', interaction: 'operation', server: APPLICATION, user: null },
};

export const fhir: MakeFormat = (origin) => {
  const source = {
    site: origin,
    observer: { display: 'Access Ledger' },
    type: [
      {
        system: 'http://terminology.hl7.org/CodeSystem/security-source-type',
        code: '4',
        display: 'Application Server',
      },
    ],
  };
  const server = (type: object) => ({ type, who: { display: origin }, requestor: false });
  return {
    head: '',
    record: (said) => line({ resourceType: 'AuditEvent', id: `entry-${said.index}`, ...eventOf(said, server), source }),
    closing: (closing, at) =>
      line({
        ...{ resourceType: 'AuditEvent', id: 'complete' },
        type: { system: DICOM, code: '110106', display: 'Export' },
        ...{ action: 'R', recorded: at.toISOString(), outcome: '0', outcomeDesc: completion(closing) },
        agent: [{ type: APPLICATION, who: { display: 'access-ledger export' }, requestor: true }],
        source,
        entity: [
          {
            type: SYSTEM_OBJECT,
            what: { display: origin },
            detail: details({ entries: closing.entries, last: closing.last ?? undefined }),
          },
        ],
      }),
  };
};

function eventOf(said: Said, server: (type: object) => object): object {
  const { index, link, body } = said;
  if (!body) {
    const absent = { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'error' };
    return {
      type: REST,
      _recorded: { extension: [absent] },
      outcome: '8',
      outcomeDesc: 'The entry was edited so that it cannot be read: verify the log.',
      agent: [server(APPLICATION)],
      entity: [dataOf('entry', { index, link })],
    };
  }
  const { actor, at, event, outcome, purpose, subject, request } = body;
  const { action, interaction, ...as } = INTERACTIONS[deedOf(event)];
  const refusal = refusalOf(body);
  const { operation, basis, clause, policy, asked, records, asOf, details: more } = body;
  return {
    type: REST,
    subtype: [{ system: 'http://hl7.org/fhir/restful-interaction', code: interaction }],
    ...{ action, recorded: at, outcome: outcome === 'permitted' ? '0' : '4' },
    ...(refusal && { outcomeDesc: [refusal.code, ...refusal.missing].join('; ') }),
    ...(purpose && { purposeOfEvent: [{ text: purpose }] }),
    agent: [
      server(as.server),
      {
        ...(as.user && { type: as.user }),
        role: [{ text: actor.role ?? actor.kind }],
        who: { identifier: pseudonym(actor.id) },
        requestor: true,
        ...(purpose && { purposeOfUse: [{ text: purpose }] }),
      },
    ],
    entity: [
      ...(subject ? [{ what: { type: 'Patient', identifier: pseudonym(subject) }, type: PERSON, role: PATIENT }] : []),
      dataOf(event.slice(0, event.indexOf('.')), {
        ...{ index, link, event, operation, basis, clause, policy, asOf },
        ...{ nth: said.history?.nth, earlier: said.history?.earlier ?? undefined },
        ...{ onBehalfOf: actor.onBehalfOf, asked: asked?.join(' '), records: json(records), details: json(more) },
      }),
      { what: { identifier: { value: request } }, type: REQUEST_ID },
    ],
  };
}

function coded(system: string, code: string, display: string): object {
  return { coding: [{ system, code, display }] };
}

/** RFC 4122, section 3, as FHIR identifies by UUIDs. */
function pseudonym(id: string): object {
  return { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${id}` };
}

type Members = Readonly<Record<string, string | number | undefined>>;

function dataOf(display: string, members: Members): object {
  return {
    what: { display },
    ...{ type: SYSTEM_OBJECT, role: DOMAIN_RESOURCE, detail: details(members) },
  };
}

function details(members: Members): object[] {
  return Object.entries(members).flatMap(([type, value]) =>
    value === undefined || value === '' ? [] : [{ type, valueString: String(value) }],
  );
}

function json(value: object | undefined): string | undefined {
  return value && canonical(value as Json);
}
