package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RunEnvironmentTests {
  @TempDir private Path folder = Path.of("");

  @ParameterizedTest
  @CsvSource({"WARN, true", "INFO, false"})
  void theShellWinsAndThatIsSaid(String shell, boolean said) throws IOException {
    List<String> notices = new ArrayList<>();
    RunEnvironment.apply(config("NCCL_DEBUG", "INFO"), Map.of("NCCL_DEBUG", shell), notices::add);
    assertThat(notices.contains("NCCL_DEBUG=WARN of the shell wins; the run file says INFO"))
        .isEqualTo(said);
  }

  private RunConfig config(String name, String value) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model: {preset: tiny-v3}
            data: {sources: [jdk:src], sequence_length: 256}
            training: {tokens_per_step: 8192, steps: 300}
            environment: {%s: %s}
            """
                .formatted(name, value));
    return RunFile.read(file, List.of());
  }
}
