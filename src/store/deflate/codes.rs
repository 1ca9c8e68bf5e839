//! Huffman codes of a limited length, from how often each symbol occurs.

/// The code of each of up to `N` symbols.
#[derive(Debug, Clone)]
pub(super) struct Code<const N: usize> {
    /// How many bits each symbol takes; 0 if it does not occur.
    pub(super) lengths: [u8; N],
    /// These bits, the first one lowest.
    pub(super) bits: [u16; N],
}

impl<const N: usize> Code<N> {
    /// The best code with at most `limit` bits a symbol, or close to it. It has at least two symbols, because some
    /// decoders refuse a code that uses less than all its bits.
    pub(super) fn new(counts: &[u32; N], limit: usize) -> Code<N> {
        let mut counts = *counts;
        let used = counts.iter().filter(|&&count| count > 0).count();
        let unused = counts.iter_mut().filter(|count| **count == 0);
        unused.take(2usize.saturating_sub(used)).for_each(|count| *count = 1);

        let mut order: Vec<(u32, u16)> = (0u16..)
            .zip(counts)
            .filter(|&(_, count)| count > 0)
            .map(|(symbol, count)| (count, symbol))
            .collect();
        order.sort_unstable();
        let mut of_length = lengths(&order);
        shorten(&mut of_length, limit);

        let mut lengths = [0; N];
        let mut rarest = order.iter();
        for (length, &many) in of_length.iter().enumerate().rev() {
            for &(_, symbol) in rarest.by_ref().take(many as usize) {
                lengths[usize::from(symbol)] = length as u8;
            }
        }
        Code { bits: canonical(&lengths), lengths }
    }

    /// How many bits it takes to write this many of each symbol.
    pub(super) fn cost(&self, counts: &[u32; N]) -> u64 {
        self.lengths.iter().zip(counts).map(|(&length, &count)| u64::from(length) * u64::from(count)).sum()
    }
}

/// The most bits that a symbol can take before the limit: with 2^32 symbols in all, Fibonacci's numbers end there.
const DEEPEST: usize = 48;

/// How many symbols have each length in a Huffman code. `order` has at least two, the rarest first.
fn lengths(order: &[(u32, u16)]) -> [u32; DEEPEST] {
    // The two queues of the well-known method: leaves, and nodes, which come about in order. A node keeps its parent.
    let leaves = order.len();
    let mut nodes: Vec<(u64, usize)> = Vec::with_capacity(leaves - 1);
    let mut parent_of_leaf = vec![0; leaves];
    let (mut leaf, mut node) = (0, 0);
    for parent in 0..leaves - 1 {
        let mut count = 0;
        for _ in 0..2 {
            let rarer = leaf < leaves
                && (node == parent
                    || nodes.get(node).is_none_or(|&(count, _)| u64::from(order[leaf].0) <= count));
            if rarer {
                count += u64::from(order[leaf].0);
                parent_of_leaf[leaf] = parent;
                leaf += 1;
            } else {
                count += nodes[node].0;
                nodes[node].1 = parent;
                node += 1;
            }
        }
        nodes.push((count, 0));
    }
    // From the root, which is the last, down.
    let mut depths = vec![0; nodes.len()];
    for at in (0..nodes.len() - 1).rev() {
        depths[at] = depths[nodes[at].1] + 1;
    }
    let mut of_length = [0; DEEPEST];
    for parent in parent_of_leaf {
        of_length[(depths[parent] + 1usize).min(DEEPEST - 1)] += 1;
    }
    of_length
}

/// Makes all lengths `limit` at most: too long ones get the limit, and as many shorter ones are made longer as that
/// takes.
fn shorten(of_length: &mut [u32; DEEPEST], limit: usize) {
    let too_long: u32 = of_length[limit + 1..].iter().sum();
    of_length[limit + 1..].fill(0);
    of_length[limit] += too_long;
    let share = |(length, &many): (usize, &u32)| u64::from(many) << (limit - length);
    let mut taken: u64 = of_length[..=limit].iter().enumerate().map(share).sum();
    // Each turn a leaf above the limit becomes a node, with itself and a leaf from the limit below it.
    while taken > 1 << limit {
        let Some(longest) = (1..limit).rev().find(|&length| of_length[length] > 0) else { return };
        of_length[longest] -= 1;
        of_length[longest + 1] += 2;
        of_length[limit] -= 1;
        taken -= 1;
    }
}

/// The bits that deflate derives from lengths.
fn canonical<const N: usize>(lengths: &[u8; N]) -> [u16; N] {
    let mut next = [0u32; 17];
    for &length in lengths.iter().filter(|&&length| length > 0) {
        next[usize::from(length) + 1] += 1;
    }
    for length in 1..17 {
        next[length] = (next[length] + next[length - 1]) << 1;
    }
    let mut bits = [0; N];
    for (bits, &length) in bits.iter_mut().zip(lengths).filter(|(_, length)| **length > 0) {
        let code = &mut next[usize::from(length)];
        *bits = (*code as u16).reverse_bits() >> (16 - length);
        *code += 1;
    }
    bits
}
