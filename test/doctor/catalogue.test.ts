import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import pg from 'pg';
import { formatCatalogue, KINDS, readCatalogue } from '../../src/doctor/catalogue.js';
import { differences } from '../../src/doctor/differences.js';
import { readMade } from '../../src/doctor/doctor.js';
import { type MigratedDatabase, migratedDatabase } from '../support/ledger.js';

describe('schema/catalogue.json', () => {
  let database: MigratedDatabase;
  let client: pg.Client;
  before(async () => {
    database = await migratedDatabase();
    client = new pg.Client({ connectionString: database.superuserUrl, options: '-c search_path=pg_catalog' });
    await client.connect();
  });
  after(async () => {
    await client.end();
    await database.drop();
  });

  it('is what the migrations make, on whatever version this is; if not, run `npm run catalogue`', async () => {
    const text = readFileSync(new URL('../../schema/catalogue.json', import.meta.url), 'utf8');
    expect(formatCatalogue(await readCatalogue(client))).to.equal(text);
  });

  it('has everything that the log rests on', () => {
    const made = readMade();
    expect(made.trigger['append_only on ledger.entry']).to.deep.include({ fires: 'always' });
    expect(made.function['ledger.append(log integer, bodies text)']).to.deep.include({
      owner: 'access_ledger_owner',
      securityDefiner: true,
      settings: 'search_path=pg_catalog, pg_temp',
    });
    expect(made.grant).to.have.property(
      'EXECUTE on function ledger.append(log integer, bodies text) to access_ledger_writer',
    );
    expect(Object.keys(made.grant).filter((grant) => / PUBLIC$/.test(grant))).to.deep.equal([]);
    expect(KINDS.filter((kind) => Object.keys(made[kind]).length === 0)).to.deep.equal(['rule']);
  });

  it('differs where a property differs, an object is missing, or one is added; of a table, once', () => {
    const made = readMade();
    const { 'ledger.tile': tile, ...table } = made.table;
    const { 'ledger.entry_by_actor on ledger.entry': index, ...others } = made.index;
    const found = {
      ...made,
      table,
      index: { ...others, 'ledger.another on ledger.entry': index! },
      role: { ...made.role, access_ledger_owner: { ...made.role.access_ledger_owner, login: true } },
    };
    expect(tile).to.have.property('logged', true);
    const columns = Object.keys(made.column).filter((name) => name.startsWith('ledger.tile.'));
    expect(columns).to.include('ledger.tile.hashes');
    expect(differences(made, found).map(({ kind, name, how }) => `${kind} ${name} ${how}`)).to.deep.equal([
      'role access_ledger_owner CHANGED',
      'table ledger.tile MISSING',
      'index ledger.entry_by_actor on ledger.entry MISSING',
      'index ledger.another on ledger.entry ADDED',
    ]);
    // A table whose name only begins so keeps its own differences.
    const { 'ledger.entry': _, ...tables } = made.table;
    const { 'ledger.event.name': __, ...fewer } = made.column;
    expect(differences(made, { ...made, table: tables, column: fewer }).map(({ name }) => name)).to.deep.equal([
      'ledger.entry',
      'ledger.event.name',
    ]);
  });
});
