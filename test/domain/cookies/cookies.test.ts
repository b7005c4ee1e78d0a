import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { declareCookieOnce } from '../../../src/domain/cookies/cookies.js';
import { checkCookie, setCookiePreference } from '../../../src/domain/cookies/preferences.js';
import { DeclaredDifferently } from '../../../src/domain/purposes/declared-once.js';
import { enrolService } from '../../../src/domain/services/services.js';
import type { Actor, Pseudonym } from '../../../src/log/entry.js';
import { SYSTEM } from '../../../src/policy/system.js';
import { type TestGate, testGate } from '../../support/gate.js';
import { ask } from '../../support/postgres.js';

const DECLARE = `mutation ($input: DeclareCookieInput!) { declareCookie(input: $input) { service name category degrades } }`;
const SET = `mutation ($preference: CookiePreference!, $service: String = "diagrams") {
  setCookiePreference(service: $service, preference: $preference) { service preference version }
}`;
const PREFERENCE = `query ($user: ID, $service: String = "diagrams") {
  cookiePreference(service: $service, user: $user) { preference version setAt }
}`;
const CHECK = `query ($name: String!, $user: ID, $service: String = "diagrams") {
  checkCookie(service: $service, name: $name, user: $user) { answer refusal { code clause missing } }
}`;

const COOKIES = [
  { service: 'diagrams', name: 'session', category: 'ESSENTIAL', degrades: null },
  { service: 'diagrams', name: '_Visits', category: 'STATISTICS', degrades: null },
  { service: 'diagrams', name: 'layout', category: 'PREFERENCES', degrades: 'your layout is kept' },
  { service: 'diagrams', name: 'zoom', category: 'PREFERENCES', degrades: 'your layout is kept' },
] as const;

