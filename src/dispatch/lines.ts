// Marked Workers in two lines, each first come, first served: people and the outside before the rest, but not for ever.

export type Lines = {
  mark(workerId: string, urgent: boolean): void;
  /**
   * Takes the next one out of the line it stands in.
   * @param hasRoom whether a line's turn may come now
   * @param isBusy who is passed over, keeping their place
   */
  next(
    hasRoom: (urgent: boolean) => boolean,
    isBusy: (workerId: string) => boolean,
  ): { workerId: string; urgent: boolean } | undefined;
  /** Puts who was taken out too early back to the beginning of their line. */
  putBack(workerId: string, urgent: boolean): void;
  /** Whether somebody stands in a line who is not busy. */
  waits(isBusy: (workerId: string) => boolean): boolean;
  readonly size: number;
};

/** So many in a row come from the urgent line while somebody waits in the other. */
const URGENT_ROW = 8;

export function createLines(): Lines {
  const urgent = new Set<string>();
  const ordinary = new Set<string>();
  let row = 0;
  return {
    mark(workerId, isUrgent) {
      if (isUrgent) {
        ordinary.delete(workerId);
        urgent.add(workerId);
      } else if (!urgent.has(workerId)) ordinary.add(workerId);
    },
    next(hasRoom, isBusy) {
      for (const line of row < URGENT_ROW ? [urgent, ordinary] : [ordinary, urgent]) {
        if (!hasRoom(line === urgent)) continue;
        for (const workerId of line) {
          if (isBusy(workerId)) continue;
          line.delete(workerId);
          row = line === urgent && ordinary.size > 0 ? row + 1 : 0;
          return { workerId, urgent: line === urgent };
        }
      }
      return undefined;
    },
    putBack(workerId, isUrgent) {
      const line = isUrgent ? urgent : ordinary;
      const others = [...line];
      line.clear();
      for (const each of [workerId, ...others]) line.add(each);
    },
    waits: (isBusy) => [urgent, ordinary].some((line) => line.values().some((workerId) => !isBusy(workerId))),
    get size() {
      return urgent.size + ordinary.size;
    },
  };
}
