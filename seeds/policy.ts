/**
 * What the privacy policy declares, as data and in our own words: the legal bases, the data categories, the purposes with
 * the categories that each may touch, and the service that is enrolled. Each names the clause that it comes from.
 */

/** Keys of clause 3.1's grounds, in the words of data-protection law. */
export const LEGAL_BASES = [
  {
    key: 'consent',
    title: 'your consent',
    description: 'The person agreed to this purpose, clearly and in advance, and may withdraw at any time.',
  },
  {
    key: 'contract',
    title: 'the service you signed up for',
    description: 'Without it the service that the person signed up for could not be provided.',
  },
  {
    key: 'legal-obligation',
    title: 'a legal obligation',
    description: 'A law demands it, and is named with it.',
  },
  {
    key: 'legitimate-interests',
    title: 'the safety and quality of the service',
    description: 'The site and its users are better off, and no person’s own interests weigh more.',
  },
] as const;

const FORMS = ['REGISTRATION', 'APPLICATION'];
const LETTERS = ['MESSAGE', 'EMAIL', 'USER_CONTACT'];
const LOGS = ['SERVER_LOG'];

/** Clause 2.1: what identifies a person, alone or combined. Keys are fideslang's. */
export const CATEGORIES = [
  { key: 'user.name', title: 'name', identifiability: 'COMBINED', channels: [...FORMS, ...LETTERS] },
  {
    key: 'user.contact.email',
    title: 'e-mail address',
    identifiability: 'ALONE',
    searchable: true,
    channels: [...FORMS, ...LETTERS],
  },
  {
    key: 'user.contact.phone_number',
    title: 'phone number',
    identifiability: 'ALONE',
    searchable: true,
    channels: [...FORMS, ...LETTERS],
  },
  {
    key: 'user.contact.address.street',
    title: 'street and number',
    identifiability: 'COMBINED',
    channels: [...FORMS, ...LETTERS],
  },
  {
    key: 'user.contact.address.city',
    title: 'city',
    identifiability: 'COMBINED',
    channels: [...FORMS, ...LETTERS],
  },
  {
    key: 'user.contact.address.postal_code',
    title: 'postal code',
    identifiability: 'COMBINED',
    channels: [...FORMS, ...LETTERS],
  },
  {
    key: 'user.contact.address.country',
    title: 'country',
    identifiability: 'COMBINED',
    channels: [...FORMS, ...LETTERS],
  },
  { key: 'user.device.ip_address', title: 'IP address', identifiability: 'COMBINED', channels: LOGS },
  { key: 'user.device.cookie_id', title: 'cookie', identifiability: 'COMBINED', channels: LOGS },
  { key: 'user.behavior.browsing_history', title: 'pages visited', identifiability: 'COMBINED', channels: LOGS },
  { key: 'user.content.private', title: 'messages to us', identifiability: 'COMBINED', channels: LETTERS },
  {
    key: 'user.government_id.national_identification_number',
    title: 'identity-card number',
    identifiability: 'ALONE',
    sensitive: true,
    channels: FORMS,
  },
] as const;

const CONTACT = [
  'user.name',
  'user.contact.email',
  'user.contact.phone_number',
  'user.contact.address.street',
  'user.contact.address.city',
  'user.contact.address.postal_code',
  'user.contact.address.country',
];

/** Clause 3.1: the four things that the policy collects and processes for. */
export const PURPOSES = [
  {
    key: 'property-security',
    title: 'to keep accounts and property safe',
    description: 'Protects what belongs to the site and to its users: accounts, payments, content.',
    clause: '3.1',
    basis: 'legitimate-interests',
    categories: [
      ...CONTACT,
      'user.device.ip_address',
      'user.device.cookie_id',
      'user.government_id.national_identification_number',
    ],
  },
  {
    key: 'convenience',
    title: 'to make the service easier to use',
    description: 'Spares people work: known contact details, answers to what they asked.',
    clause: '3.1',
    basis: 'contract',
    categories: [...CONTACT, 'user.content.private'],
  },
  {
    key: 'service-quality',
    title: 'to improve the service',
    description: 'Finds out what works badly, and mends it.',
    clause: '3.1',
    basis: 'legitimate-interests',
    categories: ['user.behavior.browsing_history', 'user.device.cookie_id', 'user.content.private'],
  },
  {
    key: 'new-services',
    title: 'to offer new services',
    description: 'Tells people of services that did not exist when they signed up.',
    clause: '3.1',
    basis: 'consent',
    categories: ['user.name', 'user.contact.email'],
  },
] as const;

/**
 * Clause 8.2: the policy covers every product and service, once it is enrolled. Clause 4.1: who draws together with others
 * needs a name to be known by, and whatever else they tell is up to them.
 */
export const SERVICES = [{ key: 'diagrams', title: 'Diagrams online', essential: ['user.name'] }] as const;

/** Clause 4.2: what the service keeps in people's browsers, and what they go without if they reject it. */
export const COOKIES = [
  { service: 'diagrams', name: 'session', category: 'ESSENTIAL', degrades: null },
  { service: 'diagrams', name: 'workspace', category: 'PREFERENCES', degrades: 'the layout of your workspace is kept' },
  {
    service: 'diagrams',
    name: 'language',
    category: 'PREFERENCES',
    degrades: 'your language is known before you sign in',
  },
  { service: 'diagrams', name: 'visits', category: 'STATISTICS', degrades: null },
] as const;
