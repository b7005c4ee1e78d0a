/**
 * `npm run bench -- NAME`: a figure of the README, measured here and now. One file a bench.
 */

const BENCHES: Readonly<Record<string, () => Promise<(...args: string[]) => Promise<void>>>> = {
  append: async () => (await import('./append.js')).append,
  change: async () => (await import('./change.js')).change,
  publish: async () => (await import('./publish.js')).publish,
  read: async () => (await import('./read.js')).read,
  search: async () => (await import('./search.js')).search,
  verify: async () => (await import('./verify.js')).verify,
};

const [name = '', ...args] = process.argv.slice(2);
const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : null;
if (load) await (await load())(...args);
else {
  process.stderr.write(`npm run bench -- ${Object.keys(BENCHES).join(' | ')}\n`);
  process.exitCode = 2;
}
