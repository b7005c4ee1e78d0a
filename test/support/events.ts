/**
 * Server-sent events as a client reads them, by the rules of the HTML standard, section 9.2.6; as slowly as it likes.
 */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** @param told of each comment */
export async function* eventsIn(
  response: Response,
  told: () => void = () => {},
): AsyncGenerator<ServerEvent, void, undefined> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      const of = (name: string) => fields.find((field) => field.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
      if (of('event') === '') told();
      else yield { event: of('event'), data: of('data') };
    }
  }
}
