package dev.duoka.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.SingleRank;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.layout.Precision;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Saving goes on behind the training's back and never stops it. */
@Timeout(60)
class CheckpointWriterTests {
  @TempDir Path run;
  private final List<CheckpointEvent> events = new CopyOnWriteArrayList<>();

  private CheckpointWriter writer(Path folder, Consumer<Path> afterFile) {
    return new CheckpointWriter(
        folder,
        new RetentionPolicy(3, 0),
        events::add,
        new CheckpointFolderWriter(
            TokenizerFiles.of("bytes"), ProcessShare.ALONE, Long.MAX_VALUE, afterFile));
  }

  private static void save(CheckpointWriter writer, TestRank rank, long step) {
    writer.save(new SingleRank(), rank.model(), rank.optimizer(), TestRank.state(step));
  }

  @Test
  void trainingGoesOnWhileTheSnapshotIsWritten() {
    CountDownLatch release = new CountDownLatch(1);
    try (CheckpointWriter writer = writer(run, _ -> await(release));
        TestRank rank = TestRank.create(new SingleRank(), 0, Precision.BF16)) {
      save(writer, rank.fill(1), 1);
      // Nothing can be on disk yet, and save has returned.
      assertThat(new CheckpointStore(run).list()).isEmpty();
      rank.fill(2);
      release.countDown();
      writer.await();
      assertRestores(writer.lastSaved().orElseThrow(), 1);
    }
  }

  @Test
  void secondSaveWaitsForTheFirst() throws InterruptedException {
    CountDownLatch release = new CountDownLatch(1);
    try (CheckpointWriter writer = writer(run, _ -> await(release));
        TestRank rank = TestRank.create(new SingleRank(), 0, Precision.FP32)) {
      save(writer, rank.fill(1), 1);
      Thread second = Thread.ofPlatform().start(() -> save(writer, rank.fill(2), 2));
      while (second.getState() != Thread.State.WAITING) {
        Thread.onSpinWait();
      }
      release.countDown();
      second.join();
      writer.await();
      assertThat(events)
          .extracting(Object::getClass)
          .containsExactly(
              CheckpointEvent.Saved.class,
              CheckpointEvent.Waited.class,
              CheckpointEvent.Saved.class);
      List<Checkpoint> saved = new CheckpointStore(run).list();
      assertThat(saved).extracting(Checkpoint::step).containsExactly(2L, 1L);
      assertRestores(saved.get(0), 2);
      assertRestores(saved.get(1), 1);
    }
  }

  @Test
  void failureIsReportedAndLeavesNothingBehind() throws IOException {
    AtomicBoolean broken = new AtomicBoolean(true);
    RuntimeException failure = new DuokaException(ErrorCode.IO, "cannot write: disk on fire", "");
    try (CheckpointWriter writer =
            writer(
                run,
                _ -> {
                  if (broken.get()) {
                    throw failure;
                  }
                });
        TestRank rank = TestRank.create(new SingleRank(), 0, Precision.FP32)) {
      save(writer, rank.fill(1), 1);
      writer.await();
      assertThat(events)
          .singleElement()
          .isInstanceOfSatisfying(
              CheckpointEvent.SaveFailed.class,
              failed -> assertThat(failed.text()).contains("step 1", "disk on fire"));
      assertThat(writer.lastSaved()).isEmpty();
      try (Stream<Path> left = Files.list(run.resolve(CheckpointStore.FOLDER))) {
        assertThat(left).isEmpty();
      }
      broken.set(false);
      save(writer, rank.fill(2), 2);
      writer.await();
      assertRestores(writer.lastSaved().orElseThrow(), 2);
    }
  }

  @Test
  void errorsOfTheProgramAreReportedToo() {
    assertReported(new IllegalStateException("a mistake"), ErrorCode.IO);
    assertReported(new AssertionError("another"), ErrorCode.IO);
    assertReported(new OutOfMemoryError("Java heap space"), ErrorCode.OUT_OF_MEMORY);
  }

