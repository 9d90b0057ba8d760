package dev.duoka.parallel.proof;

import dev.duoka.comm.Communicator;
import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.state.StateSlice;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.parallel.step.TrainingStep;
import dev.duoka.tensor.Device;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;

/**
 * A model trained for some steps on the ranks of a mesh, from the same weights and on the same
 * tokens whatever the mesh, so that two meshes can be compared.
 *
 * @param settings what the step is made from
 * @param microBatch sequences in a forward pass
 * @param accumulation forward passes of a data-parallel rank in a step
 * @param seed of weights and tokens
 * @param apart whether sequences hold documents, that begin somewhere, which do not see each other
 * @param empty micro-batches of the last data-parallel rank that hold nothing
 */
public record Training(
    StepSettings settings,
    Mesh mesh,
    int microBatch,
    int accumulation,
    int steps,
    long seed,
    boolean apart,
    int empty) {
  /** A training in which all micro-batches are full. */
  public Training(
      StepSettings settings,
      Mesh mesh,
      int microBatch,
      int accumulation,
      int steps,
      long seed,
      boolean apart) {
    this(settings, mesh, microBatch, accumulation, steps, seed, apart, 0);
  }

  /** A training in which tokens see all before them in their sequence. */
  public Training(
      StepSettings settings, Mesh mesh, int microBatch, int accumulation, int steps, long seed) {
    this(settings, mesh, microBatch, accumulation, steps, seed, false);
  }

  static final double LEARNING_RATE = 1e-3;

  private static final double DISTURBANCE = 0.05;

  /** Batches repeat after so many steps. */
  private static final int BATCHES = 3;

  /** Runs the ranks of a mesh, each on a thread that is prepared for its device. */
  @FunctionalInterface
  public interface Ranks {
    /** Returns when all have ended; throws the first failure. */
    void run(BiConsumer<Communicator, Device> rank);
  }

  /** Losses and the norm of one step. */
  public static final class StepLosses {
    private final double[] numbers;

    StepLosses(TrainingStep.Result result) {
      this.numbers =
          new double[] {result.loss(), result.furtherLoss(), result.outcome().gradientNorm()};
    }

    static List<String> names() {
      return List.of("loss", "further loss", "norm");
    }

    double of(String name) {
      return numbers[names().indexOf(name)];
    }

    /** For example {@code [4.61, NaN, 1.3]}. */
    @Override
    public String toString() {
      return Arrays.toString(numbers);
    }
  }

  /**
   * What came out.
   *
   * @param losses of each step
   * @param gradients of the first step by name, as its update leaves them: clipped or not
   * @param start weights by name before the first step
   * @param weights by name after the last step
   */
  public record Outcome(
      List<StepLosses> losses,
      Map<String, double[]> gradients,
      Map<String, double[]> start,
      Map<String, double[]> weights) {}

  /** Runs it. */
  public Outcome run(Ranks ranks) {
    List<StepLosses> losses = new ArrayList<>();
    WholeTensors gradients = new WholeTensors();
    WholeTensors start = new WholeTensors();
    WholeTensors weights = new WholeTensors();
    ranks.run((world, device) -> train(world, device, losses, gradients, start, weights));
    return new Outcome(losses, gradients.tensors(), start.tensors(), weights.tensors());
  }

  private void train(
      Communicator world,
      Device device,
      List<StepLosses> losses,
      WholeTensors gradients,
      WholeTensors start,
      WholeTensors weights) {
    try (TrainingRank rank = TrainingRank.allocate(mesh, world, device, settings)) {
      rank.optimizer().fill(() -> initialize(rank.model()));
      start.add(rank, slice -> slice.states().master().read());
      for (int step = 0; step < steps; step++) {
        TrainingStep.Result done =
            rank.step().run(batch(step, mesh.dataRank(world.rank())), LEARNING_RATE);
        if (world.rank() == 0) {
          losses.add(new StepLosses(done));
        }
        if (step == 0) {
          gradients.add(rank, StateSlice::gradients);
        }
      }
      weights.add(rank, slice -> slice.states().master().read());
    }
  }

  /** Of adapters, also what starts with zeros: without it the other matrix has no gradient. */
  private void initialize(LanguageModel model) {
    WeightInitializer.initialize(model, seed);
    if (model.config().adapter() != null) {
      WeightInitializer.disturbConstants(model, seed, DISTURBANCE);
    }
  }

  /** Up to three documents a sequence, so that some are divided alike and some are not. */
  private static List<List<Integer>> beginnings(MicroBatch batch, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<List<Integer>> starts = new ArrayList<>();
    for (int row = 0; row < batch.rows(); row++) {
      int first = random.nextInt(batch.length());
      starts.add(List.of(first, first + random.nextInt(batch.length() - first)));
    }
    return starts;
  }

  private boolean comparesPairs() {
    return settings.preference() != null;
  }

  /** The same sequences, of each of which some tokens in the middle are targets. */
  private static MicroBatch pairs(MicroBatch batch, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    long[] targets = batch.targets().clone();
    double[] references = new double[batch.rows()];
    for (int row = 0; row < batch.rows(); row++) {
      int first = random.nextInt(batch.length());
      int end = first + 1 + random.nextInt(batch.length() - first);
      for (int i = 0; i < batch.length(); i++) {
        if (i < first || i >= end) {
          targets[row * batch.length() + i] = MicroBatch.MASKED;
        }
      }
      references[row] = -(end - first) * random.nextDouble(6);
    }
    return MicroBatch.of(batch.rows(), batch.length(), batch.tokens(), targets)
        .numberedFrom(batch.firstSequence())
        .ofPairs(references);
  }

  /** The same tokens whatever the mesh: data rank r has the r-th share of the micro-batches. */
  StepBatch batch(int step, int dataRank) {
    List<MicroBatch> all = new ArrayList<>();
    long targets = 0;
    int full = accumulation * mesh.data() - empty;
    for (int i = 0; i < accumulation * mesh.data(); i++) {
      if (i >= full) {
        if (i / accumulation == dataRank) {
          MicroBatch none = MicroBatch.empty(microBatch, settings.sequenceLength(), apart);
          all.add(comparesPairs() ? none.ofPairs(new double[microBatch]) : none);
        }
        continue;
      }
      MicroBatch one =
          MicroBatch.random(
                  microBatch,
                  settings.sequenceLength(),
                  settings.model().vocabSize(),
                  1_000_000 * seed + 1000L * (step % BATCHES) + i)
              .numberedFrom((long) i * microBatch);
      if (apart) {
        one = one.apart(beginnings(one, 1_000_000 * seed + 1000L * (step % BATCHES) + i));
      }
      if (comparesPairs()) {
        one = pairs(one, 1_000_000 * seed + 1000L * (step % BATCHES) + i);
      }
      targets += one.realTargets();
      if (i / accumulation == dataRank) {
        all.add(one);
      }
    }
    return new StepBatch(all, targets, DataState.START, DataState.START, empty);
  }
}
