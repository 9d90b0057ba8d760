package dev.duoka.measure.comm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.Operation;
import dev.duoka.comm.Pending;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Dispatcher;
import dev.duoka.layout.RoutedExperts;
import dev.duoka.parallel.proof.FaultyCommunicator;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.device.Transport;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class DispatchBenchmarkTests {
  private static ModelConfig model(String name) {
    return ModelSource.config(name, Map.of("hidden_size", "64"));
  }

  @ParameterizedTest
  @CsvSource({"2, ALL_GATHER", "4, ALL_GATHER", "32, ALL_TO_ALL"})
  void bothDispatchersAreTimedForEveryNumberOfTokens(int ranks, Dispatcher usual) {
    DispatchBenchmark.Report report =
        DispatchBenchmark.of(model("deepseek-v2-lite"), OptionalInt.of(ranks), "cpu", "copies")
            .run(List.of(1L, 40L), _ -> {});
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
            .run(List.of(200L), _ -> {});
    assertThat(report.isRight()).isTrue();
    assertThat(report.usual()).isEqualTo(Dispatcher.ALL_TO_ALL);
    double most = 3.0 * 200 * 128; // its own group is one of the three at times
    assertThat(report.lines().getLast().needed()).isBetween(0.8 * most, 0.95 * most);
  }

  @ParameterizedTest
  @CsvSource({"ALL_GATHER, REDUCE_SCATTER", "ALL_TO_ALL, ALL_TO_ALL"})
  void aForgottenExchangeIsNamedAndNotTimed(Dispatcher dispatcher, Operation forgotten) {
    for (DispatchLine line :
        lines(16, hosts -> new FaultyCommunicator(hosts, "world", forgotten))) {
      if (line.dispatcher() == dispatcher) {
        assertThat(line.wrong()).get().asString().startsWith("rank ").contains(", not ");
        assertThat(line.microseconds()).isNaN();
      } else {
        assertThat(line.wrong()).isEmpty();
      }
    }
  }

  /** One element of one row, anywhere: all of them are compared. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1023, 1024, 2499})
  void aWrongElementOfOneRowIsFound(int token) {
    List<DispatchLine> lines = lines(2500, hosts -> spoiling(hosts, token));
    assertThat(lines.getFirst().dispatcher()).isEqualTo(Dispatcher.ALL_GATHER);
    assertThat(lines.getFirst().wrong())
        .get()
        .asString()
        .startsWith("rank 1: element 63 of token " + token + " came back as 99.0, not ");
    assertThat(lines.getLast().wrong()).isEmpty();
  }

  /** Puts a number among the sums that the last rank gets. */
  private static Communicator spoiling(Communicator ranks, int token) {
    return (Communicator)
        Proxy.newProxyInstance(
            Communicator.class.getClassLoader(),
            new Class<?>[] {Communicator.class},
            (_, method, arguments) -> {
              try {
                Object result = method.invoke(ranks, arguments);
                if (method.getName().equals("reduceScatter") && ranks.rank() == 1) {
                  ((Pending) result).join();
                  Tensor sums = Views.reshape((Tensor) arguments[1], -1);
                  Tensors.fill(Views.narrow(sums, 0, token * 64L + 63, 1), 99);
                }
                return result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private static List<DispatchLine> lines(long tokens, UnaryOperator<Communicator> fault) {
    List<DispatchLine> lines = new ArrayList<>();
    WrongResults wrong = new WrongResults();
    ModelConfig model = model("deepseek-v2-lite");
    LocalRanks.run(
        2,
        hosts ->
            new DispatchRounds(
                    fault.apply(hosts),
                    Device.CPU,
                    Objects.requireNonNull(model.moe()),
                    model.hiddenSize(),
                    wrong)
                .run(
                    Transport.COPIES,
                    List.of(tokens),
                    line -> {
                      if (hosts.rank() == 0) {
                        lines.add(line);
                      }
                    }));
    return lines;
  }

  @Test
  void eachLineIsThereBeforeTheNextTokensAre() {
    List<DispatchLine> seen = new CopyOnWriteArrayList<>();
    AtomicInteger before = new AtomicInteger();
    List<Long> tokens =
        new AbstractList<>() {
          @Override
          public Long get(int index) {
            before.accumulateAndGet(index == 1 ? seen.size() : 0, Math::max);
            return 4L + index;
          }

          @Override
          public int size() {
            return 2;
          }
        };
    DispatchBenchmark.Report report =
        DispatchBenchmark.of(model("deepseek-v2-lite"), OptionalInt.of(2), "cpu", "copies")
            .run(tokens, seen::add);
    assertThat(before).as("lines of 4 tokens, when 5 begin").hasValue(2);
    assertThat(seen).isEqualTo(report.lines()).hasSize(4);
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
