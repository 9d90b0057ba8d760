package dev.duoka.checks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Scripts that measure on cards, on a machine without any. */
final class BenchScriptTests {
  @TempDir private Path folder;

  /** Runs a script with the programs of {@link #folder} before all others. */
  private Command run(String script, String... arguments) throws IOException, InterruptedException {
    Map<String, String> environment = new HashMap<>(System.getenv());
    environment.put("PATH", folder + File.pathSeparator + System.getenv("PATH"));
    environment.put("DUOKA", folder.resolve("duoka").toString());
    List<String> words = new ArrayList<>();
    words.add("python3");
    words.add(Repository.root().resolve("bench").resolve(script).toString());
    words.addAll(List.of(arguments));
    return Command.run(folder, environment, words);
  }

  private void program(String name, String text) throws IOException {
    Path file = Files.writeString(folder.resolve(name), text);
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  /** One that cannot be started, as where there is none, and one that finds no driver. */
  @ParameterizedTest
  @ValueSource(strings = {"#!/no/such/shell", "#!/bin/sh\nexit 9"})
  void withoutCardsTheirNumberIsAskedFor(String text) throws IOException, InterruptedException {
    program("nvidia-smi", text + "\n");
    for (Command ended :
        List.of(run("several-cards/run", "out"), run("choice/run", "out", "tiny-moe", "1024"))) {
      assertThat(ended.output())
          .contains("nvidia-smi does not list", "say how many with --cards N")
          .doesNotContain("Traceback");
      assertThat(ended.exitStatus()).isOne();
    }
  }

  @Test
  void timesArePlannedFromAProfileThatIsNamed() throws IOException, InterruptedException {
    String[] row = {"out", "dense-one", "--cards", "2", "--profile", "cards.json", "--predict"};
    program(
        "duoka",
        "#!/bin/sh\n"
            + "echo '{\"peak_gib\": 1.5, \"predicted_step_ms\": 12.34, \"words\": \"'$*'\"}'\n");
    assertThat(run("several-cards/run", row).output())
        .contains("| dense-one |", "| – (12.3) |", "predicted memory and time");
    assertThat(Files.readString(folder.resolve("out/dense-one.json")))
        .contains("--device meta --profile cards.json");
    assertThat(run("several-cards/run", List.of(row).subList(0, 6).toArray(String[]::new)).output())
        .contains("--profile is for --predict");
  }
}
