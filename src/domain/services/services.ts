/**
 * The verb of services: enrolling one under the policy (clause 8.2). What is not enrolled can register nobody.
 */
import type { Context } from '../../graphql/context.js';
import { POLICY } from '../../policy/policy.js';
import { readService, type ServiceRow } from '../purposes/declared.js';
import { declareOnce, insertOnce } from '../purposes/declared-once.js';

/** Puts a service under the policy that is in force (clause 8.2). @throws DeclaredDifferently, Refusal */
export function enrolService(
  context: Pick<Context, 'gate' | 'rows'>,
  { key, title }: Pick<ServiceRow, 'key' | 'title'>,
): Promise<void> {
  return declareOnce({
    kind: 'service',
    wanted: { key, title, policy: POLICY },
    read: () => readService(context.rows, key),
    declare: () => {
      const ask = { event: 'service.enrolled', operation: 'enrolService', data: null } as const;
      return context.gate.change(ask, async ({ rows }, permit) => {
        const body = permit.body(ask.event, { details: { service: key } });
        await insertOnce(rows, 'service', { key, title, policy: POLICY, entry: body.id });
        return { bodies: [body], value: undefined };
      });
    },
  });
}
