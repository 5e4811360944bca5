import { StringDecoder } from 'node:string_decoder';

/**
 * Cuts a stream of bytes into lines. Whatever comes, it holds at most one chunk and one line of `lineMax` characters:
 * a longer line is given out in pieces. Bytes that are not UTF-8 become U+FFFD.
 */
export function createLineCutter(lineMax: number) {
  const decoder = new StringDecoder('utf8');
  let rest = '';

  function* cut(text: string): Generator<string> {
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const line = rest + text.slice(start, end);
      rest = '';
      start = end + 1;
      yield* pieces(line, lineMax);
    }
    rest += text.slice(start);
    while (rest.length > lineMax) {
      const at = boundary(rest, lineMax);
      const piece = rest.slice(0, at);
      rest = rest.slice(at);
      yield piece;
    }
  }

  return {
    /** The lines that this chunk completes, without their line ends. */
    push: (chunk: Buffer) => cut(decoder.write(chunk)),

    /** What came after the last line end. */
    *end(): Generator<string> {
      yield* cut(decoder.end());
      const last = rest;
      rest = '';
      if (last !== '') yield last;
    },
  };
}

function* pieces(line: string, lineMax: number): Generator<string> {
  let start = 0;
  while (line.length - start > lineMax) {
    const at = start + boundary(line.slice(start, start + lineMax + 1), lineMax);
    yield line.slice(start, at);
    start = at;
  }
  yield line.slice(start).replace(/\r$/, '');
}

/** The last place up to `at` that does not lie within a character. */
export function boundary(text: string, at: number): number {
  const unit = text.charCodeAt(at - 1);
  return at > 1 && unit >= 0xd800 && unit <= 0xdbff ? at - 1 : at;
}
