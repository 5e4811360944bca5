import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSecretBox, openSecretBox } from '../../src/store/secrets.ts';
import { testDirectory } from '../support/org.ts';

const keyFile = () => join(testDirectory(), 'key');
const UNREADABLE =
  /^A secret cannot be read with .*: restore the key that it was stored with, or set the secret again\.$/;

describe('the key file', () => {
  test('is made for its owner alone, and used again', () => {
    const file = keyFile();
    const sealed = openSecretBox(file).seal('hush');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
    expect(openSecretBox(file).open(sealed)).toBe('hush');
  });

  test.each(['', 'short', 'x'.repeat(100), `${randomBytes(31).toString('base64')}\n`])(
    'that holds %j is refused, and kept',
    (text) => {
      const file = keyFile();
      writeFileSync(file, text);
      expect(() => openSecretBox(file)).toThrow(/is not a key of 32 bytes; restore it from where you keep it\.$/);
      expect(readFileSync(file, 'utf8')).toBe(text);
    },
  );

  test('is never written over, even where it cannot be read', () => {
    const file = keyFile();
    openSecretBox(file);
    const before = readFileSync(file);
    chmodSync(file, 0o000);
    if (process.getuid?.() !== 0) expect(() => openSecretBox(file)).toThrow(/EACCES/);
    chmodSync(file, 0o600);
    expect(readFileSync(file)).toEqual(before);
  });
});

describe('a sealed secret', () => {
  const box = createSecretBox(randomBytes(32));

  test('opens to what it was, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(box.open(box.seal(text))).toBe(text);
      }),
    );
  });

  test('does not show the text, and is another each time', () => {
    const [one, two] = [box.seal('a-long-secret'), box.seal('a-long-secret')];
    expect(one).not.toBe(two);
    expect(Buffer.from(one, 'base64').includes('a-long-secret')).toBe(false);
  });

  test('does not open with another key', () => {
    expect(() => createSecretBox(randomBytes(32), '/data/key').open(box.seal('x'))).toThrow(UNREADABLE);
  });

  test('does not open when a bit of it was changed', () => {
    const bytes = Buffer.from(box.seal('secret'), 'base64');
    for (let index = 0; index < bytes.length; index++) {
      const changed = Buffer.from(bytes);
      changed[index]! ^= 1;
      expect(() => box.open(changed.toString('base64'))).toThrow(UNREADABLE);
    }
  });

  test('does not open when it was cut short', () => {
    const bytes = Buffer.from(box.seal('secret'), 'base64');
    for (let length = 0; length < bytes.length; length++) {
      expect(() => box.open(bytes.subarray(0, length).toString('base64'))).toThrow(UNREADABLE);
    }
  });
});
