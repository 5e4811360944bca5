// The daemon's log: structured, on stderr, as key=value for people or as JSON for machines. No bodies, no secrets.
import { type Logger, pino, stdSerializers } from 'pino';

export type LogOptions = { json?: boolean; write?: (line: string) => void };

export function createLogger({ json = false, write = (line) => process.stderr.write(line) }: LogOptions = {}): Logger {
  const options = {
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (level: string) => ({ level }) },
    serializers: { err: stdSerializers.err },
  };
  return pino(options, { write: json ? write : (line: string) => write(`${keyValues(JSON.parse(line))}\n`) });
}

/** A logger that says nothing. */
export const silentLogger = (): Logger => pino({ level: 'silent' });

function keyValues({ time, level, msg, ...fields }: Record<string, unknown>): string {
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${shown(value)}`);
  return [`${time} ${String(level).toUpperCase().padEnd(5)} ${msg}`, ...rest].join(' ');
}

/** Quoted where a reader could not tell where it ends. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return typeof value === 'string' && /^[^\s"=\\\p{Cc}]+$/u.test(text) ? text : JSON.stringify(value);
}
