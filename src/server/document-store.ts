/**
 * The document store keeps parsed and validated documents by the hash of their text, within a bound: what was asked
 * longest ago goes first. Documents may hold literals, so they are kept in this process's memory only.
 */
import type { DocumentStore } from '@apollo/server';
import type { DocumentNode } from 'graphql';

/** @param limit characters of text; a parsed document takes some fifty times as much. */
export function createDocumentStore(limit: number): DocumentStore {
  const documents = new Map<string, DocumentNode>();
  let size = 0;

  const remove = (key: string): void => {
    const document = documents.get(key);
    if (document && documents.delete(key)) size -= sizeOf(document);
  };

  return {
    async get(key) {
      const document = documents.get(key);
      if (document) {
        documents.delete(key);
        documents.set(key, document);
      }
      return document;
    },
    async set(key, document) {
      remove(key);
      if (sizeOf(document) > limit) return;
      documents.set(key, document);
      size += sizeOf(document);
      for (const oldest of documents.keys()) {
        if (size <= limit) break;
        remove(oldest);
      }
    },
    async delete(key) {
      remove(key);
    },
  };
}

function sizeOf({ loc }: DocumentNode): number {
  return loc?.source.body.length ?? Number.POSITIVE_INFINITY;
}
