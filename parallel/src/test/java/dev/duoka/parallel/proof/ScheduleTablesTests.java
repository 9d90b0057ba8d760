package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.schedule.Schedule;
import dev.duoka.parallel.schedule.ScheduleCheck;
import dev.duoka.parallel.step.PipelineSettings;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tables that put stages on any ranks train as one rank does. */
class ScheduleTablesTests {
  private static final int MICRO_BATCHES = 4;

  /** First and last stage on one rank (a V), in the middle of the ranks, or turned round. */
  @ParameterizedTest
  @CsvSource({
    "dense, 0110, 4, 1",
    "dense tied, 0110, 4, 1",
    "dense tied, 01233210, 8, 1",
    "dense tied, 1032, 4, 1",
    "dense tied, 3210, 4, 2",
    "dense tied, 001, 4, 1",
    "v3 mtp, 0110, 4, 1",
    "v3 mtp, 1203, 4, 1",
    "v3 mtp, 20011, 5, 1",
  })
  void asOneRank(String model, String rankOfStages, int layers, int tensor) {
    List<Integer> ranks = rankOfStages.chars().mapToObj(it -> it - '0').toList();
    Schedule table = table(ranks);
    ScheduleCheck.check(table, MICRO_BATCHES);
    Trial trial =
        new Trial(
            Draw.model(model, layers, 2),
            new Mesh(table.ranks().size(), 1, 1, 1, tensor, 1),
            new PipelineSettings(PipelineKind.ONE_F_ONE_B, 1, List.of(), Optional.of(table)),
            Recompute.NONE,
            0,
            16,
            1,
            MICRO_BATCHES,
            2);
    assertThat(Equality.FP64.differences(trial.run(), trial.onOneRank().run())).isEmpty();
  }

  /** All forward passes in the order of the stages, then all backward passes. */
  private static Schedule table(List<Integer> rankOfStages) {
    int ranks = rankOfStages.stream().mapToInt(it -> it).max().orElseThrow() + 1;
    return Schedule.parseComputations(
        IntStream.range(0, ranks)
            .mapToObj(
                rank ->
                    Stream.concat(
                            stages(rankOfStages, rank, "F"),
                            stages(rankOfStages, rank, "B").toList().reversed().stream())
                        .collect(Collectors.joining(",")))
            .collect(Collectors.joining("\n")));
  }

  private static Stream<String> stages(List<Integer> rankOfStages, int rank, String kind) {
    return IntStream.range(0, MICRO_BATCHES)
        .boxed()
        .flatMap(
            microBatch ->
                IntStream.range(0, rankOfStages.size())
                    .filter(stage -> rankOfStages.get(stage) == rank)
                    .mapToObj(stage -> stage + kind + microBatch));
  }
}
