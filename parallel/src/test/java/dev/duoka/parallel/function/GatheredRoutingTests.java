package dev.duoka.parallel.function;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.engine.function.Routing;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rows that go to experts on several ranks, against those that go to experts on one. */
final class GatheredRoutingTests {
  private static final long SEED = 5;
  private static final int WIDTH = 3;

  /** A rank's part of what all ranks have, row by row. */
  private static Tensor part(Tensor all, Communicator ranks) {
    long rows = all.size(0) / ranks.size();
    return Views.narrow(all, 0, ranks.rank() * rows, rows);
  }

  private static double[] part(double[] all, Communicator ranks) {
    int length = all.length / ranks.size();
    return Arrays.copyOfRange(all, ranks.rank() * length, (ranks.rank() + 1) * length);
  }

  @ParameterizedTest
  @CsvSource({"2, 5, 2, 4", "4, 7, 3, 8", "3, 1, 1, 6", "4, 2, 6, 64"})
  void rowsGoWhereOneRankSendsThemAndComeBack(int size, int tokens, int perToken, int experts) {
    LocalRanks.run(
        size,
        ranks -> {
          try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
              RowCounts counts = new RowCounts()) {
            Inputs inputs = new Inputs(SEED, Dtype.FLOAT64, Device.CPU);
            Tensor chosen = inputs.indices(experts, (long) size * tokens, perToken);
            Tensor rows = inputs.coarse((long) size * tokens, WIDTH);
            Tensor values = inputs.coarse((long) size * tokens, perToken);
            Routing whole = Routing.of(chosen, experts, Dtype.FLOAT64);
            Routing here =
                GatheredRouting.of(part(chosen, ranks), experts, Dtype.FLOAT64, ranks, counts);

            int each = experts / size;
            int[] allEnds = HostCopy.ints(whole.ends());
            int first = ranks.rank() == 0 ? 0 : allEnds[ranks.rank() * each - 1];
            int[] ends = HostCopy.ints(here.ends());
            for (int i = 0; i < each; i++) {
              assertThat(ends[i]).isEqualTo(allEnds[ranks.rank() * each + i] - first);
            }
            int count = ends[each - 1];
            assertThat(first(here.spread(part(rows, ranks)), count))
                .isEqualTo(from(whole.spread(rows), first, count));
            assertThat(first(here.sort(part(values, ranks)), count))
                .isEqualTo(from(whole.sort(values), first, count));

            // Back again: what each assignment has is summed for its token, or stays its own.
            Tensor sums = here.gather(here.spread(part(rows, ranks)), part(rows, ranks));
            double[] allSums = HostCopy.doubles(whole.gather(whole.spread(rows), rows));
            assertThat(from(sums, 0, tokens)).isEqualTo(unsigned(part(allSums, ranks)));
            assertThat(from(here.unsort(here.sort(part(values, ranks))), 0, tokens))
                .isEqualTo(from(part(values, ranks), 0, tokens));
            assertThat(HostCopy.longs(here.counts()))
                .isEqualTo(
                    HostCopy.longs(
                        Routing.of(Views.dense(part(chosen, ranks)), experts, Dtype.FLOAT64)
                            .counts()));
          }
        });
  }

  private static double[] first(Tensor rows, int count) {
    return from(rows, 0, count);
  }

  private static double[] from(Tensor rows, int first, int count) {
    return count == 0
        ? new double[0]
        : unsigned(HostCopy.doubles(Views.dense(Views.narrow(rows, 0, first, count))));
  }

  /** A sum with nothing has no -0. */
  private static double[] unsigned(double[] values) {
    return Arrays.stream(values).map(value -> value + 0.0).toArray();
  }

  /** All tokens choose the first expert: its rank gets every row, the other none. */
  @Test
  void oneExpertMayGetEverything() {
    LocalRanks.run(
        2,
        ranks -> {
          try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
              RowCounts counts = new RowCounts()) {
            Tensor chosen = HostCopy.fromLongs(new long[4], Device.CPU, 4, 1);
            Routing here = GatheredRouting.of(chosen, 2, Dtype.FLOAT64, ranks, counts);
            assertThat(HostCopy.ints(here.ends())).containsExactly(ranks.rank() == 0 ? 8 : 0);
            Tensor rows = new Inputs(SEED, Dtype.FLOAT64, Device.CPU).coarse(4, WIDTH);
            assertThat(HostCopy.doubles(here.gather(here.spread(rows), null)))
                .isEqualTo(unsigned(HostCopy.doubles(rows)));
          }
        });
  }
}
