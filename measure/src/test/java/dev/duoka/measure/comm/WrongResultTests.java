package dev.duoka.measure.comm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Operation;
import dev.duoka.comm.Pending;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.parallel.proof.FaultyCommunicator;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.train.device.Transport;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An exchange that does not give what it says is named, and is not timed; the others are. */
final class WrongResultTests {
  @ParameterizedTest
  @CsvSource({
    "ALL_REDUCE, ALL_REDUCE",
    "REDUCE_SCATTER, REDUCE_SCATTER",
    "ALL_GATHER, ALL_GATHER",
    "ALL_TO_ALL, ALL_TO_ALL",
    "SEND_RECEIVE, SEND"
  })
  void aForgottenExchangeIsWrong(Collective collective, Operation forgotten) {
    onlyWrong(collective, ranks -> new FaultyCommunicator(ranks, "world", forgotten));
  }

  @Test
  void aSumOfSumsIsWrong() {
    onlyWrong(
        Collective.ALL_REDUCE,
        ranks ->
            new FaultyCommunicator(
                ranks, "world", Operation.ALL_REDUCE, "", FaultyCommunicator.Fault.TWICE));
  }

  @Test
  void aForgottenBroadcastIsWrong() {
    onlyWrong(Collective.BROADCAST, WrongResultTests::withoutBroadcast);
  }

  /** A part of another rank, and an element at either end, whatever the size. */
  @ParameterizedTest
  @ValueSource(ints = {1, 7, 1024, 65_536, 300_000})
  void aTensorThatDiffersAnywhereNearItsEndsIsFound(int length) {
    try (Scope _ = Scope.open()) {
      Tensor tensor = Tensors.zeros(Dtype.BFLOAT16, Device.CPU, length);
      Pattern.fill(tensor, 3, 0);
      assertThat(Pattern.difference(tensor, i -> Pattern.of(3, i))).isEmpty();
      for (long place : new long[] {0, length - 1}) {
        Pattern.fill(tensor, 3, 0);
        Tensors.fill(Views.narrow(tensor, 0, place, 1), 9);
        assertThat(Pattern.difference(tensor, i -> Pattern.of(3, i)))
            .contains("element " + place + " is 9.0, not " + Pattern.of(3, place));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 8, 1024, 65_536, 1 << 20})
  void partsInEachOthersPlacesDiffer(long distance) {
    try (Scope _ = Scope.open()) {
      Tensor tensor = Tensors.zeros(Dtype.BFLOAT16, Device.CPU, 512);
      Pattern.fill(tensor, 0, 0);
      assertThat(Pattern.difference(tensor, i -> Pattern.of(0, i + distance))).isPresent();
      assertThat(Pattern.difference(tensor, i -> Pattern.of(1, i))).isPresent();
    }
  }

  private static void onlyWrong(Collective collective, UnaryOperator<Communicator> fault) {
    List<CollectiveLine> lines = new ArrayList<>();
    WrongResults wrong = new WrongResults();
    LocalRanks.run(
        2,
        hosts -> {
          List<CollectiveLine> mine =
              new CollectiveRounds(fault.apply(hosts), Device.CPU, wrong)
                  .run(Transport.COPIES, List.of(4096L));
          if (hosts.rank() == 0) {
            lines.addAll(mine);
          }
        });
    assertThat(lines).hasSize(Collective.values().length);
    for (CollectiveLine line : lines) {
      if (line.collective() == collective) {
        assertThat(line.wrong()).get().asString().startsWith("rank ").contains(", not ");
        assertThat(line.rounds()).isEmpty();
      } else {
        assertThat(line.wrong()).isEmpty();
        assertThat(line.rounds()).isNotEmpty();
      }
    }
  }

  private static Communicator withoutBroadcast(Communicator ranks) {
    return (Communicator)
        Proxy.newProxyInstance(
            Communicator.class.getClassLoader(),
            new Class<?>[] {Communicator.class},
            (_, method, arguments) -> {
              try {
                return method.getName().equals("broadcast")
                    ? Pending.DONE
                    : method.invoke(ranks, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
