import { expect } from 'chai';
import { DeclaredDifferently } from '../../src/domain/purposes/declared-once.js';
import { ConfigError } from '../../src/server/config.js';
import { reasonOf } from '../../src/server/reason.js';
import { VaultError } from '../../src/vault/vault-error.js';

describe('the reason why the server does not start', () => {
  it('is the line of an error of ours', () => {
    for (const error of [
      new DeclaredDifferently('category', 'user.name', ['title']),
      new ConfigError([{ setting: 'PORT', code: 'MALFORMED', says: 'is no port' }]),
      new VaultError('FILE_MISSING', '/etc/kek.json'),
    ]) {
      expect(reasonOf(error)).to.equal(error.message);
    }
  });

  it('says of others what is known of them, and never their message', () => {
    const of = (code: string) => reasonOf(Object.assign(new Error('a secret'), { code }));
    expect(of('EADDRINUSE')).to.include('PORT');
    for (const code of ['ECONNREFUSED', '28P01', '28000', '3D000']) expect(of(code)).to.include('DATABASE_URL');
    expect(of('42501')).to.include('DATABASE_OWNER_URL');
    for (const code of ['EWHATEVER', '42P01', 'toString']) expect(of(code)).to.include(code).and.not.include('secret');
    expect(reasonOf(new TypeError('a secret')))
      .to.include('TypeError')
      .and.not.include('secret');
    expect(reasonOf('a secret')).to.not.include('secret');
  });
});
