package dev.duoka.measure.comm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.comm.Operation;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Dispatcher;
import dev.duoka.layout.RoutedExperts;
import dev.duoka.parallel.proof.FaultyCommunicator;
import dev.duoka.tensor.Device;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.device.Transport;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DispatchBenchmarkTests {
  private static ModelConfig model(String name) {
    return ModelSource.config(name, Map.of("hidden_size", "64"));
  }

  @ParameterizedTest
  @CsvSource({"2, ALL_GATHER", "4, ALL_GATHER", "32, ALL_TO_ALL"})
  void bothDispatchersAreTimedForEveryNumberOfTokens(int ranks, Dispatcher usual) {
    DispatchBenchmark.Report report =
        DispatchBenchmark.of(model("deepseek-v2-lite"), OptionalInt.of(ranks), "cpu", "copies")
            .run(List.of(1L, 40L));
    assertThat(report.isRight()).isTrue();
    assertThat(report.usual()).isEqualTo(usual);
    assertThat(report.lines())
        .extracting(line -> line.tokens() + " " + line.dispatcher())
        .containsExactly("1 all_gather", "1 all_to_all", "40 all_gather", "40 all_to_all");
    for (DispatchLine line : report.lines()) {
      assertThat(line.microseconds()).isPositive();
      assertThat(line.needed()).isLessThanOrEqualTo(line.copies());
      assertThat(line.moved())
          .isEqualTo(
              line.dispatcher() == Dispatcher.ALL_TO_ALL
                  ? line.needed()
                  : (ranks - 1) * line.tokens() * 128.0);
    }
    DispatchLine last = report.lines().getLast();
    double chosen = 40 * 6 * 128 * (1 - 1.0 / ranks);
    assertThat(last.copies())
        .as("each expert elsewhere")
        .isCloseTo(chosen, Offset.offset(0.1 * chosen));
    double once = (ranks - 1) * 40 * 128 * new RoutedExperts(64, 6).share(ranks);
    assertThat(last.needed()).as("each rank once").isCloseTo(once, Offset.offset(0.1 * once));
  }

  /** 3 of 8 groups: without that limit 0.56 of the tokens would go to each of eight ranks. */
  @Test
  void tokensChooseAsTheModelsRouterDoes() {
    DispatchBenchmark.Report report =
        DispatchBenchmark.of(model("deepseek-v2"), OptionalInt.of(8), "cpu", "copies")
            .run(List.of(200L));
    assertThat(report.isRight()).isTrue();
    assertThat(report.usual()).isEqualTo(Dispatcher.ALL_TO_ALL);
    double most = 3.0 * 200 * 128; // its own group is one of the three at times
    assertThat(report.lines().getLast().needed()).isBetween(0.8 * most, 0.95 * most);
  }

  @ParameterizedTest
  @CsvSource({"ALL_GATHER, REDUCE_SCATTER", "ALL_TO_ALL, ALL_TO_ALL"})
  void aForgottenExchangeIsNamedAndNotTimed(Dispatcher dispatcher, Operation forgotten) {
    List<DispatchLine> lines = new ArrayList<>();
    WrongResults wrong = new WrongResults();
    ModelConfig model = model("deepseek-v2-lite");
    LocalRanks.run(
        2,
        hosts -> {
          List<DispatchLine> mine =
              new DispatchRounds(
                      new FaultyCommunicator(hosts, "world", forgotten),
                      Device.CPU,
                      Objects.requireNonNull(model.moe()),
                      model.hiddenSize(),
                      wrong)
                  .run(Transport.COPIES, List.of(16L));
          if (hosts.rank() == 0) {
            lines.addAll(mine);
          }
        });
    for (DispatchLine line : lines) {
      if (line.dispatcher() == dispatcher) {
        assertThat(line.wrong()).get().asString().startsWith("rank ").contains(", not ");
        assertThat(line.microseconds()).isNaN();
      } else {
        assertThat(line.wrong()).isEmpty();
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "deepseek-coder-1.3b; 2; --model has no experts",
        "deepseek-v2-lite; 3; 3 ranks cannot share 64 experts evenly",
        "deepseek-v2-lite; 1; one rank exchanges nothing"
      })
  void whatCannotBeIsRefused(String name, int ranks, String problem) {
    assertThatThrownBy(
            () ->
                DispatchBenchmark.of(
                    ModelSource.config(name, Map.of()), OptionalInt.of(ranks), "cpu", "all"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(problem);
  }
}
