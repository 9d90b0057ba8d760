package dev.duoka.cli.console;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.json.Json;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class RecordTreeTests {
  /** As a report of the environment. */
  public record Facts(Optional<String> libTorch, Threads threads, List<String> cudaDevices) {}

  /** A part of it. */
  public record Threads(int openMp, int openBlas, Optional<String> ompNumThreads) {}

  private static final Facts FACTS =
      new Facts(Optional.of("2.10"), new Threads(2, 1, Optional.empty()), List.of("a"));

  @Test
  void printsNamesAsPeopleWriteThem() {
    StringWriter out = new StringWriter();
    RecordTree.print(FACTS, new PrintWriter(out, true));
    assertThat(out.toString().replaceAll(" +", " ").lines())
        .containsExactly(
            "LibTorch 2.10", "threads", " OpenMP 2", " OpenBLAS 1", "CUDA devices", " - a");
  }

  @Test
  void keepsTheNamesOfJson() {
    assertThat(Json.line(RecordTree.json(FACTS)))
        .isEqualTo(
            "{\"lib_torch\":\"2.10\",\"threads\":{\"open_mp\":2,\"open_blas\":1,"
                + "\"omp_num_threads\":null},\"cuda_devices\":[\"a\"]}");
  }
}
