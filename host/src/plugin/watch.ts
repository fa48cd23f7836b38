import { type FSWatcher, watch } from 'node:fs';

/** Watches a changing set of folders. A hint, not a promise: whoever uses it looks for itself now and then as well. */
export interface FolderWatch {
  /** Watches exactly these folders (path → identity; a folder that was replaced is watched anew). Returns whether all could be. */
  update(folders: ReadonlyMap<string, string>): boolean;
  close(): void;
}

/**
 * One flat watch per folder rather than a recursive one: Node's recursive watch walks everything below, and a plugin's source
 * folder can hold a `node_modules` of a hundred thousand files.
 */
export function watchFolders(onChange: () => void): FolderWatch {
  const watchers = new Map<string, { readonly stamp: string; readonly watcher: FSWatcher }>();

  function drop(folder: string): void {
    watchers.get(folder)?.watcher.close();
    watchers.delete(folder);
  }

  function add(folder: string, stamp: string): boolean {
    try {
      const watcher = watch(folder, { persistent: false }, () => onChange());
      watcher.on('error', () => {
        drop(folder);
        onChange();
      });
      watchers.set(folder, { stamp, watcher });
      return true;
    } catch {
      // Gone again, or the system has no watches left: the caller's own looking has to do.
      return false;
    }
  }

  return {
    update(folders) {
      for (const folder of watchers.keys()) if (!folders.has(folder)) drop(folder);
      let all = true;
      for (const [folder, stamp] of folders) {
        const known = watchers.get(folder);
        if (known?.stamp === stamp) continue;
        if (known !== undefined) drop(folder);
        all = add(folder, stamp) && all;
      }
      return all;
    },
    close() {
      for (const folder of watchers.keys()) drop(folder);
    },
  };
}
