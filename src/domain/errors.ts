/** Why a request was refused. Anything that is not an OrgError is a bug or a broken machine. */
export type OrgErrorCode = 'invalid' | 'not_found' | 'conflict' | 'forbidden';

/** A refusal whose message is meant for the person or agent who asked: what is wrong and what to do. */
export class OrgError extends Error {
  readonly code: OrgErrorCode;

  constructor(code: OrgErrorCode, message: string) {
    super(message);
    this.name = 'OrgError';
    this.code = code;
  }
}

export const invalid = (message: string) => new OrgError('invalid', message);
export const conflict = (message: string) => new OrgError('conflict', message);
export const forbidden = (message: string) => new OrgError('forbidden', message);
export const notFound = (message: string) => new OrgError('not_found', message);

/**
 * Refuses an id that names nothing, with the nearest known id and where to look.
 * Every such message ends in `record not found`: Role texts of users match on that phrase.
 */
export function missing(noun: string, id: string, known: Iterable<string>, lookIn: string): OrgError {
  const near = nearest(id, known);
  const hint = near === undefined ? `see ${lookIn}.` : `did you mean ${near}?`;
  const named = id.slice(0, 80);
  return notFound(`No ${capitalise(noun)} ${named}; ${hint} ${noun} "${named}": record not found`);
}

/**
 * The known word closest to the given one, if it is close enough to be a slip: a third of its length, at most 3 edits; or
 * the first that goes on where the given one stops.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.floor(word.length / 3)) + 1;
  let longer: string | undefined;
  for (const candidate of known) {
    if (word.length > 2 && candidate.startsWith(word)) longer ??= candidate;
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best ?? longer;
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment distance). */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? 0;
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= b.length; column++) {
      const substitution = at(row - 1, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      let least = Math.min(at(row - 1, column) + 1, at(row, column - 1) + 1, substitution);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) least = Math.min(least, at(row - 2, column - 2) + 1);
      current.push(least);
    }
  }
  return at(a.length, b.length);
}

const capitalise = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
