import { ConfigInvalid, type Problem } from '../core/config/problem.js';
import { catalogue, type ErrorCode, FirnError } from '../core/errors.js';
import { type ExitCode, exitCodes } from './exit-codes.js';

/** An error that only the command line has. */
export class CliError extends Error {
  readonly code: 'Usage' | 'NotReachable' | 'CredentialsMissing' | 'EnvironmentMissing';
  /** What to do, as a sentence. */
  readonly action: string;

  constructor(code: CliError['code'], message: string, action: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = code;
    this.code = code;
    this.action = action;
  }
}

/** An error of Firn where its usual action would mislead: there is no run, say. */
export class AdvisedError extends Error {
  /** @param actions what to do instead, by the error's code */
  constructor(
    override readonly cause: unknown,
    readonly actions: Partial<Record<ErrorCode, string>>,
  ) {
    super(String(cause), { cause });
  }
}

/** An error as the command line shows it and as `--json` prints it under `error`. */
export interface ShownError {
  code: string;
  message: string;
  action: string;
  /** Of configuration files, one by one. */
  problems?: Problem[];
}

const cliExits: Record<CliError['code'], ExitCode> = {
  Usage: exitCodes.usage,
  EnvironmentMissing: exitCodes.usage,
  NotReachable: exitCodes.unreachable,
  CredentialsMissing: exitCodes.unreachable,
};

const networkCodes = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
];
/** What the file system says of a path that the user has named. */
const fileCodes = ['EACCES', 'EEXIST', 'EISDIR', 'ENOENT', 'ENOSPC', 'ENOTDIR', 'EPERM', 'EROFS'];
/** Names under which AWS refuses who asks. */
const refusals = [
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'AccessDenied',
  'AccessDeniedException',
];

/** What went wrong, what to do about it, and what to end with. */
export function explainError(error: unknown): { shown: ShownError; exit: ExitCode } {
  if (error instanceof CliError) {
    return { shown: { code: error.code, message: error.message, action: error.action }, exit: cliExits[error.code] };
  }
  if (error instanceof AdvisedError) {
    const { shown, exit } = explainError(error.cause);
    return { shown: { ...shown, action: error.actions[shown.code as ErrorCode] ?? shown.action }, exit };
  }
  if (error instanceof FirnError) {
    const { code, message, remedy } = error;
    const shown: ShownError = { code, message, action: catalogue[code].action };
    if (error instanceof ConfigInvalid) shown.problems = error.problems;
    return { shown, exit: firnExit(code, remedy) };
  }
  const chain = causes(error);
  const network = chain.find((cause) => networkCodes.includes((cause as NodeJS.ErrnoException).code ?? ''));
  if (network) {
    const { address, port, hostname } = network as Error & { address?: string; port?: number; hostname?: string };
    const where = address ? `${address}:${port}` : (hostname ?? 'AWS');
    const action = 'Check the network and the environment; for the sandbox: `firn sandbox status`.';
    return {
      shown: { code: 'NotReachable', message: `${where} does not answer (${(network as NodeJS.ErrnoException).code})`, action },
      exit: exitCodes.unreachable,
    };
  }
  const refused = chain.find((cause) => refusals.includes(cause.name));
  if (refused) {
    const action = 'Log in to AWS (profile, SSO or environment variables) as somebody who may do this, then try again.';
    return { shown: { code: 'CredentialsMissing', message: refused.message, action }, exit: exitCodes.unreachable };
  }
  if (error instanceof Error && error.message === 'Region is missing') {
    const action = 'Set AWS_REGION, or choose a profile that has one.';
    return { shown: { code: 'CredentialsMissing', message: 'no AWS region is set', action }, exit: exitCodes.unreachable };
  }
  const file = chain.find((cause) => fileCodes.includes((cause as NodeJS.ErrnoException).code ?? '')) as NodeJS.ErrnoException | undefined;
  if (file?.path) {
    const reason = file.message.replace(/^\w+: /, '').replace(/,.*/, '');
    return {
      shown: { code: 'FileUnusable', message: `${file.path}: ${reason}`, action: 'Choose another path, or correct this one.' },
      exit: exitCodes.usage,
    };
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { shown: { code: 'Internal', message, action: 'Run it again with FIRN_DEBUG=1 and report what it shows.' }, exit: exitCodes.bug };
}

function firnExit(code: FirnError['code'], remedy: FirnError['remedy']): ExitCode {
  if (code === 'Internal') return exitCodes.bug;
  if (['WarehouseUnreachable', 'WarehouseCredentialsRejected', 'SourceUnreachable', 'SourceCredentialsRejected'].includes(code)) {
    return exitCodes.unreachable;
  }
  // Snowflake says of a table that is misspelt what it says of one that is forbidden.
  return remedy === 'configuration' && code !== 'WarehousePermissionDenied' ? exitCodes.usage : exitCodes.failed;
}

/** The error, what caused it, and the parts of an AggregateError (a host with several addresses). */
function causes(error: unknown): Error[] {
  if (!(error instanceof Error)) return [];
  const parts = error instanceof AggregateError ? error.errors : [];
  return [error, ...parts.flatMap(causes), ...causes(error.cause)];
}
