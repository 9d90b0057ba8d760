package dev.duoka.train.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.step.RankBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the recipes of {@code examples} need of a card, as their pages say it. */
class RecipeMemoryTests {
  private static final double GIB = 1L << 30;

  /** Of a card of 24 GB there are 23.6 GiB, of one of 48 GB 44.4, of one of 80 GB 79. */
  @ParameterizedTest
  @CsvSource({
    "pretrain-domain, deepseek-coder-1.3b, 23.6",
    "instruct-lora, deepseek-llm-7b, 23.6",
    "qlora-33b, deepseek-coder-33b, 23.6",
    "full-7b, deepseek-llm-7b, 79",
    "tune-v2-lite, deepseek-v2-lite, 79",
    "dpo, deepseek-llm-7b, 44.4"
  })
  void fitsTheCardAndThePageSaysHow(String recipe, String preset, double card) throws IOException {
    Path root = Path.of(System.getProperty("duoka.repository"));
    RunConfig config =
        RunFile.read(
            root.resolve("examples").resolve(recipe + ".yaml"),
            List.of("model.path=null", "model.load_weights=false", "model.preset=" + preset));
    StepMemory memory =
        StepMemory.of(
            new RankBuilder(config, ModelSource.config(config), null).plan(0),
            Device.cuda(0),
            false);
    double gib = memory.need().bytes() / GIB;
    assertThat(gib).isLessThan(card);
    assertThat(Files.readString(root.resolve("docs/recipes").resolve(recipe + ".md")))
        .contains(String.format(Locale.ROOT, "%.1f GiB counted", gib));
  }
}
