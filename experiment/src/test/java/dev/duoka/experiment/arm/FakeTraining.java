package dev.duoka.experiment.arm;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.turn.TurnFile;
import dev.duoka.operations.run.WorkerFolder;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;

/**
 * A program in place of the trainer's: it writes what a run would have measured, takes turns, and
 * saves how many steps it has taken. How it does depends on the threads that it is given.
 */
public final class FakeTraining {
  /** 4 % slower than others. */
  public static final String SLOW = "threads=2";

  /** 5 % faster than others. */
  public static final String FAST = "training.micro_batch=1";

  /** Its loss is a tenth more than that of others. */
  public static final String SPOILT = "training.recompute=full";

  /** It fits on the device only alone. */
  public static final String LARGE = "threads=3";

  /** Its steps fit on the device only alone. */
  public static final String LARGE_STEP = "threads=7";

  /** It never fits. */
  public static final String TOO_LARGE = "threads=4";

  /** Its tenth step has no loss. */
  public static final String BROKEN = "threads=5";

  /** It is not to be started at all. */
  public static final String WRONG = "threads=6";

  /** Given to the program: a machine on which nothing fits but what is fast. */
  public static final String ONLY_FAST_FITS = "only-fast-fits";

  /** Given to the program: one whose later processes are a tenth faster, whatever they train. */
  public static final String LATER_IS_FASTER = "later-is-faster";

  /** What another order of sums makes of a loss. */
  private static final double ROUNDING = 1e-4;

  private static final double NOISE = 0.003;

  private final List<String> words;
  private final Path run;

  private FakeTraining(List<String> words) {
    this.words = words;
    this.run = Path.of(after("--run-dir"));
  }

  private String after(String option) {
    return words.get(words.indexOf(option) + 1);
  }

  /** Whether its rate is another one than the run file's. */
  private boolean hasOtherDigits() {
    return words.stream().anyMatch(word -> word.startsWith("optimizer.learning_rate="));
  }

  private boolean is(String override) {
    return words.contains(override);
  }

  /** Whether the run file or what is set over it says so. */
  private boolean isToFail() throws IOException {
    String field = WRONG.replace("=", ": ");
    return is(WRONG) || Files.readString(Path.of(after("train"))).contains(field);
  }

  /** The words that start it. */
  public static List<String> command() {
    String classes =
        Path.of(FakeTraining.class.getProtectionDomain().getCodeSource().getLocation().getPath())
            .toString(); // patched into its module it is on no path
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx64m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        String.join(
            File.pathSeparator,
            System.getProperty("jdk.module.path", ""),
            System.getProperty("java.class.path", ""),
            classes),
        FakeTraining.class.getName());
  }

  /** Trains as the words say. */
  public static void main(String[] arguments) throws Exception {
    try {
      new FakeTraining(List.of(arguments)).run();
    } catch (DuokaException e) {
      WorkerFolder.fail(Path.of(System.getenv("DUOKA_FAILURE_FILE")), e);
      System.exit(1);
    }
  }

  private void run() throws IOException, InterruptedException {
    String turns = System.getenv("DUOKA_TURNS");
    if (isToFail()) {
      throw new DuokaException(ErrorCode.CONFIG, "this is wrong", "");
    }
    if (is(ONLY_FAST_FITS) && !is(FAST)) {
      throw new DuokaException(ErrorCode.OUT_OF_MEMORY, "there is no room", "");
    }
    if (is(TOO_LARGE) || (is(LARGE) && turns != null)) {
      throw new DuokaException(ErrorCode.OUT_OF_MEMORY, "there is no room", "");
    }
    long step = saved();
    long last = Long.parseLong(after("--max-steps"));
    Random random = new Random(is(SLOW) ? 1 : run.hashCode());
    while (step < last) {
      await(turns, step);
      step++;
      if (is(LARGE_STEP) && turns != null) {
        throw new DuokaException(ErrorCode.OUT_OF_MEMORY, "a step has no room", "");
      }
      if (is(BROKEN) && step == 10) {
        throw new DuokaException(ErrorCode.NUMERICS, "step 10 gave a loss of NaN", "");
      }
      double rounded = 1 + (hasOtherDigits() ? ROUNDING * random.nextGaussian() : 0);
      double speed =
          1000
              * (is(SLOW) ? 0.96 : 1)
              * (is(FAST) ? 1.05 : 1)
              * (is(LATER_IS_FASTER) && !run.endsWith("as-it-is") ? 1.1 : 1)
              * (1 + NOISE * random.nextGaussian());
      write(
          run.resolve("metrics.jsonl"),
          String.format(
              Locale.ROOT,
              "{\"step\":%d,\"loss\":%.6f,\"grad_norm\":%.6f,\"tokens_per_second\":%.6f,"
                  + "\"memory\":{\"peak_bytes\":%d},\"rank_memory\":[{\"weights\":10,"
                  + "\"activations\":%d,\"driver_bytes\":999999}]}%n",
              step,
              (is(SPOILT) ? 4.4 : 4.0) / step * rounded,
              1.0 / step * rounded,
              speed,
              100,
              is(SLOW) ? 100 : 90));
      write(
          run.resolve("order"),
          (turns == null ? "alone" : run.getFileName()) + " " + step + System.lineSeparator());
    }
    if (is("checkpoint.final=true")) {
      Files.createDirectories(
          run.resolve("checkpoints").resolve(String.format(Locale.ROOT, "step-%08d", step)));
    }
  }

  private static void await(String turns, long step) throws InterruptedException {
    if (turns == null) {
      return;
    }
    int colon = turns.lastIndexOf(':');
    TurnFile file = TurnFile.open(Path.of(turns.substring(0, colon)));
    int arm = Integer.parseInt(turns.substring(colon + 1));
    if (file.limit(arm) <= step) {
      file.stand(arm, 0, step);
    }
    while (file.limit(arm) <= step) {
      Thread.sleep(1);
    }
  }

  private long saved() throws IOException {
    Path folder = run.resolve("checkpoints");
    if (!is("--resume")) {
      return 0;
    }
    try (Stream<Path> steps = Files.list(folder)) {
      return steps
          .mapToLong(path -> Long.parseLong(path.getFileName().toString().substring(5)))
          .max()
          .orElseThrow();
    }
  }

  private static void write(Path file, String text) throws IOException {
    Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }
}
