/** Lets others wait until nothing is going on. `settle` is called whenever that may have become so. */
export function createQuiet(isQuiet: () => boolean): { settle(): void; wait(): Promise<void> } {
  let waiting: (() => void)[] = [];
  return {
    settle() {
      const told = waiting;
      waiting = [];
      for (const tell of told) tell();
    },
    wait: () =>
      isQuiet()
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push(resolve);
          }),
  };
}
