package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.parameter.HeldRange;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Recompute;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** First weights of which each rank draws a part are those that it would draw alone. */
class FirstWeightsTests {
  private static final long SEED = 11;

  @ParameterizedTest
  @CsvSource({
    "dense, 3, 1, 1, 1, 0, NONE, DEVICE",
    "dense, 3, 1, 1, 1, 1, NONE, DEVICE",
    "dense tied, 2, 1, 2, 1, 2, NONE, DEVICE",
    "dense, 2, 2, 1, 1, 3, NONE, DEVICE",
    "dense, 2, 1, 1, 1, 1, OPTIMIZER, DEVICE",
    "dense, 2, 1, 1, 1, 2, OPTIMIZER, HOST",
    "v3 mtp, 2, 1, 1, 2, 1, NONE, DEVICE",
    "v3 mtp, 2, 2, 1, 1, 3, OPTIMIZER, DEVICE",
  })
  void areTheSame(
      String model,
      int data,
      int tensor,
      int pipeline,
      int expert,
      int zero,
      Offload offload,
      OffloadUpdate update) {
    Trial trial =
        new Trial(
                Draw.model(model, 4, 2),
                new Mesh(pipeline, 1, data, 1, tensor, expert),
                PipelineSettings.DEFAULT,
                Recompute.NONE,
                zero,
                8,
                1,
                1,
                1)
            .with(offload, update);
    ConcurrentMap<Integer, Map<String, double[]>> whole = new ConcurrentHashMap<>();
    trial.onRanks(
        (world, device) -> {
          try (TrainingRank rank =
              TrainingRank.allocate(trial.mesh(), world, device, trial.settings())) {
            rank.optimizer().fill(() -> WeightInitializer.initialize(rank.model(), SEED));
            whole.put(world.rank(), seen(rank));
          }
        });
    AtomicLong wanted = new AtomicLong();
    AtomicLong held = new AtomicLong();
    trial.onRanks(
        (world, device) -> {
          try (TrainingRank rank =
              TrainingRank.allocate(trial.mesh(), world, device, trial.settings())) {
            rank.optimizer()
                .fill(
                    own ->
                        WeightInitializer.initialize(
                            rank.model(), SEED, counting(own, wanted, held)));
            assertThat(seen(rank)).usingRecursiveComparison().isEqualTo(whole.get(world.rank()));
          }
        });
    // Ranks that share states are asked for their parts, which are everything together.
    if (tensor == 1 && expert == 1) {
      assertThat(wanted.get() * (zero == 0 ? 1 : data)).isEqualTo(held.get());
    } else {
      assertThat(wanted.get()).isLessThan(held.get());
    }
  }

  private static Function<Parameter, HeldRange> counting(
      Function<Parameter, HeldRange> own, AtomicLong wanted, AtomicLong held) {
    return parameter -> {
      HeldRange range = own.apply(parameter);
      long elements = parameter.spec().elements();
      held.addAndGet(elements);
      wanted.addAndGet(Math.max(0, Math.min(elements, range.end()) - range.start()));
      return range;
    };
  }

  /** The weights that a pass would use, and the master weights of the rank's states. */
  private static Map<String, double[]> seen(TrainingRank rank) {
    Map<String, double[]> seen = new LinkedHashMap<>();
    rank.model()
        .parameters()
        .parameters()
        .forEach(it -> seen.put(it.name(), HostCopy.doubles(it.value())));
    for (int i = 0; i < rank.optimizer().slices().size(); i++) {
      try (Tensor master = rank.optimizer().slices().get(i).states().master().read()) {
        seen.put("states " + i, HostCopy.doubles(master));
      }
    }
    return seen;
  }
}
