import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';

/** What `npm run check` checks, so that the test command is all there is to run. */
const ROOT = fileURLToPath(new URL('..', import.meta.url));

async function run(program: string, ...args: string[]): Promise<string> {
  const bin = fileURLToPath(new URL(`../node_modules/.bin/${program}`, import.meta.url));
  const done = await promisify(execFile)(bin, args, { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 }).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  return done instanceof Error ? `${done.stdout}${done.stderr}` : '';
}

describe('the code', function () {
  this.timeout(120_000);

  it('typechecks', async () => {
    expect(await run('tsc', '--noEmit')).to.equal('');
  });

  it('is formatted and linted', async () => {
    expect(await run('biome', 'check', '--error-on-warnings', '--colors=off')).to.equal('');
  });
});
