/**
 * The people of the demo organisation: made up, and the same in every demo. No value is a real person's: e-mail addresses
 * are at example domains (RFC 2606), IP addresses from the documentation ranges (RFC 5737).
 */
import { base, de, en, Faker, fr, it } from '@faker-js/faker';
import type { CollectedValue } from '../src/domain/records/records.js';

/** Changing it changes everybody. */
const SEED = 20120116;

const COUNTRIES = [
  { locale: en, country: 'United Kingdom', dial: '+44 1632 96' },
  { locale: de, country: 'Germany', dial: '+49 30 2312' },
  { locale: fr, country: 'France', dial: '+33 1 99 00 ' },
  { locale: it, country: 'Italy', dial: '+39 06 5555' },
];

const LETTERS = ['MESSAGE', 'EMAIL', 'USER_CONTACT'] as const;
const DOCUMENTATION_NETS = ['192.0.2', '198.51.100', '203.0.113'];

/** The first `count` people, each as what was collected about them. */
export function* people(count: number): Generator<CollectedValue[]> {
  const fakers = COUNTRIES.map(({ locale }, at) => {
    const faker = new Faker({ locale: [locale, en, base] });
    faker.seed(SEED + at);
    return faker;
  });
  for (let nth = 0; nth < count; nth++) {
    const at = nth % COUNTRIES.length;
    yield person(fakers[at]!, COUNTRIES[at]!, nth);
  }
}

function person(faker: Faker, { country, dial }: (typeof COUNTRIES)[number], nth: number): CollectedValue[] {
  const firstName = faker.person.firstName();
  const lastName = faker.person.lastName();
  const collected = [
    of('user.name', 'REGISTRATION', `${firstName} ${lastName}`),
    of(
      'user.contact.email',
      'REGISTRATION',
      `${faker.internet.username({ firstName, lastName }).toLowerCase()}.${nth}@example.com`,
    ),
    of('user.contact.address.street', 'APPLICATION', faker.location.streetAddress()),
    of('user.contact.address.city', 'APPLICATION', faker.location.city()),
    of('user.contact.address.postal_code', 'APPLICATION', faker.location.zipCode()),
    of('user.contact.address.country', 'APPLICATION', country),
    of(
      'user.device.ip_address',
      'SERVER_LOG',
      `${faker.helpers.arrayElement(DOCUMENTATION_NETS)}.${faker.number.int({ min: 1, max: 254 })}`,
    ),
  ];
  // Not everybody tells, and some tell twice.
  const phones = faker.helpers.weightedArrayElement([
    { value: 0, weight: 2 },
    { value: 1, weight: 7 },
    { value: 2, weight: 1 },
  ]);
  for (let one = 0; one < phones; one++) {
    const digits = String(nth * 2 + one).padStart(4, '0');
    collected.push(of('user.contact.phone_number', faker.helpers.arrayElement(LETTERS), `${dial}${digits}`));
  }
  return collected;
}

function of(category: string, channel: string, value: string): CollectedValue {
  return { category, channel, value };
}