  private void assertReported(Throwable failure, ErrorCode code) {
    events.clear();
    try (CheckpointWriter writer = writer(run, _ -> throwUnchecked(failure));
        TestRank rank = TestRank.create(new SingleRank(), 0, Precision.FP32)) {
      save(writer, rank.fill(1), 1);
      writer.await();
      assertThat(writer.lastSaved()).isEmpty();
    }
    assertThat(events)
        .singleElement()
        .isInstanceOfSatisfying(
            CheckpointEvent.SaveFailed.class,
            failed -> {
              assertThat(failed.problem().code()).isEqualTo(code);
              assertThat(failed.text()).contains(String.valueOf(failure.getMessage()));
            });
  }

  private static void throwUnchecked(Throwable failure) {
    switch (failure) {
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalArgumentException(failure);
    }
  }

  @Test
  void folderThatCannotBeMadeStopsTheSaveNotTheRun() throws IOException {
    Files.writeString(run.resolve(CheckpointStore.FOLDER), "a file where a folder should be");
    try (CheckpointWriter writer = writer(run, _ -> {})) {
      LocalRanks.run(
          2,
          collectives -> {
            try (TestRank rank = TestRank.create(collectives, 1, Precision.FP32)) {
              rank.fill(1);
              writer.save(collectives, rank.model(), rank.optimizer(), TestRank.state(1));
            }
          });
      writer.await();
    }
    assertThat(events)
        .singleElement()
        .isInstanceOfSatisfying(
            CheckpointEvent.SaveFailed.class,
            failed -> assertThat(failed.problem().code()).isEqualTo(ErrorCode.IO));
  }

  @Test
  void fullDiskStopsTheSaveNotTheRun() throws IOException, InterruptedException {
    Path disk = Files.createDirectory(run.resolve("disk"));
    assumeTrue(
        mount("mount", "-t", "tmpfs", "-o", "size=4m", "duoka-test", disk.toString()),
        "not permitted to mount a small file system");
    try {
      Path filler = disk.resolve("filler");
      AtomicBoolean fillUp = new AtomicBoolean();
      try (CheckpointWriter writer =
              writer(
                  disk,
                  _ -> {
                    if (fillUp.get()) {
                      fill(filler);
                    }
                  });
          TestRank rank = TestRank.create(new SingleRank(), 0, Precision.FP32)) {
        save(writer, rank.fill(1), 1);
        writer.await();
        // Full from the start: seen before anything is written.
        fill(filler);
        save(writer, rank.fill(2), 2);
        writer.await();
        Files.delete(filler);
        // Filled up by others in the middle of the write.
        fillUp.set(true);
        save(writer, rank.fill(3), 3);
        writer.await();
        fillUp.set(false);
        Files.delete(filler);
        CheckpointStore store = new CheckpointStore(disk);
        try (Stream<Path> left = Files.list(store.folder())) {
          assertThat(left.map(path -> path.getFileName().toString()))
              .containsExactly("step-00000001");
        }
        assertRestores(store.latestValid(events::add).orElseThrow(), 1);
        save(writer, rank.fill(4), 4);
        writer.await();
        assertRestores(store.latestValid(events::add).orElseThrow(), 4);
      }
    } finally {
      mount("umount", disk.toString());
    }
    assertThat(events).hasSize(4);
    assertNoSpace(events.get(1), " left");
    assertNoSpace(events.get(2), "the file system is full");
  }

  private static void assertNoSpace(CheckpointEvent event, String words) {
    assertThat(event)
        .isInstanceOfSatisfying(
            CheckpointEvent.SaveFailed.class,
            failed -> {
              assertThat(failed.problem().code()).isEqualTo(ErrorCode.NO_SPACE);
              assertThat(failed.text()).contains(words);
            });
  }

  /** Writes until nothing fits any more. */
  private static void fill(Path file) {
    byte[] block = new byte[4096];
    try (OutputStream out = Files.newOutputStream(file)) {
      while (true) {
        out.write(block);
      }
    } catch (IOException e) {
      assertThat(e).hasMessageContaining("No space left");
    }
  }

  private static boolean mount(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    return process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0;
  }

  private static void assertRestores(Checkpoint checkpoint, long step) {
    try (CheckpointReader reader = CheckpointReader.open(checkpoint);
        TestRank rank = TestRank.create(new SingleRank(), 0, Precision.BF16)) {
      reader.restore(rank.model(), rank.optimizer());
      assertThat(reader.state().step()).isEqualTo(step);
      assertThat(rank.difference(step)).isEmpty();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
