/**
 * The log, for whoever checks one: `import { verify, checkProof } from 'access-ledger/log'`, in Node and in browsers.
 *
 * What is exported here keeps its meaning from version to version; the other files of this package are its own affair. It
 * reads no clock, file or network, and needs nothing else of the package.
 *
 *     const key = parseVerifierKey('ledger.example.com/main+530d903a+AekyeRrm…');
 *     const report = await verify(parseExportLines(createReadStream('log.ndjson')), { checkpoints: { key, notes: [kept] } });
 *     report.verdict  →  'intact', 'tampered' or 'inconclusive'
 *
 * The bytes are described in schema/log-format.md.
 *
 * @packageDocumentation
 */
export { BodyError, type LoggedBody, parseBody } from './body.js';
export { type Checkpoint, type OpenedCheckpoint, openCheckpoint } from './checkpoint.js';
export type { Vouched } from './claim.js';
export type { Entry } from './entry.js';
export { type CheckpointEvidence, type Evidence, EvidenceError, type EvidenceFault } from './evidence.js';
export { type Closing, ExportError, type ExportFault } from './export-line.js';
export type { Finding, FindingCode } from './finding.js';
export { isLink, type Leaf, type Link, type LogIndex, linkOf, type Place, parseLeaf } from './leaf.js';
export { parseExportLines } from './lines.js';
export { NoteError, type NoteFault, type Signed } from './note.js';
export { type NoteKeyType, parseVerifierKey, type VerifierKey } from './note-key.js';
export type { Projection } from './projection.js';
export { checkProof, type DisclosureProof, ProofError, type ProofFault, parseProof } from './proof.js';
export type { StoredEntry } from './reading.js';
export type { Hash } from './tree.js';
export { type Inconclusive, type Report, type Unchecked, type Verdict, verify } from './verify.js';
