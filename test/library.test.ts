import { type ExecFileException, execFile } from 'node:child_process';
import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import * as esbuild from 'esbuild';
import { copySource } from './support/build.js';

/** The package as somebody has it who only checks logs: packed, put into an empty folder, and run there. */
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const VECTORS = join(ROOT, 'test/vectors');

const run = async (cwd: string, program: string, ...args: string[]): Promise<string> => {
  try {
    return (await promisify(execFile)(program, args, { cwd, maxBuffer: 1 << 26 })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as ExecFileException;
    throw new Error(`${program} ${args.join(' ')}\n${stdout}${stderr}`);
  }
};

/** What a checker makes of each vector: code that knows nothing of the package but its name. */
const CHECKER = `
  import { EvidenceError, parseExportLines, parseVerifierKey, verify } from 'access-ledger/log';
  export async function verdictOf({ log, evidence: { held, checkpoints } }) {
    const keyed = checkpoints && { ...checkpoints, key: parseVerifierKey(checkpoints.key),
      ...(checkpoints.witnesses && { witnesses: { ...checkpoints.witnesses, keys: checkpoints.witnesses.keys.map(parseVerifierKey) } }),
      ...(checkpoints.freshness && { freshness: { ...checkpoints.freshness, now: new Date(checkpoints.freshness.now) } }) };
    try {
      const report = await verify(parseExportLines([new TextEncoder().encode(log)]), { held, checkpoints: keyed });
      return { verdict: report.why ?? report.verdict, vouched: report.vouched?.size ?? 0,
        findings: report.findings.map(({ code, first, last }) => ({ code, first, last })) };
    } catch (error) {
      if (error instanceof EvidenceError) return { verdict: 'unusable', vouched: 0, findings: [] };
      throw error;
    }
  }`;

interface Vector {
  readonly name: string;
  readonly log: string;
  readonly evidence: unknown;
  readonly expected: { readonly findings: readonly unknown[] };
}

const vectors: Vector[] = ['valid', 'invalid'].flatMap((kind) =>
  readdirSync(join(VECTORS, kind))
    .filter((file) => file.endsWith('.ndjson'))
    .map((file) => {
      const name = `${kind}/${file.replace(/\.ndjson$/, '')}`;
      const json = JSON.parse(readFileSync(join(VECTORS, `${name}.json`), 'utf8'));
      return { name, log: readFileSync(join(VECTORS, `${name}.ndjson`), 'utf8'), ...json };
    }),
);

/** Any order of findings will do. */
const sorted = (verdict: { findings: readonly unknown[] }) => ({
  ...verdict,
  findings: verdict.findings.map((finding) => JSON.stringify(finding, ['code', 'first', 'last'])).sort(),
});

const CHROMIUM =
  process.env.CHROMIUM ??
  [
    ...['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].flatMap((name) =>
      (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)),
    ),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ].find(isProgram);

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

