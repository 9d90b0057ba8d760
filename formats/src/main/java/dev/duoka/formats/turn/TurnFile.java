package dev.duoka.formats.turn;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * How far each of several runs may go, and where its ranks stand: a mapped file, which costs a step
 * a read of memory. Whoever made the file raises a run's limit; its ranks write down when they have
 * come there and their devices are idle. The limit of a run is raised only when all of its ranks
 * stand, so that all of them go on from the same step. Threads may share it.
 *
 * <p>Little-endian numbers of 64 bits: the magic number, the process that made the file, a limit
 * for each of {@value #RUNS} runs, and for each run the steps after which each of {@value #RANKS}
 * ranks stands, plus 1.
 */
public final class TurnFile {
  /** Runs that a file has room for. */
  public static final int RUNS = 8;

  /** Ranks of a run that it has room for. */
  public static final int RANKS = 1024;

  private static final long MAGIC = 0x314e_5255_544b_5544L; // "DUKTURN1"
  private static final int AT_OWNER = 8;
  private static final int HEAD = 2;
  private static final int BYTES = 8 * (HEAD + RUNS + RUNS * RANKS);

  private final MappedByteBuffer file;

  private TurnFile(Path path, OpenOption... options) {
    try (FileChannel channel = FileChannel.open(path, options)) {
      file = channel.map(FileChannel.MapMode.READ_WRITE, 0, BYTES);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot open the file of turns " + path + ": " + IoReason.of(e),
          "Check that its folder is there and writable",
          e);
    }
    file.order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Makes a file in which no run may take a step.
   *
   * @throws DuokaException when it is there already or cannot be made
   */
  public static TurnFile create(Path path) {
    TurnFile made =
        new TurnFile(
            path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
    made.file.putLong(AT_OWNER, ProcessHandle.current().pid());
    VarHandle.releaseFence();
    made.file.putLong(0, MAGIC);
    return made;
  }

  /**
   * Opens a file that is there.
   *
   * @throws DuokaException when it is not, or is something else
   */
  public static TurnFile open(Path path) {
    TurnFile opened = new TurnFile(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
    if (opened.file.getLong(0) != MAGIC) {
      throw new DuokaException(
          ErrorCode.FORMAT, path + " is no file of turns", "It is made by duoka trial alone");
    }
    VarHandle.acquireFence();
    return opened;
  }

  /** Lets a run go on until it has taken so many steps in all. */
  public void allow(int run, long steps) {
    VarHandle.releaseFence();
    file.putLong(limitOf(run), steps);
  }

  /** After how many steps in all a run has to wait. */
  public long limit(int run) {
    long steps = file.getLong(limitOf(run));
    VarHandle.acquireFence();
    return steps;
  }

  /** A rank stands after so many steps, and its device is idle. */
  public void stand(int run, int rank, long steps) {
    VarHandle.releaseFence();
    file.putLong(placeOf(run, rank), steps + 1);
  }

  /** Whether all of a run's ranks stand after so many steps. */
  public boolean stands(int run, int ranks, long steps) {
    for (int rank = 0; rank < ranks; rank++) {
      if (file.getLong(placeOf(run, rank)) != steps + 1) {
        return false;
      }
    }
    VarHandle.acquireFence();
    return true;
  }

  /** Whether the process that made the file is still there. */
  public boolean hasOwner() {
    return ProcessHandle.of(file.getLong(AT_OWNER)).filter(ProcessHandle::isAlive).isPresent();
  }

  private static int limitOf(int run) {
    return 8 * (HEAD + check(run, RUNS, "run"));
  }

  private static int placeOf(int run, int rank) {
    return 8 * (HEAD + RUNS + check(run, RUNS, "run") * RANKS + check(rank, RANKS, "rank"));
  }

  private static int check(int number, int count, String what) {
    if (number < 0 || number >= count) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          what + " " + number + " has no place in a file of turns",
          "It has room for " + count);
    }
    return number;
  }
}
