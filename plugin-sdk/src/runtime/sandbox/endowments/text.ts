import { defineEndowment } from './endowment.ts';

/** Encodings and base64, over Node's converters. */
export const text = defineEndowment({
  names: [
    'encodingName',
    'encodeUtf8',
    'decodeUtf8',
    'openDecoder',
    'runDecoder',
    'closeDecoder',
    'encodeBase64',
    'decodeBase64',
  ],
  make() {
    const encoder = new TextEncoder();
    const utf8 = new Map<string, TextDecoder>();
    const open = new Map<number, TextDecoder>();
    let last = 0;
    return {
      values: {
        encodingName(label) {
          return valueOrNull(() => new TextDecoder(label).encoding);
        },
        encodeUtf8(value) {
          return encoder.encode(value);
        },
        decodeUtf8(bytes, fatal, ignoreBom) {
          const id = `${fatal}${ignoreBom}`;
          let decoder = utf8.get(id);
          if (decoder === undefined) {
            decoder = new TextDecoder('utf-8', { fatal, ignoreBOM: ignoreBom });
            utf8.set(id, decoder);
          }
          return valueOrNull(() => decoder.decode(bytes));
        },
        openDecoder(label, fatal, ignoreBom) {
          const id = ++last;
          open.set(id, new TextDecoder(label, { fatal, ignoreBOM: ignoreBom }));
          return id;
        },
        runDecoder(id, bytes, stream) {
          return valueOrNull(() => open.get(id)?.decode(bytes, { stream }) ?? null);
        },
        closeDecoder(id) {
          open.delete(id);
        },
        encodeBase64(latin1) {
          return valueOrNull(() => btoa(latin1));
        },
        decodeBase64(base64) {
          return valueOrNull(() => atob(base64));
        },
      },
      dispose() {
        open.clear();
      },
    };
  },
});

/** Node's errors stay outside: the guest half makes its own. */
function valueOrNull<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}
