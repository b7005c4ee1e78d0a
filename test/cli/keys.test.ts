import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { jwtVerify } from 'jose';
import { parseSigningKey, parseVerifierKey } from '../../src/log/note-key.js';
import { readConfig } from '../../src/server/config.js';
import { openDemoIssuer } from '../../src/server/demo/issuer.js';
import { openLogKey } from '../../src/server/log-key.js';
import { parseKeys } from '../../src/vault/key-file.js';
import { fileKeys } from '../../src/vault/key-provider.js';
import { folder, type Ran, run } from './command.js';

async function refused(says: RegExp, ran: Promise<Ran>): Promise<void> {
  const { status, out, err } = await ran;
  expect([status, out], err).to.deep.equal([3, '']);
  expect(err)
    .to.match(/^access-ledger: [^\n]+\n$/)
    .and.to.match(says);
}

/** What is said of a file, and of that very one. */
const of = (file: string, says: string) => new RegExp(`^access-ledger: ${file.replaceAll('.', '\\.')}: ${says}`);

const modeOf = async (file: string) => (await stat(file)).mode & 0o777;

describe('access-ledger keys', () => {
  const { path } = folder();

  const demoKey = (): string => {
    openLogKey(readConfig({ DATA_DIR: path('data') }));
    return path('data/demo-log.key');
  };

  it('makes a key file that the vault opens, and never a second one in its place', async () => {
    const file = path('kek.json');
    const { status, out } = await run(['keys', 'kek', file]);
    expect([status, out.split('\n')[0]]).to.deep.equal([0, `KEK_FILE=${file}`]);
    expect(await modeOf(file)).to.equal(0o600);
    const made = await readFile(file, 'utf8');
    expect(fileKeys(file, () => new Date()).current().id).to.equal(parseKeys(made, file).current);
    for (const { key } of parseKeys(made, file).keks) expect(out).not.to.include(key);
    await refused(of(file, 'this file exists'), run(['keys', 'kek', file]));
    expect(await readFile(file, 'utf8')).to.equal(made);
  });

  it('rotates it, and keeps every key', async () => {
    const file = path('rotated.json');
    await run(['keys', 'kek', file]);
    const before = parseKeys(await readFile(file, 'utf8'), file);
    const { status, out } = await run(['keys', 'rotate', file]);
    const after = parseKeys(await readFile(file, 'utf8'), file);
    expect([status, out.split(' ')[0]]).to.deep.equal([0, after.current]);
    expect(after.keks.slice(0, -1)).to.deep.equal(before.keks);
    expect(after.indexKey).to.equal(before.indexKey);
    expect(after.current).not.to.equal(before.current);
    expect(await modeOf(file)).to.equal(0o600);
    expect(out).to.match(/\nRunning servers .* within two seconds/);
    await refused(of(path('nowhere'), 'there is no such file'), run(['keys', 'rotate', path('nowhere')]));
  });

  it('loses no key when it is rotated by several at once: each adds its own, or says that it did not', async () => {
    const file = path('raced.json');
    await run(['keys', 'kek', file]);
    const all = await Promise.all(Array.from({ length: 6 }, () => run(['keys', 'rotate', file])));
    const added = all.filter(({ status }) => status === 0).map(({ out }) => out.split(' ')[0]);
    const { keks } = parseKeys(await readFile(file, 'utf8'), file);
    expect(keks.slice(1).map(({ id }) => id)).to.have.members(added);
    for (const { status, err } of all) if (status !== 0) expect(err).to.match(of(file, 'another process'));
    await writeFile(`${file}.next`, '');
    await refused(of(file, 'another process is changing this file'), run(['keys', 'rotate', file]));
  });

  it('makes the key of a log, prints its public half, and never a second one in its place', async () => {
    const file = path('log.key');
    const made = await run(['keys', 'log', file, '--origin', 'log.example.org/access']);
    const signing = parseSigningKey((await readFile(file, 'utf8')).trimEnd())!;
    const { status, out } = await run(['keys', 'public', file]);
    expect(parseVerifierKey(out.trimEnd())?.publicKey).to.deep.equal(signing.publicKey);
    expect([status, made.status, await modeOf(file)]).to.deep.equal([0, 0, 0o600]);
    expect(made.out).to.equal(
      `LOG_ORIGIN=log.example.org/access\nLOG_KEY_FILE=${file}\nVerifier key: ${out.trimEnd()}\n`,
    );
    await refused(of(file, 'this file exists'), run(['keys', 'log', file, '--origin', 'log.example.org/access']));
    const below = path('none/log.key');
    await refused(of(below, 'there is no such file'), run(['keys', 'log', below, '--origin', 'log.example.org']));
    await refused(/no log origin/, run(['keys', 'log', path('other'), '--origin', 'https://log.example.org']));
    await refused(/--origin/, run(['keys', 'log', path('other')]));
    expect(parseVerifierKey((await run(['keys', 'public', demoKey()])).out.trimEnd())?.name).to.equal('localhost/demo');
    const kek = path('kek.json');
    const { err, status: third } = await run(['keys', 'public', kek]);
    expect([third, err]).to.deep.equal([
      3,
      `access-ledger: ${kek}: this is no log key as \`access-ledger keys log\` makes it\n`,
    ]);
  });
});

describe('access-ledger token', () => {
  const { path } = folder();

  it('prints a token that the demo issuer vouches for, and nothing else', async () => {
    await mkdir(path('data'));
    const { status, out, err } = await run(['token', 'support'], { env: { DATA_DIR: path('data') } });
    expect([status, err]).to.deep.equal([0, '']);
    const { keys, issuer, audience } = await openDemoIssuer(path('data'), Date.now);
    const { payload } = await jwtVerify(out.trimEnd(), keys, { issuer, audience });
    expect(payload.sub).to.equal('support');
  });

  it('says in one line why there is none', async () => {
    const env = { DATA_DIR: path('data') };
    await refused(/support, officer, reviewer, user, processor/, run(['token', 'root'], { env }));
    await refused(/production/, run(['token', 'support'], { env: { ...env, NODE_ENV: 'production' } }));
    await refused(/DEMO/, run(['token', 'support'], { env: { ...env, DATABASE_URL: 'postgres://h/d' } }));
    await refused(/DEMO/, run(['token', 'support'], { env: { ...env, DEMO: 'off' } }));
    await refused(/OIDC_ISSUER/, run(['token', 'support'], { env: { ...env, OIDC_ISSUER: 'https://a.example' } }));
    await refused(/npm start/, run(['token', 'support'], { env: { DATA_DIR: path('none') } }));
    await refused(/name/, run(['token'], { env }));
  });
});

describe('access-ledger', () => {
  it('helps, with an example for each command', async () => {
    const commands = ['export', 'verify', 'keys kek', 'keys log', 'keys rotate', 'keys public', 'token', 'doctor'];
    const all = await Promise.all(commands.map((command) => run([...command.split(' '), '--help'])));
    for (const [i, { status, out, err }] of all.entries()) {
      expect([status, err]).to.deep.equal([0, '']);
      expect(out).to.match(new RegExp(`Usage: access-ledger ${commands[i]} [^]*\\nExample:\\n  \\S`));
    }
  });

  it('wants a command that it knows', async () => {
    const { status, out, err } = await run([]);
    expect([status, out]).to.deep.equal([3, '']);
    expect(err).to.match(/^Usage: access-ledger/);
    await refused(/frob/, run(['frob']));
  });
});
