/** A slash command as it is offered while somebody types. */
export type PromptOffer = {
  name: string;
  title: string;
  description: string;
  arguments: readonly { name: string; description: string; required?: boolean }[];
};

/** Commands of a Worker that begin like the text. */
export type PromptOffers = (workerId: string, text: string) => readonly PromptOffer[];
