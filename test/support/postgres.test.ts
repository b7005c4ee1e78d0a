import { expect } from 'chai';
import pg from 'pg';
import { ask, freshDatabase } from './postgres.js';

describe('a fresh database', () => {
  it('is empty, speaks UTF-8, and is a superuser’s', async () => {
    const { url, drop } = await freshDatabase();
    expect(
      await ask(url, 'SELECT pg_encoding_to_char(encoding) AS it FROM pg_database WHERE datname = current_database()'),
    ).to.equal('UTF8');
    expect(
      await ask(url, `SELECT count(*)::int AS it FROM pg_class WHERE relnamespace = 'public'::regnamespace`),
    ).to.equal(0);
    expect(await ask(url, 'SELECT usesuper AS it FROM pg_user WHERE usename = current_user')).to.equal(true);
    await drop();
  });

  it('can be a copy of another, and then goes its own way', async () => {
    const first = await freshDatabase();
    await ask(first.url, 'CREATE TABLE t AS SELECT 7 AS it');
    const second = await freshDatabase({ template: first.name });
    await ask(second.url, 'UPDATE t SET it = 8');
    expect(await ask(first.url, 'SELECT it FROM t')).to.equal(7);
    expect(await ask(second.url, 'SELECT it FROM t')).to.equal(8);
    await Promise.all([first.drop(), second.drop()]);
  });

  it('is dropped with the sessions in it', async () => {
    const { url, drop } = await freshDatabase();
    const client = new pg.Client({ connectionString: url });
    const cut = new Promise((resolve) => client.on('error', resolve));
    await client.connect();
    await drop();
    expect(await cut).to.have.property('code', '57P01');
  });
});
