package dev.duoka.train.step;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Layout;
import dev.duoka.parallel.plan.LayoutCheck;
import dev.duoka.parallel.schedule.Schedule;
import dev.duoka.parallel.schedule.ScheduleCheck;
import dev.duoka.train.config.FieldProblem;
import dev.duoka.train.config.ParallelSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Whether a model can be laid out as section {@code parallel} says. */
public final class ParallelChecks {
  private ParallelChecks() {}

  /**
   * Everything that is wrong, each with the nearest that can be.
   *
   * @param layout of the section with the batch
   * @param length tokens of a sequence
   */
  public static List<FieldProblem> problems(
      ModelConfig model, ParallelSettings parallel, Layout layout, int length) {
    List<FieldProblem> problems = new ArrayList<>();
    OptionalInt ofTable = OptionalInt.empty();
    if (parallel.schedule().file().isPresent()) {
      Path file = parallel.schedule().file().get();
      Optional<FieldProblem> problem = table(file, layout);
      if (problem.isPresent()) {
        problems.add(problem.get());
      } else {
        ofTable = OptionalInt.of(ScheduleFile.read(file).rankOfStages().size());
      }
    }
    LayoutCheck.of(model, layout, length, ofTable, parallel.stages())
        .forEach(
            misfit ->
                problems.add(
                    new FieldProblem(
                        "parallel." + misfit.axis(), misfit.problem(), misfit.remedy())));
    return problems;
  }

  private static long microBatches(Schedule table) {
    return table.ranks().stream()
            .flatMap(List::stream)
            .mapToInt(action -> action.microBatch())
            .max()
            .orElse(-1)
        + 1L;
  }

  /** A table is a whole step of one number of ranks and of micro-batches. */
  private static Optional<FieldProblem> table(Path file, Layout layout) {
    String field = "parallel.schedule";
    Schedule table;
    try {
      table = ScheduleFile.read(file);
      if (microBatches(table) == layout.accumulation()) {
        ScheduleCheck.check(table, layout.accumulation());
      }
    } catch (DuokaException e) {
      return Optional.of(new FieldProblem(field, e.problem(), e.remedy()));
    }
    long microBatches = microBatches(table);
    if (table.ranks().size() == layout.pipeline() && microBatches == layout.accumulation()) {
      return Optional.empty();
    }
    return Optional.of(
        new FieldProblem(
            field,
            "the schedule "
                + file
                + " has "
                + table.ranks().size()
                + " ranks and "
                + microBatches
                + " micro-batches, but the run has "
                + layout.pipeline()
                + " and "
                + layout.accumulation(),
            "Set parallel.pipeline and training.tokens_per_step to fit, or take another table"));
  }
}
