/**
 * The migrations: numbered SQL files, in order. Each runs in a transaction of its own, as the role that owns every object.
 */
import { readFileSync } from 'node:fs';
import type { MigrationInterface, QueryRunner } from 'typeorm';

type Migration = new () => MigrationInterface;

/** TypeORM orders migrations by the thirteen digits that end their names. */
const DIGITS = 13;

function migration(file: string, role?: string): Migration {
  const [number = '', ...words] = file.split('-');
  return class implements MigrationInterface {
    name = `${words.join('-')}-${number.padStart(DIGITS, '0')}`;

    async up(runner: QueryRunner): Promise<void> {
      if (role) await runner.query(`SET LOCAL ROLE ${role}`);
      await runner.query(readFileSync(new URL(`${file}.sql`, import.meta.url), 'utf8'));
      await runner.query('RESET ROLE');
    }

    async down(): Promise<void> {
      throw new Error('A log is append-only, and so are its migrations: restore a backup instead.');
    }
  };
}

const OWNER = 'access_ledger_owner';

export const MIGRATIONS: readonly Migration[] = [
  migration('0001-roles'),
  migration('0002-log', OWNER),
  migration('0003-append', OWNER),
  migration('0004-registry', OWNER),
  migration('0005-revise', OWNER),
  migration('0006-publish', OWNER),
  migration('0007-verification', OWNER),
  migration('0008-staff', OWNER),
  migration('0009-consent', OWNER),
  migration('0010-services', OWNER),
  migration('0011-cookies', OWNER),
];
