// Argument schemas that several tools share, tolerant where models slip: typed values often arrive as strings.
import { z } from 'zod';

/** A JSON string that holds a value of the inner schema is taken for that value; null and '' for absent. */
export function tolerant<S extends z.ZodType>(inner: S) {
  return z.preprocess((value) => {
    if (value === null || value === '') return undefined;
    if (typeof value !== 'string') return value;
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  }, inner);
}

/** A whole number that may come as a string; absent, null, '' give undefined. */
export const integer = (describe: string) => tolerant(z.number().int().optional()).describe(describe);

/** A list that may come as a JSON string. */
export const list = <S extends z.ZodType>(item: S, describe: string) =>
  tolerant(z.array(item).optional()).describe(describe);

/** An id that the caller may leave out. */
export const optionalId = (describe: string) =>
  z
    .preprocess((value) => (value === null || value === '' ? undefined : value), z.string().optional())
    .describe(describe);

export const required = (name: string, describe: string) =>
  z
    .string({ error: `${name} is required` })
    .min(1, `${name} is required`)
    .describe(describe);
