// Secrets at rest: AES-256-GCM under a key that lies in a file of its own, outside the database and its backups.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { conflict } from '../domain/errors.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export type SecretBox = { seal(plain: string): string; open(sealed: string): string };

/**
 * Reads the key file, making it (mode 0600) when it is not there.
 * @param isInUse whether secrets are sealed already, which a new key could not open
 * @throws OrgError conflict when the key is missing although it is needed, or when the file is no key
 */
export function openSecretBox(keyFile: string, isInUse = false): SecretBox {
  if (!existsSync(keyFile)) {
    if (isInUse)
      throw conflict(`${keyFile} is missing, and with it the secrets kept here; put it back from where you keep it.`);
    makeKey(keyFile);
  }
  return createSecretBox(Buffer.from(readFileSync(keyFile, 'utf8').trim(), 'base64'), keyFile);
}

/** On disk, with its name, before the first secret is sealed with it. */
function makeKey(keyFile: string): void {
  const key = `${randomBytes(KEY_BYTES).toString('base64')}\n`;
  writeFileSync(keyFile, key, { mode: 0o600, flag: 'wx', flush: true });
  const directory = openSync(dirname(keyFile), 'r');
  fsyncSync(directory);
  closeSync(directory);
}

export function createSecretBox(key: Buffer, from = 'the key'): SecretBox {
  if (key.length !== KEY_BYTES)
    throw conflict(`${from} is not a key of ${KEY_BYTES} bytes; restore it from where you keep it.`);
  return {
    seal(plain) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const bytes = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return bytes.toString('base64');
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, 'base64');
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString(
          'utf8',
        );
      } catch (cause) {
        const advice = 'restore the key that it was stored with, or set the secret again';
        throw new Error(`A secret cannot be read with ${from}: ${advice}.`, { cause });
      }
    },
  };
}
