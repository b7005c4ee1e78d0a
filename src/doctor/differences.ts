/**
 * Differences are what two catalogues do not agree in: objects that are missing, changed or added. What belongs to a table or
 * function that is itself missing or added is not told apart from it.
 */
import { type Catalogue, KINDS, type Kind, type Properties } from './catalogue.js';

export type Difference = { readonly kind: Kind; readonly name: string } & (
  | { readonly how: 'MISSING'; readonly expected: Properties }
  | { readonly how: 'ADDED'; readonly found: Properties }
  | {
      readonly how: 'CHANGED';
      readonly expected: Properties;
      readonly found: Properties;
      /** Names of the properties that differ. */
      readonly properties: readonly string[];
    }
);

export function differences(expected: Catalogue, found: Catalogue): Difference[] {
  const all = KINDS.flatMap((kind) => differencesOf(kind, expected[kind], found[kind]));
  const wholes = all.filter(({ kind, how }) => (kind === 'table' || kind === 'function') && how !== 'CHANGED');
  const isPart = ({ kind, name }: Difference) => wholes.some((one) => kind !== one.kind && mentions(name, one.name));
  return all.filter((difference) => !isPart(difference));
}

type Objects = Readonly<Record<string, Properties>>;

function differencesOf(kind: Kind, expected: Objects, found: Objects): Difference[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
  return names.flatMap((name): Difference[] => {
    const [wanted, there] = [expected[name], found[name]];
    if (!wanted) return [{ kind, name, how: 'ADDED', found: there! }];
    if (!there) return [{ kind, name, how: 'MISSING', expected: wanted }];
    const properties = [...new Set([...Object.keys(wanted), ...Object.keys(there)])].filter(
      (property) => wanted[property] !== there[property],
    );
    return properties.length > 0 ? [{ kind, name, how: 'CHANGED', expected: wanted, found: there, properties }] : [];
  });
}

/** Whether a name has the other's in it, and not only one that begins so. */
function mentions(name: string, other: string): boolean {
  const at = name.indexOf(other);
  return at >= 0 && !/^[\w"]/.test(name.slice(at + other.length));
}
