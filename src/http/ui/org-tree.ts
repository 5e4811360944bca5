// Where each seat of the chart stands. Seats without anybody below them hang in columns under their superior, which keeps a
// large org narrow; the others stand side by side.

export type Box = {
  id: string;
  /** Of the seat itself, in pixels. */
  height: number;
  below: Box[];
};

export type Placed = { id: string; x: number; y: number; height: number };

export type Tree = {
  width: number;
  height: number;
  seats: Placed[] /** Paths of the lines, as SVG says them. */;
  lines: string[];
};

export const SEAT_WIDTH = 200;
const GAP_X = 24;
const GAP_Y = 36;
const SNAP = 60;
const HANG_GAP = 12;
const HANG_INDENT = 22;
const HANG_DROP = 8;
/** Up to this many seats stand side by side rather than hang. */
const SIDE_BY_SIDE_MAX = 3;
const COLUMN_MAX = 10;

/** A part of the chart; `anchor` is where the line from above meets its top. */
type Block = { width: number; height: number; anchor: number; place(x: number, y: number, tree: Tree): void };

/** @param roots with everything that is to be shown below them */
export function layOut(roots: Box[]): Tree {
  const tree: Tree = { width: 0, height: 0, seats: [], lines: [] };
  for (const block of roots.map((root) => blockOf(root, 0))) {
    const x = tree.width === 0 ? 0 : tree.width + 2 * GAP_X;
    block.place(x, 0, tree);
    tree.width = x + block.width;
    tree.height = Math.max(tree.height, block.height);
  }
  return tree;
}

function blockOf(box: Box, depth: number): Block {
  const below = blocksBelow(box.below, depth + 1);
  const row = below.reduce((sum, { width }) => sum + width + GAP_X, -GAP_X);
  const width = Math.max(SEAT_WIDTH, row);
  const height = box.height + Math.max(0, ...below.map((block) => GAP_Y + block.height));
  const offsets = offsetsOf(below, Math.max(0, Math.round((width - row) / 2)));
  const anchors = below.map(({ anchor }, index) => (offsets[index] ?? 0) + anchor);
  const middle = below.length === 0 ? width / 2 : ((anchors[0] ?? 0) + (anchors.at(-1) ?? 0)) / 2;
  // A seat stands straight above one that is nearly below it.
  const near = anchors.find((at) => Math.abs(at - middle) < SNAP) ?? middle;
  const anchor = Math.round(Math.min(Math.max(near, SEAT_WIDTH / 2), width - SEAT_WIDTH / 2));
  return {
    width,
    height,
    anchor,
    place(x, y, tree) {
      tree.seats.push({ id: box.id, x: x + anchor - SEAT_WIDTH / 2, y, height: box.height });
      const bar = y + box.height + GAP_Y / 2;
      const isStraight = anchors.length === 1 && Math.abs((anchors[0] ?? 0) - anchor) < SEAT_WIDTH / 2;
      for (const at of anchors) {
        const from = isStraight ? at : anchor;
        tree.lines.push(`M${x + from} ${y + box.height}V${bar}H${x + at}V${y + box.height + GAP_Y}`);
      }
      for (const [index, block] of below.entries())
        block.place(x + (offsets[index] ?? 0), y + box.height + GAP_Y, tree);
    },
  };
}

function offsetsOf(blocks: Block[], start: number): number[] {
  let x = start;
  return blocks.map(({ width }) => {
    const offset = x;
    x += width + GAP_X;
    return offset;
  });
}

function blocksBelow(boxes: Box[], depth: number): Block[] {
  const leaves = boxes.filter(({ below }) => below.length === 0);
  const branches = boxes.filter(({ below }) => below.length > 0).map((box) => blockOf(box, depth));
  if (leaves.length <= (branches.length > 0 ? 1 : SIDE_BY_SIDE_MAX)) {
    return [...branches, ...leaves.map((leaf) => blockOf(leaf, depth))];
  }
  // Near the top there is room to the side; further down many teams stand next to each other.
  const rows = depth === 1 && branches.length === 0 ? Math.ceil(Math.sqrt(leaves.length)) : COLUMN_MAX;
  const columns = Math.ceil(leaves.length / rows);
  const each = Math.ceil(leaves.length / columns);
  return [
    ...branches,
    ...Array.from({ length: columns }, (_, index) => columnOf(leaves.slice(index * each, (index + 1) * each))),
  ];
}

function columnOf(leaves: Box[]): Block {
  const height = leaves.reduce((sum, leaf) => sum + leaf.height + HANG_GAP, HANG_DROP - HANG_GAP);
  const anchor = HANG_INDENT / 2;
  return {
    width: HANG_INDENT + SEAT_WIDTH,
    height,
    anchor,
    place(x, y, tree) {
      let [from, top] = [y, y + HANG_DROP];
      for (const leaf of leaves) {
        tree.seats.push({ id: leaf.id, x: x + HANG_INDENT, y: top, height: leaf.height });
        tree.lines.push(`M${x + anchor} ${from}V${top + 20}H${x + HANG_INDENT}`);
        from = top + 20;
        top += leaf.height + HANG_GAP;
      }
    },
  };
}
