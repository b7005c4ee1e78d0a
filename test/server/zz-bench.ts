import { execFileSync, spawn } from 'node:child_process';
import { openDemoIssuer } from '/work/main/src/server/demo/issuer.ts';
import { createAuthenticator } from '/work/main/src/server/authentication.ts';
import { createHttp } from '/work/main/src/server/http.ts';
import { DEFAULT_LIMITS } from '/work/main/src/server/limits.ts';
import { createLog } from '/work/main/src/server/log.ts';
import { createTelemetry } from '/work/main/src/server/telemetry.ts';
import { toySchema } from '/work/main/test/server/toy.ts';
import { createWriteStream } from 'node:fs';
import { ApolloServer } from '/work/main/node_modules/@apollo/server/dist/esm/index.js';
import { ApolloServerPluginCacheControlDisabled } from '/work/main/node_modules/@apollo/server/dist/esm/plugin/disabled/index.js';
import fastifyApollo, {} from '/work/main/node_modules/@as-integrations/fastify/build/esm/index.js';
import { fastify } from '/work/main/node_modules/fastify/fastify.js';
const demo = await openDemoIssuer('/tmp/al-bench-data', Date.now);
const schema = await toySchema();
const http = await createHttp({ schema, authenticate: createAuthenticator({ ...demo, now: Date.now }),
 contextFor: async (caller, {id}) => ({ request: id, entries: [{index:1,link:'x'}], caller }) as never,
 ready: async () => ({ready:true,checks:{}}), limits: {...DEFAULT_LIMITS, rate:{operations:1e9,seconds:60}}, onSuppressed: async()=>{}, introspection: true,
 log: createLog({level: 'info', to: createWriteStream('/dev/null')}), telemetry: createTelemetry() });
const url = await http.listen({host:'127.0.0.1',port:0});
const token = await demo.issueDemoToken({subject:'support',role:'support-agent',expiresIn:3600});
// bare
const apollo = new ApolloServer({ schema, plugins:[ApolloServerPluginCacheControlDisabled()], logger: console as never });
await apollo.start();
const bare = fastify(); await bare.register(fastifyApollo(apollo), { context: async () => ({entries: [], request:'x'}) });
const bareUrl = await bare.listen({host:'127.0.0.1',port:0});
const one = { query: 'query Card($id: ID!) { person(id: $id) { id name } }', variables: { id: '1' } };
const list = { query: 'query List($n: Int!) { people(first: $n) { id name } }', variables: { n: 100 } };

const run = (u: string, body: unknown) => new Promise<number>((ok) => { const c = spawn(process.execPath, ['/work/main/node_modules/autocannon/autocannon.js','-j','-c','16','-d','4','-m','POST','-H','content-type: application/json','-H','authorization: Bearer '+token,'-b',JSON.stringify(body),u+'/graphql']); let t=''; c.stdout.on('data',(d)=>{t+=d}); c.on('close',()=>ok(JSON.parse(t).requests.average)); });
const mk = async (level: never) => { const h = await createHttp({ schema, authenticate: createAuthenticator({ ...demo, now: Date.now }),
 contextFor: async (caller, {id}) => ({ request: id, entries: [{index:1,link:'x'}], caller }) as never,
 ready: async () => ({ready:true,checks:{}}), limits: {...DEFAULT_LIMITS, rate:{operations:1e9,seconds:60}}, onSuppressed: async()=>{}, introspection: true,
 log: createLog({level, to: createWriteStream('/dev/null')}), telemetry: createTelemetry() }); return h.listen({host:'127.0.0.1',port:0}); };
const quietUrl = await mk('warn' as never);
for (let i=0;i<3;i++) for (const [name, body] of [['one', one], ['list', list]] as const) console.log(name, 'bare', await run(bareUrl, body), 'ours', await run(url, body), 'ours without request lines', await run(quietUrl, body));
process.exit(0);
