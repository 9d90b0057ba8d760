package dev.duoka.comm.tcp;

import dev.duoka.comm.RankGroup;
import java.util.List;

/**
 * A group of ranks.
 *
 * @param id the same on all of them, and of no other group that two of them share
 * @param ranks as messages name it
 * @param members the world's numbers of its ranks, in the order of the group
 */
record Group(long id, RankGroup ranks, List<Integer> members) {
  int size() {
    return members.size();
  }

  /** The world's number of a rank of this group. */
  int member(int rank) {
    return members.get(rank);
  }
}