describe('cookies', () => {
  let gate: TestGate;
  let officer: Actor;
  let user: Actor;
  before(async () => {
    gate = await testGate();
    officer = await gate.signIn('privacy-officer');
    for (const cookie of COOKIES) await declareCookieOnce(gate.contextFor(SYSTEM), cookie);
  });
  beforeEach(async () => {
    user = { id: await gate.person(), kind: 'user' };
  });
  after(() => gate.close());

  const declare = (changes: object = {}, actor = officer) =>
    gate.execute(actor, DECLARE, { input: { service: 'diagrams', name: 'banner', category: 'MARKETING', ...changes } });
  const set = (preference: string, actor = user, more: object = {}) =>
    gate.execute(actor, SET, { preference, ...more });
  const check = async (name: string, more: object = {}, actor = user) => {
    const { data, errors, context } = await gate.execute(actor, CHECK, { name, ...more });
    expect(errors).to.deep.equal([]);
    return { ...data.checkCookie, entries: context.entries.length };
  };
  const lastBody = async () => (await gate.entries()).at(-1)!.body;

  it('4.2-03 are declared by a privacy officer, once, with an entry that quotes nothing that was written', async () => {
    const { data, errors } = await declare({ degrades: 'offers are for you' });
    expect(errors).to.deep.equal([]);
    const shown = { service: 'diagrams', name: 'banner', category: 'MARKETING', degrades: 'offers are for you' };
    expect(data.declareCookie).to.deep.equal(shown);
    const body = await lastBody();
    expect(body).to.deep.include({
      event: 'cookie.declared',
      clause: '4.2',
      details: { service: 'diagrams', cookie: 'banner', category: 'MARKETING' },
    });
    expect(JSON.stringify(body)).to.not.include('offers');
    expect((await declare()).errors[0]!.extensions.code).to.equal('ALREADY_REGISTERED');
    expect((await declare({ service: 'unheard-of' })).errors[0]!.extensions).to.include({
      code: 'SERVICE_NOT_COVERED',
      clause: '8.2',
    });
    for (const actor of [user, await gate.signIn('support-agent')]) {
      expect((await declare({}, actor)).errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
    }
    for (const wrong of [
      { name: '' },
      { name: 'a b' },
      { name: 'a'.repeat(51) },
      { name: 'essential', category: 'ESSENTIAL', degrades: 'x' },
      { name: 'empty', degrades: ' ' },
    ]) {
      expect((await declare(wrong)).errors[0]!.extensions.code, JSON.stringify(wrong)).to.equal('BAD_INPUT');
    }
  });

  it('4.2-04 are declared by seeds once, and never differently', async () => {
    const size = await gate.size();
    await declareCookieOnce(gate.contextFor(SYSTEM), COOKIES[0]);
    expect(await gate.size()).to.equal(size);
    const other = { ...COOKIES[0], category: 'MARKETING' } as const;
    const error = await declareCookieOnce(gate.contextFor(SYSTEM), other).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(DeclaredDifferently).with.deep.property('members', ['category']);
  });

  it('4.2-05 are listed a page at a time, and with them what degrades where they are rejected', async () => {
    await enrolService(gate.contextFor(SYSTEM), { key: 'plain', title: 'Nothing to reject' });
    const LIST = `query ($after: String) { cookies(service: "diagrams", first: 2, after: $after) {
      edges { node { name } } pageInfo { hasNextPage endCursor } } }`;
    const names: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { data, context } = await gate.execute(user, LIST, { after });
      names.push(...data.cookies.edges.map(({ node }: { node: { name: string } }) => node.name));
      expect(context.entries).to.deep.equal([]);
      after = data.cookies.pageInfo.endCursor;
      more = data.cookies.pageInfo.hasNextPage;
    }
    expect(names.filter((name) => name !== 'banner')).to.deep.equal(['_Visits', 'layout', 'session', 'zoom']);
    const { data } = await gate.execute(
      user,
      '{ degradedServices { edges { node { key title functions { function cookies } } } } }',
    );
    const [{ node }] = data.degradedServices.edges;
    expect(data.degradedServices.edges).to.have.length(1);
    expect(node).to.include({ key: 'diagrams', title: 'Diagrams online' });
    expect(node.functions).to.deep.include({ function: 'your layout is kept', cookies: ['layout', 'zoom'] });
    const none = await gate.execute(user, '{ cookies(service: "unheard-of") { edges { node { name } } } }');
    expect(none.data.cookies.edges).to.deep.equal([]);
  });

  it('4.2-06 preferences are versions of their own, each by an entry, and an untold one is to be asked', async () => {
    const untold = await gate.execute(user, PREFERENCE);
    expect(untold.data.cookiePreference).to.deep.equal({ preference: 'ASK', version: 0, setAt: null });
    for (const [nth, preference] of ['REJECT_ALL', 'ACCEPT_ALL'].entries()) {
      const { data, errors } = await set(preference);
      expect(errors).to.deep.equal([]);
      expect(data.setCookiePreference).to.deep.equal({ service: 'diagrams', preference, version: nth + 1 });
      expect(await lastBody()).to.deep.include({
        event: 'cookie-preference.set',
        clause: '4.2',
        subject: user.id,
        details: { service: 'diagrams', preference, version: nth + 1 },
      });
    }
    const { data, context } = await gate.execute(user, PREFERENCE);
    expect(data.cookiePreference).to.include({ preference: 'ACCEPT_ALL', version: 2 });
    expect(context.entries).to.deep.equal([]);
    const kept = `SELECT string_agg(preference, ' ' ORDER BY version) AS it
      FROM registry.cookie_preference WHERE subject = '${user.id}'`;
    expect(await ask(gate.database.superuserUrl, kept)).to.equal('REJECT_ALL ACCEPT_ALL');
  });

  it('4.2-07 preferences are the person’s own to set, and of enrolled services', async () => {
    for (const actor of [officer, SYSTEM]) {
      expect((await set('ASK', actor)).errors[0]!.extensions.code).to.equal('ROLE_NOT_PERMITTED');
    }
    const { errors } = await set('ASK', user, { service: 'unheard-of' });
    expect(errors[0]!.extensions).to.include({ code: 'SERVICE_NOT_COVERED', clause: '8.2' });
    expect(await lastBody()).to.include({ event: 'cookie-preference.set', outcome: 'refused' });
    expect(JSON.stringify(await lastBody())).to.not.include('unheard');
  });

  it('4.2-08 a cookie that is not essential is refused after it was rejected, also by another server, and essential ones never', async () => {
    expect((await check('layout')).answer).to.equal('ASK');
    await set('REJECT_ALL');
    expect(await check('layout')).to.deep.equal({
      answer: 'REFUSED',
      refusal: { code: 'COOKIE_REJECTED', clause: '4.2', missing: ['a preference that accepts the cookie'] },
      entries: 0,
    });
    const other = (await gate.another()).contextFor({ actor: user, request: randomUUID() });
    const asked = { service: 'diagrams', user: null };
    expect((await checkCookie(other, { ...asked, name: 'layout' })).answer).to.equal('REFUSED');
    expect((await check('session')).answer).to.equal('ALLOWED');
    await set('ACCEPT_ALL');
    expect((await checkCookie(other, { ...asked, name: 'layout' })).answer).to.equal('ALLOWED');
    await set('ASK');
    expect(await check('layout')).to.deep.equal({ answer: 'ASK', refusal: null, entries: 0 });
  });

  it('4.2-09 a cookie that is not declared is refused, whatever was accepted', async () => {
    await set('ACCEPT_ALL');
    for (const name of ['tracker', 'Session', 'a\u0000b', '']) {
      expect(await check(name)).to.deep.equal({
        answer: 'REFUSED',
        refusal: { code: 'COOKIE_NOT_DECLARED', clause: '4.2', missing: ['a declared cookie'] },
        entries: 0,
      });
    }
    const nowhere = await check('session', { service: 'unheard-of' });
    expect(nowhere.refusal).to.deep.equal({
      code: 'SERVICE_NOT_COVERED',
      clause: '8.2',
      missing: ['an enrolled service', 'a declared cookie'],
    });
  });

  it('4.2-10 what another prefers is looked at by staff under an entry that names them, and by nobody else', async () => {
    await set('REJECT_ALL');
    const support = await gate.signIn('support-agent');
    expect(await check('layout', { user: user.id }, support)).to.include({ answer: 'REFUSED', entries: 1 });
    expect(await lastBody()).to.deep.include({
      event: 'cookie-preference.read',
      clause: '4.2',
      subject: user.id,
      operation: 'checkCookie',
      details: { count: 1 },
    });
    const shown = await gate.execute(support, PREFERENCE, { user: user.id });
    expect(shown.data.cookiePreference.preference).to.equal('REJECT_ALL');
    expect(shown.context.entries).to.have.length(1);
    const unknown = randomUUID();
    expect(await check('layout', { user: unknown }, support)).to.include({ answer: 'ASK', entries: 1 });
    expect(JSON.stringify(await lastBody())).to.not.include(unknown);
    expect(await check('layout', {}, support), 'of what is declared').to.include({ answer: 'ASK', entries: 0 });

    const unengaged = await gate.execute(await gate.signInOnly('support-agent'), CHECK, {
      name: 'zoom',
      user: user.id,
    });
    expect(unengaged.errors[0]!.extensions.missing).to.have.length(3);

    const stranger: Actor = { id: await gate.person(), kind: 'user' };
    for (const [actor, code] of [
      [stranger, 'NOT_YOUR_DATA'],
      [await gate.signIn('security-reviewer'), 'ROLE_NOT_PERMITTED'],
      [{ id: stranger.id, kind: 'processor' }, 'ROLE_NOT_PERMITTED'],
    ] as const) {
      for (const document of [PREFERENCE, CHECK]) {
        const { errors } = await gate.execute(actor, document, { user: user.id, name: 'layout' });
        expect(errors[0]!.extensions.code).to.equal(code);
        expect(await lastBody()).to.include({ event: 'cookie-preference.read', outcome: 'refused' });
      }
    }
    expect((await gate.execute(support, PREFERENCE, { user: 'ana' })).errors[0]!.extensions.code).to.equal(
      'NO_SUCH_ID',
    );
  });

  it('4.2-11 preferences set at once are each a version, and the last entry is what stands', async () => {
    const preferences = ['ACCEPT_ALL', 'REJECT_ALL', 'ASK'] as const;
    const servers = [gate.core, await gate.another()];
    await Promise.all(
      preferences.map((preference, nth) =>
        setCookiePreference(servers[nth % 2]!.contextFor({ actor: user, request: randomUUID() }), {
          service: 'diagrams',
          preference,
        }),
      ),
    );
    const entries = (await gate.entries()).filter(
      ({ body }) => body.subject === user.id && body.event === 'cookie-preference.set',
    );
    expect(entries.map(({ body }) => body.details?.version)).to.deep.equal([1, 2, 3]);
    const { data } = await gate.execute(user, PREFERENCE);
    expect(data.cookiePreference).to.include({ version: 3, preference: entries.at(-1)!.body.details?.preference });
  });

  it('4.2-12 the database takes no row that its entry does not say, and none out of order', async () => {
    const attempt = (said: object, row: readonly [version: number, preference: string]) =>
      gate
        .contextFor(user)
        .gate.change({ event: 'cookie-preference.set', operation: 'x', data: null }, async ({ rows }, permit) => {
          const subject: Pseudonym = user.id;
          const details = { service: 'diagrams', preference: 'ASK', version: 1, ...said };
          const body = permit.body('cookie-preference.set', { subject, details });
          await rows.query(
            `INSERT INTO registry.cookie_preference (log, subject, service, version, preference, set_at, entry)
             VALUES (1, $1, 'diagrams', $2, $3, $4, $5)`,
            [subject, ...row, new Date(body.at), body.id],
          );
          return { bodies: [body], value: 'kept' };
        })
        .catch((error: { sqlState?: string }) => error.sqlState);
    expect(await attempt({}, [1, 'ACCEPT_ALL'])).to.equal('AL006');
    expect(await attempt({ service: 'else' }, [1, 'ASK'])).to.equal('AL006');
    expect(await attempt({ version: 2 }, [2, 'ASK'])).to.equal('AL006');
    expect(await attempt({}, [1, 'ASK'])).to.equal('kept');
    for (const change of ["UPDATE registry.cookie_preference SET preference = 'ASK'", 'DELETE FROM registry.cookie']) {
      const error = await ask(gate.database.superuserUrl, change).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(Error);
    }
  });
});
