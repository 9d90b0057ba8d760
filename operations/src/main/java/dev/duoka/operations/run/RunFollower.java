package dev.duoka.operations.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Reads on in the output of a run's first worker, from one attempt to the next, and in what its
 * supervisor has done. One thread.
 */
public final class RunFollower {
  private static final int MOST = 1 << 20;

  private final SupervisionFolder folder;
  private final RunRecord record;
  private final Output output;
  private int attempt;
  private int entries;
  private long standardAt;
  private long errorAt;

  /** Where the output goes. */
  public interface Output {
    /** What the run prints of its result. */
    void standard(String text);

    /** What it prints of everything else. */
    void error(String text);

    /** What its supervisor has done. */
    void event(RunRecord.Entry entry);
  }

  private RunFollower(SupervisionFolder folder, Output output) {
    this.folder = folder;
    this.record = new RunRecord(folder);
    this.output = output;
  }

  /** Follows a run that is about to begin, whose folder may hold attempts of earlier ones. */
  public static RunFollower fromNow(SupervisionFolder folder, Output output) {
    RunFollower follower = new RunFollower(folder, output);
    follower.attempt = folder.attempts() + 1;
    return follower;
  }

  /**
   * Follows a run that goes on.
   *
   * @param last how many bytes of what it has printed so far are printed again
   */
  public static RunFollower of(SupervisionFolder folder, Output output, int last) {
    RunFollower follower = new RunFollower(folder, output);
    follower.attempt = Math.max(1, folder.attempts());
    follower.entries = follower.record.entries().size();
    WorkerFolder worker = follower.worker();
    follower.standardAt = Math.max(0, size(worker.standardOutput()) - last);
    follower.errorAt = Math.max(0, size(worker.standardError()) - last);
    return follower;
  }

  /** Passes on what is new; returns at once. */
  public void poll() {
    boolean next = folder.attempts() > attempt; // before reading, so that no output is missed
    readAll();
    List<RunRecord.Entry> all = record.entries();
    for (; entries < all.size(); entries++) {
      output.event(all.get(entries));
    }
    if (next) {
      attempt++;
      standardAt = 0;
      errorAt = 0;
      readAll();
    }
  }

  private void readAll() {
    errorAt = read(worker().standardError(), errorAt, false);
    standardAt = read(worker().standardOutput(), standardAt, true);
  }

  private WorkerFolder worker() {
    return WorkerFolder.of(folder.attempt(attempt), 0);
  }

  private static long size(Path file) {
    try {
      return Files.exists(file) ? Files.size(file) : 0;
    } catch (IOException e) {
      return 0;
    }
  }

  private long read(Path file, long from, boolean standard) {
    long at = from;
    if (size(file) <= at) {
      return at;
    }
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      byte[] bytes = new byte[(int) Math.min(MOST, in.length() - at)];
      while (at < in.length()) {
        in.seek(at);
        int read = in.read(bytes);
        int whole = wholeCharacters(bytes, read);
        if (whole == 0) {
          break; // the rest of a character is still to come
        }
        String text = new String(bytes, 0, whole, StandardCharsets.UTF_8);
        at += whole;
        if (standard) {
          output.standard(text);
        } else {
          output.error(text);
        }
      }
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": " + IoReason.of(e), "Check the disk", e);
    }
    return at;
  }

  /** How many of the bytes are whole characters of UTF-8; a last one may be cut. */
  private static int wholeCharacters(byte[] bytes, int length) {
    int lead = length - 1;
    while (lead >= 0 && lead > length - 4 && (bytes[lead] & 0xC0) == 0x80) {
      lead--;
    }
    if (lead < 0 || (bytes[lead] & 0x80) == 0) {
      return length;
    }
    int needed = (bytes[lead] & 0xE0) == 0xC0 ? 2 : (bytes[lead] & 0xF0) == 0xE0 ? 3 : 4;
    return lead + needed <= length ? length : lead;
  }
}
