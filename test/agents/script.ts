// What an agent is to do, written once for all of them: a function that is asked at each turn, as a model is.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What has happened so far. Tools are named as the Worker's Grants name them; an agent's own as the agent does. */
export type Turn = { results: { text: string; isError: boolean }[]; tools: string[]; prompt: string };

export type Act = { say?: string | string[]; use?: { name: string; input: object | string }[] } | 'hang';

export type Script = (turn: Turn) => Act | Promise<Act>;

/** Uses one tool after the other, then says `Done.` and what the last one answered. */
export const steps =
  (...all: { name: string; input: object }[]): Script =>
  ({ results }) => {
    const step = all[results.length];
    return step ? { say: `I use ${step.name}.`, use: [step] } : { say: `Done. ${results.at(-1)?.text ?? ''}`.trim() };
  };

/** Answers a program that asks what to do: a Turn in, an Act out, both as JSON. */
export async function serveScript(script: Script): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    void (async () => {
      let text = '';
      for await (const chunk of request.setEncoding('utf8')) text += chunk;
      const act = await script(JSON.parse(text) as Turn);
      if (act !== 'hang') response.end(JSON.stringify(act));
    })().catch((error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
