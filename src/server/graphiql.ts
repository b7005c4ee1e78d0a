/**
 * GraphiQL is the explorer at `/graphiql`: a small page, and a script and a style sheet of its own that nobody has to fetch
 * twice. It loads nothing from anywhere else. It holds no data and needs no token; what is asked in it needs one, which in
 * the demo stands in its headers editor from the start.
 */
import { hash, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { Fault } from '../graphql/fault.js';
import { acceptsEncoding } from './media-type.js';

export interface GraphiQLOptions {
  /** The demo's token for the page's headers editor; absent where there is no demo. */
  readonly token?: () => Promise<string>;
}

const EXAMPLE = `# Every read is entered in the log before its values leave: see extensions.ledger in the answer.
query CustomerCards {
  users(first: 3) {
    edges {
      node {
        id
        personalData(purpose: "convenience", categories: ["user.name", "user.contact.email"]) {
          category
          value
          withheld { code clause missing }
        }
      }
    }
  }
}
`;

export function addGraphiQL(app: FastifyInstance, { token }: GraphiQLOptions): void {
  let made: Promise<Explorer> | null = null;
  const explorer = (): Promise<Explorer> => {
    made ??= makeExplorer().catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
  app.get('/graphiql', async (_, reply) => {
    const { page } = await explorer();
    const nonce = randomBytes(16).toString('base64');
    const authorization = token && `Bearer ${await token()}`;
    return reply
      .header('content-security-policy', policy(nonce))
      .header('referrer-policy', 'no-referrer')
      .header('x-content-type-options', 'nosniff')
      .header('cross-origin-opener-policy', 'same-origin')
      .header('cross-origin-resource-policy', 'same-origin')
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(page(nonce, JSON.stringify({ authorization: authorization ?? 'Bearer <token>' }, null, 2)));
  });
  app.get<{ Params: { name: string } }>('/graphiql/:name', async (request, reply) => {
    const asset = (await explorer()).assets.get(request.params.name);
    if (!asset) throw new Fault('NOT_FOUND');
    reply
      .header('cache-control', 'public, max-age=31536000, immutable')
      .header('cross-origin-resource-policy', 'same-origin')
      .header('etag', asset.etag)
      .header('vary', 'accept-encoding')
      .header('x-content-type-options', 'nosniff')
      .type(asset.type);
    if (request.headers['if-none-match'] === asset.etag) return reply.status(304).send();
    const encoding = (['br', 'gzip'] as const).find((name) =>
      acceptsEncoding(request.headers['accept-encoding'], name),
    );
    if (encoding) reply.header('content-encoding', encoding);
    return reply.send(asset[encoding ?? 'identity']);
  });
}

/** The page's workers are blobs, and its script writes styles; it may talk to this server and nobody else. */
function policy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' blob:`,
    "style-src 'self' 'unsafe-inline'",
    'worker-src blob:',
    "connect-src 'self'",
    'img-src data:',
    'font-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

interface Explorer {
  page(nonce: string, headers: string): string;
  /** By the last part of their paths, which names what is in them: another version has another. */
  readonly assets: ReadonlyMap<string, Asset>;
}

interface Asset {
  readonly type: string;
  readonly etag: string;
  readonly identity: Buffer;
  readonly gzip: Buffer;
  readonly br: Buffer;
}

const RENDER = 'YogaGraphiQL.renderYogaGraphiQL(';

/** Nine megabytes of source: loaded when somebody first looks, and taken apart and compressed once. */
async function makeExplorer(): Promise<Explorer> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const html: string = renderGraphiQL();
  const style = between(html, '<style>', '</style>', 0);
  const body = between(html, '<body', '<script>', style.end);
  const script = between(html, '<script>', RENDER, body.end);
  const sheet = await makeAsset('text/css; charset=utf-8', style.text);
  const program = await makeAsset('text/javascript; charset=utf-8', script.text);
  const [css, js] = [`${nameOf(sheet)}.css`, `${nameOf(program)}.js`];
  return {
    assets: new Map([
      [css, sheet],
      [js, program],
    ]),
    page(nonce, headers) {
      const options = {
        title: 'Access Ledger',
        endpoint: '/graphql',
        defaultQuery: EXAMPLE,
        headers,
        shouldPersistHeaders: false,
      };
      return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Access Ledger</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/graphiql/${css}">
</head>
<body${body.text}
<script nonce="${nonce}" src="/graphiql/${js}"></script>
<script nonce="${nonce}">
${RENDER}document.querySelector('#root'), ${JSON.stringify(options).replaceAll('<', '\\u003c')});
</script>
</body>
</html>
`;
    },
  };
}

/** What stands between the next `first` and the next `last`. */
function between(html: string, first: string, last: string, from: number): { text: string; end: number } {
  const start = html.indexOf(first, from) + first.length;
  const end = last === RENDER ? html.lastIndexOf(last) : html.indexOf(last, start);
  if (start < first.length || end < start) {
    throw new Error('the page of @graphql-yoga/render-graphiql is not as expected');
  }
  return { text: html.slice(start, end), end };
}

async function makeAsset(type: string, text: string): Promise<Asset> {
  const identity = Buffer.from(text);
  return {
    type,
    etag: `"${hash('sha256', identity, 'base64url').slice(0, 22)}"`,
    identity,
    gzip: await promisify(gzip)(identity),
    br: await promisify(brotliCompress)(identity, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: identity.length },
    }),
  };
}

function nameOf({ etag }: Asset): string {
  return etag.slice(1, -1);
}
