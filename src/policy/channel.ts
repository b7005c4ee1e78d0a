/**
 * A channel is the way by which a value came to us (clause 2.2). These are all there are; which of them a category allows is
 * declared with it. The database's CHECKs repeat the list, and a test compares the two.
 */
export const CHANNELS = ['REGISTRATION', 'APPLICATION', 'MESSAGE', 'EMAIL', 'USER_CONTACT', 'SERVER_LOG'] as const;

export type Channel = (typeof CHANNELS)[number];
