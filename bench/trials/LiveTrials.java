import dev.duoka.base.Progress;
import dev.duoka.cli.Main;
import dev.duoka.experiment.arm.ArmSteps;
import dev.duoka.experiment.arm.TurnPlan;
import dev.duoka.experiment.trial.Comparison;
import dev.duoka.experiment.trial.Margins;
import dev.duoka.experiment.trial.Trial;
import dev.duoka.experiment.trial.TrialRequest;
import dev.duoka.experiment.verdict.Judgement;
import dev.duoka.experiment.verdict.Quantity;
import dev.duoka.ffi.cuda.CudaKernel;
import dev.duoka.ffi.cuda.KernelSource;
import dev.duoka.ffi.torch.CudaStreams;
import dev.duoka.formats.turn.TurnFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * Trials on a card in which it is known what is true: two equal arms, and one whose device stream
 * sleeps for a part of the time that it trains. See {@code run} beside this file.
 */
public final class LiveTrials {
  private static final int STEPS = 100;
  private static final String SLEEPS = "duoka.bench.sleeps";

  /** A setting that changes nothing that is measured, so that the arms differ in something. */
  private static final String CHANGE = "launch.timeout=121";

  private LiveTrials() {}

  /**
   * {@code RUN.yaml FOLDER TRIALS SHARE...}: for each share of the time, so many trials in a row.
   */
  public static void main(String[] arguments) throws Exception {
    int trials = Integer.parseInt(arguments[2]);
    for (int i = 3; i < arguments.length; i++) {
      double share = Double.parseDouble(arguments[i]);
      Path folder = Path.of(arguments[1], "sleeps-" + arguments[i]);
      TrialRequest request =
          new TrialRequest(
              Path.of(arguments[0]),
              List.of(CHANGE),
              trials * STEPS,
              Optional.empty(),
              Optional.empty(),
              false,
              folder);
      new Trial(request, program(share), System.err::println, Progress.NONE).run(List.of());
      report(folder, trials, share);
    }
  }

  /** This JVM's own words, but for its main class. */
  private static List<String> program(double share) {
    List<String> words = new ArrayList<>();
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.add("-D" + SLEEPS + "=" + share);
    words.addAll(List.of("-Xmx4g", "--enable-native-access=ALL-UNNAMED"));
    words.addAll(List.of("-cp", System.getProperty("java.class.path"), Arm.class.getName()));
    return words;
  }

  /** What each hundred steps say by themselves. */
  private static void report(Path folder, int trials, double share) {
    ArmSteps base = ArmSteps.read(folder.resolve("as-it-is/metrics.jsonl"));
    ArmSteps changed = ArmSteps.read(folder.resolve("changed/metrics.jsonl"));
    TurnPlan whole = TurnPlan.of(0, trials * STEPS);
    Map<Quantity, List<String>> verdicts = new EnumMap<>(Quantity.class);
    IntStream.range(0, trials)
        .mapToObj(trial -> new TurnPlan((long) trial * STEPS, whole.warmUp(), STEPS, whole.block()))
        .map(plan -> judge(plan, base, changed))
        .flatMap(List::stream)
        .forEach(
            judgement ->
                verdicts
                    .computeIfAbsent(judgement.quantity(), _ -> new ArrayList<>())
                    .add(text(judgement)));
    System.out.printf(Locale.ROOT, "sleeps %.1f %% of the time%n", 100 * share);
    verdicts.forEach((quantity, all) -> System.out.println("  " + quantity + ": " + all));
    System.out.println("  all steps: " + text(judge(whole, base, changed).getFirst()));
  }

  private static List<Judgement> judge(TurnPlan plan, ArmSteps base, ArmSteps changed) {
    return new Comparison(plan, List.of())
        .of(base, changed, Margins.of(List.of()), Optional.empty());
  }

  private static String text(Judgement judgement) {
    return judgement.verdict()
        + judgement
            .interval()
            .map(
                it ->
                    String.format(
                        Locale.ROOT,
                        " %+.2f %% [%+.2f, %+.2f]",
                        100 * it.estimate(),
                        100 * it.low(),
                        100 * it.high()))
            .orElse("");
  }

  /** An arm: the program itself; the second one sleeps on the device whenever it is its turn. */
  public static final class Arm {
    private static final String SLEEP =
        """
        extern "C" __global__ void sleep_for(long long nanoseconds) {
          long long begin, now;
          asm volatile("mov.u64 %0, %globaltimer;" : "=l"(begin));
          do {
            asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
          } while (now - begin < nanoseconds);
        }
        """;

    /** Often enough for each step to sleep. */
    private static final long EVERY_NANOS = 8_000_000;

    private Arm() {}

    public static void main(String[] arguments) {
      String turns = System.getenv("DUOKA_TURNS");
      double share = Double.parseDouble(System.getProperty(SLEEPS));
      if (turns != null && turns.endsWith(":1") && share > 0) {
        Path file = Path.of(turns.substring(0, turns.lastIndexOf(':')));
        Thread.ofPlatform().daemon().start(() -> sleep(TurnFile.open(file), share));
      }
      Main.main(arguments);
    }

    private static void sleep(TurnFile turns, double share) {
      while (turns.limit(1) == 0 || !turns.stands(1, 1, turns.limit(1))) {
        pause(1_000_000); // it still starts
      }
      CudaStreams.useDevice(0);
      CudaKernel kernel =
          CudaKernel.of(new KernelSource("sleep.cu", SLEEP, List.of()), "sleep_for");
      long stream = CudaStreams.current(0); // the one that it trains on: LibTorch's default
      long next = System.nanoTime();
      while (true) {
        if (turns.stands(1, 1, turns.limit(1))) {
          pause(100_000);
          next = System.nanoTime();
        } else if (System.nanoTime() - next >= 0) {
          kernel.call(0).grid(1).block(1).longInteger((long) (share * EVERY_NANOS)).launch(stream);
          next += EVERY_NANOS;
        } else {
          pause(100_000);
        }
      }
    }

    private static void pause(long nanos) {
      LockSupport.parkNanos(nanos);
    }
  }
}
