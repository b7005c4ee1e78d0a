/**
 * Rows and entries are held against each other: every row of the registry is by an entry that stands and says it, and what
 * entries say was made is there, unless a later one says that it was erased. Each is a walk over one table.
 *
 * Entries are taken by the columns that stand beside their leaves: whether those agree is for `access-ledger verify`. What a
 * leaf names is found as it is spelt there, for a leaf is canonical; nothing is parsed that could fail.
 */

import type { Walk } from './walk.js';

/** One entry, by its id, which is looked up by key. */
const entryOf = (row: string, says: string, entry = 'entry', log = '1') => `EXISTS (
  SELECT FROM ledger.entry e WHERE e.log = ${log} AND e.id = ${row}.${entry} AND e.outcome = 'permitted' AND ${says})`;

/** By a person's history: of all erasures, which another index would as well lead to, there may be very many. */
const laterAbout = (subject: string, index: string) => `(
  SELECT * FROM ledger.entry e WHERE e.log = r.log AND e.subject = ${subject} AND e.index > ${index} OFFSET 0)`;

const spelt = (row: string) =>
  `concat('{"category":"', ${row}.category, '","id":"', ${row}.record, '","version":', ${row}.version, '}')`;

/** Declared in the first log: of what event, and what its leaf says of the row. */
const DECLARED: Readonly<Record<string, { readonly key: string; readonly says: string }>> = {
  legal_basis: {
    key: 'r.key',
    says: `e.event = 'legal-basis.declared' AND strpos(e.leaf, concat('"basis":"', r.key, '"')) > 0`,
  },
  category: {
    key: 'r.key',
    says: `e.event = 'category.declared' AND strpos(e.leaf, concat('"asked":["', r.key, '"]')) > 0`,
  },
  purpose: { key: 'r.key', says: `e.event = 'purpose.declared' AND e.purpose = r.key` },
  purpose_category: {
    key: `concat(r.purpose, ' ', r.category)`,
    says: `e.event = 'purpose.declared' AND e.purpose = r.purpose AND strpos(e.leaf, concat('"', r.category, '"')) > 0`,
  },
  service: {
    key: 'r.key',
    says: `e.event = 'service.enrolled' AND strpos(e.leaf, concat('"service":"', r.key, '"')) > 0`,
  },
  essential_categories: {
    key: `concat(r.service, ' ', r.version)`,
    says: `e.event = CASE r.version WHEN 1 THEN 'service.enrolled' ELSE 'service.amended' END
      AND strpos(e.leaf, concat('"service":"', r.service, '"')) > 0`,
  },
  cookie: {
    key: `concat(r.service, ' ', r.name)`,
    says: `e.event = 'cookie.declared' AND strpos(e.leaf, concat('"cookie":"', r.name, '"')) > 0`,
  },
  processor: {
    key: 'r.id',
    says: `e.event = 'processor.registered' AND strpos(e.leaf, concat('"processor":"', r.id, '"')) > 0`,
  },
  need_to_know_grant: {
    key: 'r.id',
    says: `e.event = 'grant.approved' AND strpos(e.leaf, concat('"grant":"', r.id, '"')) > 0`,
  },
  need_to_know_request: {
    key: 'r.id',
    says: `e.event = 'grant.requested' AND e.actor = r.staff AND strpos(e.leaf, concat('"grant":"', r.id, '"')) > 0`,
  },
  engagement: {
    key: 'r.id',
    says: `e.event = 'engagement.begun' AND strpos(e.leaf, concat('"engagement":"', r.id, '"')) > 0`,
  },
  confidentiality_agreement: {
    key: 'r.id',
    says: `e.event = 'agreement.signed' AND strpos(e.leaf, concat('"agreement":"', r.id, '"')) > 0`,
  },
  training_record: {
    key: 'r.id',
    says: `e.event = 'training.completed' AND strpos(e.leaf, concat('"training":"', r.id, '"')) > 0`,
  },
};

const declared = Object.entries(DECLARED).map(
  ([table, { key, says }]): Walk => ({
    table: `registry.${table}`,
    wrong: `SELECT 'ROW_WITHOUT_ENTRY' AS code, concat('${table} ', ${key}) AS place FROM stretch r WHERE NOT ${entryOf('r', says)}`,
  }),
);

const revoked: Walk = {
  table: 'registry.need_to_know_grant',
  where: 'revocation IS NOT NULL',
  wrong: `SELECT 'ROW_WITHOUT_ENTRY' AS code, concat('revocation of grant ', r.id) AS place FROM stretch r
    WHERE NOT ${entryOf('r', `e.event = 'grant.revoked' AND strpos(e.leaf, concat('"grant":"', r.id, '"')) > 0`, 'revocation')}`,
};

