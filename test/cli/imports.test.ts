import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

const SRC = new URL('../../src/', import.meta.url);

/** What the commands load when they are asked to, below src. */
const ASKED_FOR = readdirSync(new URL('cli/', SRC)).flatMap((name) => {
  if (!name.endsWith('.ts')) return [];
  const file = new URL(`cli/${name}`, SRC);
  const asked = readFileSync(file, 'utf8').matchAll(/import\('(\.[^']+)'\)/g);
  return [...asked].map(([, from]) => new URL(from!.replace(/\.js$/, '.ts'), file).href.slice(SRC.href.length));
});

/** What a file loads when it is loaded: not its types, and not what it loads when it is asked to. */
function importsOf(file: URL): string[] {
  const text = readFileSync(file, 'utf8');
  const statements = text.matchAll(/^(?:import|export)\s(?!type\s)(?:[^;]*?\sfrom\s)?'([^']+)';$/gms);
  return [...statements].map(([, from]) => from!);
}

function loadedBy(name: string): { ours: string[]; packages: string[] } {
  const ours = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: URL) => {
    const path = file.href.slice(SRC.href.length);
    if (ours.has(path)) return;
    ours.add(path);
    for (const from of importsOf(file)) {
      if (from.startsWith('.')) visit(new URL(from.replace(/\.js$/, '.ts'), file));
      // As src/log/package.json says for Node.
      else if (from.startsWith('#')) visit(new URL(`${from.slice(1)}.node.ts`, file));
      else if (!from.startsWith('node:')) packages.add(from);
    }
  };
  visit(new URL(name, SRC));
  return { ours: [...ours], packages: [...packages] };
}

describe('what the command loads', () => {
  it('is src/log and commander, for whoever verifies a file', () => {
    for (const entry of ['cli/access-ledger.ts', 'cli/reading-thread.ts']) {
      const { ours, packages } = loadedBy(entry);
      expect(ours).to.include('log/export-line.ts');
      expect(ours.filter((path) => !/^(cli|log)\//.test(path))).to.deep.equal([]);
      expect(packages.filter((name) => name !== 'commander')).to.deep.equal([]);
    }
  });

  it('would show: the command’s part for a database loads pg', () => {
    const { ours, packages } = loadedBy('cli/database.ts');
    expect(ours).to.include('database/pools.ts');
    expect(packages).to.include('pg');
  });

  it('is never TypeORM, which takes longer to load than all else', () => {
    expect(ASKED_FOR).to.include.members(['cli/database.ts', 'ledger/prover.ts']);
    expect(loadedBy('database/migrating.ts').packages).to.include('typeorm');
    for (const file of ASKED_FOR) expect(loadedBy(file).packages, file).not.to.include('typeorm');
  });

  it('is found by its ending alone', () => {
    for (const path of loadedBy('cli/database.ts').ours) expect(existsSync(new URL(path, SRC)), path).to.equal(true);
  });
});
