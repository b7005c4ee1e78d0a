/**
 * Declaring the policy: through the gate, one entry for each thing that is not declared yet. Done again, it changes
 * nothing; so it is done at every start.
 */
import { randomUUID } from 'node:crypto';
import { declareCookieOnce } from '../src/domain/cookies/cookies.js';
import { declareCategory, declareLegalBasis, declarePurpose } from '../src/domain/purposes/purposes.js';
import { enrolService } from '../src/domain/services/services.js';
import { SYSTEM } from '../src/policy/system.js';
import type { Core } from '../src/server/core.js';
import { CATEGORIES, COOKIES, LEGAL_BASES, PURPOSES, SERVICES } from './policy.js';

export async function declarePolicy(core: Core): Promise<void> {
  const context = core.contextFor({ actor: SYSTEM, request: randomUUID() });
  for (const basis of LEGAL_BASES) await declareLegalBasis(context, basis);
  for (const category of CATEGORIES)
    await declareCategory(context, { sensitive: false, searchable: false, ...category });
  for (const purpose of PURPOSES) await declarePurpose(context, purpose);
  for (const service of SERVICES) await enrolService(context, service);
  for (const cookie of COOKIES) await declareCookieOnce(context, cookie);
}