describe('the package as a library', function () {
  this.timeout(120_000);
  let folder: string;
  /** With the package in node_modules, and nothing else. */
  let home: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'access-ledger-library-'));
    const source = join(folder, 'source');
    copySource(source);
    const packed = (await run(source, 'npm', 'pack', '--silent', '--pack-destination', folder))
      .trim()
      .split('\n')
      .at(-1)!;
    home = join(folder, 'home');
    const installed = join(home, 'node_modules/access-ledger');
    mkdirSync(installed, { recursive: true });
    await run(folder, 'tar', '-xzf', packed, '-C', installed, '--strip-components=1');
    writeFileSync(join(home, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(home, 'checker.js'), CHECKER);
    writeFileSync(join(home, 'vectors.json'), JSON.stringify(vectors));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  function expectVerdicts(text: string): void {
    const verdicts = JSON.parse(text) as { findings: readonly unknown[] }[];
    expect(verdicts).to.have.length(vectors.length).and.length.greaterThan(40);
    for (const [i, { name, expected }] of vectors.entries()) {
      expect(sorted(verdicts[i]!), name).to.deep.equal(sorted(expected));
    }
  }

  it('verifies every vector in Node, with none of the packages that the server needs', async () => {
    writeFileSync(
      join(home, 'run.js'),
      `import { readFileSync } from 'node:fs';
       import { verdictOf } from './checker.js';
       const vectors = JSON.parse(readFileSync('vectors.json', 'utf8'));
       console.log(JSON.stringify(await Promise.all(vectors.map(verdictOf))));`,
    );
    expectVerdicts(await run(home, process.execPath, 'run.js'));
  });

  it('runs what the reviewers’ guide shows of it', async () => {
    const guide = readFileSync(join(ROOT, 'docs/reviewing.md'), 'utf8');
    const [, shown] = /```js\n(import [^`]*access-ledger\/log[^`]*)```/.exec(guide)!;
    const vector = vectors.find(({ name }) => name === 'valid/under-a-checkpoint') as Vector & {
      evidence: { checkpoints: { key: string; notes: string[] } };
    };
    const { key, notes } = vector.evidence.checkpoints;
    writeFileSync(join(home, 'log.ndjson'), `${vector.log}{"complete":{"entries":12,"last":11}}\n`);
    writeFileSync(join(home, 'log.vkey'), `${key}\n`);
    writeFileSync(join(home, 'kept.txt'), notes[0]!);
    writeFileSync(join(home, 'guide.js'), shown!);
    expect(await run(home, process.execPath, 'guide.js')).to.equal(
      "intact 12 [ 'the checkpoint of ledger.example.com/main' ]\n",
    );
  });

  it('has types that need nothing: no Node, no DOM', async () => {
    writeFileSync(
      join(home, 'consumer.ts'),
      `import { checkProof, type Finding, parseProof, parseVerifierKey, type Report, verify } from 'access-ledger/log';
       const key = parseVerifierKey('x');
       export const report: Report = await verify([{ index: 0, link: '', leaf: new Uint8Array() }]);
       export const codes: string[] = report.findings.map(({ code }: Finding) => code);
       if (key) checkProof(new Uint8Array(), parseProof(''), key).checkpoint.size.toFixed();
       // @ts-expect-error: what is not exported is not there
       import { Verifier } from 'access-ledger/log';
       export { Verifier };`,
    );
    const options = { strict: true, noEmit: true, types: [], target: 'es2022', lib: ['es2022'] };
    const configs = [{ module: 'nodenext' }, { module: 'esnext', moduleResolution: 'bundler' }].map((more, i) => {
      const file = join(home, `tsconfig.${i}.json`);
      writeFileSync(file, JSON.stringify({ compilerOptions: { ...options, ...more }, files: ['consumer.ts'] }));
      return file;
    });
    for (const config of configs) await run(home, join(ROOT, 'node_modules/.bin/tsc'), '-p', config);
  });

  it('gives nobody its other files', async () => {
    for (const other of ['access-ledger', 'access-ledger/dist/src/server/main.js', 'access-ledger/log/verify']) {
      const script = `import('${other}').catch((error) => console.log(error.code))`;
      expect((await run(home, process.execPath, '-e', script)).trim(), other).to.equal('ERR_PACKAGE_PATH_NOT_EXPORTED');
    }
  });

  describe('bundled for a browser', () => {
    let bundle: string;
    let inputs: string[];
    before(async () => {
      // What a browser needs beside it, as npm would have installed it.
      symlinkSync(join(ROOT, 'node_modules/@noble'), join(home, 'node_modules/@noble'));
      writeFileSync(
        join(home, 'page.js'),
        `import { verdictOf } from './checker.js';
         import vectors from './vectors.json';
         Promise.all(vectors.map(verdictOf)).then(JSON.stringify, String).then((text) => { document.body.textContent = text; });`,
      );
      const built = await esbuild.build({
        absWorkingDir: home,
        entryPoints: ['page.js'],
        bundle: true,
        minify: true,
        platform: 'browser',
        metafile: true,
        outfile: 'page.bundle.js',
        logLevel: 'silent',
      });
      bundle = join(home, 'page.bundle.js');
      inputs = Object.keys(built.metafile.inputs);
    });

    it('has of the package src/log alone, and of Node nothing', () => {
      const ours = inputs.filter((path) => path.includes('access-ledger/'));
      expect(ours.filter((path) => !path.includes('access-ledger/dist/src/log/'))).to.deep.equal([]);
      expect(
        ours.filter((path) => /\.(node|portable)\.js$/.test(path)).map((path) => path.split('/').at(-1)),
      ).to.have.members(['hash.portable.js', 'signature.portable.js']);
      const others = inputs.filter((path) => !path.includes('access-ledger/') && path.includes('node_modules'));
      expect(
        others.every((path) => path.includes('@noble/')),
        others.join(),
      ).to.equal(true);
      const bytes = statSync(bundle).size - statSync(join(home, 'vectors.json')).size;
      expect(bytes).to.be.lessThan(100_000);
    });

    const title = CHROMIUM
      ? 'verifies every vector in Chromium'
      : 'verifies every vector in Chromium: none is here (CHROMIUM says where)';
    (CHROMIUM ? it : it.skip)(title, async () => {
      writeFileSync(
        join(home, 'page.html'),
        '<!doctype html><meta charset="utf-8"><body><script src="page.bundle.js"></script>',
      );
      const args = [
        '--headless',
        '--disable-gpu',
        '--disable-extensions',
        '--no-first-run',
        `--user-data-dir=${join(folder, 'profile')}`,
        // Its sandbox is not for root, as whom containers run tests.
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        '--virtual-time-budget=20000',
        '--dump-dom',
        `file://${join(home, 'page.html')}`,
      ];
      const dom = await run(folder, CHROMIUM!, ...args);
      const [, text] = /<body>(.*)<\/body>/s.exec(dom)!;
      expectVerdicts(
        text!.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
      );
    });
  });
});
