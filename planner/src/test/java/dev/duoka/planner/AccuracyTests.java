package dev.duoka.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.planner.PublishedRuns.Run;
import dev.duoka.planner.layout.Stage;
import dev.duoka.planner.memory.MemoryModel;
import dev.duoka.planner.shape.ModelShape;
import dev.duoka.planner.time.PublishedTimes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

/** The errors that the documentation states are those of the models as they are now. */
final class AccuracyTests {
  private static final double GIB = 1L << 30;

  private static final Predicate<Run> LONG = run -> run.context() > 1;
  private static final Predicate<Run> LLAMA = run -> run.model().endsWith("b");

  @Test
  void thePageStatesTheErrorsOfToday() throws IOException {
    Path page = Path.of(System.getProperty("duoka.repository"), "docs", "planning.md");
    List<String> stated = Files.readAllLines(page).stream().map(String::strip).toList();
    List<String> missing = rows().stream().filter(row -> !stated.contains(row)).toList();
    assertThat(missing).as("rows that docs/planning.md must have").isEmpty();
    assertThat(String.join(" ", stated)).contains(average());
  }

  private static List<String> rows() {
    return List.of(
        row(
            "Llama-3-70B, 12 layers, tp 1 to 8, pp 2",
            memory(run -> run.model().equals("70b") && !LONG.test(run))),
        row(
            "Llama-3-405B, 4 layers, tp 1 to 8, pp 2",
            memory(run -> run.model().equals("405b") && !LONG.test(run))),
        row("DeepSeek-V2 and V3, 4 layers, ep 4 and 8, pp 2", memory(LLAMA.negate())),
        row("both Llamas at 32 K and 128 K tokens, cp 4 and 8", memory(LONG)),
        row("8 B200, Llama-3-70B and 405B at 4 K", time(LLAMA.and(LONG.negate()))),
        row("8 B200, DeepSeek-V2 and V3 at 4 K", time(LLAMA.negate())),
        row(
            "8 B200, context parallel, 32 K / 128 K",
            time(LONG.and(run -> run.sequenceLength() == 32768))
                + " / "
                + time(LONG.and(run -> run.sequenceLength() == 131072))),
        row(
            "1 H100, DeepSeek-Coder-1.3B, torch.compile, batch 8 / 4",
            percent(PublishedTimes.coderOnOneH100(8)).replace(" %", "")
                + " / "
                + percent(PublishedTimes.coderOnOneH100(4))),
        row("8 H100, GPT-2 1558M by llm.c", percent(PublishedTimes.gptTwoByLlmC())),
        row(
            "8 A100, MPT-7B at 2 K (llm-foundry, another MLP)",
            percent(PublishedTimes.mptOnEightA100())));
  }

  private static String row(String name, String value) {
    return "| " + name + " | " + value + " |";
  }

  private static String average() {
    List<Run> runs = PublishedRuns.all();
    double mean = runs.stream().mapToDouble(PublishedTimes::error).average().orElseThrow();
    double size =
        runs.stream()
            .mapToDouble(run -> Math.abs(PublishedTimes.error(run)))
            .average()
            .orElseThrow();
    return signed(mean, 1)
        + " % on average, "
        + String.format(Locale.ROOT, "%.1f", 100 * size)
        + " % without signs";
  }

  private static String memory(Predicate<Run> which) {
    return range(which, AccuracyTests::memoryError, 1);
  }

  private static String time(Predicate<Run> which) {
    return range(which, PublishedTimes::error, 0);
  }

  private static String range(Predicate<Run> which, ToDoubleFunction<Run> error, int digits) {
    DoubleSummaryStatistics errors =
        PublishedRuns.all().stream().filter(which).mapToDouble(error).summaryStatistics();
    return signed(errors.getMin(), digits) + " to " + signed(errors.getMax(), digits) + " %";
  }

  private static double memoryError(Run run) {
    ModelShape shape = run.shape();
    double bytes =
        new MemoryModel(shape, run.job(), Megatron.TRAITS)
            .estimate(run.layout(), Stage.split(shape, run.pipeline()))
            .allocated();
    return bytes / GIB / run.allocatedGib() - 1;
  }

  private static String percent(double error) {
    return signed(error, 0) + " %";
  }

  /** With the typographic minus sign that the page has. */
  private static String signed(double error, int digits) {
    return String.format(Locale.ROOT, "%+." + digits + "f", 100 * error).replace('-', '−');
  }
}
