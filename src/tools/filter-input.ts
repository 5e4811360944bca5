import { z } from 'zod';
import { checkFilter, FILTER_FIELDS, type SubscriptionFilter } from '../domain/filter.ts';
import { tolerant } from './arguments.ts';

/** A pattern may stand alone where a list is meant. */
export const filterInput = tolerant(
  z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
).describe(
  `Which Events wake: for each named field (${FILTER_FIELDS.join(', ')}) one of the patterns must match; * stands for anything. Left out, all of them.`,
);

/** @throws OrgError invalid */
export function toFilter(given: Record<string, string | string[]> | undefined): SubscriptionFilter | null {
  if (given === undefined || Object.keys(given).length === 0) return null;
  return checkFilter(
    Object.fromEntries(
      Object.entries(given).map(([field, value]) => [field, typeof value === 'string' ? [value] : value]),
    ),
  );
}
