/**
 * The log's one hash function: Node's own, or a portable one wherever there is no Node, as in a browser. Which of the two is
 * said by `imports` in the package.json beside this file; nothing else differs, but for signature.ts.
 */
export { sha256, sha256Hex } from '#hash';
