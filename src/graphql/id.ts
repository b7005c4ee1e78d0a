/**
 * Ids are opaque to clients; to us they are uuids. What is no uuid names nobody, and is never sent to the database.
 */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function uuidOrNull<Id extends string>(id: string): Id | null {
  return UUID.test(id) ? (id as Id) : null;
}
