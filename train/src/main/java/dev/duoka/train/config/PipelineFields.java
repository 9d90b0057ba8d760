package dev.duoka.train.config;

import dev.duoka.layout.PipelineKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What fields of section {@code parallel} say of stages that a run does not have. */
final class PipelineFields {
  private PipelineFields() {}

  /** Each field that would do nothing, and why. */
  static List<FieldProblem> problems(ParallelSettings parallel) {
    List<FieldProblem> problems = new ArrayList<>();
    Optional<PipelineKind> kind = parallel.schedule().kind();
    boolean several =
        kind.equals(Optional.of(PipelineKind.INTERLEAVED))
            || parallel.schedule().file().isPresent();
    int each = parallel.stagesPerRank().orElse(1);
    if (parallel.pipeline() == 1 && !parallel.schedule().isDefault()) {
      problems.add(
          new FieldProblem(
              "parallel.schedule",
              "parallel.schedule "
                  + parallel.schedule()
                  + " is an order of the stages of a pipeline, but parallel.pipeline is 1",
              "Set parallel.pipeline, or remove it."));
    }
    if (each > 1 && (parallel.pipeline() == 1 || !several)) {
      problems.add(
          new FieldProblem(
              "parallel.stages_per_rank",
              "parallel.stages_per_rank "
                  + each
                  + " is for a pipeline with the schedule interleaved, but parallel.pipeline is "
                  + parallel.pipeline()
                  + " and parallel.schedule is "
                  + parallel.schedule(),
              parallel.pipeline() == 1
                  ? "Set parallel.pipeline, or remove it."
                  : "Set parallel.schedule to interleaved, or remove it."));
    }
    return problems;
  }
}
