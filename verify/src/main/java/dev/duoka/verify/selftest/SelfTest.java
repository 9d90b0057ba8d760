package dev.duoka.verify.selftest;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.launch.ProcessPlace;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Precision;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.proof.Equality;
import dev.duoka.parallel.proof.Training;
import dev.duoka.train.config.FieldProblem;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.device.PlacedRanks;
import dev.duoka.train.device.Transport;
import dev.duoka.train.step.ParallelChecks;
import dev.duoka.train.step.RankBuilder;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Trains a small likeness of a run ({@link SmallLikeness}) for some steps on the run's devices and
 * by its transport, and compares losses, norms, the first step's gradients and the last weights
 * with those of one rank: in fp32, and then, more loosely, in the run's own precision. Says whether
 * this machine can be trusted with this layout. It reads no data.
 */
public final class SelfTest {
  private static final int STEPS = 3;

  /** Two programs that round in another order, in fp32. */
  private static final Equality FP32 = new Equality(1e-4, 1e-3, 1e-3, Equality.Measure.NORM);

  /** Weights and tokens that are tried before a difference of a model with experts counts. */
  private static final int SEEDS = 5;

  private final RunConfig run;
  private final SmallLikeness small;
  private final DevicePlacement placement;
  private final UnaryOperator<Communicator> seen;
  private final ExchangeCounts counts = new ExchangeCounts();

  private SelfTest(
      RunConfig run,
      ModelConfig model,
      DevicePlacement placement,
      UnaryOperator<Communicator> seen) {
    this.run = run;
    this.small = new SmallLikeness(run, model);
    this.placement = placement;
    this.seen = seen;
  }

  /**
   * Tests the layout of a run on this machine.
   *
   * @throws dev.duoka.base.DuokaException when the layout cannot be, when a device is not there,
   *     when this is one of several processes, or when a rank fails
   */
  public static SelfTestReport of(RunConfig run) {
    requireAlone(ProcessPlace.of(System.getenv()));
    return of(run, UnaryOperator.identity());
  }

  /** What ranks hold is compared in the memory of one process. */
  static void requireAlone(ProcessPlace place) {
    if (!place.isAlone()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "this is process %d of %d by the variables of %s, and a self-test has all ranks in one"
              .formatted(place.process(), place.processes(), place.launcher()),
          "Start it once, without these variables; it tests the devices and links of one machine."
              + " For what lies between processes compare the first losses of './duoka train' with"
              + " one process and with several: they are the same");
    }
  }

  /**
   * As the other method.
   *
   * @param seen what a rank takes for its world
   */
  static SelfTestReport of(RunConfig run, UnaryOperator<Communicator> seen) {
    return test(run, seen).report();
  }

  /** The comparison in the run's own precision alone. */
  static SelfTestReport.Comparison inItsPrecision(RunConfig run, UnaryOperator<Communicator> seen) {
    return test(run, seen).compare(run.training().precision(), new ExchangeCounts());
  }

  private static SelfTest test(RunConfig run, UnaryOperator<Communicator> seen) {
    ModelConfig model = ModelSource.config(run);
    FieldProblem.throwIfAny(
        "the run",
        ParallelChecks.problems(model, run.parallel(), run.layout(), run.data().sequenceLength()));
    DevicePlacement placement = DevicePlacement.choose(run.device(), run.parallel().mesh());
    return new SelfTest(run, model, placement, seen);
  }

  private SelfTestReport report() {
    long start = System.nanoTime();
    List<SelfTestReport.Comparison> comparisons = new ArrayList<>();
    comparisons.add(compare(Precision.FP32, counts));
    List<SelfTestReport.Exchanged> exchanged = counts.all();
    Precision own = run.training().precision();
    if (own.hasMasterWeights() && comparisons.getFirst().differences().isEmpty()) {
      comparisons.add(compare(own, new ExchangeCounts()));
    }
    return new SelfTestReport(work(), comparisons, exchanged, (System.nanoTime() - start) * 1e-9);
  }

  /**
   * Where rounding chooses, a difference counts when other weights and tokens have it, too: between
   * two experts, where another way of a token moves all before it, and between two neighbours of a
   * weight that is rounded by chance.
   */
  private SelfTestReport.Comparison compare(Precision precision, ExchangeCounts counted) {
    SelfTestReport.Comparison result = compare(precision, 1, counted);
    boolean differs = !result.differences().isEmpty();
    for (int seed = 2;
        seed <= SEEDS && small.roundingChooses(precision) && !result.differences().isEmpty();
        seed++) {
      result = result.inCommonWith(compare(precision, seed, new ExchangeCounts()));
    }
    return differs && result.differences().isEmpty() ? result.ofForks() : result;
  }

  private SelfTestReport.Comparison compare(
      Precision precision, long seed, ExchangeCounts counted) {
    RunConfig config = small.onItsMesh(precision);
    Training.Outcome onMesh =
        training(config, seed)
            .run(
                body ->
                    ranks(
                            placement,
                            run.parallel(),
                            (transport, _) -> counted.ledger(transport.toString()))
                        .run((world, device) -> body.accept(seen.apply(world), device)));
    Training.Outcome alone = alone(precision, seed);
    List<Equality.Difference> differences =
        precision == Precision.FP32
            ? FP32.differences(onMesh, alone)
            : RoundingLimits.differences(onMesh, alone, alone(Precision.FP32, seed));
    return new SelfTestReport.Comparison(
        precision,
        alone.gradients().size() + alone.weights().size(),
        STEPS,
        differences.stream()
            .map(it -> new SelfTestReport.Differing(it.name(), it.relative(), it.limit()))
            .toList(),
        false);
  }

  /**
   * What one rank computes, with the CPU threads that each has on the mesh: models as small as
   * these gain nothing from more, whose products would wait for each other.
   */
  private Training.Outcome alone(Precision precision, long seed) {
    DevicePlacement first =
        new DevicePlacement(
            0, placement.devices().subList(0, 1), placement.names(), "the first rank");
    RunConfig single = small.onOneRank(precision);
    return training(single, seed)
        .run(ranks(first, single.parallel(), (_, _) -> ExchangeLedger.NONE)::run);
  }

  private Training training(RunConfig config, long seed) {
    return new Training(
        new RankBuilder(config, small.smallModel(), null).settings(),
        Mesh.of(config.layout()),
        config.layout().microBatch(),
        config.layout().accumulation(),
        STEPS,
        seed);
  }

  private PlacedRanks ranks(
      DevicePlacement devices, ParallelSettings parallel, PlacedRanks.Ledgers ledgers) {
    return new PlacedRanks(
        devices,
        run.threadsPerRank(Runtime.getRuntime().availableProcessors()),
        Transport.of(parallel.collectives(), devices.devices(), devices.devices().size()),
        ledgers);
  }

  private String work() {
    ModelConfig model = small.smallModel();
    return model.layers()
        + " layers of "
        + model.architecture().modelType()
        + ", hidden size "
        + model.hiddenSize()
        + ", "
        + small.length()
        + " tokens, "
        + STEPS
        + " steps on "
        + run.parallel().ranks()
        + " ranks of "
        + devices();
  }

  private String devices() {
    return String.join(
        ", ", new LinkedHashSet<>(placement.devices().stream().map(Object::toString).toList()));
  }
}
