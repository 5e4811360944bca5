// Secrets at rest: AES-256-GCM under a key that lies in a file of its own, outside the database and its backups.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { conflict } from '../domain/errors.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export type SecretBox = { seal(plain: string): string; open(sealed: string): string };

/**
 * Reads the key file, making it (mode 0600) when it is not there. A rotation that was cut off is finished or undone.
 * @param sealed one of the secrets that are sealed already, if there are any
 * @throws OrgError conflict when the key is missing although it is needed, or when the file is no key
 */
export function openSecretBox(keyFile: string, sealed?: string): SecretBox {
  settleRotation(keyFile, sealed);
  if (!existsSync(keyFile)) {
    if (sealed !== undefined)
      throw conflict(`${keyFile} is missing, and with it the secrets kept here; put it back from where you keep it.`);
    makeKey(keyFile);
  }
  return readBox(keyFile);
}

const readBox = (keyFile: string): SecretBox =>
  createSecretBox(Buffer.from(readFileSync(keyFile, 'utf8').trim(), 'base64'), keyFile);

const nextOf = (keyFile: string) => `${keyFile}.next`;

/**
 * Puts a new key in the place of the old one. The new key is on disk before anything is sealed with it, and takes the old
 * one's place after; whichever of the two opens the secrets tells {@link openSecretBox} how far it came.
 * @param reseal seals everything anew in one transaction
 */
export function rotateKey(keyFile: string, reseal: (next: SecretBox) => void): void {
  const next = nextOf(keyFile);
  rmSync(next, { force: true });
  makeKey(next);
  reseal(readBox(next));
  renameSync(next, keyFile);
  syncDirectory(keyFile);
}

function settleRotation(keyFile: string, sealed: string | undefined): void {
  const next = nextOf(keyFile);
  if (!existsSync(next)) return;
  if (sealed !== undefined && opens(next, sealed)) renameSync(next, keyFile);
  else rmSync(next);
  syncDirectory(keyFile);
}

function opens(keyFile: string, sealed: string): boolean {
  try {
    readBox(keyFile).open(sealed);
    return true;
  } catch {
    return false;
  }
}

/** On disk, with its name, before the first secret is sealed with it. */
function makeKey(keyFile: string): void {
  const key = `${randomBytes(KEY_BYTES).toString('base64')}\n`;
  writeFileSync(keyFile, key, { mode: 0o600, flag: 'wx', flush: true });
  syncDirectory(keyFile);
}

function syncDirectory(file: string): void {
  const directory = openSync(dirname(file), 'r');
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
