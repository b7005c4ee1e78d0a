/**
 * The formats there are, by the names that `export --format` takes. Each is loaded when it is asked for.
 */
import type { MakeFormat } from './format.js';

export const FORMATS = {
  csv: async () => (await import('./csv.js')).csv,
  ocsf: async () => (await import('./ocsf.js')).ocsf,
  fhir: async () => (await import('./fhir.js')).fhir,
} as const satisfies Record<string, () => Promise<MakeFormat>>;

export type FormatName = keyof typeof FORMATS;
