// The daemon's log: structured, on stderr, as key=value for people or as JSON for machines. No bodies, no secrets.
import { type Logger, pino, stdSerializers } from 'pino';
import { logContext } from '../store/log-context.ts';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogOptions = { json?: boolean; level?: LogLevel; write?: (line: string) => void };

const toStderr = (line: string) => process.stderr.write(line);

/** Every line bears the ids of the request and of the run it is about, where it is about one. */
export function createLogger({ json = false, level = 'info', write = toStderr }: LogOptions = {}): Logger {
  const options = {
    level,
    mixin: () => ({ ...logContext() }),
    // What a line says itself is nearer to it than what it happened in.
    mixinMergeStrategy: (line: object, context: object) => ({ ...context, ...line }),
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (name: string) => ({ level: name }) },
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
