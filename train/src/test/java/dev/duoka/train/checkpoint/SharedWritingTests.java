package dev.duoka.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.RankBody;
import dev.duoka.comm.launch.ProcessPlace;
import dev.duoka.comm.launch.ProcessRanks;
import dev.duoka.comm.launch.RankRange;
import dev.duoka.comm.launch.Terms;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.HostTransfer;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.train.run.FreePort;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Several processes write a checkpoint together, here threads of one that exchange over TCP. */
@Timeout(120)
class SharedWritingTests {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  @TempDir Path folder;
  private final List<CheckpointEvent> events = new CopyOnWriteArrayList<>();

  /** Meshes as in {@link LayoutChangeTests}, without stages a rank. */
  @ParameterizedTest
  @CsvSource({
    "tiny-llama, 2, 1/1/2/1/2/1/1",
    "tiny-v3, 4, 2/1/2/1/1/2/1",
    "tiny-moe, 2, 1/1/2/1/2/4/2",
    "tiny-v3, 2, 1/1/2/1/1/1/0",
    "tiny-v3 frozen, 2, 2/1/2/1/1/2/3",
    "tiny-v3 frozen, 4, 1/1/2/1/2/4/0",
  })
  void whatTheyWriteIsWhatOneWrites(String preset, int processes, String layout)
      throws IOException {
    Run run = Run.of(preset, layout);
    save(run, processes, folder.resolve("several"), null);
    Checkpoint several = only(folder.resolve("several"));
    assertThat(names(several.folder()))
        .contains("manifest.json", "model.safetensors.index.json", "state.json")
        .contains("optimizer-00001-of-0000" + processes + ".safetensors")
        .noneMatch(name -> name.startsWith("part-"));
    assertThat(new CheckpointStore(folder.resolve("several")).latestValid(events::add))
        .contains(several);
    assertShared(several.folder(), processes);
    // One process goes on from it, and writes what a run of one process would have written.
    save(run, 1, folder.resolve("again"), several);
    save(run, 1, folder.resolve("one"), null);
    Map<String, byte[]> again = files(only(folder.resolve("again")).folder());
    Map<String, byte[]> one = files(only(folder.resolve("one")).folder());
    assertThat(again.keySet()).isEqualTo(one.keySet()).contains("optimizer.safetensors");
    one.forEach((name, bytes) -> assertThat(again.get(name)).as(name).isEqualTo(bytes));
    // And several go on from what one has written.
    save(run, processes, folder.resolve("back"), only(folder.resolve("one")));
    Map<String, byte[]> back = files(only(folder.resolve("back")).folder());
    files(several.folder())
        .forEach((name, bytes) -> assertThat(back.get(name)).as(name).isEqualTo(bytes));
    assertThat(events).noneMatch(CheckpointEvent.SaveFailed.class::isInstance);
  }

  /** No process writes more than its share, but for a tensor that cannot be divided. */
  private static void assertShared(Path checkpoint, int processes) throws IOException {
    long all = 0;
    long largest = 0;
    for (Path file : CheckpointFiles.optimizers(checkpoint)) {
      all += Files.size(file);
      largest = Math.max(largest, Files.size(file));
    }
    assertThat(CheckpointFiles.optimizers(checkpoint)).hasSize(processes);
    assertThat((double) largest).isLessThan(1.3 * all / processes);
  }

