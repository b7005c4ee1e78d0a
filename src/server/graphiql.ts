/**
 * GraphiQL is the explorer at `/graphiql`: one page that loads nothing from anywhere. It holds no data and needs no
 * token; what is asked in it needs one, which in the demo stands in its headers editor from the start.
 */
import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

export interface GraphiQLOptions {
  /** The demo's token for the page's headers editor; absent where there is no demo. */
  readonly token?: () => Promise<string>;
}

const EXAMPLE = `# Every read is entered in the log before its values leave: see extensions.ledger in the answer.
query CustomerCard($user: ID!) {
  user(id: $user) {
    id
    personalData(purpose: "convenience", categories: ["user.name", "user.contact.email"]) {
      category
      value
      withheld { code clause missing }
    }
  }
}
`;

export function addGraphiQL(app: FastifyInstance, { token }: GraphiQLOptions): void {
  let page: Promise<Page> | null = null;
  app.get('/graphiql', async (_, reply) => {
    page ??= makePage();
    const { render } = await page;
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
      .send(render(nonce, JSON.stringify({ authorization: authorization ?? 'Bearer <token>' }, null, 2)));
  });
}

/** The page's script and styles are inline, its workers are blobs; it may talk to this server and nobody else. */
function policy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' blob:`,
    "style-src 'unsafe-inline'",
    'worker-src blob:',
    "connect-src 'self'",
    'img-src data:',
    'font-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

interface Page {
  render(nonce: string, headers: string): string;
}

const SCRIPT = '<script>';
const HEADERS = 'headers-of-this-page';

/** Nine megabytes of source: loaded when somebody first looks, and rendered once. */
async function makePage(): Promise<Page> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const html: string = renderGraphiQL({
    title: 'Access Ledger',
    endpoint: '/graphql',
    defaultQuery: EXAMPLE,
    headers: HEADERS,
    shouldPersistHeaders: false,
  });
  const start = html.indexOf(SCRIPT);
  const headers = html.lastIndexOf(JSON.stringify(HEADERS));
  if (start < 0 || headers < start) throw new Error('the page of @graphql-yoga/render-graphiql is not as expected');
  const before = html.slice(0, start);
  const script = html.slice(start + SCRIPT.length, headers);
  const after = html.slice(headers + JSON.stringify(HEADERS).length);
  return {
    render: (nonce, text) =>
      `${before}<script nonce="${nonce}">${script}${JSON.stringify(text).replaceAll('<', '\\u003c')}${after}`,
  };
}
