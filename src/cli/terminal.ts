// Words on a terminal: coloured where there is one, and never steering it.
import { styleText } from 'node:util';
import type { Cli } from './command.ts';

export type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

/** Whether stdout is a terminal whose owner wants colours (https://no-color.org). */
export const wantsColours = ({ environment }: Pick<Cli, 'environment'>): boolean =>
  process.stdout.isTTY === true && !environment.NO_COLOR;

export const painter =
  (colours: boolean): Paint =>
  (style, text) =>
    colours ? styleText(style, text, { validateStream: false }) : text;

/** One line, of which nothing is a control character: outside text must not be able to steer a terminal. */
export const plain = (text: string): string =>
  text.replace(/\r?\n/g, ' ⏎ ').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '·');
