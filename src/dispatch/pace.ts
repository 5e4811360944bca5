// How fast a Stream's messages leave: slowly at first, faster while all goes well, one at a time and seldom while the target
// is down.

/** In flight at once for one Stream, when all goes well. */
const WIDTH_MAX = 4;
const PAUSE_FIRST_MS = 5_000;
/** A target that is up again is noticed within this time. */
const PAUSE_MAX_MS = 300_000;
/** A target may ask for a longer one, within reason. */
const WANTED_MAX_MS = 6 * 3_600_000;

export type Pace = {
  /** How many may be in flight now; 0 while the target is left alone. */
  width(nowMs: number): number;
  /** When it may be tried again; 0 when it is not left alone. */
  readonly untilMs: number;
  /** Since when nothing got through; undefined while all goes well. */
  readonly downSinceMs: number | undefined;
  /** The target answered. */
  up(): void;
  /** It did not, or asked to be left alone for a while. */
  down(nowMs: number, wantedMs: number | undefined): void;
};

/** @param jitter multiplies a pause, so that many that fail together do not come back together */
export function createPace(jitter: () => number): Pace {
  let width = 1;
  let failures = 0;
  let untilMs = 0;
  let downSinceMs: number | undefined;
  return {
    // One as a probe when its time has come.
    width: (nowMs) => (downSinceMs === undefined ? width : nowMs >= untilMs ? 1 : 0),
    get untilMs() {
      return untilMs;
    },
    get downSinceMs() {
      return downSinceMs;
    },
    up() {
      width = downSinceMs === undefined ? Math.min(width + 1, WIDTH_MAX) : 1;
      [failures, untilMs, downSinceMs] = [0, 0, undefined];
    },
    down(nowMs, wantedMs = 0) {
      // Several that were in flight together say it once.
      const pauseMs = nowMs < untilMs ? 0 : Math.min(PAUSE_FIRST_MS * 2 ** failures++, PAUSE_MAX_MS) * jitter();
      untilMs = Math.max(untilMs, nowMs + Math.max(pauseMs, Math.min(wantedMs, WANTED_MAX_MS)));
      downSinceMs ??= nowMs;
    },
  };
}
