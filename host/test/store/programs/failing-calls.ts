import * as ffi from 'node:ffi';

// Linux can refuse system calls of a process: a seccomp filter, put in place by the process itself, for all its threads, until it ends. It needs no rights.

const NUMBERS: Readonly<Record<string, Readonly<Record<'fsync' | 'fdatasync' | 'pwrite64' | 'seccomp', number>>>> = {
  x64: { fsync: 74, fdatasync: 75, pwrite64: 18, seccomp: 317 },
  arm64: { fsync: 82, fdatasync: 83, pwrite64: 68, seccomp: 277 },
};

export type FailingCall = 'sync' | 'write';
export const ERRNO = { EIO: 5, ENOSPC: 28 } as const;

const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_SET_MODE_FILTER = 1n;
const ALL_THREADS = 1n;
const LOAD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;
const ALLOW = 0x7fff_0000;
const REFUSE_WITH = 0x0005_0000;

/** From now on these calls of the process fail with the error. Throws where the system does not let it. */
export function failFromNowOn(call: FailingCall, error: keyof typeof ERRNO): void {
  const numbers = process.platform === 'linux' ? NUMBERS[process.arch] : undefined;
  if (numbers === undefined) throw new Error('only on Linux, x64 or arm64');
  const refused = call === 'sync' ? [numbers.fsync, numbers.fdatasync] : [numbers.pwrite64];
  const program = Buffer.concat([
    instruction(LOAD, 0, 0, 0),
    ...refused.map((number, index) => instruction(JUMP_IF_EQUAL, refused.length - index, 0, number)),
    instruction(RETURN, 0, 0, ALLOW),
    instruction(RETURN, 0, 0, REFUSE_WITH | ERRNO[error]),
  ]);
  const header = Buffer.alloc(16);
  header.writeUInt16LE(program.length / 8, 0);
  header.writeBigUInt64LE(ffi.getRawPointer(program), 8);
  const { functions } = ffi.dlopen(null, {
    prctl: { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' },
    syscall: { arguments: ['i64', 'u64', 'u64', 'u64'], return: 'i64' },
  });
  functions.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n);
  const done = functions.syscall(
    BigInt(numbers.seccomp),
    SECCOMP_SET_MODE_FILTER,
    ALL_THREADS,
    ffi.getRawPointer(header),
  );
  if (done !== 0n) throw new Error('seccomp is not allowed here');
}

function instruction(code: number, ifTrue: number, ifFalse: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(value >>> 0, 4);
  return bytes;
}
