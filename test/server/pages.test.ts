import { channel } from 'node:diagnostics_channel';
import { get as httpGet, type IncomingHttpHeaders } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { getIntrospectionQuery } from 'graphql';
import { APPEND_CHANNEL, GATE_CHANNEL } from '../../src/server/telemetry.js';
import { type OpenIdProvider, startProvider } from '../support/oidc.js';
import { startToys, type ToyOptions } from './toy.js';

describe('pages', () => {
  let provider: OpenIdProvider;
  before(async () => {
    provider = await startProvider({ clients: [{ id: 'olga', roles: ['operator', 'user'] }] });
  });
  after(() => provider.stop());

  const withToys = async (options: ToyOptions, use: (url: string) => Promise<void>) => {
    const toys = await startToys(provider, options);
    try {
      await use(toys.url);
    } finally {
      await toys.stop();
    }
  };
  const ask = async (url: string, query: string) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await provider.token('olga')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    return response.text();
  };

  describe('health', () => {
    it('says what is missing, and asks no more often than it must', async () => {
      let asked = 0;
      let answer = false;
      const database = async () => {
        asked += 1;
        return answer;
      };
      await withToys({ checks: { database, keys: async () => true } }, async (url) => {
        const get = async () => {
          const response = await fetch(`${url}/health/ready`);
          return [response.status, await response.json()];
        };
        const away = [503, { status: 'not ready', checks: { database: false, keys: true } }];
        expect(await Promise.all(Array.from({ length: 20 }, get))).to.deep.equal(Array(20).fill(away));
        expect(asked).to.equal(1);
        answer = true;
        await new Promise((resolve) => setTimeout(resolve, 550));
        expect(await get()).to.deep.equal([200, { status: 'ready', checks: { database: true, keys: true } }]);
        expect(await (await fetch(`${url}/health/live`)).json()).to.deep.equal({ status: 'live' });
      });
    });

    it('names what fails and what hangs, among what answers, and is live all the same', async () => {
      let begun = 0;
      const checks = {
        database: () => Promise.reject(new Error('a secret')),
        writer: () => {
          begun += 1;
          return new Promise<boolean>(() => {});
        },
        keys: async () => true,
      };
      await withToys({ checks }, async (url) => {
        const missing = { status: 'not ready', checks: { database: false, writer: false, keys: true } };
        for (let times = 0; times < 2; times++) {
          const response = await fetch(`${url}/health/ready`);
          expect([response.status, await response.json()]).to.deep.equal([503, missing]);
        }
        expect((await fetch(`${url}/health/live`)).status).to.equal(200);
      });
      expect(begun, 'what hangs is asked once').to.equal(1);
    });
  });

  describe('GraphiQL', () => {
    it('loads nothing from anywhere, and may talk to this server only', async () => {
      await withToys({}, async (url) => {
        const response = await fetch(`${url}/graphiql`);
        const html = await response.text();
        expect(response.headers.get('content-type')).to.equal('text/html; charset=utf-8');
        expect(response.headers.get('referrer-policy')).to.equal('no-referrer');
        const policy = response.headers.get('content-security-policy') ?? '';
        expect(policy).to.include("default-src 'none'").and.include("connect-src 'self'").and.not.include('http');
        expect(html.length).to.be.below(4_000);
        const loaded = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, from]) => from);
        expect(loaded.filter((from) => from !== 'data:,')).to.have.length(2);
        for (const from of loaded) expect(from).to.match(/^(data:,|\/graphiql\/[\w-]+\.(js|css))$/);
        const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1];
        expect([...html.matchAll(/<script/g)].length).to.equal(2);
        expect(html).to.include(`<script nonce="${nonce}">`).and.include(`<script nonce="${nonce}" src=`);
        expect(html).to.include('Bearer <token>'.replace('<', '\\u003c'));
        const again = await fetch(`${url}/graphiql`);
        expect(again.headers.get('content-security-policy')).to.not.equal(policy);
        await again.text();
      });
    });

    it('has a script and a style sheet that are made once, compressed, and fetched once', async () => {
      await withToys({}, async (url) => {
        const html = await (await fetch(`${url}/graphiql`)).text();
        const found = { js: 'text/javascript', css: 'text/css' };
        for (const [kind, type] of Object.entries(found)) {
          const path = html.match(new RegExp(`/graphiql/[\\w-]+\\.${kind}`))![0];
          const get = (headers: Record<string, string>) => rawGet(`${url}${path}`, headers);
          const plain = await get({});
          expect(plain.headers).to.deep.include({
            'content-type': `${type}; charset=utf-8`,
            'cache-control': 'public, max-age=31536000, immutable',
            vary: 'accept-encoding',
            'x-content-type-options': 'nosniff',
          });
          expect(plain.headers).to.not.have.property('content-encoding');
          const br = await get({ 'accept-encoding': 'gzip, br' });
          const gzip = await get({ 'accept-encoding': 'gzip' });
          expect([br, gzip].map(({ headers }) => headers['content-encoding'])).to.deep.equal(['br', 'gzip']);
          expect(brotliDecompressSync(br.body).equals(plain.body)).to.equal(true);
          expect(gunzipSync(gzip.body).equals(plain.body)).to.equal(true);
          expect(br.body.length).to.be.below(plain.body.length / 2);
          const etag = plain.headers.etag!;
          const again = await get({ 'if-none-match': etag });
          expect([again.status, again.body.length]).to.deep.equal([304, 0]);
          expect((await get({ 'if-none-match': '"another"' })).status).to.equal(200);
        }
        const other = await fetch(`${url}/graphiql/other.js`);
        expect([other.status, await other.json()]).to.have.nested.property(
          '[1].errors[0].extensions.code',
          'NOT_FOUND',
        );
      });
    });

    it('is nowhere where introspection is off', async () => {
      await withToys({ introspection: false }, async (url) => {
        for (const path of ['/graphiql', '/graphiql/any.js']) {
          const response = await fetch(`${url}${path}`);
          await response.text();
          expect(response.status).to.equal(404);
        }
      });
    });

    it('holds a demo token that works, where there is a demo', async () => {
      await withToys({ demoToken: () => provider.token('olga') }, async (url) => {
        const html = await (await fetch(`${url}/graphiql`)).text();
        const token = /\\"authorization\\": \\"Bearer ([\w.-]+)\\"/.exec(html)?.[1];
        const response = await fetch(`${url}/graphql`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ query: getIntrospectionQuery() }),
        });
        expect(await response.json()).to.have.nested.property('data.__schema');
      });
    });
  });

  describe('introspection', () => {
    it('is off where it is not allowed, and names are not suggested', async () => {
      await withToys({ introspection: false }, async (url) => {
        expect(await ask(url, getIntrospectionQuery()))
          .to.include('INTROSPECTION_OFF')
          .and.not.include('Person');
        expect(await ask(url, '{ __type(name: "Person") { name } }')).to.include('INTROSPECTION_OFF');
        expect(await ask(url, '{ person(id: "1") { nam } }'))
          .to.include('VALIDATION_FAILED')
          .and.not.include('Did you');
        expect(await ask(url, '{ __typename }')).to.equal('{"data":{"__typename":"Query"}}\n');
      });
    });

    it('suggests names where it is on', async () => {
      await withToys({}, async (url) => {
        expect(await ask(url, '{ person(id: "1") { nam } }')).to.include('Did you mean \\"name\\"?');
      });
    });
  });

  describe('metrics', () => {
    it('count what the core publishes', async () => {
      await withToys({}, async (url) => {
        channel(APPEND_CHANNEL).publish({ entries: 3, group: 2, outcome: 'committed', ms: 4 });
        channel(APPEND_CHANNEL).publish({ entries: 4, group: 1, outcome: 'committed', ms: 8 });
        channel(APPEND_CHANNEL).publish({ entries: 0, group: 1, outcome: 'failed', ms: 500 });
        channel(GATE_CHANNEL).publish({ verb: 'read', outcome: 'refused', ms: 1 });
        const headers = { authorization: `Bearer ${await provider.token('olga')}` };
        const text = await (await fetch(`${url}/metrics`, { headers })).text();
        expect(text).to.include('\naccess_ledger_entries_total 7\n');
        expect(text).to.include('\naccess_ledger_append_group_size_sum 4\n');
        expect(text).to.include('\naccess_ledger_append_seconds_sum{outcome="committed"} 0.012\n');
        expect(text).to.include('\naccess_ledger_append_seconds_count{outcome="failed"} 1\n');
        expect(text).to.include('access_ledger_gate_seconds_count{verb="read",outcome="refused"} 1\n');
        expect(text).to.include('process_resident_memory_bytes');
      });
      expect(channel(APPEND_CHANNEL).hasSubscribers).to.equal(false);
    });
  });
});

/** As it comes, not decompressed. */
function rawGet(
  url: string,
  headers: Record<string, string>,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    httpGet(url, { headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) });
      });
    }).on('error', reject);
  });
}
