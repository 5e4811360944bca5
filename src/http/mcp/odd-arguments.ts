/** Takes `arguments` that are no object out of the messages, and leaves none, so that the tool door words the refusal. */
export function takeOddArguments(body: unknown): Map<string | number, unknown> {
  const odd = new Map<string | number, unknown>();
  for (const message of Array.isArray(body) ? body : [body]) {
    const { method, id, params } = (message ?? {}) as { method?: unknown; id?: unknown; params?: unknown };
    if (method !== 'tools/call' || typeof params !== 'object' || params === null || !('arguments' in params)) continue;
    const given = params.arguments;
    if (typeof given === 'object' && given !== null && !Array.isArray(given)) continue;
    delete params.arguments;
    if (given !== null && (typeof id === 'string' || typeof id === 'number')) odd.set(id, objectIn(given));
  }
  return odd;
}

/** Models sometimes send an object as the JSON text of one. */
function objectIn(given: unknown): unknown {
  return typeof given === 'string' ? (parse(given)?.value ?? given) : given;
}

export function parse(text: unknown): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(String(text)) };
  } catch {
    return undefined;
  }
}
