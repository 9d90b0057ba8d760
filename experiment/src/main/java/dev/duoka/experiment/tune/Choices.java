package dev.duoka.experiment.tune;

import dev.duoka.base.DuokaException;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.RunChecks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The settings that a run file is tried with on a CPU, threads and micro-batch: those that change
 * how long a step takes and not what is learned. On GPUs {@link LayoutSearch} goes further.
 */
public final class Choices {
  private static final String THREADS = "threads";
  private static final String MICRO_BATCH = "training.micro_batch";

  private Choices() {}

  /**
   * All combinations that the run file admits, the file as it is first.
   *
   * @param cores of this machine
   */
  public static List<Candidate> of(Path file, RunConfig config, int cores) {
    Map<String, List<String>> fields = fields(config, cores);
    List<Candidate> all = List.of(Candidate.AS_IT_IS);
    for (Map.Entry<String, List<String>> field : fields.entrySet()) {
      List<Candidate> more = new ArrayList<>();
      for (Candidate candidate : all) {
        field.getValue().forEach(value -> more.add(candidate.with(field.getKey(), value)));
      }
      all = more;
    }
    List<Candidate> admitted = new ArrayList<>(List.of(Candidate.AS_IT_IS));
    all.stream()
        .filter(candidate -> admits(file, config, candidate))
        .filter(candidate -> !isAsItIs(file, config, candidate, threads(config, cores)))
        .forEach(admitted::add);
    return admitted;
  }

  /** Whether it only says what a run file that names no threads does anyway. */
  private static boolean isAsItIs(Path file, RunConfig config, Candidate candidate, int usual) {
    return config.threads().isEmpty()
        && String.valueOf(usual).equals(candidate.settings().get(THREADS))
        && !admits(file, config, candidate.only(List.of(MICRO_BATCH)));
  }

  private static int threads(RunConfig config, int cores) {
    return Math.max(1, cores / config.parallel().ranks());
  }

  private static Map<String, List<String>> fields(RunConfig config, int cores) {
    Map<String, List<String>> fields = new LinkedHashMap<>();
    fields.put(THREADS, downFrom(threads(config, cores)));
    fields.put(MICRO_BATCH, downFrom(BatchPlan.of(config).sequencesPerRank()));
    return fields;
  }

  /** The most first, then the powers of two below: what is large usually wins. */
  private static List<String> downFrom(int most) {
    return IntStream.concat(
            IntStream.of(most),
            IntStream.iterate(Integer.highestOneBit(most), value -> value > 0, value -> value / 2))
        .distinct()
        .mapToObj(String::valueOf)
        .toList();
  }

  /** Whether it is a run file, and another one than it is. */
  static boolean admits(Path file, RunConfig config, Candidate candidate) {
    try {
      RunConfig changed = RunFile.read(file, candidate.overrides(), RunChecks::problems);
      return !RunFile.changes(config, changed).isEmpty();
    } catch (DuokaException e) {
      return false;
    }
  }
}
