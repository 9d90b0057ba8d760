package dev.duoka.experiment.ladder;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.experiment.arm.FakeTraining;
import dev.duoka.formats.prediction.PredictedDevice;
import dev.duoka.formats.prediction.PredictedStep;
import dev.duoka.formats.prediction.Prediction;
import dev.duoka.formats.prediction.PredictionFile;
import dev.duoka.operations.run.WorkerFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A program in place of the trainer's, whose ranks are cards of a machine that does not exist. It
 * writes what a run writes; each of its faults begins at a number of ranks.
 */
final class FakeRung {
  /** Each rank's part of the gradient's sum is lost. */
  static final String WRONG_SUM = "wrong-sum";

  /** Steps take twice as long, and nothing is done but exchange for the other half. */
  static final String SLOW = "slow";

  /** It holds twice what was predicted. */
  static final String LARGE = "large";

  /** It is said not to fit with fewer ranks. */
  static final String TOO_FEW = "too-few";

  /** Nothing is said of it before. */
  static final String UNPREDICTED = "unpredicted";

  private static final double TOKENS_PER_SECOND = 1000;
  private static final long BYTES = 100 << 20;

  private final List<String> faults;
  private final List<String> words;

  private FakeRung(List<String> words) {
    this.faults = List.of(words.getFirst().split(","));
    this.words = words;
  }

  /** The words that start it, with faults such as {@code slow=4}. */
  static List<String> program(String... faults) {
    List<String> program = new ArrayList<>(FakeTraining.command());
    program.set(program.size() - 1, FakeRung.class.getName());
    program.add(String.join(",", faults));
    return program;
  }

  /** Trains as the words say. */
  public static void main(String[] arguments) throws Exception {
    try {
      new FakeRung(List.of(arguments)).train();
    } catch (DuokaException e) {
      WorkerFolder.fail(Path.of(System.getenv("DUOKA_FAILURE_FILE")), e);
      System.exit(1);
    }
  }

  private String set(String key) {
    return words.stream()
        .filter(word -> word.startsWith(key + "="))
        .reduce((_, last) -> last)
        .map(word -> word.substring(key.length() + 1))
        .orElseThrow();
  }

  private Optional<Integer> fault(String name) {
    return faults.stream()
        .filter(fault -> fault.startsWith(name + "="))
        .map(fault -> Integer.parseInt(fault.substring(name.length() + 1)))
        .findFirst();
  }

  private boolean has(String name, int ranks) {
    return fault(name).filter(from -> ranks >= from).isPresent();
  }

  private void train() throws IOException {
    int ranks =
        List.of("tensor", "pipeline", "context", "data").stream()
            .mapToInt(axis -> Integer.parseInt(set("parallel." + axis)))
            .reduce(1, (a, b) -> a * b);
    if (fault(TOO_FEW).filter(least -> ranks < least).isPresent()) {
      throw new DuokaException(ErrorCode.OUT_OF_MEMORY, "a card lacks 3 GiB", "");
    }
    Path run = Path.of(words.get(words.indexOf("--run-dir") + 1));
    double seconds =
        Double.parseDouble(set("training.tokens_per_step")) / ranks / TOKENS_PER_SECOND;
    Files.writeString(run.resolve("placement.json"), placement(ranks));
    if (!has(UNPREDICTED, ranks)) {
      PredictionFile.write(run.resolve(PredictionFile.NAME), prediction(ranks, seconds));
    }
    StringBuilder lines = new StringBuilder();
    int steps = Integer.parseInt(words.get(words.indexOf("--max-steps") + 1));
    for (int step = 1; step <= steps; step++) {
      lines.append(line(step, ranks, has(SLOW, ranks) ? 2 * seconds : seconds));
    }
    Files.writeString(run.resolve("metrics.jsonl"), lines.toString());
  }

  private String line(int step, int ranks, double seconds) {
    double tokens = Double.parseDouble(set("training.tokens_per_step"));
    String rank =
        String.format(
            Locale.ROOT,
            "{\"weights\":%d,\"driver_bytes\":%d}",
            has(LARGE, ranks) ? 2 * BYTES : BYTES,
            BYTES);
    return String.format(
        Locale.ROOT,
        "{\"step\":%d,\"loss\":%.9f,\"grad_norm\":%.9f,\"tokens_per_second\":%.6f,"
            + "\"seconds\":{\"total\":%.9f},\"exposed_seconds\":{\"data\":%.9f},"
            + "\"rank_memory\":[%s]}%n",
        step,
        4.0 / step,
        1.0 / step / (has(WRONG_SUM, ranks) ? ranks : 1),
        tokens / seconds,
        seconds,
        has(SLOW, ranks) ? seconds / 2 : 0,
        String.join(",", Collections.nCopies(ranks, rank)));
  }

  private static Prediction prediction(int ranks, double seconds) {
    return new Prediction(
        Collections.nCopies(ranks, Map.of("weights", BYTES)),
        IntStream.range(0, ranks)
            .mapToObj(rank -> new PredictedDevice("cuda:" + rank, List.of(rank), Map.of()))
            .toList(),
        Optional.of(
            new PredictedStep(
                seconds,
                0.9 * seconds,
                1.1 * seconds,
                Double.NaN,
                Map.of(),
                Map.of("data", 0.0),
                "a test")),
        "");
  }

  private static String placement(int ranks) {
    String seats =
        String.join(
            ",",
            IntStream.range(0, ranks)
                .mapToObj(
                    rank ->
                        "{\"rank\":%d,\"device\":\"cuda:%d\",\"uuid\":\"GPU-%d\"}"
                            .formatted(rank, rank, rank))
                .toList());
    String groups =
        ranks == 1
            ? ""
            : "{\"axis\":\"data\",\"slowest_link\":\"NV18\",\"gb_per_s_each_way\":{\"low\":450}}";
    return "{\"seats\":[" + seats + "],\"groups\":[" + groups + "]}";
  }
}
