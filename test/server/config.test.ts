import { expect } from 'chai';
import fc from 'fast-check';
import { ConfigError, type ConfigFault, readConfig, SETTINGS, settingsTable } from '../../src/server/config.js';

const PRODUCTION = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://server:s3cret@db.example.org/ledger',
  OIDC_ISSUER: 'https://login.example.org/realm',
  OIDC_AUDIENCE: 'access-ledger',
  KEK_FILE: '/run/secrets/kek',
  LOG_ORIGIN: 'log.example.org/access',
  LOG_KEY_FILE: '/run/secrets/log-key',
};

describe('the configuration', () => {
  it('is a whole demo when nothing is set', () => {
    expect(readConfig({})).to.deep.equal({
      production: false,
      host: 'localhost',
      port: 4000,
      dataDir: '.data',
      database: null,
      oidc: null,
      kek: null,
      log: { origin: 'localhost/demo', keyFile: null },
      checkpointSeconds: 1,
      mirrorDir: null,
      witnessesFile: null,
      logLevel: 'info',
      introspection: true,
      requestsPerMinute: 600,
      shutdownSeconds: 10,
    });
  });

  it('is what production sets', () => {
    const owner = { DATABASE_OWNER_URL: 'postgresql://owner@db.example.org/ledger' };
    expect(
      readConfig({
        ...PRODUCTION,
        ...owner,
        PORT: '80',
        HOST: '::',
        MIRROR_DIR: '/mnt/mirror',
        REQUESTS_PER_MINUTE: '6',
      }),
    ).to.deep.equal({
      production: true,
      host: '::',
      port: 80,
      dataDir: '.data',
      database: { url: PRODUCTION.DATABASE_URL, ownerUrl: owner.DATABASE_OWNER_URL },
      oidc: { issuer: 'https://login.example.org/realm', audience: 'access-ledger' },
      kek: { file: '/run/secrets/kek' },
      log: { origin: 'log.example.org/access', keyFile: '/run/secrets/log-key' },
      checkpointSeconds: 1,
      mirrorDir: '/mnt/mirror',
      witnessesFile: null,
      logLevel: 'info',
      introspection: false,
      requestsPerMinute: 6,
      shutdownSeconds: 10,
    });
  });

  it('takes an empty variable as an absent one', () => {
    const empty = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, '']));
    expect(readConfig(empty)).to.deep.equal(readConfig({}));
  });

  for (const setting of ['DATABASE_URL', 'OIDC_ISSUER', 'OIDC_AUDIENCE', 'KEK_FILE', 'LOG_ORIGIN', 'LOG_KEY_FILE']) {
    it(`of production does without no ${setting}, empty or absent`, () => {
      expect(faults({ ...PRODUCTION, [setting]: undefined })).to.deep.equal([[setting, 'MISSING']]);
      expect(faults({ ...PRODUCTION, [setting]: '' })).to.deep.equal([[setting, 'MISSING']]);
    });
  }

  it('of production takes the KEK itself for its file', () => {
    expect(readConfig({ ...PRODUCTION, KEK_FILE: '', KEK: 'a key' }).kek).to.deep.equal({ text: 'a key' });
  });

  it('lets production allow introspection, and a demo forbid it', () => {
    expect(readConfig({ ...PRODUCTION, INTROSPECTION: 'on' }).introspection).to.equal(true);
    expect(readConfig({ INTROSPECTION: 'off' }).introspection).to.equal(false);
  });

  it('has settings that stand together, and some that do not', () => {
    expect(faults({ OIDC_ISSUER: 'https://a.example' })).to.deep.equal([['OIDC_AUDIENCE', 'MISSING']]);
    expect(faults({ OIDC_AUDIENCE: 'a' })).to.deep.equal([['OIDC_ISSUER', 'MISSING']]);
    expect(faults({ DATABASE_OWNER_URL: 'postgres://o@h/d' })).to.deep.equal([['DATABASE_URL', 'MISSING']]);
    expect(faults({ KEK: 'k', KEK_FILE: 'f' })).to.deep.equal([['KEK', 'CONFLICT']]);
  });

  it('has no demo beside a database of somebody’s, unless it is asked for by name', () => {
    const { DATABASE_URL, OIDC_ISSUER, OIDC_AUDIENCE, KEK_FILE, LOG_ORIGIN, LOG_KEY_FILE } = PRODUCTION;
    const { faults: found, message } = refused({ DATABASE_URL });
    expect(found.map(({ setting, code }) => [setting, code])).to.deep.equal([['DEMO', 'MISSING']]);
    for (const one of ['OIDC_ISSUER', 'OIDC_AUDIENCE', 'KEK_FILE', 'LOG_ORIGIN', 'LOG_KEY_FILE', 'DEMO=on']) {
      expect(message).to.include(one);
    }
    expect(message.split('\n'), 'one line').to.have.length(2);
    const whole = { DATABASE_URL, OIDC_ISSUER, OIDC_AUDIENCE, KEK_FILE, LOG_ORIGIN, LOG_KEY_FILE };
    expect(readConfig(whole).oidc).to.not.equal(null);
    expect(readConfig({ ...whole, KEK_FILE: '', KEK: 'k' }).kek).to.deep.equal({ text: 'k' });
    for (const setting of ['KEK_FILE', 'LOG_ORIGIN', 'LOG_KEY_FILE']) {
      const partly = { ...whole, [setting]: '' };
      expect(faults(partly), setting).to.deep.equal([['DEMO', 'MISSING']]);
      expect(faults({ ...partly, DEMO: 'off' }), setting).to.deep.equal([['DEMO', 'MISSING']]);
      expect(readConfig({ ...partly, DEMO: 'on' }).database?.url).to.equal(DATABASE_URL);
    }
    expect(readConfig({ DATABASE_URL, DEMO: 'on' })).to.include({ oidc: null, kek: null });
    expect(faults({ DEMO: 'off' })).to.deep.equal([['DEMO', 'MISSING']]);
    expect(readConfig({ ...whole, DATABASE_URL: '', DEMO: 'off' }).database).to.equal(null);
    expect(faults({ ...PRODUCTION, DEMO: 'on' })).to.deep.equal([['DEMO', 'CONFLICT']]);
  });

  it('names every fault at once, each setting once and on one line', () => {
    const env = { NODE_ENV: 'production', PORT: 'http', OIDC_ISSUER: 'login', LOG_LEVEL: 'loud', KEK: 'k' };
    const error = refused(env);
    const names = error.faults.map(({ setting }) => setting);
    expect(names).to.deep.equal([
      ...['PORT', 'OIDC_ISSUER', 'LOG_LEVEL', 'OIDC_AUDIENCE', 'DATABASE_URL', 'LOG_ORIGIN', 'LOG_KEY_FILE'],
    ]);
    const lines = error.message.split('\n').slice(1);
    expect(lines.map((line) => line.trim().split(' ')[0])).to.deep.equal(names);
  });

  const malformed: Record<string, string[]> = {
    PORT: ['http', '-1', '65536', '4e3', '0x10', '4000 '],
    HOST: ['local host', 'http://localhost', 'a/b'],
    DATABASE_URL: [
      ...[
        'options=-c%20role%3Dnone',
        'sslmode=require&options=',
        'OPTIONS=x',
        'lock_timeout=0',
        'replication=database',
      ].map((search) => `postgres://h/d?${search}`),
      ...['localhost', 'mysql://h/d', 'postgres', ' postgres://h/d'],
    ],
    OIDC_ISSUER: ['login.example.org', 'http://login.example.org', 'https://a.example?x=1', 'https://u:p@a.example'],
    LOG_ORIGIN: ['https://a.example/log', 'a b', 'a+b', 'a\nb', 'a/b+c', 'a/', '/a', 'A.example', 'a//b', 'ä.example'],
    LOG_LEVEL: ['INFO', 'silly', 'toString'],
    NODE_ENV: ['prod', 'Production', 'staging'],
    DEMO: ['yes', 'true', 'ON'],
    INTROSPECTION: ['yes', 'true', 'ON'],
    REQUESTS_PER_MINUTE: ['0', '1.5', 'many'],
    SHUTDOWN_SECONDS: ['-1', '10s'],
    DATA_DIR: [' .data', '.data\n'],
  };
  for (const [setting, given] of Object.entries(malformed)) {
    it(`refuses a ${setting} of ${given.map((text) => JSON.stringify(text)).join(', ')}`, () => {
      for (const text of given) {
        const found = faults({ DEMO: 'on', OIDC_AUDIENCE: setting === 'OIDC_ISSUER' ? 'a' : '', [setting]: text });
        expect(found, text).to.deep.equal([[setting, 'MALFORMED']]);
      }
    });
  }

  it('refuses a DATABASE_OWNER_URL that sets options, and takes one that asks for TLS', () => {
    const DATABASE_URL = 'postgres://s@h/d?sslmode=require';
    const given = (search: string) => ({ DEMO: 'on', DATABASE_URL, DATABASE_OWNER_URL: `postgres://o@h/d?${search}` });
    expect(readConfig(given('sslmode=verify-full')).database?.url).to.equal(DATABASE_URL);
    expect(faults(given('options=-c%20search_path%3Dx'))).to.deep.equal([['DATABASE_OWNER_URL', 'MALFORMED']]);
  });

  it('takes plain http from an issuer on this machine only', () => {
    for (const issuer of ['http://localhost:9000', 'http://127.0.0.1:9000/x', 'http://[::1]:9000']) {
      expect(readConfig({ OIDC_ISSUER: issuer, OIDC_AUDIENCE: 'a' }).oidc?.issuer).to.equal(issuer);
    }
    for (const issuer of ['http://127.example.org', 'http://localhost.example.org']) {
      expect(faults({ OIDC_ISSUER: issuer, OIDC_AUDIENCE: 'a' })).to.deep.equal([['OIDC_ISSUER', 'MALFORMED']]);
    }
  });

  it('never repeats what a setting holds', () => {
    const value = fc.stringMatching(/^[A-Z]{12}[!-~]*$/);
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(SETTINGS)), value, (setting, hidden) => {
        for (const given of [hidden, `postgres://user:${hidden}@[`, `mysql://user:${hidden}@host/d`]) {
          const error = attempt({ NODE_ENV: 'production', [setting]: given });
          if (error) expect(`${error.message} ${JSON.stringify(error.faults)} ${error.stack}`).not.to.contain(hidden);
        }
      }),
    );
  });

  it('has a row of the README’s table for each setting, and shows no secret’s default', () => {
    const rows = settingsTable().trim().split('\n').slice(2);
    expect(rows.map((row) => row.split('`')[1])).to.deep.equal(Object.keys(SETTINGS));
    for (const row of rows) expect(row).to.match(/^\| `[A-Z_]+` \| [^|]+ \| [^|]+ \|$/);
    expect(settingsTable()).not.to.contain('undefined');
  });

  it('reads every default as it would read the same text', () => {
    const defaults = Object.entries(SETTINGS).flatMap(([name, it]) => ('default' in it ? [[name, it.default]] : []));
    expect(readConfig(Object.fromEntries(defaults))).to.deep.equal(readConfig({}));
  });
});

function attempt(env: Record<string, string | undefined>): ConfigError | null {
  try {
    readConfig(env);
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

function refused(env: Record<string, string | undefined>): ConfigError {
  const error = attempt(env);
  if (!error) throw new Error('taken, though it is wrong');
  return error;
}

function faults(env: Record<string, string | undefined>): [ConfigFault['setting'], ConfigFault['code']][] {
  return refused(env).faults.map(({ setting, code }) => [setting, code]);
}
