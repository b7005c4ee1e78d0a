import { expect } from 'chai';
import { PROCESSOR_KINDS } from '../../src/domain/processors/processor.entity.js';
import { IDENTIFIABILITIES } from '../../src/domain/purposes/declared.js';
import { CHANNELS } from '../../src/policy/channel.js';
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
    'category.channels': CHANNELS,
    'category.identifiability': IDENTIFIABILITIES,
    'processor.kind': PROCESSOR_KINDS,
    'record_version.channel': CHANNELS,
  };
  for (const [place, words] of Object.entries(LISTS)) {
    it(`is the same in the code and in ${place}`, async () => {
      const [table, column] = place.split('.');
      const text = String(
        await ask(
          database.superuserUrl,
          `SELECT string_agg(pg_get_constraintdef(c.oid), ' ') AS it FROM pg_constraint c
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
           WHERE c.contype = 'c' AND c.conrelid = 'registry.${table}'::regclass AND a.attname = '${column}'`,
        ),
      );
      expect([...text.matchAll(/'(\w+)'/g)].map(([, word]) => word)).to.have.members([...words]);
    });
  }
});