  @Test
  void whatOneProcessCannotWriteIsToldByTheFirstAndNothingIsLeft() throws IOException {
    Run run = Run.of("tiny-llama", "1/1/2/1/1/1/1");
    Path runFolder = folder.resolve("run");
    inProcesses(
        2,
        2,
        share -> {
          CheckpointFolderWriter writing =
              new CheckpointFolderWriter(
                  TokenizerFiles.of("bytes"),
                  share,
                  Long.MAX_VALUE,
                  _ -> {
                    if (share.process() == 1) {
                      throw new IllegalStateException("a broken disk");
                    }
                  });
          return new CheckpointWriter(runFolder, new RetentionPolicy(3, 0), events::add, writing);
        },
        (world, writer) -> run.save(world, writer, null));
    assertThat(events).hasSize(2).allMatch(CheckpointEvent.SaveFailed.class::isInstance);
    assertThat(events.stream().map(CheckpointEvent::text))
        .anyMatch(text -> text.contains("a broken disk"))
        .anyMatch(text -> text.contains("process 1 says:"));
    try (Stream<Path> left = Files.list(runFolder.resolve(CheckpointStore.FOLDER))) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void stretchesOfAnyLengthBringTheSame() {
    Run run = Run.of("tiny-v3", "1/1/2/1/2/1/1");
    List<Integer> compared = new CopyOnWriteArrayList<>();
    inProcesses(
        2,
        4,
        share ->
            new CheckpointWriter(
                folder.resolve("run"),
                TokenizerFiles.of("bytes"),
                new RetentionPolicy(3, 0),
                share,
                events::add),
        (world, _) -> {
          ProcessShare share = new ProcessShare(world.rank() / 2, 2);
          try (TrainingRank rank = run.allocate(world);
              TrainingSnapshot once = new TrainingSnapshot(rank.model(), share);
              TrainingSnapshot often = new TrainingSnapshot(rank.model(), share)) {
            Run.begin(rank);
            fill(once, world, share, rank, StateExchange.STRETCH);
            fill(often, world, share, rank, 777);
            if (share.isLead(world)) { // what its neighbour has is in the neighbour's snapshots
              for (int state : List.of(TrainingSnapshot.MASTER, TrainingSnapshot.SECOND_MOMENT)) {
                assertThat(HostCopy.floats(often.trained().states().get(state)))
                    .isEqualTo(HostCopy.floats(once.trained().states().get(state)));
              }
              compared.add(share.process());
            }
          }
        });
    assertThat(compared).containsExactlyInAnyOrder(0, 1);
  }

  private static void fill(
      TrainingSnapshot snapshot,
      Communicator world,
      ProcessShare share,
      TrainingRank rank,
      long stretch) {
    for (Tensor state : snapshot.trained().states()) {
      Tensors.zero(state);
    }
    try (HostTransfer transfer = new HostTransfer(Device.CPU)) {
      snapshot.fill(rank.model(), rank.optimizer(), transfer).await();
    }
    new StateExchange(world, share, snapshot, rank.model(), rank.optimizer(), stretch).run();
  }

  @Test
  void aListOfPiecesReadsBack() {
    for (String mesh : List.of("1/1/2/1/2/1/1", "1/1/1/1/2/2/3")) {
      Run run = Run.of("tiny-v3", mesh);
      LocalRanks.run(
          run.mesh().size(),
          world -> {
            try (TrainingRank rank = run.allocate(world)) {
              List<PieceList.Piece> pieces = new ArrayList<>();
              rank.optimizer()
                  .slices()
                  .forEach(
                      slice ->
                          SlicePiece.of(slice)
                              .forEach(
                                  piece ->
                                      pieces.add(
                                          new PieceList.Piece(
                                              pieces.size(),
                                              piece.portion(),
                                              piece.start(),
                                              piece.length()))));
              PieceList list = new PieceList(List.of(3, 1), pieces);
              assertThat(pieces).isNotEmpty();
              assertThat(PieceList.decoded(list.encoded())).isEqualTo(list);
            }
          });
    }
  }

  private void save(Run run, int processes, Path runFolder, @Nullable Checkpoint from) {
    inProcesses(
        processes,
        run.mesh().size(),
        share ->
            new CheckpointWriter(
                runFolder,
                TokenizerFiles.of("bytes"),
                new RetentionPolicy(3, 0),
                share,
                events::add),
        (world, writer) -> run.save(world, writer, from));
  }

  /** Makes a process's writer. */
  private interface Writers {
    CheckpointWriter of(ProcessShare share);
  }

  /** What each rank does with it. */
  private interface Body {
    void run(Communicator world, CheckpointWriter writer);
  }

  private static void inProcesses(int processes, int ranks, Writers writers, Body body) {
    int port = FreePort.any();
    List<Throwable> failures = new CopyOnWriteArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < processes; i++) {
      int process = i;
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    int each = ranks / processes;
                    try (ProcessRanks joined =
                            ProcessRanks.join(
                                place(process, processes, port),
                                new RankRange(process * each, each, ranks),
                                LIMIT,
                                LIMIT,
                                Terms.of(""),
                                "");
                        CheckpointWriter writer =
                            writers.of(new ProcessShare(process, processes))) {
                      RankBody rank =
                          world -> {
                            body.run(world, writer);
                            writer.settle(world);
                          };
                      joined.run(_ -> ExchangeLedger.NONE, rank);
                    } catch (Throwable t) {
                      failures.add(t);
                    }
                  }));
    }
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
    assertThat(failures).isEmpty();
  }

  private static ProcessPlace place(int process, int processes, int port) {
    return processes == 1
        ? ProcessPlace.ALONE
        : new ProcessPlace(
            ProcessPlace.Launcher.DUOKA,
            process,
            processes,
            OptionalInt.empty(),
            Optional.of(InetSocketAddress.createUnresolved("127.0.0.1", port)));
  }

  private static Checkpoint only(Path run) {
    List<Checkpoint> all = new CheckpointStore(run).list();
    assertThat(all).hasSize(1);
    return all.getFirst();
  }

  private static List<String> names(Path checkpoint) throws IOException {
    return List.copyOf(files(checkpoint).keySet());
  }

  private static Map<String, byte[]> files(Path checkpoint) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    try (Stream<Path> list = Files.list(checkpoint)) {
      for (Path file : list.toList()) {
        files.put(String.valueOf(file.getFileName()), Files.readAllBytes(file));
      }
    }
    return files;
  }

  /** A layout of a model, whose state is the same in every layout. */
  private record Run(Mesh mesh, StepSettings settings) {
    static Run of(String preset, String layout) {
      int[] numbers = Stream.of(layout.split("/")).mapToInt(Integer::parseInt).toArray();
      ModelConfig config = LayoutChangeTests.config(preset);
      StepSettings settings =
          new StepSettings(
                  config,
                  Precision.BF16,
                  Recompute.NONE,
                  16,
                  new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1),
                  numbers[6],
                  LossScaler.Settings.DEFAULT,
                  new StepSettings.AuxiliaryLosses(config.mtpModules(), 0.3, 0, false, 0))
              .with(new PipelineSettings(PipelineKind.ONE_F_ONE_B, 1, List.of()));
      return new Run(
          new Mesh(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]),
          settings);
    }

    TrainingRank allocate(Communicator world) {
      ComputeThread.prepare(Device.CPU, 1, world.size());
      return TrainingRank.allocate(mesh, world, Device.CPU, settings);
    }

    void save(Communicator world, CheckpointWriter writer, @Nullable Checkpoint from) {
      try (TrainingRank rank = allocate(world)) {
        if (from == null) {
          begin(rank);
        } else {
          try (CheckpointReader reader = CheckpointReader.open(from)) {
            reader.restore(rank.model(), rank.optimizer());
          }
        }
        writer.save(world, rank.model(), rank.optimizer(), TestRank.state(3));
      }
    }

    /** Weights that every rank draws alike, and moments other than they. */
    static void begin(TrainingRank rank) {
      rank.optimizer().fill(() -> WeightInitializer.initialize(rank.model(), 5));
      rank.optimizer()
          .slices()
          .forEach(
              slice -> {
                try (Scope _ = Scope.open()) {
                  Tensor master = slice.states().master().read();
                  Elementwise.addInPlace(
                      slice.states().firstMoment().values(), Elementwise.mul(master, -3));
                  Elementwise.addInPlace(
                      slice.states().secondMoment().values(), Elementwise.mul(master, master));
                }
              });
      rank.optimizer().restoreSteps(3);
    }
  }
}
