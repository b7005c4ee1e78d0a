/**
 * The configuration is what the environment says, checked whole before anything starts.
 *
 *     readConfig({ PORT: '4001' })  →  { port: 4001, host: 'localhost', database: null, … }
 *
 * `SETTINGS` is the one list: settings are read by it, and the README's table is printed from it. A variable that is
 * empty is one that is absent.
 */
import { choice, count, databaseUrl, host, issuer, origin, type Setting, SettingFault, text } from './setting.js';

export interface Config {
  /** No demo key, demo identity or embedded database. */
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  /** Null: the embedded one. `ownerUrl` null: this process does not migrate. */
  readonly database: { readonly url: string; readonly ownerUrl: string | null } | null;
  /** Null: the demo issuer, and the demo organisation with it. */
  readonly oidc: { readonly issuer: string; readonly audience: string } | null;
  /** Null: a demo key in `dataDir`. */
  readonly kek: { readonly file: string } | { readonly text: string } | null;
  /** `keyFile` null: a demo key in `dataDir`. */
  readonly log: { readonly origin: string; readonly keyFile: string | null };
  readonly checkpointSeconds: number;
  /** Null: what is published is mirrored nowhere. */
  readonly mirrorDir: string | null;
  /** Null: nobody is asked to cosign. */
  readonly witnessesFile: string | null;
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
  readonly introspection: boolean;
  readonly requestsPerMinute: number;
  readonly shutdownSeconds: number;
}

export const SETTINGS = {
  PORT: { meaning: 'the TCP port to listen on; 0: any that is free', default: '4000', parse: count(0, 65_535) },
  HOST: { meaning: 'the address to listen on; `0.0.0.0`: every interface', default: 'localhost', parse: host },
  DATA_DIR: { meaning: 'the folder of the embedded database and the demo keys', default: '.data', parse: text },
  DATABASE_URL: {
    meaning: 'the server’s login to a PostgreSQL of yours, 15 or later',
    absent: 'an embedded PostgreSQL',
    parse: databaseUrl,
  },
  DATABASE_OWNER_URL: {
    meaning: 'the login that migrates at start; may be a superuser',
    absent: 'no migration, or the embedded one’s superuser',
    parse: databaseUrl,
  },
  OIDC_ISSUER: { meaning: 'the OpenID provider whose tokens are accepted', absent: 'a demo issuer', parse: issuer },
  OIDC_AUDIENCE: { meaning: 'the `aud` that tokens must bear', absent: 'the demo issuer’s', parse: text },
  KEK_FILE: { meaning: 'the file with the key that wraps people’s keys', absent: 'a demo key', parse: text },
  KEK: { meaning: 'the same key itself, instead of a file', absent: 'see `KEK_FILE`', parse: text },
  LOG_ORIGIN: { meaning: 'the log’s name in its checkpoints, for ever', default: 'localhost/demo', parse: origin },
  LOG_KEY_FILE: { meaning: 'the file with the key that signs checkpoints', absent: 'a demo key', parse: text },
  CHECKPOINT_SECONDS: {
    meaning: 'the least time between two checkpoints, while entries arrive',
    default: '1',
    parse: count(1, 60),
  },
  WITNESSES: { meaning: 'the file that says which witnesses are asked to cosign', absent: 'none are', parse: text },
  MIRROR_DIR: {
    meaning: 'a folder that keeps what is published outside the database',
    absent: 'no mirror',
    parse: text,
  },
  DEMO: {
    meaning: 'whether what is not set may be a demo’s: identities, made-up people, keys: `on` or `off`',
    absent: '`on` with the embedded PostgreSQL, otherwise `off`',
    parse: choice('on', 'off'),
  },
  LOG_LEVEL: {
    meaning: '`error`, `warn`, `info` or `debug`',
    default: 'info',
    parse: choice('error', 'warn', 'info', 'debug'),
  },
  NODE_ENV: {
    meaning: '`development`, `test` or `production`, which refuses all that is demo or embedded',
    default: 'development',
    parse: choice('development', 'test', 'production'),
  },
  INTROSPECTION: {
    meaning: 'whether clients may ask for the schema, as the explorer does: `on` or `off`',
    absent: '`off` in production, otherwise `on`',
    parse: choice('on', 'off'),
  },
  REQUESTS_PER_MINUTE: {
    meaning: 'the budget of each actor; ten more entries in the log cost as much as a request',
    default: '600',
    parse: count(1, 1_000_000),
  },
  SHUTDOWN_SECONDS: { meaning: 'how long a stop waits for requests under way', default: '10', parse: count(0, 3_600) },
} satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof SETTINGS;

/** A setting is malformed, missing beside another or in production, or forbidden beside another. */
export type ConfigCode = 'MALFORMED' | 'MISSING' | 'CONFLICT';

export interface ConfigFault {
  readonly setting: SettingName;
  readonly code: ConfigCode;
  /** What is wrong and what to do, without the setting's value. */
  readonly says: string;
}

