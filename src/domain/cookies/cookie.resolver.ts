/**
 * Cookies, through GraphQL (clause 4.2).
 */
import { Arg, Args, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import { type Connection, PageArgs } from '../../graphql/connection.js';
import type { Context } from '../../graphql/context.js';
import { Fault } from '../../graphql/fault.js';
import { uuidOrNull } from '../../graphql/id.js';
import type { Pseudonym } from '../../log/entry.js';
import type { CookiePreference as Preference } from './cookie.rules.js';
import {
  Cookie,
  CookieCheck,
  CookieConnection,
  CookiePreference,
  DeclareCookieInput,
  DegradedServiceConnection,
  StandingCookiePreference,
} from './cookie.types.js';
import { type CookieDeclaration, type DegradedService, declareCookie, listCookies, listDegraded } from './cookies.js';
import { checkCookie, cookiePreference, type StandingPreference, setCookiePreference } from './preferences.js';

const WHOSE = 'Yourself, if left out; somebody else only for support agents and privacy officers, under an entry.';

@Resolver()
export class CookieResolver {
  @Query(() => CookieConnection, { description: 'The cookies that a service declares, by name (clause 4.2).' })
  cookies(
    @Ctx() context: Context,
    @Arg('service', () => String) service: string,
    @Args(() => PageArgs) args: PageArgs,
  ): Promise<Connection<CookieDeclaration>> {
    return listCookies(context, service, args);
  }

  @Query(() => DegradedServiceConnection, {
    description: 'The services of which something works less well for who rejects cookies, and what (clause 4.2).',
  })
  degradedServices(
    @Ctx() context: Context,
    @Args(() => PageArgs) args: PageArgs,
  ): Promise<Connection<DegradedService>> {
    return listDegraded(context, args);
  }

  @Query(() => StandingCookiePreference, { description: 'What a person prefers of a service’s cookies (clause 4.2).' })
  cookiePreference(
    @Ctx() context: Context,
    @Arg('service', () => String) service: string,
    @Arg('user', () => ID, { nullable: true, description: WHOSE }) user?: string | null,
  ): Promise<StandingPreference> {
    return cookiePreference(context, service, whom(user));
  }

  @Query(() => CookieCheck, { description: 'Whether a service may set a cookie (clause 4.2). For oneself, no entry.' })
  checkCookie(
    @Ctx() context: Context,
    @Arg('service', () => String) service: string,
    @Arg('name', () => String) name: string,
    @Arg('user', () => ID, { nullable: true, description: WHOSE }) user?: string | null,
  ): Promise<CookieCheck> {
    return checkCookie(context, { service, name, user: whom(user) });
  }

  @Mutation(() => StandingCookiePreference, {
    description: 'Says what you prefer of a service’s cookies, from now on (clause 4.2). For users.',
  })
  setCookiePreference(
    @Ctx() context: Context,
    @Arg('service', () => String) service: string,
    @Arg('preference', () => CookiePreference) preference: Preference,
  ): Promise<StandingPreference> {
    return setCookiePreference(context, { service, preference });
  }

  @Mutation(() => Cookie, { description: 'Declares a cookie of a service (clause 4.2). For privacy officers.' })
  declareCookie(
    @Ctx() context: Context,
    @Arg('input', () => DeclareCookieInput) { service, name, category, degrades }: DeclareCookieInput,
  ): Promise<CookieDeclaration> {
    return declareCookie(context, { service, name, category, degrades: degrades ?? null });
  }
}

/** @throws Fault NO_SUCH_ID */
function whom(user: string | null | undefined): Pseudonym | null {
  if (user == null) return null;
  const id = uuidOrNull<Pseudonym>(user);
  if (!id) throw new Fault('NO_SUCH_ID', { detail: '"user" names nobody.' });
  return id;
}
