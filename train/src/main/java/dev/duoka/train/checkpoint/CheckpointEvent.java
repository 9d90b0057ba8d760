package dev.duoka.train.checkpoint;

import dev.duoka.base.ByteSize;
import dev.duoka.base.DuokaException;
import java.nio.file.Path;
import java.util.Locale;

/** What happened to a run's checkpoints; each says so in one sentence for people. */
public sealed interface CheckpointEvent {
  /** The sentence. */
  String text();

  /**
   * A checkpoint is complete and on disk.
   *
   * @param bytes of all its files
   * @param seconds from the snapshot to the end of the write
   */
  record Saved(Checkpoint checkpoint, long bytes, double seconds) implements CheckpointEvent {
    @Override
    public String text() {
      return String.format(
          Locale.ROOT,
          "saved %s (%s in %.1f s)",
          checkpoint.folder(),
          ByteSize.text(bytes),
          seconds);
    }
  }

  /** A checkpoint could not be written; nothing is left of it, and earlier ones are untouched. */
  record SaveFailed(long step, DuokaException problem) implements CheckpointEvent {
    @Override
    public String text() {
      return "no checkpoint of step " + step + ": " + problem.getMessage();
    }
  }

  /** Training stood still because the checkpoint before was still being written. */
  record Waited(long step, double seconds) implements CheckpointEvent {
    @Override
    public String text() {
      return String.format(
          Locale.ROOT,
          "step %d waited %.1f s for the checkpoint before it; save less often or to a faster disk",
          step,
          seconds);
    }
  }

  /** Training stood still because the memory for the first copy was not ready. */
  record WaitedForMemory(long step, double seconds) implements CheckpointEvent {
    @Override
    public String text() {
      return String.format(
          Locale.ROOT,
          "step %d waited %.1f s for the memory of the first checkpoint's copy; later ones find it"
              + " ready",
          step,
          seconds);
    }
  }

  /** The memory of the copy could not be locked, so that copying takes longer. */
  record MemoryNotLocked(long step, DuokaException problem) implements CheckpointEvent {
    @Override
    public String text() {
      return "step "
          + step
          + " is copied into memory that could not be locked, and training stands still meanwhile: "
          + problem.getMessage();
    }
  }

  /** A checkpoint cannot be used because of this file, which was not deleted. */
  record Damaged(Checkpoint checkpoint, Path file, String problem) implements CheckpointEvent {
    @Override
    public String text() {
      return "checkpoint " + checkpoint.step() + " is damaged: " + file + " " + problem;
    }
  }

  /** A damaged checkpoint got another name, so that nothing takes it for one. */
  record SetAside(Checkpoint checkpoint, Path folder) implements CheckpointEvent {
    @Override
    public String text() {
      return "the damaged checkpoint " + checkpoint.step() + " is kept as " + folder;
    }
  }

  /** Something that is not needed could not be deleted. */
  record NotDeleted(Path folder, String problem) implements CheckpointEvent {
    @Override
    public String text() {
      return "cannot delete " + folder + ": " + problem;
    }
  }

  /** What an interrupted process left behind was put in order. */
  record CleanedUp(Path folder) implements CheckpointEvent {
    @Override
    public String text() {
      return "put in order what an interrupted session left behind: " + folder;
    }
  }
}