/** Names every setting that is wrong, one line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly faults: readonly ConfigFault[]) {
    super(['The configuration is wrong:', ...faults.map(({ setting, says }) => `  ${setting} ${says}`)].join('\n'));
  }
}

type Values = {
  readonly [N in SettingName]:
    | ReturnType<(typeof SETTINGS)[N]['parse']>
    | ((typeof SETTINGS)[N] extends { default: string } ? never : null);
};

/** @throws ConfigError with every fault there is */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const faults: ConfigFault[] = [];
  const read = Object.entries<Setting<unknown>>(SETTINGS).map(([name, setting]) => {
    const given = env[name] || setting.default;
    return [name, given === undefined ? null : parsed(name as SettingName, setting, given, faults)];
  });
  const values = Object.fromEntries(read) as Values;
  const isSet = (name: SettingName) => Boolean(env[name]);
  const others = values.NODE_ENV === 'production' ? inProduction(isSet, values) : withoutDemo(isSet, values);
  for (const fault of [...together(isSet), ...others]) {
    if (!faults.some(({ setting }) => setting === fault.setting)) faults.push(fault);
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return configOf(values);
}

function parsed(setting: SettingName, { parse }: Setting<unknown>, given: string, faults: ConfigFault[]): unknown {
  try {
    return parse(given);
  } catch (error) {
    if (!(error instanceof SettingFault)) throw error;
    faults.push({ setting, code: 'MALFORMED', says: error.message });
    return null;
  }
}

function* together(isSet: (name: SettingName) => boolean): Iterable<ConfigFault> {
  if (isSet('OIDC_ISSUER') !== isSet('OIDC_AUDIENCE')) {
    const [setting, other] = isSet('OIDC_ISSUER')
      ? (['OIDC_AUDIENCE', 'OIDC_ISSUER'] as const)
      : (['OIDC_ISSUER', 'OIDC_AUDIENCE'] as const);
    yield { setting, code: 'MISSING', says: `is missing beside ${other}: set both, or neither for the demo issuer` };
  }
  if (isSet('DATABASE_OWNER_URL') && !isSet('DATABASE_URL')) {
    const says = 'is missing beside DATABASE_OWNER_URL: set both, or neither for the embedded PostgreSQL';
    yield { setting: 'DATABASE_URL', code: 'MISSING', says };
  }
  if (isSet('KEK') && isSet('KEK_FILE')) {
    yield { setting: 'KEK', code: 'CONFLICT', says: 'stands beside KEK_FILE: set one of the two' };
  }
}

const DEMANDED = ['DATABASE_URL', 'OIDC_ISSUER', 'OIDC_AUDIENCE', 'KEK_FILE', 'LOG_ORIGIN', 'LOG_KEY_FILE'] as const;

function lacking(isSet: (name: SettingName) => boolean): (typeof DEMANDED)[number][] {
  return DEMANDED.filter((setting) => !isSet(setting) && !(setting === 'KEK_FILE' && isSet('KEK')));
}

function* inProduction(isSet: (name: SettingName) => boolean, { DEMO }: Values): Iterable<ConfigFault> {
  for (const setting of lacking(isSet)) {
    const { meaning } = SETTINGS[setting];
    yield { setting, code: 'MISSING', says: `is missing, which production demands: ${meaning}` };
  }
  if (DEMO === 'on') yield { setting: 'DEMO', code: 'CONFLICT', says: 'is on, and production has no demo' };
}

/** Nobody’s real database gets made-up people, or keys and identities that are no secret, because a variable was forgotten. */
function* withoutDemo(isSet: (name: SettingName) => boolean, { DEMO }: Values): Iterable<ConfigFault> {
  if (DEMO === 'on' || (DEMO === null && !isSet('DATABASE_URL'))) return;
  const missing = lacking(isSet).filter((setting) => setting !== 'DATABASE_URL');
  if (missing.length === 0) return;
  const why = DEMO === 'off' ? 'is off' : 'is not on beside DATABASE_URL';
  const says = `${why}, so ${missing.join(', ')} must be set; or set DEMO=on, for demo identities, people and keys`;
  yield { setting: 'DEMO', code: 'MISSING', says };
}

function configOf(values: Values): Config {
  const { DATABASE_URL, DATABASE_OWNER_URL, OIDC_ISSUER, OIDC_AUDIENCE, KEK, KEK_FILE } = values;
  const production = values.NODE_ENV === 'production';
  return {
    production,
    host: values.HOST,
    port: values.PORT,
    dataDir: values.DATA_DIR,
    database: DATABASE_URL === null ? null : { url: DATABASE_URL, ownerUrl: DATABASE_OWNER_URL },
    oidc: OIDC_ISSUER === null || OIDC_AUDIENCE === null ? null : { issuer: OIDC_ISSUER, audience: OIDC_AUDIENCE },
    kek: KEK_FILE !== null ? { file: KEK_FILE } : KEK !== null ? { text: KEK } : null,
    log: { origin: values.LOG_ORIGIN, keyFile: values.LOG_KEY_FILE },
    checkpointSeconds: values.CHECKPOINT_SECONDS,
    mirrorDir: values.MIRROR_DIR,
    witnessesFile: values.WITNESSES,
    logLevel: values.LOG_LEVEL,
    introspection: values.INTROSPECTION === null ? !production : values.INTROSPECTION === 'on',
    requestsPerMinute: values.REQUESTS_PER_MINUTE,
    shutdownSeconds: values.SHUTDOWN_SECONDS,
  };
}

/** The README's table of settings, in Markdown. */
export function settingsTable(): string {
  const rows = Object.entries<Setting<unknown>>(SETTINGS).map(([name, setting]) => {
    const without = setting.default === undefined ? setting.absent : `\`${setting.default}\``;
    return `| \`${name}\` | ${setting.meaning} | ${without} |\n`;
  });
  return `| setting | what it is | without it |\n|---|---|---|\n${rows.join('')}`;
}
