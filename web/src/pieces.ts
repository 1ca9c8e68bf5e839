// A text cut where marks begin and end, so that marks in marks and marks across marks can be shown.

export interface Mark {
  from: number;
  to: number;
}

export interface Piece<M extends Mark> {
  from: number;
  to: number;
  /** The marks that it is in. */
  marks: M[];
}

/** The pieces of a text, in order and without gaps. Marks beyond the text are left out. */
export function pieces<M extends Mark>(length: number, all: readonly M[]): Piece<M>[] {
  const marks = all.filter((mark) => mark.from < mark.to && mark.from >= 0 && mark.to <= length);
  const cuts = [...new Set([0, length, ...marks.flatMap((mark) => [mark.from, mark.to])])].sort((a, b) => a - b);
  const sorted = [...marks].sort((a, b) => a.from - b.from);
  const found: Piece<M>[] = [];
  let open: M[] = [];
  let next = 0;
  for (let at = 0; at + 1 < cuts.length; at += 1) {
    const [from, to] = [cuts[at] as number, cuts[at + 1] as number];
    open = open.filter((mark) => mark.to > from);
    for (let mark = sorted[next]; mark && mark.from === from; mark = sorted[next]) {
      open.push(mark);
      next += 1;
    }
    found.push({ from, to, marks: [...open] });
  }
  return found;
}
