// Times, money and numbers as pages show them.

export type Moment = {
  /** RFC 3339, for machines and on hover. */
  at: string;
  /** In the daemon's own time zone. */
  text: string;
};

/** Kept: to make one for each time on a page costs more than the rest of the page; the first costs a start 15 ms. */
let month: Intl.DateTimeFormat | undefined;

const two = (value: number): string => String(value).padStart(2, '0');

/** `14:05` today, `3 Nov 14:05` this year, `3 Nov 2025` before. */
export function moment(at: string, now = new Date()): Moment {
  const date = new Date(at);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  month ??= new Intl.DateTimeFormat('en', { month: 'short' });
  const day = `${date.getDate()} ${month.format(date)}`;
  if (date.toDateString() === now.toDateString()) return { at, text: clock };
  return { at, text: date.getFullYear() === now.getFullYear() ? `${day} ${clock}` : `${day} ${date.getFullYear()}` };
}

/** The beginning of today in the daemon's own time zone, RFC 3339. */
export function startOfToday(now = new Date()): string {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate()).toISOString();
}

export function money(usd: number): string {
  if (usd === 0) return '$0';
  return usd < 0.01 ? '< $0.01' : `$${usd.toFixed(2)}`;
}

/** `1 run`, `2 runs`. */
export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`;

/** A time span in its largest unit, such as `12 s`, `3 min`, `2 h`. */
export function span(fromAt: string, toAt: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(toAt) - Date.parse(fromAt)) / 1_000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

export const clip = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1).toWellFormed()}…` : text;
