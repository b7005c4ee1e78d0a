/**
 * A challenge is 32 bytes that a person makes up. Its SHA-256 goes into the entry of their own look at their history, so
 * that they can tell that entry from every one that was written before they asked.
 */
import { hash } from 'node:crypto';
import { Fault } from '../../graphql/fault.js';

const HEX = /^[0-9a-f]{64}$/;
const BASE64URL = /^[A-Za-z0-9_-]{43}$/;

/** Hex of the SHA-256 of the 32 bytes. @throws Fault BAD_INPUT for any text that is not one spelling of 32 bytes */
export function challengeDigest(text: string): string {
  const bytes = HEX.test(text)
    ? Buffer.from(text, 'hex')
    : BASE64URL.test(text)
      ? Buffer.from(text, 'base64url')
      : null;
  // The last of 43 characters has two bits to spare: another spelling of the same bytes is none.
  if (!bytes || (text.length === 43 && bytes.toString('base64url') !== text)) {
    throw new Fault('BAD_INPUT', {
      detail: '"challenge" is 32 bytes, as 64 hex digits or 43 characters of base64url.',
    });
  }
  return hash('sha256', bytes, 'hex');
}
