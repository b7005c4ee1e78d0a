import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

/** Who may import whom, read from the imports themselves. Read from the bottom: log ← policy, log ← ledger ← vault ← gate ← domain ← server, cli. */

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Import {
  readonly from: string;
  readonly to: string;
  /** Erased by the compiler: `import type`. */
  readonly typeOnly: boolean;
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
    .map((name) => join(folder, name));
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?'([^']+)'|import\('([^']+)'\)/g;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(IMPORT)].map(([, type, named, dynamic]) => {
    const target = (named ?? dynamic)!;
    const to = target.startsWith('.')
      ? relative(ROOT, resolve(ROOT, dirname(file), target)).replace(/\.js$/, '.ts')
      : target;
    return { from: file, to, typeOnly: Boolean(type) };
  });
}

const files = ['src', 'seeds', 'migrations', 'bench'].flatMap(sources);
const imports = files.flatMap(importsOf);
const within = (folder: string) => imports.filter(({ from }) => from.startsWith(`${folder}/`));
const said = ({ from, to }: Import) => `${from} → ${to}`;

/** What a folder of ours may import of ours. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'src/log': ['src/log'],
  'src/witness': ['src/witness', 'src/log'],
  'src/policy': ['src/policy', 'src/log'],
  'src/database': ['src/database', 'migrations'],
  'src/doctor': ['src/doctor', 'src/log', 'src/database', 'migrations'],
  'src/ledger': ['src/ledger', 'src/log', 'src/database'],
  'src/vault': ['src/vault', 'src/log', 'src/ledger/receipt.ts'],
  'src/gate': ['src/gate', 'src/policy', 'src/log', 'src/ledger', 'src/vault', 'src/database'],
  'src/graphql': ['src/graphql', 'src/gate', 'src/policy', 'src/log', 'src/ledger/prover.ts'],
  'src/domain': ['src/domain', 'src/graphql', 'src/gate', 'src/policy', 'src/log', 'src/ledger', 'src/vault'],
  migrations: ['migrations'],
};

describe('the house', () => {
  it('is read whole', () => {
    expect(files.length).to.be.greaterThan(50);
    expect(imports.length).to.be.greaterThan(200);
    expect(importsOf('src/gate/read.ts').map(({ to }) => to)).to.include('src/policy/decide.ts');
  });

  for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
    it(`${folder} imports of ours only ${allowed.join(', ')}`, () => {
      const ours = within(folder).filter(({ to }) => /^(src|seeds|migrations|bench|test|ormconfig)/.test(to));
      const foreign = ours.filter(({ to }) => !allowed.some((one) => to === one || to.startsWith(`${one}/`)));
      expect(foreign.map(said)).to.deep.equal([]);
    });
  }

  it('log and policy reach no clock, environment, randomness, disk or network', () => {
    const packages = [...within('src/log'), ...within('src/policy')].filter(({ to }) => !to.startsWith('src/'));
    expect(packages.map(said).sort()).to.deep.equal([
      'src/log/hash.node.ts → node:crypto',
      'src/log/hash.portable.ts → @noble/hashes/sha2.js',
      'src/log/hash.ts → #hash',
      'src/log/signature.node.ts → node:crypto',
      'src/log/signature.portable.ts → @noble/ed25519',
      'src/log/signature.portable.ts → @noble/hashes/sha2.js',
      'src/log/signature.ts → #signature',
    ]);
    for (const file of files.filter((name) => /^src\/(log|policy)\//.test(name))) {
      const text = readFileSync(join(ROOT, file), 'utf8');
      expect(text, file).to.not.match(
        /Date\.now|new Date\(\)|process\.(env|hr)|Math\.random|performance\.|randomBytes|fetch\(/,
      );
    }
  });

  it('only the ledger makes receipts', () => {
    const makers = files.filter((file) => /issueReceipt/.test(readFileSync(join(ROOT, file), 'utf8')));
    expect(makers.sort()).to.deep.equal(['src/ledger/ledger.ts', 'src/ledger/receipt.ts']);
  });

  it('only the vault looks into the vault', () => {
    const DOORS = ['vault', 'key-provider', 'key-file', 'secret-file', 'vault-error'].map(
      (name) => `src/vault/${name}.ts`,
    );
    const through = imports.filter(({ from, to }) => to.startsWith('src/vault/') && !from.startsWith('src/vault/'));
    expect(through.filter(({ to }) => !DOORS.includes(to)).map(said)).to.deep.equal([]);
  });

  it('only the gate opens values', () => {
    const openers = files.filter((file) =>
      /\.open\(receipt|vault\.open\(/.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    expect(openers).to.deep.equal(['src/gate/read.ts']);
  });

  it('only the ledger holds connections that can write', () => {
    const holders = files.filter((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      return !file.startsWith('bench/') && /open(Pool|DataSource)\([^)]*access_ledger_writer/.test(text);
    });
    expect(holders).to.deep.equal(['src/ledger/open-ledger.ts']);
  });

  it('a domain folder knows of others their rows, facts and verbs, and hangs edges on their types', () => {
    const across = within('src/domain').filter(
      ({ from, to }) => to.startsWith('src/domain/') && from.split('/')[2] !== to.split('/')[2],
    );
    const strange = across.filter(({ from, to }) => {
      if (/\.(resolver)\.ts$/.test(to)) return true;
      return /\.types\.ts$/.test(to) && !/\.(types|resolver)\.ts$/.test(from);
    });
    expect(strange.map(said)).to.deep.equal([]);
  });

  it('nothing knows server, cli, seeds or bench but they themselves', () => {
    const inner = imports.filter(({ from }) => /^(src\/(?!server|cli)|migrations)/.test(from));
    expect(inner.filter(({ to }) => /^(src\/(server|cli)|seeds|bench)\//.test(to)).map(said)).to.deep.equal([]);
  });

  it('has no cycles between its folders', () => {
    const edges = new Map<string, Set<string>>();
    const folderOf = (file: string) =>
      file
        .split('/')
        .slice(0, file.startsWith('src/domain/') ? 2 : 2)
        .join('/');
    for (const { from, to } of imports) {
      if (!from.startsWith('src/') || !to.startsWith('src/')) continue;
      const [a, b] = [folderOf(from), folderOf(to)];
      if (a !== b) edges.set(a, (edges.get(a) ?? new Set()).add(b));
    }
    const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
      [...(edges.get(from) ?? [])].some(
        (next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))),
      );
    const cyclic = [...edges.keys()].filter((folder) => reaches(folder, folder));
    expect(cyclic).to.deep.equal([]);
  });
});
