// The Dockerfile as its stages.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './sandbox.ts';

export type Stage = { name: string; text: string }[];

/** The instructions of each stage, with lines that go on joined. */
export function dockerfile(): Stage[] {
  const text = readFileSync(join(repository, 'deploy/Dockerfile'), 'utf8');
  const joined = text.replace(/^#.*\n/gm, '').replace(/\\\n\s*/g, ' ');
  const stages: Stage[] = [];
  for (const line of joined.split('\n').filter((each) => each.trim() !== '')) {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (name === '') throw new Error(`no instruction: ${line}`);
    if (name === 'FROM') stages.push([]);
    stages.at(-1)?.push({ name, text: rest.replace(/\s+/g, ' ') });
  }
  return stages;
}

export const instructions = (stage: Stage, name: string): string[] =>
  stage.filter((each) => each.name === name).map(({ text }) => text);

/** An instruction that is a JSON array, as those must be that are to get signals. */
export const words = (stage: Stage, name: string): string[] =>
  JSON.parse(/\[.*\]$/.exec(instructions(stage, name).at(-1) ?? '')?.[0] ?? '[]') as string[];
