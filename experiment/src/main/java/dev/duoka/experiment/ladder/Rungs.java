package dev.duoka.experiment.ladder;

import dev.duoka.train.config.ParallelSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The rungs to a mesh. One axis grows at a time, by one prime factor, so that each rung divides the
 * next: tensor first, then pipeline, context and data, since what cuts the model lets it fit. The
 * experts are spread as far as a rung's ranks allow.
 */
public final class Rungs {
  private static final List<String> AXES =
      List.of("tensor", "pipeline", "context", "data", "replicate");
  private static final int TENSOR = 0;
  private static final int PIPELINE = 1;
  private static final int CONTEXT = 2;
  private static final int SHARD = 3;
  private static final int REPLICATE = 4;

  private Rungs() {}

  /** From one rank to all of a run's. */
  public static List<Rung> of(ParallelSettings parallel) {
    int[] full = {
      parallel.tensor(),
      parallel.pipeline(),
      parallel.context(),
      parallel.data() / parallel.replicate(),
      parallel.replicate()
    };
    int[] now = {1, 1, 1, 1, 1};
    List<Rung> rungs = new ArrayList<>(List.of(rung(1, now, parallel.expert(), List.of(), 1)));
    for (int axis = 0; axis < full.length; axis++) {
      for (int factor : primeFactors(full[axis])) {
        now[axis] *= factor;
        Rung below = rungs.getLast();
        rungs.add(
            rung(
                below.number() + 1,
                now,
                parallel.expert(),
                List.of(AXES.get(axis)),
                below.expert()));
      }
    }
    return List.copyOf(rungs);
  }

  private static Rung rung(
      int number, int[] now, int experts, List<String> grown, int expertBelow) {
    int expert = commonDivisor(experts, now[SHARD] * now[CONTEXT] * now[TENSOR]);
    List<String> all = new ArrayList<>(grown);
    if (expert > expertBelow) {
      all.add("expert");
    }
    return new Rung(
        number,
        now[TENSOR],
        now[PIPELINE],
        now[CONTEXT],
        now[SHARD] * now[REPLICATE],
        now[REPLICATE],
        expert,
        all);
  }

  private static List<Integer> primeFactors(int value) {
    List<Integer> factors = new ArrayList<>();
    int rest = value;
    for (int factor = 2; rest > 1; factor++) {
      while (rest % factor == 0) {
        factors.add(factor);
        rest /= factor;
      }
    }
    return factors;
  }

  private static int commonDivisor(int a, int b) {
    return IntStream.iterate(Math.min(a, b), value -> value - 1)
        .filter(value -> a % value == 0 && b % value == 0)
        .findFirst()
        .orElse(1);
  }
}
