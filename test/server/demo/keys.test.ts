import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readConfig } from '../../../src/server/config.js';
import { openDemoKeys } from '../../../src/server/demo/keys.js';
import { LogKeyError, openLogKey } from '../../../src/server/log-key.js';
import { formatKeys, generateKeys } from '../../../src/vault/key-file.js';

describe('the demo’s keys', () => {
  const NOW = new Date('2027-11-01T12:00:00Z');
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'demo-keys-'));
    file = join(folder, 'demo-kek.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are made once, and the same at the next start', () => {
    const made = openDemoKeys(folder, () => NOW).current().id;
    expect(openDemoKeys(folder, () => NOW).current().id).to.equal(made);
  });

  it('are renewed before they retire, and none is lost', () => {
    const old = generateKeys(new Date('2026-11-15T12:00:00Z'), randomBytes);
    writeFileSync(file, formatKeys(old), { mode: 0o600 });
    const keys = openDemoKeys(folder, () => NOW);
    expect(keys.current().id).to.not.equal(old.current);
    expect(keys.byId(old.current)!.id).to.equal(old.current);
    const renewed = readFileSync(file, 'utf8');
    expect(openDemoKeys(folder, () => NOW).current().id).to.equal(keys.current().id);
    expect(readFileSync(file, 'utf8')).to.equal(renewed);
  });

  it('have the key of the log’s origin, made once, and no other log’s', () => {
    const config = (env: object) => readConfig({ DATA_DIR: join(folder, 'new', 'data'), ...env });
    const { id, name } = openLogKey(config({}));
    expect(name).to.equal('localhost/demo');
    expect(openLogKey(config({})).id).to.equal(id);
    expect(() => openLogKey(config({ LOG_ORIGIN: 'ledger.example.com' }))).to.throw(LogKeyError, /DATA_DIR/);
    expect(statSync(join(folder, 'new', 'data', 'demo-log.key')).mode & 0o777).to.equal(0o600);
  });

  it('are left to another server of the folder that is renewing them', () => {
    const old = generateKeys(new Date('2026-11-15T12:00:00Z'), randomBytes);
    writeFileSync(file, formatKeys(old), { mode: 0o600 });
    writeFileSync(`${file}.next`, '');
    expect(openDemoKeys(folder, () => NOW).current().id).to.equal(old.current);
    expect(readFileSync(file, 'utf8')).to.equal(formatKeys(old));
  });
});
