package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Sha256;
import dev.duoka.comm.launch.ProcessRanks;
import dev.duoka.comm.launch.Terms;
import dev.duoka.data.training.TrainingData;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What all processes of a run must have in common. */
final class RunTerms {
  /** Bits of a hash that a double holds exactly. */
  private static final int HASH_BITS = 52;

  private RunTerms() {}

  /** The configuration, but for what depends on the machine, and the options. */
  static Terms of(RunConfig config, RunOptions options) {
    String lines =
        RunFile.write(config)
            .lines()
            .filter(line -> !line.startsWith("run_dir:") && !line.startsWith("threads:"))
            .filter(line -> !line.startsWith("  cache:"))
            .collect(Collectors.joining("\n"));
    return Terms.of(
        lines
            + "\n--resume: "
            + options.resume()
            + "\n--max-steps: "
            + (options.maxSteps().isPresent() ? options.maxSteps().getAsLong() : "none"));
  }

  /**
   * Refuses a run whose processes would read different tokens. Collective.
   *
   * @param identity of this process's data
   */
  static void requireSameData(Map<String, String> identity, ProcessRanks processes) {
    Map<String, String> content = new TreeMap<>(identity);
    content.remove(TrainingData.FILE_NAMES); // folders may have other names on other machines
    byte[] hash = Sha256.of(content.toString().getBytes(StandardCharsets.UTF_8));
    double own = (double) (ByteBuffer.wrap(hash).getLong() >>> (Long.SIZE - HASH_BITS));
    double[] all = new double[processes.place().processes()];
    all[processes.place().process()] = own;
    processes.leads().agreement().sum(all);
    for (int process = 1; process < all.length; process++) {
      if (all[process] != all[0]) {
        throw new DuokaException(
            ErrorCode.CONFIG,
            "process " + process + " has other data than process 0",
            "Give all machines the same files in data.sources, and the same tokenizer");
      }
    }
  }
}
