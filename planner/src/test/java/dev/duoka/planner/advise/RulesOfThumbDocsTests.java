package dev.duoka.planner.advise;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.layout.Method;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.ProductFormat;
import dev.duoka.planner.search.PlanRequest;
import dev.duoka.planner.search.Planner;
import dev.duoka.planner.shape.ModelShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code docs/rules-of-thumb.md} says is what the planner says. */
final class RulesOfThumbDocsTests {
  private static final String MODEL = "deepseek-coder-6.7b";

  private final Catalogue catalogue = Catalogue.builtIn();
  private final Machine dataCentre = catalogue.machine("4xA100-80G-SXM");
  private final Machine consumer = catalogue.machine("4xRTX-4090-24G");

  @ParameterizedTest
  @ValueSource(strings = {"full", "lora", "qlora"})
  void speedsAreInTheRangesOfThePage(String method) throws IOException {
    assertInRange(method, speed(dataCentre, method) / speed(consumer, method));
  }

  @ParameterizedTest
  @ValueSource(strings = {"rent", "buy"})
  void pricesAreInTheRangesOfThePage(String how) throws IOException {
    double ratio =
        how.equals("rent")
            ? dataCentre.rentPerHour().orElseThrow() / consumer.rentPerHour().orElseThrow()
            : dataCentre.buyPrice().orElseThrow() / consumer.buyPrice().orElseThrow();
    assertInRange(how, ratio);
  }

  private double speed(Machine machine, String method) {
    PlanRequest request =
        new PlanRequest(
            MODEL,
            ModelShape.of(Presets.named(MODEL)),
            machine,
            new Job(4096, 1 << 18, Job.DEFAULT_IMBALANCE),
            Method.named(method),
            List.of(ProductFormat.halfPrecision(machine.card())),
            true,
            EngineTraits.DUOKA);
    return new Planner(catalogue).best(request).orElseThrow().tokensPerSecond();
  }

  private static void assertInRange(String row, double value) throws IOException {
    Path page = Path.of(System.getProperty("duoka.repository"), "docs", "rules-of-thumb.md");
    Matcher range =
        Pattern.compile("(?m)^\\| " + row + " \\| ([0-9.]+) \\| ([0-9.]+) \\|$")
            .matcher(Files.readString(page));
    assertThat(range.find()).as("the row '" + row + "'").isTrue();
    assertThat(value)
        .as(row)
        .isBetween(Double.parseDouble(range.group(1)), Double.parseDouble(range.group(2)));
  }
}
