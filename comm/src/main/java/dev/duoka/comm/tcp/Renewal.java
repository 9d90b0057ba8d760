package dev.duoka.comm.tcp;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * How the processes agree, after a failure, whether their ranks exchange again: each tells all
 * others once when all of its ranks have come, and exchange begins again when all have said so.
 * What a process sends after it has said so is of the time after, and is held until this process
 * has decided, too. Guarded by the world.
 */
final class Renewal {
  /**
   * What a process says when all of its ranks have come.
   *
   * @param willing whether each of them can take back what it was about
   * @param failed whether one of them has failed by itself
   */
  record Word(boolean willing, boolean failed) {
    private static final int WILLING = 1;
    private static final int FAILED = 2;

    /** As a frame carries it. */
    long encoded() {
      return (willing ? WILLING : 0) | (failed ? FAILED : 0);
    }

    static Word decoded(long bits) {
      return new Word((bits & WILLING) != 0, (bits & FAILED) != 0);
    }

    /** That of ranks of which some have said one, and some the other. */
    Word and(Word other) {
      return new Word(willing && other.willing, failed || other.failed);
    }
  }

  /** What has come of the time after a decision that is not made here yet. */
  record Held(Link link, Frame frame) {}

  private static final Word NOBODY = new Word(true, false);

  private final int processes;
  private final int ranksHere;
  private final Map<Integer, Word> words = new HashMap<>();
  private final List<Held> held = new ArrayList<>();
  private Word here = NOBODY;
  private int arrived;
  private long rounds;
  private boolean over;

  /**
   * That of one process.
   *
   * @param ranksHere how many ranks it holds
   */
  Renewal(int processes, int ranksHere) {
    this.processes = processes;
    this.ranksHere = ranksHere;
  }

  /** How often exchange has begun again. */
  long rounds() {
    return rounds;
  }

  /** Whether it never will again. */
  boolean isOver() {
    return over;
  }

  /**
   * A rank of this process has come.
   *
   * @return whether it was the last one
   */
  boolean arrives(Word word) {
    here = here.and(word);
    return ++arrived == ranksHere;
  }

  /** What this process has to say. */
  Word here() {
    return here;
  }

  /** A process has said its word; also this one. */
  void said(int process, Word word) {
    words.put(process, word);
  }

  /** Whether a frame is of the time after the decision; then it is kept. */
  boolean holds(Link link, Frame frame) {
    boolean ahead = !over && words.containsKey(link.peer().process());
    if (ahead) {
      held.add(new Held(link, frame));
    }
    return ahead;
  }

  /** What was kept, in its order, when it is decided. */
  List<Held> release() {
    List<Held> all = List.copyOf(held);
    held.clear();
    return all;
  }

  /** The number of the first process that has not said its word. */
  int firstMissing() {
    return IntStream.range(0, processes)
        .filter(process -> !words.containsKey(process))
        .findFirst()
        .orElseThrow();
  }

  /** Whether all processes have said their words. */
  boolean isComplete() {
    return words.size() == processes;
  }

  /**
   * Decides, when all have said their words.
   *
   * @return whether exchange begins again; if not, it is over
   */
  boolean decide() {
    Word all = words.values().stream().reduce(NOBODY, Word::and);
    if (!all.willing() || !all.failed()) {
      over = true;
      return false;
    }
    words.clear();
    here = NOBODY;
    arrived = 0;
    rounds++;
    return true;
  }

  /** A rank has ended, or not come: there is no way back. */
  void end() {
    over = true;
  }
}