/** What was ended sooner: of which table, under which event, and what its leaf calls the row. */
const ENDINGS = [
  ['engagement', 'engagement.ended', 'engagement'],
  ['confidentiality_agreement', 'agreement.withdrawn', 'agreement'],
  ['training_record', 'training.withdrawn', 'training'],
] as const;

const ended = ENDINGS.map(
  ([table, event, called]): Walk => ({
    table: `registry.${table}`,
    where: 'ending IS NOT NULL',
    wrong: `SELECT 'ROW_WITHOUT_ENTRY' AS code, concat('end of ${table} ', r.id) AS place FROM stretch r
      WHERE NOT ${entryOf('r', `e.event = '${event}' AND strpos(e.leaf, concat('"${called}":"', r.id, '"')) > 0`, 'ending')}`,
  }),
);

const identities: Walk = {
  table: 'registry.identity',
  wrong: `SELECT 'ROW_WITHOUT_ENTRY' AS code, concat('identity of ', r.actor) AS place FROM stretch r
    WHERE NOT ${entryOf(
      'r',
      `CASE r.kind
        WHEN 'user' THEN e.event = 'user.registered' AND e.subject = r.actor
        WHEN 'processor' THEN e.event = 'processor.registered' AND strpos(e.leaf, r.actor::text) > 0
        ELSE e.event = 'identity.linked' AND strpos(e.leaf, r.actor::text) > 0 END`,
      'entry',
      'coalesce(r.log, 1)',
    )}`,
};

const subjects: Walk = {
  table: 'registry.subject',
  wrong: `SELECT 'ROW_WITHOUT_ENTRY' AS code, concat('subject ', r.id) AS place FROM stretch r
    WHERE NOT ${entryOf('r', `e.event = 'user.registered' AND e.subject = r.id`, 'entry', 'r.log')}
    UNION ALL
    SELECT 'KEY_MISSING', concat('subject ', r.id) FROM stretch r
    WHERE NOT EXISTS (SELECT FROM registry.subject_key k WHERE k.log = r.log AND k.subject = r.id)
      AND NOT EXISTS (SELECT FROM ${laterAbout('r.id', '-1')} e WHERE e.event = 'key.destroyed' AND e.outcome = 'permitted')`,
};

const choices: Walk = {
  table: 'registry.category_choice',
  wrong: `SELECT 'ROW_WITHOUT_ENTRY' AS code, concat('choice ', r.version, ' of ', r.subject, ' of ', r.category) AS place
    FROM stretch r WHERE NOT ${entryOf(
      'r',
      `e.subject = r.subject AND strpos(e.leaf, concat('"', r.category, '"')) > 0
        AND e.event = CASE r.choice WHEN 'DECLINED' THEN 'category.declined' ELSE 'category.accepted' END`,
      'entry',
      'r.log',
    )}`,
};

const preferences: Walk = {
  table: 'registry.cookie_preference',
  wrong: `SELECT 'ROW_WITHOUT_ENTRY' AS code, concat('cookie preference ', r.version, ' of ', r.subject) AS place
    FROM stretch r WHERE NOT ${entryOf(
      'r',
      `e.subject = r.subject AND e.event = 'cookie-preference.set'
        AND strpos(e.leaf, concat('"preference":"', r.preference, '","service":"', r.service, '","version":', r.version, '}')) > 0`,
      'entry',
      'r.log',
    )}`,
};

/** An envelope is a 1, a nonce of 12 bytes, what it holds, and a tag of 16 (src/vault/envelope.ts). */
const ENVELOPE = 29;
const KEY = 32;

const keys: Walk = {
  table: 'registry.subject_key',
  wrong: `SELECT 'KEY_UNWRAPPED' AS code, concat('subject ', r.subject) AS place FROM stretch r
    WHERE octet_length(r.wrapped) <> ${ENVELOPE + KEY} OR get_byte(r.wrapped, 0) <> 1`,
};

const versions: Walk = {
  table: 'registry.record_version',
  wrong: `SELECT 'VERSION_WITHOUT_ENTRY' AS code, concat('record ', r.record, ' version ', r.version) AS place FROM stretch r
    WHERE NOT ${entryOf(
      'r',
      `e.subject = r.subject AND e.event = CASE r.version WHEN 1 THEN 'record.created' ELSE 'record.updated' END
        AND strpos(e.leaf, ${spelt('r')}) > 0`,
      'entry',
      'r.log',
    )}
    UNION ALL
    SELECT 'VALUE_UNSEALED', concat('record ', r.record, ' version ', r.version) FROM stretch r
    WHERE octet_length(r.sealed) < ${ENVELOPE} OR get_byte(r.sealed, 0) <> 1`,
};

/**
 * The record versions that a leaf names, as a body spells them: category, id and version. Cut and compared rather than
 * matched by a pattern, which takes fifty times as long.
 */
