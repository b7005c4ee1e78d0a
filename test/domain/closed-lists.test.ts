import { expect } from 'chai';
import { COOKIE_CATEGORIES, COOKIE_PREFERENCES } from '../../src/domain/cookies/cookie.rules.js';
import {
  INCONCLUSIVES,
  UNCHECKEDS,
  VERDICTS,
  VERIFICATION_FAULTS,
  VERIFICATION_STATES,
} from '../../src/domain/log/verification.entity.js';
import { PROCESSOR_KINDS } from '../../src/domain/processors/processor.entity.js';
import { IDENTIFIABILITIES } from '../../src/domain/purposes/declared.js';
import { CHOICES } from '../../src/domain/services/service.rules.js';
import { ENGAGEMENT_KINDS } from '../../src/domain/staff/standing.entity.js';
import { CHANNELS } from '../../src/policy/channel.js';
import { CONSENT_STATES } from '../../src/policy/consent.js';
import { type MigratedDatabase, migratedDatabase } from '../support/ledger.js';
import { ask } from '../support/postgres.js';

/** Words from closed lists have one list in the code; the database's CHECKs repeat it. */
describe('a closed list', () => {
  let database: MigratedDatabase;
  before(async () => {
    database = await migratedDatabase();
  });
  after(() => database.drop());

  const LISTS: Record<string, readonly string[]> = {
    'registry.category.channels': CHANNELS,
    'registry.category.identifiability': IDENTIFIABILITIES,
    'registry.category_choice.choice': [...new Set(Object.values(CHOICES).flat())],
    'registry.consent_version.act': CONSENT_STATES.filter((state) => state !== 'EXPIRED'),
    'registry.consent_version.channel': CHANNELS,
    'registry.cookie.category': COOKIE_CATEGORIES,
    'registry.cookie_preference.preference': COOKIE_PREFERENCES,
    'registry.engagement.kind': ENGAGEMENT_KINDS,
    'registry.processor.kind': PROCESSOR_KINDS,
    'registry.record_version.channel': CHANNELS,
    'ledger.verification.state': VERIFICATION_STATES,
    'ledger.verification.verdict': VERDICTS,
    'ledger.verification.why': INCONCLUSIVES,
    'ledger.verification.unchecked': UNCHECKEDS,
    'ledger.verification.fault': VERIFICATION_FAULTS,
  };
  for (const [place, words] of Object.entries(LISTS)) {
    it(`is the same in the code and in ${place}`, async () => {
      const [schema, table, column] = place.split('.');
      const text = String(
        await ask(
          database.superuserUrl,
          `SELECT string_agg(pg_get_constraintdef(c.oid), ' ') AS it FROM pg_constraint c
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND ARRAY[a.attnum] = c.conkey
           WHERE c.contype = 'c' AND c.conrelid = '${schema}.${table}'::regclass AND a.attname = '${column}'`,
        ),
      );
      expect([...text.matchAll(/'(\w+)'/g)].map(([, word]) => word)).to.have.members([...words]);
    });
  }
});
