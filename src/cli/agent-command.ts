import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { invalid } from '../domain/errors.ts';

/**
 * A command as a person writes it: a JSON array of strings, or words as a shell would cut them (quotes and backslashes;
 * nothing is expanded).
 * @throws OrgError invalid
 */
export function parseCommand(text: string): string[] {
  const command = text.trim().startsWith('[') ? fromJson(text) : shellWords(text);
  if (command.length === 0) throw invalid('The agent command is empty; name a program and its arguments.');
  return command;
}

function fromJson(text: string): string[] {
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed) && parsed.every((word) => typeof word === 'string')) return parsed;
  } catch {}
  throw invalid(`The agent command is no JSON array of strings: ${text}`);
}

function shellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  const token = /\s+|'([^']*)'|"((?:\\.|[^"\\])*)"|\\([\s\S])|([^\s'"\\]+)/gy;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (!match) throw invalid(`The agent command has a quote or backslash without its end: ${text}`);
    const [whole, single, double, escaped, plain] = match;
    if (/^\s/.test(whole)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + (single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? plain ?? '');
    }
  }
  return word === undefined ? words : [...words, word];
}

/** Agents run in their Worker's folder, so what names a file here is named by its whole path. */
export function wholePaths(command: string[], directory: string = process.cwd()): string[] {
  const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  return command.map((word, index) => {
    // A program without a slash is looked for on the PATH.
    if (isAbsolute(word) || word.startsWith('-') || (index === 0 && !word.includes('/'))) return word;
    const path = resolve(directory, word);
    return isFile(path) ? path : word;
  });
}
