import { expect } from 'chai';
import { extended, type Run, runOf } from '../../../src/domain/history/history.rules.js';
import { type Titles, wordsOf } from '../../../src/domain/history/history.words.js';
import { type HistoryEntry, sayingOf } from '../../../src/domain/history/history-entry.js';
import type { Pseudonym } from '../../../src/log/entry.js';
import { EVENTS } from '../../../src/log/event.js';
import { REFUSALS } from '../../../src/policy/refusal.js';
import { someBody, someId } from '../../support/ledger.js';

const ANA = someId<Pseudonym>();
const MAIL = someId<Pseudonym>();
const SUPPORT = { id: someId<Pseudonym>(), kind: 'staff', role: 'support-agent' };

const titles: Titles = {
  categories: new Map([
    ['user.name', 'name'],
    ['user.contact.email', 'e-mail address'],
    ['user.contact.phone_number', 'phone number'],
  ]),
  purposes: new Map([
    ['convenience', 'to make the service easier to use'],
    ['new-services', 'to offer new services'],
  ]),
  bases: new Map([['contract', 'the service you signed up for']]),
  processors: new Map([[MAIL, 'SERVICE_PROVIDER']]),
};

const AT = '2026-11-22T09:15:02.117Z';
const entry = (changes: object) =>
  ({
    index: 7,
    link: '',
    says: sayingOf(3, { ...someBody({ asOf: 0, at: AT, ...changes } as never), v: 1 }),
  }) as object as HistoryEntry;
const runOfAll = (entries: readonly HistoryEntry[]): Run =>
  entries.slice(1).reduce((run, earlier) => extended(run, earlier)!, runOf(entries[0]!));
const say = (...entries: object[]) => wordsOf(runOfAll(entries.map(entry)), ANA, titles);
const refused = { outcome: 'refused', refusal: { code: 'NO_NEED_TO_KNOW' }, actor: SUPPORT };

describe('a history in words', () => {
  it('says when, who, which, why and on which basis', () => {
    const records = ['user.contact.email', 'user.name'].map((category) => ({ id: someId(), category, version: 1 }));
    const asked = ['user.contact.email', 'user.contact.phone_number', 'user.name'];
    const said = say({ actor: SUPPORT, purpose: 'convenience', basis: 'contract', asked, records });
    expect(said).to.deep.equal({
      who: 'a support agent of ours',
      categories: ['e-mail address', 'name'],
      purposes: ['to make the service easier to use'],
      basis: 'the service you signed up for',
      text:
        'On 22 November 2026, 09:15:02 UTC, a support agent of ours saw your e-mail address and name, for the purpose ' +
        '“to make the service easier to use”, on the basis of “the service you signed up for”.',
    });
  });

  it('says why something was refused', () => {
    expect(say({ ...refused, purpose: 'convenience', asked: ['user.name'] }).text).to.equal(
      'On 22 November 2026, 09:15:02 UTC, a support agent of ours tried to see your name, for the purpose “to make the ' +
        'service easier to use”. This was refused: no need to know this for this purpose had been approved.',
    );
  });

  it('says many refusals once, with their span', () => {
    const last = { ...refused, purpose: 'convenience', asked: ['user.name'] };
    const between = { ...last, asked: ['user.contact.email', 'user.name'], actor: { ...SUPPORT, id: someId() } };
    const first = { ...last, at: '2026-11-21T23:59:59.999Z', purpose: 'new-services' };
    expect(say(last, between, first).text).to.equal(
      'From 21 November 2026, 23:59:59 UTC to 22 November 2026, 09:15:02 UTC, several support agents of ours tried 3 times ' +
        'to see your name and e-mail address, for the purposes “to make the service easier to use” and “to offer new ' +
        'services”. This was refused each time: no need to know this for this purpose had been approved.',
    );
  });

  for (const [who, actor] of Object.entries({
    you: { id: ANA, kind: 'user' },
    'another user': { id: someId(), kind: 'user' },
    'our system': { id: someId(), kind: 'system' },
    'a service provider of ours': { id: MAIL, kind: 'processor' },
    'a processor of ours': { id: someId(), kind: 'processor' },
    'a privacy officer of ours': { id: someId(), kind: 'staff', role: 'privacy-officer' },
    'a member of our staff': { id: someId(), kind: 'staff', role: 'wizard' },
  })) {
    it(`calls an actor ${who}`, () => expect(say({ actor }).who).to.equal(who));
  }

  it('has a sentence for every event and every reason, and none is left with a gap', () => {
    for (const event of [...Object.keys(EVENTS), 'dream.seen']) {
      for (const said of [say({ event }), say({ ...refused, event })]) {
        expect(said.text)
          .to.match(/^On .+\.$/)
          .and.not.match(/undefined|null|%|\s\s/);
      }
    }
    for (const code of [...Object.keys(REFUSALS), 'UNHEARD_OF']) {
      const { text } = say({ ...refused, refusal: { code } });
      expect(text)
        .to.match(/This was refused: [a-z].+\.$/)
        .and.not.include('undefined');
    }
  });

  it('keeps the key of what has no title any more', () => {
    const said = say({ asked: ['user.shoe_size'], purpose: 'dance', basis: 'whim' });
    expect(said).to.deep.include({ categories: ['user.shoe_size'], purposes: ['dance'], basis: 'whim' });
  });

  it('says of an entry that cannot be read that it cannot', () => {
    const edited = { ...entry({}), says: null };
    expect(wordsOf(runOf(edited), ANA, titles).text).to.include('edited');
  });
});
