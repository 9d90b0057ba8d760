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
 * The settings that a run file is tried with: those that change how long a step takes and not what
 * is learned. On a CPU threads and micro-batch; on GPUs micro-batch, recompute and, with several
 * data-parallel ranks, the ZeRO stage. How the ranks are laid out is for {@code duoka plan} to say.
 */
public final class Choices {
  private Choices() {}

  /**
   * All combinations that the run file admits, the file as it is first.
   *
   * @param onCpu whether it trains on the CPU
   * @param cores of this machine
   */
  public static List<Candidate> of(Path file, RunConfig config, boolean onCpu, int cores) {
    Map<String, List<String>> fields = fields(config, onCpu, cores);
    List<Candidate> all = List.of(Candidate.AS_IT_IS);
    for (Map.Entry<String, List<String>> field : fields.entrySet()) {
      List<Candidate> more = new ArrayList<>();
      for (Candidate candidate : all) {
        field.getValue().forEach(value -> more.add(candidate.with(field.getKey(), value)));
      }
      all = more;
    }
    List<Candidate> admitted = new ArrayList<>(List.of(Candidate.AS_IT_IS));
    all.stream().filter(candidate -> admits(file, config, candidate)).forEach(admitted::add);
    return admitted;
  }

  private static Map<String, List<String>> fields(RunConfig config, boolean onCpu, int cores) {
    Map<String, List<String>> fields = new LinkedHashMap<>();
    if (onCpu) {
      int most = Math.max(1, cores / config.parallel().ranks());
      fields.put("threads", downFrom(most));
    }
    fields.put("training.micro_batch", downFrom(BatchPlan.of(config).sequencesPerRank()));
    if (!onCpu) {
      fields.put("training.recompute", List.of("none", "selective", "full"));
      if (config.parallel().data() > 1) {
        fields.put("parallel.zero", List.of("0", "1", "2", "3"));
      }
    }
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
  private static boolean admits(Path file, RunConfig config, Candidate candidate) {
    try {
      RunConfig changed = RunFile.read(file, candidate.overrides(), RunChecks::problems);
      return !RunFile.changes(config, changed).isEmpty();
    } catch (DuokaException e) {
      return false;
    }
  }
}
