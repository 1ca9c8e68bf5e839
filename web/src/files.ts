// Files that are dropped or chosen: read here, sent to the server of this machine, kept nowhere.

import type { SampleRequest } from "./api";

export interface Named {
  name: string;
  file: File;
}

/** The files of a drop, those in folders too, in the order of their paths. */
export async function dropped(data: DataTransfer): Promise<{ name: string; files: Named[]; isFolder: boolean }> {
  // Entries must be asked for before the first wait: the list is emptied then.
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const files: Named[] = [];
  for (const entry of entries) await collect(entry, files);
  if (!entries.length) files.push(...[...data.files].map((file) => ({ name: file.name, file })));
  files.sort((a, b) => (a.name < b.name ? -1 : 1));
  const name = entries[0]?.name ?? files[0]?.name ?? "";
  return { name, files, isFolder: entries.length > 1 || !!entries[0]?.isDirectory };
}

async function collect(entry: FileSystemEntry, files: Named[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    files.push({ name: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A call gives a part of the entries only.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return;
    for (const inner of part) await collect(inner, files);
  }
}

/** The files of an `<input type="file">`. */
export function chosen(input: HTMLInputElement): Named[] {
  return [...(input.files ?? [])].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
}

/** What `api/sample` is sent for files: at most a byte more than it reads, so that it says that there is more. */
export async function sampleOf(name: string, files: Named[], isFolder: boolean, most: number): Promise<SampleRequest> {
  let left = most + 1;
  const parts = files.flatMap(({ name, file }) => {
    const part = file.slice(0, left);
    const isReached = left > 0;
    left -= part.size;
    return isReached ? [{ name, part }] : [];
  });
  const [first] = parts;
  if (first && parts.length === 1 && !isFolder) return { name: first.name, base64: await base64(first.part) };
  return { name, files: await Promise.all(parts.map(async (one) => ({ name: one.name, base64: await base64(one.part) }))) };
}

function base64(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,?/, ""));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

/** A number of bytes, in words. */
export function bytes(n: number): string {
  if (n < 1024) return `${n} bytes`;
  if (n < 1024 * 1024) return `${(n / 1024).toFixed(1)} KiB`;
  return `${(n / 1024 / 1024).toFixed(1)} MiB`;
}

/** Files for the folder of downloads. */
export function download(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
