import { invalid } from '../domain/errors.ts';

const PATTERN_LENGTH_MAX = 500;

/**
 * `s-mail,s-support-*`: any of these Streams, where `*` stands for any characters; every Stream without patterns.
 * @throws OrgError invalid
 */
export function toStreamMatcher(patterns: string | undefined): (streamId: string) => boolean {
  if (patterns === undefined || patterns === '') return () => true;
  if (patterns.length > PATTERN_LENGTH_MAX) throw invalid(`streams is longer than ${PATTERN_LENGTH_MAX} characters`);
  const globs = patterns.split(',').map((pattern) => pattern.trim().split('*'));
  return (streamId) => globs.some((parts) => matchesGlob(streamId, parts));
}

/** In one pass, so that no pattern can make it slow. @param parts what stands between the wildcards */
function matchesGlob(text: string, parts: string[]): boolean {
  const [first = '', ...rest] = parts;
  if (rest.length === 0) return text === first;
  const last = rest.pop() ?? '';
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}
