package dev.duoka.comm.peer;

import dev.duoka.ffi.cuda.DeviceBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Boards whose ranks have left, until all ranks of their group have: until then another may still
 * write to them. Those of a group of which a rank never leaves stay. Thread-safe.
 */
final class RetiredBoards {
  private static final Map<Long, List<DeviceBuffer>> BY_GROUP = new HashMap<>();

  private RetiredBoards() {}

  /**
   * Keeps the board of a rank whose device has done all that it was told, and frees those of the
   * group when it is the last.
   *
   * @param group the address of its first rank's board
   * @param ranks of the group
   */
  static void add(long group, int ranks, DeviceBuffer board) {
    List<DeviceBuffer> left;
    synchronized (BY_GROUP) {
      List<DeviceBuffer> retired = BY_GROUP.computeIfAbsent(group, _ -> new ArrayList<>());
      retired.add(board);
      if (retired.size() < ranks) {
        return;
      }
      left = List.copyOf(retired);
      BY_GROUP.remove(group);
    }
    left.forEach(DeviceBuffer::close);
    board.device().useOnThisThread(); // freeing has made the others' devices this thread's
  }
}
