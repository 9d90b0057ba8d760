package dev.duoka.machine.topology;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * Maximal cliques of the NVLink graph, by Bron and Kerbosch with Tomita's pivot (C. Bron and J.
 * Kerbosch, CACM 16(9), 1973; E. Tomita and others, TCS 363, 2006).
 */
final class NvlinkDomains {
  /**
   * No machine has more; a made-up matrix may have 3^(n/3). The search ends there, so the list is
   * then not complete.
   */
  static final int MOST_DOMAINS = 10_000;

  private final BitSet[] neighbours;
  private final List<List<Integer>> found = new ArrayList<>();

  private NvlinkDomains(BitSet[] neighbours) {
    this.neighbours = neighbours;
  }

  static List<List<Integer>> of(Topology topology) {
    int count = topology.gpus().size();
    BitSet[] neighbours = new BitSet[count];
    for (int gpu = 0; gpu < count; gpu++) {
      neighbours[gpu] = new BitSet(count);
    }
    topology
        .links()
        .forEach(
            (pair, link) -> {
              if (link.isNvlink()) {
                neighbours[pair.first()].set(pair.second());
                neighbours[pair.second()].set(pair.first());
              }
            });
    NvlinkDomains search = new NvlinkDomains(neighbours);
    BitSet candidates = new BitSet(count);
    for (int gpu = 0; gpu < count; gpu++) {
      if (!neighbours[gpu].isEmpty()) {
        candidates.set(gpu);
      }
    }
    if (!candidates.isEmpty()) {
      search.expand(new ArrayList<>(), candidates, new BitSet(count));
    }
    search.found.sort(NvlinkDomains::compare);
    return List.copyOf(search.found);
  }

  private void expand(List<Integer> clique, BitSet candidates, BitSet excluded) {
    if (candidates.isEmpty() && excluded.isEmpty()) {
      found.add(clique.stream().sorted(Comparator.naturalOrder()).toList());
      return;
    }
    BitSet branches = (BitSet) candidates.clone();
    branches.andNot(neighbours[pivot(candidates, excluded)]);
    for (int gpu = branches.nextSetBit(0);
        gpu >= 0 && found.size() < MOST_DOMAINS;
        gpu = branches.nextSetBit(gpu + 1)) {
      clique.add(gpu);
      expand(
          clique,
          intersection(candidates, neighbours[gpu]),
          intersection(excluded, neighbours[gpu]));
      clique.removeLast();
      candidates.clear(gpu);
      excluded.set(gpu);
    }
  }

  private int pivot(BitSet candidates, BitSet excluded) {
    BitSet all = (BitSet) candidates.clone();
    all.or(excluded);
    int best = -1;
    int mostCovered = -1;
    int size = candidates.cardinality();
    for (int gpu = all.nextSetBit(0); gpu >= 0; gpu = all.nextSetBit(gpu + 1)) {
      int covered = intersection(candidates, neighbours[gpu]).cardinality();
      if (covered > mostCovered) {
        best = gpu;
        mostCovered = covered;
      }
      if (covered >= size - 1) {
        break; // cannot be better by more than one
      }
    }
    return best;
  }

  private static BitSet intersection(BitSet a, BitSet b) {
    BitSet both = (BitSet) a.clone();
    both.and(b);
    return both;
  }

  private static int compare(List<Integer> a, List<Integer> b) {
    for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
      int order = Integer.compare(a.get(i), b.get(i));
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(a.size(), b.size());
  }
}
