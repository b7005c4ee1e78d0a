/**
 * `npm run bench -- change`: new values for records over HTTP, against the plain server (bench/plain/server.ts). Each of
 * 16 connections changes the records of people of its own, one after the other.
 */
import { comparisonTable } from './support/comparison.js';
import { type Rivals, startRivals } from './support/rivals.js';
import { CONNECTIONS, type Conversation, compare } from './support/rounds.js';

const UPDATE =
  'mutation Update($input: UpdatePersonalDataInput!) { updatePersonalData(input: $input) { id category version } }';

export async function change(): Promise<void> {
  const rivals = await startRivals();
  try {
    const updates = await compare(rivals, () => (connection) => changesOf(rivals, connection));
    process.stdout.write(`${comparisonTable([{ what: 'one change', reach: 0.65, ...updates }])}\n`);
  } finally {
    await rivals.close();
  }
}

/** Cities of every 16th person. A searchable value would have its index changed too, which the plain server has not. */
function changesOf({ people }: Rivals, connection: number): Conversation {
  const cities = people
    .filter((_, at) => at % CONNECTIONS === connection)
    .map(({ records }) => records.find(({ category }) => category === 'user.contact.address.city')!);
  let asked: { readonly record: string; readonly expectedVersion: number } | undefined;
  const standing = cities.map(({ id, version }) => ({ record: id, expectedVersion: version }));
  return {
    next() {
      // Without an answer, as at the end of a round, nobody knows what stands: that record is left alone from then on.
      asked = standing.shift()!;
      const input = { ...asked, purpose: 'convenience', channel: 'EMAIL', value: `City ${asked.expectedVersion}` };
      return { query: UPDATE, variables: { input } };
    },
    heard() {
      const { record, expectedVersion } = asked!;
      standing.push({ record, expectedVersion: expectedVersion + 1 });
    },
  };
}
