import { z } from 'zod';
import { checkFilter, FILTER_FIELDS, type SubscriptionFilter } from '../domain/filter.ts';
import { tolerant } from './arguments.ts';

/** A pattern may stand alone where a list is meant. */
const patterns = z.preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(z.string()));

export const filterInput = tolerant(z.record(z.string(), patterns).optional()).describe(
  `Which Events wake: fields (${FILTER_FIELDS.join(', ')}) and their patterns; * is anything.`,
);

/** @throws OrgError invalid */
export function toFilter(given: Record<string, string[]> | undefined): SubscriptionFilter | null {
  if (given === undefined || Object.keys(given).length === 0) return null;
  return checkFilter(given);
}
