import { Writable } from 'node:stream';
import { expect } from 'chai';
import { createLog, errorFields, type LogLevel, stackFields } from '../../src/server/log.js';

function logged(level: LogLevel): { log: ReturnType<typeof createLog>; lines: string[] } {
  const lines: string[] = [];
  const to = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return { log: createLog({ level, to }), lines };
}

describe('the server’s log', () => {
  it('is one JSON line for each thing', () => {
    const { log, lines } = logged('info');
    log.info('request', { status: 200, fields: ['user'], none: undefined });
    log.warn('a "quoted"\nline');
    expect(lines).to.have.length(2);
    const [first, second] = lines.map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(first).to.include({ level: 'info', message: 'request', status: 200 }).and.not.have.property('none');
    expect(first?.at).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(second?.message).to.equal('a "quoted"\nline');
    expect(lines.every((text) => text.indexOf('\n') === text.length - 1)).to.equal(true);
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = logged('warn');
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
    expect(lines.map((text) => (JSON.parse(text) as { message: string }).message)).to.deep.equal(['c', 'd']);
  });

  it('says class and code of an error and of what caused it, and never a message', () => {
    const root = Object.assign(new RangeError('Key (email)=(ada@example.com)'), { code: '23505', detail: 'ada' });
    const error = new TypeError('ada@example.com', { cause: Object.assign(new Error('ada'), { driverError: root }) });
    const fields = errorFields(error);
    expect(fields).to.deep.equal({ error: ['TypeError', 'Error', 'RangeError'], code: ['23505'] });
    expect(JSON.stringify(stackFields(error)))
      .to.include('log.test.ts')
      .and.not.include('ada');
  });

  it('keeps a message of several lines out of the stack, also one that looks like a frame', () => {
    const text = JSON.stringify(stackFields(new Error('one\n  two ada\n    at ada@example.com')));
    expect(text).to.not.include('ada');
  });

  it('says what is thrown and no error, without its value', () => {
    expect(errorFields('ada')).to.deep.equal({ error: ['string'], code: [] });
    expect(errorFields({ code: 'not a code: ada' })).to.deep.equal({ error: ['object'], code: [] });
    expect(errorFields(undefined)).to.deep.equal({ error: [], code: [] });
    const ring: { cause?: unknown } = {};
    ring.cause = ring;
    expect(errorFields(ring).error).to.have.length(5);
  });
});
