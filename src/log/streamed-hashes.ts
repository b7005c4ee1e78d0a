/**
 * Streamed hashes are the hashes of a tree whose links go by once, as those of an exported log do: for a proof over a log
 * that is too long to keep. Memory grows with the nodes that are asked for, not with the log.
 */
import { Frontier, type Hash, type Hashes, type TreeNode } from './tree.js';

/** @param links from entry 0 on. The first `read` reads them to their end, and there is no second */
export function streamedHashes(links: AsyncIterable<Hash>): Hashes {
  return {
    async read(nodes) {
      const roots = new Map<TreeNode, Hash>();
      const coming = nodes.toSorted((a, b) => firstOf(b) - firstOf(a));
      const open = new Map<TreeNode, Frontier>();
      let index = 0;
      for await (const link of links) {
        while (coming.length > 0 && firstOf(coming.at(-1)!) === index) open.set(coming.pop()!, new Frontier());
        for (const [node, frontier] of open) {
          frontier.append(link);
          if (frontier.size < 2 ** node.level) continue;
          roots.set(node, frontier.root());
          open.delete(node);
        }
        index++;
      }
      return nodes.map((node) => {
        const root = roots.get(node);
        if (!root) throw new RangeError(`no node ${node.index} at level ${node.level} in a tree of ${index} leaves`);
        return root;
      });
    },
  };
}

function firstOf({ level, index }: TreeNode): number {
  return index * 2 ** level;
}
