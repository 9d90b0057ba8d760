package dev.duoka.measure.comm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.train.device.Transport;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CollectiveBenchmarkTests {
  @ParameterizedTest
  @CsvSource({"2, 96, 65536", "3, 96, 65520"})
  void everyCollectiveIsTimedInEverySize(int ranks, long small, long large) {
    CollectiveBenchmark.Report report =
        CollectiveBenchmark.of(OptionalInt.of(ranks), "cpu", "all").run(List.of(100L, 65_536L));
    assertThat(report.devices()).hasSize(ranks);
    assertThat(report.isRight()).isTrue();
    assertThat(report.transports()).containsExactly(Transport.COPIES);
    assertThat(report.missing()).containsOnlyKeys(Transport.PEER, Transport.NCCL);
    assertThat(report.sizes()).containsExactly(small, large);
    assertThat(report.lines()).hasSize(2 * Collective.values().length);
    for (Collective collective : Collective.values()) {
      for (long size : report.sizes()) {
        CollectiveLine line = report.line(Transport.COPIES, collective, size);
        assertThat(line.ranks()).isEqualTo(ranks);
        assertThat(line.rounds()).hasSizeGreaterThan(1).allMatch(it -> it > 0);
        assertThat(line.hostRounds()).hasSameSizeAs(line.rounds());
        assertThat(line.microseconds())
            .isBetween(line.fastestMicroseconds(), line.slowestMicroseconds());
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "1; cpu; all; one rank exchanges nothing",
        "0; cpu; all; --ranks is 0",
        "33; cpu; all; --ranks is 33",
        "2; meta; all; --device is meta, which computes nothing",
        "2; cpu; ncl; --collectives is 'ncl'",
        "2; cpu; peer; --collectives is peer, but 2 ranks lie on [cpu], not on a GPU each"
      })
  void whatCannotBeIsRefused(int ranks, String device, String collectives, String problem) {
    assertThatThrownBy(() -> CollectiveBenchmark.of(OptionalInt.of(ranks), device, collectives))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(problem);
  }

  /** nccl-tests' figures for 1 GB in 10 ms between four ranks. */
  @ParameterizedTest
  @CsvSource({
    "ALL_REDUCE, 150",
    "REDUCE_SCATTER, 75",
    "ALL_GATHER, 75",
    "ALL_TO_ALL, 75",
    "BROADCAST, 100",
    "SEND_RECEIVE, 100"
  })
  void bandwidthsAreThoseOfNcclTests(Collective collective, double bus) {
    CollectiveLine line =
        new CollectiveLine(
            Transport.NCCL,
            collective,
            4,
            1_000_000_000L,
            List.of(0.5, 0.01, 0.001),
            List.of(2e-6, 1e-6, 3e-6),
            Optional.empty());
    assertThat(line.algorithmBandwidth()).isCloseTo(100, Offset.offset(1e-9));
    assertThat(line.busBandwidth()).isCloseTo(bus, Offset.offset(1e-9));
    assertThat(line.hostMicroseconds()).isCloseTo(2, Offset.offset(1e-9));
  }
}
