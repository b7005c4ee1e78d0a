/**
 * The rows that TypeORM reads and writes: every entity of every domain folder.
 */
import { SubjectRow } from '../domain/users/subject.entity.js';

export const ENTITIES = [SubjectRow] as const;
