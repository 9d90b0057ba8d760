package dev.duoka.comm.local;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Exchange;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Where each rank of the process is: its last exchange, and whether it waits in it. Thread-safe.
 */
final class LocalViews {
  /** Frames of our code that say where a rank is. */
  private static final int FRAMES = 3;

  private final @Nullable Exchange[] last;
  private final boolean[] waiting;
  private final @Nullable Thread[] threads;

  LocalViews(int size) {
    last = new @Nullable Exchange[size];
    waiting = new boolean[size];
    threads = new @Nullable Thread[size];
  }

  /** Notes that the calling thread is this rank's. */
  synchronized void begins(int rank) {
    threads[rank] = Thread.currentThread();
  }

  /** Notes that a rank makes a call. */
  synchronized void calls(int rank, Exchange call) {
    last[rank] = call;
  }

  /** Notes that a rank waits for others in its last call, or no longer does. */
  synchronized void waits(int rank, boolean now) {
    waiting[rank] = now;
  }

  /** Says who has kept a rank waiting for so long, and where they are. */
  synchronized DuokaException late(int rank, List<Integer> partners, Duration limit) {
    List<Integer> missing =
        partners.stream()
            .filter(other -> other != rank)
            .filter(other -> !(waiting[other] && matches(last[other], last[rank])))
            .toList();
    return new DuokaException(
        ErrorCode.RANK_LOST,
        "rank "
            + rank
            + " has waited "
            + limit.toSeconds()
            + " s in "
            + last[rank]
            + " for "
            + missing.stream().map(this::view).collect(Collectors.joining("; ")),
        "See what keeps that rank; launch.timeout in the run file is how long ranks wait");
  }

  private static boolean matches(@Nullable Exchange one, @Nullable Exchange other) {
    return one != null && other != null && one.matches(other);
  }

  private String view(int rank) {
    Exchange call = last[rank];
    String where =
        waiting[rank]
            ? "which waits in " + call
            : call == null ? "which has exchanged nothing yet" : "which is behind " + call;
    return "rank " + rank + ", " + where + (waiting[rank] ? "" : stack(threads[rank]));
  }

  /** Where a thread is: what it calls of the system, and from where in our code. */
  private static String stack(@Nullable Thread thread) {
    List<StackTraceElement> frames =
        thread == null ? List.of() : Arrays.asList(thread.getStackTrace());
    if (frames.isEmpty()) {
      return "";
    }
    String own =
        frames.stream()
            .filter(frame -> frame.getClassName().startsWith("dev.duoka."))
            .limit(FRAMES)
            .map(LocalViews::name)
            .collect(Collectors.joining(" < "));
    return ", in " + name(frames.getFirst()) + (own.isEmpty() ? "" : " < … < " + own);
  }

  private static String name(StackTraceElement frame) {
    return frame.getClassName().replaceFirst(".*[.]", "") + "." + frame.getMethodName();
  }
}
