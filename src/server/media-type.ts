/**
 * The media type of an answer, chosen from the Accept header (RFC 9110, section 12.5.1; GraphQL over HTTP).
 * It is chosen before anything is executed: a read that nobody would accept must not happen.
 */

export const JSON_MEDIA = 'application/json; charset=utf-8';
export const GRAPHQL_MEDIA = 'application/graphql-response+json; charset=utf-8';
export type MediaType = typeof JSON_MEDIA | typeof GRAPHQL_MEDIA;

/** @returns null where neither is accepted. Without a header, and where both are as good, `application/json`. */
export function chooseMediaType(accept: string | undefined): MediaType | null {
  if (accept === undefined || accept === '*/*' || accept === 'application/json') return JSON_MEDIA;
  const ranges = accept.split(',').map(parseRange);
  const json = quality('application/json', ranges);
  const graphql = quality('application/graphql-response+json', ranges);
  if (json === 0 && graphql === 0) return null;
  return graphql > json ? GRAPHQL_MEDIA : JSON_MEDIA;
}

/** Whether server-sent events are accepted. */
export function acceptsEvents(accept: string | undefined): boolean {
  const ranges = (accept ?? '*/*').split(',').map(parseRange);
  return ranges.some(
    ({ type, quality: wanted }) => ['text/event-stream', 'text/*', '*/*'].includes(type) && wanted > 0,
  );
}

/** Whether an Accept-Encoding header names this encoding, and not as one that is not wanted (RFC 9110, section 12.5.3). */
export function acceptsEncoding(accepted: string | string[] | undefined, encoding: string): boolean {
  const ranges = String(accepted ?? '')
    .split(',')
    .map(parseRange);
  return ranges.some(({ type, quality: wanted }) => type === encoding && wanted > 0);
}

interface Range {
  readonly type: string;
  readonly quality: number;
}

function parseRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  const number = given === undefined ? 1 : Number(given.slice(2));
  return { type, quality: number >= 0 && number <= 1 ? number : 0 };
}

/** The most specific range that matches decides. */
function quality(type: string, ranges: readonly Range[]): number {
  for (const candidate of [type, 'application/*', '*/*']) {
    const range = ranges.find((one) => one.type === candidate);
    if (range) return range.quality;
  }
  return 0;
}
