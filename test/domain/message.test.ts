import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeMessage, encodeMessage, type Message, parseJson } from '../../src/domain/message.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe('a stored Message', () => {
  test('has its fields in one order, whatever the order they were given in', () => {
    const one = encodeMessage({ body: 'b', from: 'f', extra: { x: 1 }, to: ['t'] });
    expect(text(one)).toBe('{"from":"f","to":["t"],"body":"b","extra":{"x":1}}');
  });

  test('leaves empty fields out', () => {
    expect(text(encodeMessage({ from: '', to: [], subject: '', body: '', thread_id: '', attachments: [] }))).toBe('{}');
    expect(text(encodeMessage({ body: '', extra: null }))).toBe('{"extra":null}');
    expect(text(encodeMessage({}, '[1]'))).toBe('{"extra":[1]}');
  });

  test('holds nothing that is no field of the envelope', () => {
    expect(text(encodeMessage({ body: 'b', role: 'admin' } as Message))).toBe('{"body":"b"}');
  });

  test('comes back as it was, whatever Unicode it holds', () => {
    const string = fc.string({ unit: 'binary', minLength: 1 });
    const message = fc.record(
      { from: string, to: fc.array(string, { minLength: 1 }), subject: string, body: string, thread_id: string },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(message, (given) => {
        expect(decodeMessage(encodeMessage(given))).toEqual(given);
      }),
    );
  });

  test.each([
    ['a lone surrogate', '\ud800'],
    ['a NUL', 'a\0b'],
    ['line separators', '\u2028\u2029'],
    ['a joined emoji', '👩‍👩‍👧'],
    ['a byte order mark', '\ufeffx'],
    ['text from right to left', '\u202eabc'],
  ])('keeps %s', (_what, body) => {
    expect(decodeMessage(encodeMessage({ body }))).toEqual({ body });
  });
});

describe('extra given as JSON text', () => {
  const raw = [
    '{"id":12345678901234567890,"b":1,"a":2}',
    '{"a":0.1234567890123456789012345}',
    '{ "spaced" :  [ 1 , 2 ] }',
    '{"2":1,"1":2}',
    '{"u":"\\u00e9\\ud83d\\ude00\\/"}',
    '{"a":1,"a":2}',
    '-0',
    '1e400',
    '"🙂"',
  ];

  test.each(raw)('%s is stored byte for byte', (extra) => {
    expect(text(encodeMessage({ body: 'b' }, extra))).toBe(`{"body":"b","extra":${extra}}`);
    expect(text(encodeMessage({}, extra))).toBe(`{"extra":${extra}}`);
  });

  test('keeps the digits of numbers that a double cannot hold, also when it is read and written again', () => {
    const extra =
      '{"id":12345678901234567890,"deep":[{"n":-98765432109876543210.5}],"small":1,"s":"12345678901234567890"}';
    const decoded = decodeMessage(encodeMessage({}, extra));
    expect(JSON.stringify(decoded?.extra)).toBe(extra);
    expect(decoded?.extra).toMatchObject({ small: 1, s: '12345678901234567890' });
  });
});

describe('bytes that are no Message', () => {
  test.each(['', 'hello', '[]', '"text"', '3', 'null', '{', '{"a":}'])('%j decode to nothing', (bytes) => {
    expect(decodeMessage(Buffer.from(bytes))).toBeUndefined();
  });

  test('never throw', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void decodeMessage(bytes)));
  });

  test.each([
    '{"body":5}',
    '{"subject":["a"]}',
    '{"thread_id":null}',
    '{"to":"a"}',
    '{"to":[1]}',
    '{"attachments":{}}',
    '{"body":12345678901234567890}',
  ])('%s has a field that is none of an envelope', (bytes) => {
    expect(decodeMessage(Buffer.from(bytes))).toBeUndefined();
  });
});

describe('parseJson', () => {
  test('agrees with JSON.parse wherever that loses nothing', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(JSON.stringify(parseJson(json))).toBe(JSON.stringify(JSON.parse(json)));
      }),
    );
  });

  test('throws a SyntaxError on what is no JSON', () => {
    expect(() => parseJson('{"n":12345678901234567890')).toThrow(SyntaxError);
  });

  test('does not let a key reach the prototype', () => {
    const parsed = parseJson('{"__proto__":{"polluted":12345678901234567890}}') as object;
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