const NAMED = `CROSS JOIN LATERAL string_to_table(split_part(r.leaf, '"records":[', 2), '{"category":"') AS p(piece)
  CROSS JOIN LATERAL (SELECT split_part(p.piece, '"', 1), split_part(p.piece, '"', 5),
    split_part(substr(split_part(p.piece, '"', 8), 2), '}', 1)) AS t(category, id, version)
  CROSS JOIN LATERAL (SELECT CASE WHEN t.id LIKE '________-____-____-____-____________'
      AND translate(t.id, '0123456789abcdef', '') = '----' THEN t.id::uuid END,
    CASE WHEN length(t.version) BETWEEN 1 AND 9 AND translate(t.version, '0123456789', '') = '' THEN t.version::int END,
    concat('{"category":"', t.category, '","id":"', t.id, '","version":', t.version, '}')) AS n(record, version, spelt)`;

const entries: Walk = {
  table: 'ledger.entry',
  title: 'the rows that entries name',
  where: `outcome = 'permitted'
    AND event IN ('record.created', 'record.updated', 'record.erased', 'key.destroyed', 'user.registered')`,
  wrong: `
    SELECT CASE r.event WHEN 'record.erased' THEN 'NOT_ERASED' ELSE 'ENTRY_WITHOUT_VERSION' END AS code,
      concat('entry ', r.index, ' record ', n.record, ' version ', n.version) AS place
    FROM stretch r ${NAMED}
      LEFT JOIN LATERAL (SELECT v.entry FROM registry.record_version v
        WHERE v.record = n.record AND v.log = r.log AND v.version = n.version LIMIT 1) v ON true
    WHERE r.event IN ('record.created', 'record.updated', 'record.erased') AND n.record IS NOT NULL AND n.version IS NOT NULL
      AND CASE r.event WHEN 'record.erased' THEN v.entry IS NOT NULL
        ELSE v.entry IS DISTINCT FROM r.id
          AND NOT (v.entry IS NULL AND EXISTS (SELECT FROM ${laterAbout('r.subject', 'r.index')} e
            WHERE e.event = 'record.erased' AND e.outcome = 'permitted' AND strpos(e.leaf, n.spelt) > 0))
        END
    UNION ALL
    SELECT 'NOT_ERASED', concat('entry ', r.index, ' key of ', r.subject) FROM stretch r
    WHERE r.event = 'key.destroyed'
      AND EXISTS (SELECT FROM registry.subject_key k WHERE k.log = r.log AND k.subject = r.subject)
    UNION ALL
    SELECT 'ENTRY_WITHOUT_ROW', concat('entry ', r.index, ' subject ', r.subject) FROM stretch r
    WHERE r.event = 'user.registered'
      AND NOT EXISTS (SELECT FROM registry.subject s WHERE s.log = r.log AND s.id = r.subject)`,
};

const erasures: Walk = {
  table: 'registry.erasure',
  wrong: `SELECT 'ERASURE_LEFT' AS code, concat(r.part, ' of subject ', r.subject) AS place FROM stretch r`,
};

const verifications: Walk = {
  table: 'ledger.verification',
  wrong: `SELECT 'ROW_WITHOUT_ENTRY' AS code, concat('verification ', r.id) AS place FROM stretch r
    WHERE NOT ${entryOf(
      'r',
      `e.event = 'log.verified' AND e.actor = r.reviewer AND strpos(e.leaf, concat('"verification":"', r.id, '"')) > 0`,
      'entry',
      'r.log',
    )}`,
};

const consents: Walk = {
  table: 'registry.consent',
  wrong: `SELECT 'ROW_WITHOUT_ENTRY' AS code, concat('consent ', r.id) AS place FROM stretch r
    WHERE NOT ${entryOf('r', `e.subject = r.subject AND strpos(e.leaf, concat('"consent":"', r.id, '"')) > 0`, 'entry', 'r.log')}`,
};

const consentVersions: Walk = {
  table: 'registry.consent_version',
  wrong: `SELECT 'ROW_WITHOUT_ENTRY' AS code, concat('consent ', r.consent, ' version ', r.version) AS place FROM stretch r
    WHERE NOT ${entryOf(
      'r',
      `e.event = concat('consent.', lower(r.act)) AND strpos(e.leaf, concat('"consent":"', r.consent, '"')) > 0
        AND strpos(e.leaf, concat('"version":', r.version)) > 0`,
      'entry',
      'r.log',
    )}`,
};

/** In the order in which they are made: small ones first. */
export const WALKS: readonly Walk[] = [
  ...declared,
  revoked,
  ...ended,
  erasures,
  verifications,
  consents,
  consentVersions,
  identities,
  subjects,
  choices,
  preferences,
  keys,
  versions,
  entries,
];
