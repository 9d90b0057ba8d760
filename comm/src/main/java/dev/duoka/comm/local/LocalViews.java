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
  private final @Nullable Exchange[] waiting;
  private final @Nullable Thread[] threads;

  LocalViews(int size) {
    last = new @Nullable Exchange[size];
    waiting = new @Nullable Exchange[size];
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

  /** Notes that a rank waits for others in a call; null when it no longer does. */
  synchronized void waitsIn(int rank, @Nullable Exchange call) {
    waiting[rank] = call;
  }

  /** Says who has kept a rank waiting for so long, and where they are. */
  synchronized DuokaException late(
      int rank, Exchange call, List<Integer> partners, Duration limit) {
    List<Integer> missing =
        partners.stream()
            .filter(other -> other != rank)
            .filter(other -> !matches(waiting[other], call))
            .toList();
    return new DuokaException(
        ErrorCode.RANK_LOST,
        "rank "
            + rank
            + " has waited "
            + limit.toSeconds()
            + " s in "
            + call
            + " for "
            + missing.stream().map(this::view).collect(Collectors.joining("; ")),
        "See what keeps that rank; launch.timeout in the run file is how long ranks wait");
  }

  private static boolean matches(@Nullable Exchange theirs, Exchange call) {
    return theirs != null && theirs.matches(call);
  }

  private String view(int rank) {
    Exchange call = last[rank];
    Exchange held = waiting[rank];
    String where =
        held != null
            ? "which waits in " + held
            : call == null ? "which has exchanged nothing yet" : "which is behind " + call;
    return "rank " + rank + ", " + where + (held != null ? "" : stack(threads[rank]));
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
