package dev.duoka.experiment.ladder;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.layout.GradientForm;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.config.RunConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/**
 * What each rung trains, as overrides of the run file.
 *
 * <p>Parity is shown on one batch that all rungs divide among themselves: as many micro-batches for
 * each data-parallel rank of the whole mesh as fill its pipeline, no more than the run's, but two
 * at least, so that gradients are added up and can be added up in another way. Speed is measured on
 * batches that grow with the ranks, so that each card always has the same number of tokens.
 */
public final class LadderPlan {
  /** Long enough that no arm reaches the end of its schedule. */
  private static final int STEPS_OF_A_RUN = 1_000_000;

  private final RunConfig config;
  private final BatchPlan batch;
  private final boolean onCpu;
  private final int threads;

  /**
   * The plan of a run file.
   *
   * @param onCpu whether the ranks compute on the CPU, and have then as many threads on each rung
   *     as on the last one
   * @param cores of this machine
   * @throws DuokaException when the run's pipeline follows a table, which fits one mesh alone
   */
  public LadderPlan(RunConfig config, boolean onCpu, int cores) {
    if (config.parallel().schedule().file().isPresent()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "parallel.schedule is the table "
              + config.parallel().schedule().file().get()
              + ", which is for one number of ranks and micro-batches, and a ladder has several",
          "Climb with --set parallel.schedule=1f1b, and check the table with duoka selftest");
    }
    this.config = config;
    this.batch = BatchPlan.of(config);
    this.onCpu = onCpu;
    this.threads = config.threadsPerRank(cores);
  }

  /** From one rank to the whole mesh. */
  public List<Rung> rungs() {
    return Rungs.of(config.parallel());
  }

  /** Tokens of a step in which rungs are compared. */
  public long parityTokens() {
    int pipeline = config.parallel().pipeline();
    int rounds = Math.max(2, Math.min(batch.accumulationSteps(), pipeline));
    return tokensOfMicroBatch() * rounds * config.parallel().data();
  }

  /** Tokens of a card in a step whose time is measured. */
  public long tokensPerCard() {
    ParallelSettings parallel = config.parallel();
    int ranksOfModel = parallel.tensor() * parallel.pipeline() * parallel.context();
    return tokensOfMicroBatch() * Math.max(1, batch.accumulationSteps() / ranksOfModel);
  }

  private long tokensOfMicroBatch() {
    return (long) batch.sequenceLength() * batch.microBatch();
  }

  /** The mesh of a rung, and nothing else. */
  List<String> mesh(Rung rung) {
    ParallelSettings parallel = config.parallel();
    List<String> all = new ArrayList<>(rung.axes());
    if (rung.pipeline() != parallel.pipeline()) {
      all.add("parallel.stages=[]");
    }
    if (rung.pipeline() == 1) {
      all.add("parallel.schedule=1f1b");
      all.add("parallel.stages_per_rank=null");
    }
    if (config.device().gpus().size() > 1) {
      all.add(
          config.device().gpus().stream()
              .limit(rung.ranks())
              .map(String::valueOf)
              .collect(Collectors.joining(",", "device=cuda:", "")));
    }
    return all;
  }

  /** The steps that are compared with the rung below. */
  List<String> parity(Rung rung) {
    return arm(rung, parityTokens(), batch.microBatch());
  }

  /**
   * The same steps in other micro-batches: what they differ by is rounding alone. Empty where there
   * is no other way to divide the batch.
   */
  Optional<List<String>> rounding(Rung rung) {
    return otherMicroBatch(rung).stream()
        .mapToObj(microBatch -> arm(rung, parityTokens(), microBatch))
        .findFirst();
  }

  private OptionalInt otherMicroBatch(Rung rung) {
    int unit = config.data().hasPairs() ? 2 : 1;
    if (batch.microBatch() % (2 * unit) == 0) {
      return OptionalInt.of(batch.microBatch() / 2);
    }
    long rounds = parityTokens() / tokensOfMicroBatch() / rung.data();
    return rounds % 2 == 0 && rounds / 2 >= rung.pipeline()
        ? OptionalInt.of(2 * batch.microBatch())
        : OptionalInt.empty();
  }

  /** The steps whose time and memory are measured. */
  List<String> speed(Rung rung) {
    return arm(rung, tokensPerCard() * rung.ranks(), batch.microBatch());
  }

  private List<String> arm(Rung rung, long tokens, int microBatch) {
    List<String> all = new ArrayList<>(mesh(rung));
    all.add("training.tokens_per_step=" + tokens);
    all.add("training.micro_batch=" + microBatch);
    config.training().tokens().ifPresent(_ -> all.add("training.tokens=null"));
    config.training().epochs().ifPresent(_ -> all.add("training.epochs=null"));
    all.add("training.steps=" + STEPS_OF_A_RUN);
    all.add("schedule.warmup_steps=0"); // else the first updates would show nothing
    if (config.memory().gradients() == GradientForm.BF16 && sumsGradients()) {
      all.add("memory.gradients=fp32");
    }
    if (onCpu) {
      all.add("threads=" + threads);
    }
    return all;
  }

  /** Whether a rank of some rung adds the gradients of several micro-batches. */
  private boolean sumsGradients() {
    return config.parallel().ranks() > 1;
  }
}
