// What every benchmark says in the end: figures with the goal and the limit beside them, as a table and, for the document, as JSON.
import { appendFileSync } from 'node:fs';

export type Figure = {
  /** What was measured, in words. */
  what: string;
  /** As it is shown, with its unit. */
  ours: string;
  /** The other thing measured in the same run, in turns. */
  baseline?: string;
  /** Ours by the baseline. */
  ratio?: number;
  goal?: string;
  /** Whether the goal was met; absent where the figure has none. */
  isMet?: boolean;
  /** What bounds it, as far as that was measured; said where the goal is missed. */
  bound?: string;
  /** How spread the rounds were, smallest to largest. */
  spread?: string;
};

/** A curve for the chart: cost against size, both axes logarithmic. */
export type Curve = { name: string; unit: string; points: { size: number; value: number }[] };

export type Report = { bench: string; figures: Figure[]; curves?: Curve[] };

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** @param part 0 to 1. @throws Error without numbers: a benchmark that measured nothing must not look fast */
export function quantile(numbers: readonly number[], part: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  if (found === undefined) throw new Error('nothing was measured');
  return found;
}

const DIGITS = 3;

/** Three digits that count, with thousands apart. */
export function show(value: number, unit = ''): string {
  const rounded = Number(value.toPrecision(DIGITS));
  const text = rounded.toLocaleString('en-US', { maximumSignificantDigits: DIGITS });
  return unit === '' ? text : `${text} ${unit}`;
}

export function spread(numbers: readonly number[], unit = ''): string {
  return `${show(Math.min(...numbers))} to ${show(Math.max(...numbers), unit)}`;
}

/** Prints the figures; `HELIX_BENCH_REPORT` names a file that gets them as one line of JSON. */
export function report({ bench, figures, curves }: Report): void {
  const rows = figures.map((figure) => [
    figure.what,
    figure.ours,
    figure.baseline ?? '',
    figure.ratio === undefined ? '' : show(figure.ratio),
    figure.goal ?? '',
    figure.isMet === undefined ? '' : figure.isMet ? 'met' : 'missed',
  ]);
  const head = [bench, 'ours', 'beside it', 'ratio', 'goal', ''];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  for (const row of [head, ...rows])
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  console.log();
  const file = process.env.HELIX_BENCH_REPORT;
  if (file) appendFileSync(file, `${JSON.stringify({ bench, figures, curves })}\n`);
}

/** `--quick` measures a quarter as long; `--big` goes up to five million Events. */
export const isQuick = process.argv.includes('--quick');
export const isBig = process.argv.includes('--big');
export const ROUNDS = isQuick ? 2 : 5;
